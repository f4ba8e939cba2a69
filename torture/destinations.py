"""Destinations that are down beside others that are well: what the ill ones cost, and that they come back in order."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dicomprinter.dicom.network.association import VERIFICATION
from tests.canary import leaks
from tests.system.service import Service, configuration, connection
from torture.case import AE_TITLE
from torture.checks import Check
from torture.judge import Judge
from torture.network import warmed
from torture.peers import C_ECHO, RELEASE_ANSWER, Dialogue, Peer, closing, sound
from torture.place import Place
from torture.watch import patient_data
from torture.work import Work

ITEM: Final = "destinations"
_HEALTHY: Final = 4
_WORKERS: Final = 4
# As the engine has it: attempts that fail in a row before the breaker opens.
_MOST_FAILURES: Final = 3
_SUSPENSION_SECONDS: Final = 3.0
_PATIENCE: Final = 300.0


def _silent(dialogue: Dialogue) -> None:
    dialogue.acceptance()
    dialogue.wait()


def _closing(dialogue: Dialogue) -> None:
    dialogue.acceptance()


def _rejecting(dialogue: Dialogue) -> None:
    dialogue.acceptance()
    dialogue.send(bytes((0x03, 0, 0, 0, 0, 4, 0, 2, 3, 1)))


def _full(dialogue: Dialogue) -> None:
    """Answers C-ECHO, and A700 to every object."""
    dialogue.accept()
    while (request := dialogue.request()) is not None:
        dialogue.send(dialogue.final(request, 0x0000 if request.field == C_ECHO else 0xA700))
    dialogue.send(RELEASE_ANSWER)


def _hanging(dialogue: Dialogue) -> None:
    """Answers C-ECHO, and nothing to an object."""
    dialogue.accept()
    while (request := dialogue.request()) is not None and request.field == C_ECHO:
        dialogue.respond(request)
    if request is None:
        dialogue.send(RELEASE_ANSWER)
    else:
        dialogue.wait()


def _slow(dialogue: Dialogue) -> None:
    """Takes a while for each object, but takes it."""
    dialogue.accept()
    while (request := dialogue.request()) is not None:
        dialogue.over.wait(0.5)
        dialogue.respond(request)
    dialogue.send(RELEASE_ANSWER)


@dataclass
class Neighbour:
    """A destination with its jobs.

    Args:
        name: what is wrong with it; its action's name.
        peer: itself.
        works: what is sent there, in order.
        opens: whether its breaker has to open.
    """

    name: str
    peer: Peer
    works: Sequence[Work]
    opens: bool

    @property
    def arrived(self) -> list[str]:
        """The patients of the confirmed objects, in order of their coming."""
        patients = {work.patient for work in self.works}
        came = [delivery.patient for delivery in self.peer.deliveries if delivery.confirmed]
        return [patient for patient in dict.fromkeys(came) if patient in patients]

    @property
    def associations(self) -> int:
        """How many were asked for on behalf of jobs."""
        return sum(asked != {VERIFICATION} for asked in self.peer.asked)

    @property
    def probes(self) -> int:
        """How many asked whether it is back."""
        return sum(asked == {VERIFICATION} for asked in self.peer.asked)


_ILL: Final[Sequence[tuple[str, Callable[[Dialogue], None], bool]]] = (
    ("silent", _silent, True),
    ("refusing", sound, True),
    ("closing", _closing, True),
    ("rejecting", _rejecting, True),
    ("full", _full, True),
    ("hanging", _hanging, True),
    ("slow", _slow, False),
)


def destinations(place: Place) -> list[Check]:
    """Healthy archives among ill ones; then all are healed."""
    jobs = 6 if place.short else 50
    streets = [Neighbour(f"well-{n}", Peer(), _works(f"well-{n}", n, jobs), opens=False) for n in range(_HEALTHY)]
    streets += [
        Neighbour(name, Peer(script, listening=name != "refusing"), _works(name, _HEALTHY + at, jobs), opens)
        for at, (name, script, opens) in enumerate(_ILL)
    ]
    judge = Judge(ITEM)
    alone = None if place.short else _alone(place, jobs)
    service = Service(place.folder / "base", _text(streets), "--workers", str(_WORKERS), "--log-format", "json")
    with closing([street.peer for street in streets]), service:
        before = warmed(service)
        begun = time.monotonic()
        _drop(service, streets)
        checks = _while_ill(service, streets, alone, begun)
        service.configure(_text(streets, healed=True))
        service.wait_for(lambda: "the configuration was loaded anew" in service.said, "the time-outs are long")
        for street in streets:
            street.peer.heal()
        service.wait_for(lambda: len(service.ledger()) > jobs * len(streets), "every job is done", _PATIENCE)
        service.wait_for(lambda: service.leftovers() == [], "the spool is empty", _PATIENCE)
        for street in streets:
            for work in street.works:
                judge.books(street.name, work, street.peer)
        service.wait_for(lambda: not any(_is_down(one) for one in _told(service)), "every breaker has closed")
        judge.leaks(service, before)
        judge.log(patient_data(service))
    for complaint in judge.complaints:
        place.say(f"  {complaint}")
    late = {street.name: _overtaking(street) for street in streets if street.opens}
    place.say(f"  overtaken by at most, healed: {late}")
    checks.append(Check.at_most(ITEM, "jobs that overtook one of a healed destination", _WORKERS, max(late.values())))
    return [*checks, *judge.checks()]


def _while_ill(service: Service, streets: Sequence[Neighbour], alone: float | None, begun: float) -> list[Check]:
    well = [street for street in streets if street.name.startswith("well")]
    jobs = len(streets[0].works)
    service.wait_for(
        lambda: all(len(street.arrived) == jobs for street in well), "the healthy archives have all", _PATIENCE
    )
    seconds = time.monotonic() - begun
    wanted, came = jobs * len(well), sum(len(street.arrived) for street in well)
    ill = [street for street in streets if street.opens]
    ports = {street.peer.port: street for street in ill}
    service.wait_for(
        lambda: sum(_is_down(one) for one in _told(service)) == len(ill), "every breaker has opened", _PATIENCE
    )
    # Whatever was under way when they opened has come to its end.
    service.wait_for(lambda: all(street.probes or street.name == "refusing" for street in ill), "they are asked")
    told = _told(service)
    closed = [one for one in told if one["port"] not in ports]
    said = json.dumps([one["reason"] for one in told])
    without_reason = [one for one in told if one["port"] in ports and not (one["reason"] and one["last_failure"])]
    # One that answers C-ECHO is tried with a job each time; of the others no job is tried again.
    counted = [street.associations for street in ill if street.name not in ("refusing", "full", "hanging")]
    checks = [
        Check(ITEM, f"jobs of {len(well)} healthy archives that arrive beside {len(ill) + 1} ill ones",
              str(wanted), str(came), came == wanted),
        Check.none(ITEM, "jobs of ill destinations that count as stored", sum(len(one.arrived) for one in ill)),
        Check.none(ITEM, "breakers of healthy and of slow ones that have opened", sum(map(_is_down, closed))),
        Check.none(ITEM, "open breakers that do not say why, or since when", len(without_reason)),
        Check.none(ITEM, "values of patients in destinations.json", len(leaks(said, [AE_TITLE + "^"]))),
        Check.at_most(ITEM, f"associations for {jobs} jobs with a destination that is down",
                      _MOST_FAILURES + _WORKERS // 2, max(counted)),
        Check.at_least(ITEM, "probes of each open destination", 1,
                       min(street.probes for street in ill if street.name != "refusing")),
    ]  # fmt: skip
    if alone is not None:
        # Generous: the ill ones cost their own time-outs, and the machine is shared.
        checks.append(Check.at_most(ITEM, "seconds of the healthy ones' jobs, against without ill ones", 3 * alone + 10,
                                    round(seconds, 1)))  # fmt: skip
    return checks


def _alone(place: Place, jobs: int) -> float:
    """How long the healthy archives' jobs take without ill neighbours, in seconds."""
    streets = [Neighbour(f"well-{n}", Peer(), _works(f"well-{n}", n, jobs), opens=False) for n in range(_HEALTHY)]
    service = Service(place.folder / "alone", _text(streets), "--workers", str(_WORKERS), "--log-format", "json")
    with closing([street.peer for street in streets]), service:
        warmed(service)
        begun = time.monotonic()
        _drop(service, streets)
        service.wait_for(lambda: all(len(street.arrived) == jobs for street in streets), "all have arrived", _PATIENCE)
        return time.monotonic() - begun


def _works(name: str, place: int, jobs: int) -> list[Work]:
    return [Work(place * 1000 + number, name) for number in range(1, jobs + 1)]


def _drop(service: Service, streets: Sequence[Neighbour]) -> None:
    """One job for each destination, then the next."""
    for works in zip(*(street.works for street in streets), strict=True):
        for work in works:
            work.drop(service)


def _text(streets: Sequence[Neighbour], *, healed: bool = False) -> str:
    # One that is well, slow, or well again does not fail because the machine has other things to do.
    more = "<AssociationTimeout>{0}</AssociationTimeout><DimseTimeout>{0}</DimseTimeout>".format
    actions = "".join(
        f'<Store name="{one.name}">{connection(one.peer.port, AE_TITLE, more=more(seconds))}</Store>'
        for one in streets
        for seconds in [2 if one.opens and not healed else 60]
    )
    cases = "".join(
        f'<Case value="{street.name}"><Perform action="{street.name}" onError="Suspend"/></Case>' for street in streets
    )
    default = f'<Default><Perform action="{streets[0].name}"/></Default>'
    workflow = f'<Switch field="CLIENT_HOST_NAME">{cases}{default}</Switch>'
    return configuration(actions, workflow, suspension=_SUSPENSION_SECONDS)


def _told(service: Service) -> list[dict[str, Any]]:
    """What destinations.json says of each."""
    file = service.spool / "destinations.json"
    if not file.exists():
        return []
    return list(json.loads(file.read_text("utf-8"))["destinations"])


def _is_down(told: dict[str, Any]) -> bool:
    return bool(told["breaker"] != "closed")


def _overtaking(street: Neighbour) -> int:
    """By how many later ones a job was overtaken at most."""
    numbers = [int(patient.rpartition("-")[2]) for patient in street.arrived]
    return max(sum(earlier > number for earlier in numbers[:at]) for at, number in enumerate(numbers))
