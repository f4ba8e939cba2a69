"""Peers that choose a fault anew for each connection: every job arrives in the end, and the books hold."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.system.service import Service, configuration, connection
from torture.case import AE_TITLE, script_of
from torture.checks import Check
from torture.faults import FAULTS
from torture.faults.fault import Door, Fault
from torture.judge import Judge
from torture.network import warmed
from torture.peers import STUDY, Dialogue, Peer, closing, sound
from torture.place import Place
from torture.subjects import SUBJECTS, Subject
from torture.watch import patient_data
from torture.work import Work

ITEM: Final = "chance"
_JOBS: Final = 200
_SHORT_JOBS: Final = 24
_MOST_PAGES: Final = 3
_ARCHIVE: Final = "Archive"
_PATIENCE: Final = 600.0
_WORKERS: Final = 8
# One that is sound is among them as often as not: else nothing would ever arrive.
_ILL: Final = 0.5


@dataclass
class Street:
    """A peer for one kind of action, and how often it misbehaved."""

    subject: Subject
    number: int
    chance: random.Random
    ill: int = 0

    def __post_init__(self) -> None:
        self.faults = [fault for fault in FAULTS if fault.only in ("", self.subject.kind) and _can_pass(fault)]
        self.peer = Peer(self._play)

    @property
    def name(self) -> str:
        """The action's name, and the host of its jobs."""
        return f"{self.subject.kind}-{self.number}"

    def _play(self, dialogue: Dialogue) -> None:
        script: Callable[[Dialogue], None] = sound
        if self.chance.random() < _ILL:
            self.ill += 1
            most = _MOST_PAGES + self.subject.first - 1
            script = script_of(self.chance.choice(self.faults), self.chance.randint(1, most))
        script(dialogue)


def _can_pass(fault: Fault) -> bool:
    """Not those of the door, which stays as it is; nor 0111, which nobody says of what he has not; nor the longest."""
    return fault.door is Door.OPEN and "0111" not in fault.name and "for ever" not in fault.name


def chance(place: Place) -> list[Check]:
    """Some hundred jobs of one to three pages, until the last one has arrived."""
    random_ = place.chance(ITEM)
    streets = [
        Street(subject, number, place.chance(ITEM, subject.kind, number)) for subject in SUBJECTS for number in (1, 2)
    ]
    works = [
        Work(number, random_.choice(streets).name, random_.randint(1, _MOST_PAGES))
        for number in range(1, (_SHORT_JOBS if place.short else _JOBS) + 1)
    ]
    judge, archive = Judge(ITEM), Peer()
    by_name = {street.name: street for street in streets}
    service = Service(
        place.folder / "base", _text(streets, archive), "--workers", str(_WORKERS), "--log-format", "json"
    )
    with closing([archive, *(street.peer for street in streets)]), service:
        before = warmed(service)
        for work in works:
            work.drop(service)
        service.wait_for(lambda: len(service.ledger()) > len(works), "every job is done", _PATIENCE)
        service.wait_for(lambda: service.leftovers() == [], "the spool is empty", _PATIENCE)
        for work in works:
            subject = by_name[work.host].subject
            came = judge.books(work.host, work, by_name[work.host].peer if subject.sends else archive)
            if subject.prints:
                judge.films(work.host, work, by_name[work.host].peer)
            if subject.finds and any(delivery.study != STUDY for delivery in came):
                judge.complain(f"{work.host}: the answer to the query is not in job {work.number}")
        judge.leaks(service, before)
        judge.log(patient_data(service))
    for complaint in judge.complaints:
        place.say(f"  {complaint}")
    return [
        Check.at_least(ITEM, "jobs sent through peers that misbehave by chance", len(works), len(service.ledger()) - 1),
        Check.at_least(ITEM, "connections that met a fault", len(works) / 4, sum(street.ill for street in streets)),
        *judge.checks(),
    ]


def _text(streets: list[Street], archive: Peer) -> str:
    # What a sound one counts as confirmed is heard in time, also on a machine with other things to do.
    more = "<AssociationTimeout>4</AssociationTimeout><DimseTimeout>4</DimseTimeout>"
    actions = f'<Store name="{_ARCHIVE}">{connection(archive.port, "ARCHIVE")}</Store>'
    cases = ""
    for street in streets:
        actions += street.subject.element(street.name, connection(street.peer.port, AE_TITLE, more=more))
        then = "" if street.subject.sends else f'<Perform action="{_ARCHIVE}" onError="Suspend"/>'
        cases += f'<Case value="{street.name}"><Perform action="{street.name}" onError="Suspend"/>{then}</Case>'
    default = f'<Default><Perform action="{_ARCHIVE}"/></Default>'
    workflow = f'<Switch field="CLIENT_HOST_NAME">{cases}{default}</Switch>'
    return configuration(actions, workflow, suspension=1)
