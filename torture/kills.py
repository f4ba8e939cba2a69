"""kill -9 at every call by which the service changes the disk or speaks to a peer: each once, then at random."""

from __future__ import annotations

import random
from typing import Final

from torture.checks import Check
from torture.place import Place
from torture.points import ANY, How, Point, points_of
from torture.rounds import Round, once, run, survey
from torture.scene import KINDS, ROUNDS

_KILLS: Final = "kills"
_POWER: Final = "power"
_WANTED: Final = 300
_RANDOM: Final = 100
_CROWDS: Final = 25
_LOSSES: Final = 80
# Of a crowd none may make B refuse what others send there.
_CROWD: Final = tuple(name for name, kind in KINDS.items() if not kind.b_refuses)
_CROWD_SIZE: Final = 10
_MOST_CALLS: Final = 900
_START_CALLS: Final = 60
# Where what was written last is on its way to the disk, or something outside sees an effect.
_SECURE: Final = ("fsync ", "send ", "rename ")
# A point that comes too late in a round that went another way, or never.
_MOST_MISSED: Final = 0.03
# A sample takes what it gets.
_MOST_MISSED_OF_A_FEW: Final = 0.5
_FEW_KINDS: Final = 3

_Calls = dict[tuple[str, ...], list[str]]


def kill(place: Place) -> list[Check]:
    """Kill, start again, let it finish, look at the books."""
    chance = place.chance(_KILLS)
    calls = survey(place, _drops(place, chance))
    every = once(_asked(place, calls))
    others = [Round(kinds, (point,)) for kinds, made in calls.items() for point in points_of(made)]
    if place.short:
        rounds = [*chance.sample(list(every.values()), 4), _crowd(chance)]
    else:
        rounds = list(every.values())
        rounds += [_killed_again(one, chance) for one in chance.sample(others, _RANDOM)]
        rounds += [_crowd(chance) for _ in range(_CROWDS)]
    rounds = [one for one in rounds if place.only in str(one)]
    is_sample = place.short or bool(place.only)
    tally = run(place, _KILLS, rounds)
    wanted = {point for one in rounds if len(one.points) == 1 for point in one.points}
    missed = _MOST_MISSED_OF_A_FEW if is_sample else _MOST_MISSED
    least = max(1, round(len(wanted) * (1 - missed)))
    met = len(wanted & tally.hit)
    return [
        Check.at_least(_KILLS, "kills -9 of the service", least if is_sample else _WANTED, tally.kills),
        Check(_KILLS, f"points hit, of {len(every)} that there are", f"≥ {least}", str(met), met >= least),
        Check.none(_KILLS, "rounds whose books did not agree afterwards", len(tally.failed)),
    ]


def lose_power(place: Place) -> list[Check]:
    """Kill, take away what was not synced, start again, let it finish, look at the books."""
    chance = place.chance(_POWER)
    rounds = [
        Round(kinds, (Point(call, nth, how),), loss="all")
        for kinds, made in _asked(place, survey(place, _drops(place, chance))).items()
        for call, nth in _numbered(made)
        if call.startswith(_SECURE)
        for how in (How.BEFORE, How.AFTER)
    ]
    every = list({one.points: one for one in reversed(rounds)}.values())
    some = [Round(one.kinds, one.points, loss="some") for one in chance.sample(rounds, _LOSSES)]
    rounds = [*chance.sample(every, 2), *some[:2]] if place.short else [*every, *some]
    rounds = [one for one in rounds if place.only in str(one)]
    tally = run(place, _POWER, rounds)
    missed = _MOST_MISSED_OF_A_FEW if place.short or place.only else _MOST_MISSED
    least = max(1, round(len(rounds) * (1 - missed)))
    return [
        Check.at_least(_POWER, "losses of power around a sync or a message", least, tally.losses),
        Check.none(_POWER, "rounds whose books did not agree afterwards", len(tally.failed)),
    ]


def _drops(place: Place, chance: random.Random) -> list[tuple[str, ...]]:
    """What is dropped; of those who take in others, a sample has one."""
    if not place.short:
        return list(ROUNDS)
    alone, together = ([one for one in ROUNDS if (len(one) == 1) is is_alone] for is_alone in (True, False))
    return [*chance.sample(alone, _FEW_KINDS - 1), chance.choice(together)]


def _asked(place: Place, calls: _Calls) -> _Calls:
    """Those that `--only` names, so that no other has had their points; all where it names none."""
    named = place.only.partition(":")[0]
    return {kinds: made for kinds, made in calls.items() if named in "+".join(kinds)} or calls


def _numbered(calls: list[str]) -> list[tuple[str, int]]:
    return [(call, calls[: index + 1].count(call)) for index, call in enumerate(calls)]


def _killed_again(one: Round, chance: random.Random) -> Round:
    """Every other of these is killed while it recovers, too."""
    more = [Point(ANY, chance.randint(1, _START_CALLS), How.BEFORE) for _ in range(chance.choice((0, 0, 1, 2)))]
    return Round(one.kinds, (*one.points, *more))


def _crowd(chance: random.Random) -> Round:
    points = [Point(ANY, chance.randint(1, _MOST_CALLS), chance.choice((How.BEFORE, How.TORN))) for _ in range(4)]
    return Round(tuple(chance.choice(_CROWD) for _ in range(_CROWD_SIZE)), tuple(points), workers=3)
