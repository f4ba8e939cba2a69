"""What has to be true of a job that has met a fault, and of one that goes on after it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Final

from tests.system.service import Service
from tests.waiting import wait_until
from torture.case import Case
from torture.checks import Check
from torture.faults.fault import Kind
from torture.peers import STUDY, Delivery, Peer
from torture.watch import Line, Open
from torture.work import Work

# What a loaded machine may take beside the time-outs themselves.
_SLACK_SECONDS: Final = 50.0
_PERMANENT_WARNING: Final = "the failure is permanent"

_OUTCOME = "jobs whose state is not what the fault and onError ask for"
_MESSAGE = "failures whose message does not say what happened, or to whom"
_TIME = "failures that took longer than their time-outs"
_ARRIVAL = "healed jobs that did not arrive whole, with the right pixels"
_UID = "pages that came under more than one SOP Instance UID"
_AGAIN = "confirmed pages that were sent again"
_FILM = "pages that were not printed, or printed again though they were confirmed"
_LEAK = "services that leave sockets, files, threads or processes behind"
_LOG = "values of patients in logs"
FAILURES: Final = (_OUTCOME, _MESSAGE, _TIME)
BOOKS: Final = (_ARRIVAL, _UID, _AGAIN, _FILM, _LEAK, _LOG)


class Judge:
    """Gathers complaints over all rounds, and makes the table's lines of them.

    Args:
        item: the item's name.
        aspects: what is looked at.
    """

    def __init__(self, item: str, aspects: Sequence[str] = BOOKS) -> None:
        self._item = item
        self._found: dict[str, list[str]] = {name: [] for name in aspects}
        self._cases: Counter[str] = Counter()

    @property
    def complaints(self) -> list[str]:
        """Everything that is wrong, a line each."""
        return [f"{aspect}: {text}" for aspect, found in self._found.items() for text in found]

    def checks(self) -> list[Check]:
        """The table's lines."""
        tried = [Check.at_least(self._item, f"faults met by {kind}", 1, count) for kind, count in self._cases.items()]
        return [*tried, *(Check.none(self._item, aspect, len(found)) for aspect, found in self._found.items())]

    def failure(self, case: Case, lines: Sequence[Line]) -> None:
        """A job that has met its fault and now waits, or is done."""
        self._cases[case.subject.kind] += 1
        expected = case.fault.expected_of(case.subject.kind)
        label = f"Perform {case.name}"
        failed = next((at for at, line in enumerate(lines) if line.message.startswith(f"{label} failed: ")), None)
        if failed is None or expected.kind is Kind.FINE:
            is_right = (failed is None) == (expected.kind is Kind.FINE) and any(
                line.message == f"{label}: done" for line in lines
            )
            if not is_right:
                self._say(_OUTCOME, case.label, "it did not fail" if failed is None else lines[failed].message)
            return
        message, rest = lines[failed].message, [line.message for line in lines[failed + 1 :]]
        if not re.search(expected.words, message) or case.where not in message:
            self._say(_MESSAGE, case.label, f"/{expected.words}/ of {case.where} is not in: {message}")
        self._state(case, expected.kind, rest, message)
        # The line before is that of the workflow's Switch: the action begins after it.
        begun = next(line.time for line in lines if line.message.startswith("Switch"))
        seconds = (lines[failed].time - begun).total_seconds()
        if seconds > (2 * case.seconds if case.fault.passes else 0) + case.fault.busy + _SLACK_SECONDS:
            self._say(_TIME, case.label, f"{seconds:.1f} s")

    def _state(self, case: Case, kind: Kind, rest: Sequence[str], message: str) -> None:
        match case.policy:
            case "Ignore":
                is_right = not rest[0].startswith(("held: ", "suspended until"))
            case "Hold":
                is_right = rest[0].startswith("held: ")
            case _:
                warned = rest[0].startswith(_PERMANENT_WARNING)
                is_right = rest[int(warned)].startswith("suspended until") and warned == (kind is Kind.PERMANENT)
        if not is_right:
            self._say(_OUTCOME, case.label, f"{kind.name.lower()} was expected; {message} … {rest[:2]}")

    def arrival(self, case: Case, archive: Peer) -> None:
        """A job that is done, its peer being well."""
        place = case.peer if case.subject.sends else archive
        is_lost = case.subject.sends and case.policy == "Ignore" and not case.is_fine
        came = self.books(case.label, case.work, place, may_be_missing=is_lost)
        answered = case.policy != "Ignore" or case.is_fine
        if case.subject.prints:
            self.films(case.label, case.work, case.peer, may_be_missing=not answered)
        if case.subject.finds and any((delivery.study == STUDY) != answered for delivery in came):
            self._say(_ARRIVAL, case.label, "the answer to the query is not in it, or should not be")

    def books(self, label: str, work: Work, place: Peer, *, may_be_missing: bool = False) -> list[Delivery]:
        """What an archive holds of a job that is done: each page, confirmed once, under one UID."""
        came = [delivery for delivery in place.deliveries if delivery.patient == work.patient]
        by_number: dict[int, list[Delivery]] = defaultdict(list)
        for delivery in came:
            by_number[delivery.number].append(delivery)
        for number, pixels in work.digests().items():
            found = by_number.pop(number, [])
            if len({delivery.uid for delivery in found}) > 1:
                self._say(_UID, label, f"page {number}: {sorted({delivery.uid for delivery in found})}")
            if any(delivery.pixels != pixels for delivery in found):
                self._say(_ARRIVAL, label, f"page {number} has other pixels")
            if not may_be_missing and not any(delivery.confirmed for delivery in found):
                self._say(_ARRIVAL, label, f"page {number} came {len(found)} times and was never confirmed")
        if by_number:
            self._say(_ARRIVAL, label, f"pages {sorted(by_number)} that the job does not have")
        for delivery in place.again:
            if delivery.patient == work.patient:
                self._say(_AGAIN, label, f"page {delivery.number}")
        return came

    def films(self, label: str, work: Work, printer: Peer, *, may_be_missing: bool = False) -> None:
        """What a printer has printed of a job that is done: each page, confirmed once."""
        confirmed = Counter(
            page for film in printer.films if film.confirmed and film.patient == work.patient for page in film.pages
        )
        for number, page in work.digests().items():
            count = confirmed.pop(page, 0)
            if count != 1 and not (may_be_missing and count == 0):
                self._say(_FILM, label, f"page {number} was confirmed {count} times")
        if confirmed:
            self._say(_FILM, label, f"{len(confirmed)} pages that the job does not have")
        for film in printer.films_again:
            if film.patient == work.patient:
                self._say(_FILM, label, "a film that was confirmed was printed again")

    def complain(self, text: str) -> None:
        """An object is not as it should be."""
        self._found[_ARRIVAL].append(text)

    def leaks(self, service: Service, before: Open) -> None:
        """A service at rest, against what it had open at first."""
        try:
            wait_until(lambda: not Open.of(service.pid).exceeds(before), "as little is open as at first")
        except TimeoutError:
            self._found[_LEAK].append(f"{Open.of(service.pid)}, at first {before}")

    def log(self, values: Sequence[str]) -> None:
        """What of the patients was found in logs."""
        self._found[_LOG] += values

    def _say(self, aspect: str, label: str, text: str) -> None:
        self._found[aspect].append(f"{label}: {text}")
