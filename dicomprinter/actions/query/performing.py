"""Performs a Query; imported when the first one is performed, for it brings all that reads answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dicomprinter.actions.query.action import SOP_CLASSES, AsksNobody
from dicomprinter.actions.query.declaration import Model, Select
from dicomprinter.actions.query.question import Asker
from dicomprinter.dicom.query.answer import copied, copied_from_worklist, in_order, sort_key
from dicomprinter.dicom.query.filter import Condition
from dicomprinter.dicom.query.keys import identifier, is_empty, rejection
from dicomprinter.dicom.query.match import matched
from dicomprinter.dicom.sensitive import told
from dicomprinter.dicom.tags import tag_name
from dicomprinter.errors import OperatorNeeded, PermanentError, Private

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataset import Dataset

    from dicomprinter.actions.base import OpenAssociation, Tools
    from dicomprinter.actions.query.action import Query
    from dicomprinter.dicom.network.peer import Peer
    from dicomprinter.dicom.query.keys import QueryItem
    from dicomprinter.job.job import Job


@dataclass(frozen=True)
class Performing:
    """One Query of one job.

    Args:
        action: the Query.
        job: whose patient, order or study is asked for.
        tools: opens the association.
    """

    action: Query
    job: Job
    tools: Tools

    def run(self) -> None:
        """Ask, and copy the answer; see `Query.perform`."""
        action = self.action
        if action.wishes.model is Model.MANUAL or action.peer is None:
            self._take_match()
            return
        question = Asker(action.name, action.wishes, action.force_station, self.job).question()
        self._take(self._ask(action.peer, question))

    def _take_match(self) -> None:
        if self.job.match is None:
            raise OperatorNeeded(
                f'"{self.action.name}" waits for an operator to say whose the job is',
                remedy="answer with dicomprinter jobs match",
            )
        self.job.dataset = matched(self.job.dataset, self.job.match)
        set_here = {f"{int(tag):08X}" for tag in self.job.match.keys()}  # noqa: SIM118 - a Dataset's elements, not its tags
        self.job.flags = replace(
            self.job.flags,
            query_found=True,
            query_partial=False,
            set_tags=tuple(sorted({*self.job.flags.set_tags, *set_here})),
            # An operator chooses among studies that were found somewhere.
            existing_study=_existing(self.job, str(self.job.match.get("StudyInstanceUID") or "")),
        )
        names = ", ".join(map(tag_name, sorted(self.job.match.keys()))) or "nothing"
        self.job.note(f"{self.action.name}: the operator set {names}", private=told(self.job.match))

    def _ask(self, peer: Peer, question: QueryItem) -> list[Dataset]:
        """The answers that pass the conditions, in the order of their coming."""
        sop_class = SOP_CLASSES[self.action.wishes.model]
        keys = identifier(question)
        if self.action.wishes.level_asked:
            keys.QueryRetrieveLevel = self.action.wishes.level_asked
        is_dry = isinstance(self.tools.network, AsksNobody)
        self._tell_question(peer, question, keys, asks="would ask" if is_dry else "asks")
        if is_dry:
            self.job.note(f"{self.action.name}: a dry run asks nobody")
            return []
        passed: list[Dataset] = []
        failed: Counter[str] = Counter()
        with self.tools.network.open(peer, self.action.contexts(), action=self.action.name) as association:
            for answer in self._answers(association, sop_class, keys):
                reason = rejection(answer, question)
                if reason is None:
                    passed.append(answer)
                else:
                    failed[str(reason)] += 1
        self.job.note(f"{self.action.name}: {_answers(len(passed) + failed.total())} came")
        if failed:
            reasons = ", ".join(f"{count} by {reason}" for reason, count in failed.most_common())
            self.job.note(f"{self.action.name}: {_answers(failed.total())} left out here: {reasons}")
        return passed

    def _answers(self, association: OpenAssociation, sop_class: str, keys: Dataset) -> Iterator[Dataset]:
        try:
            yield from association.find(sop_class, keys, default_charset=self.action.character_set)
        except ValueError as error:
            raise PermanentError(
                f'"{self.action.name}" cannot be sent: {error}',
                cause="a text of the Query or a value of the job is not what its tag holds",
                remedy="correct the Query's keys",
                private=told(keys),
            ) from error

    def _take(self, answers: list[Dataset]) -> None:
        select = self.action.wishes.select
        if len(answers) > 1 and select is None:
            self.job.flags = replace(self.job.flags, query_found=True, query_partial=True)
            self.job.note(
                f"{self.action.name}: {_answers(len(answers))} left and none is taken",
                level="WARN",
                private=Private.joined("; ", map(_identity, answers)),
            )
            return
        if answers:
            self._warn_of_missing(answers)
            chosen = in_order(answers, self.action.wishes.order)[-1 if select is Select.LAST else 0]
            keys = self.action.wishes.keys
            asked = frozenset(key.tag for key in keys.keys)
            persist = frozenset(sequence.tag for sequence in keys.sequences if sequence.persist)
            copy = copied_from_worklist if self.action.wishes.model is Model.WORKLIST else copied
            self.job.dataset = copy(self.job.dataset, chosen, asked=asked, persist=persist)
            # A worklist's study is planned; an archive's is there.
            there = "" if self.action.wishes.model is Model.WORKLIST else str(chosen.get("StudyInstanceUID") or "")
            self.job.flags = replace(self.job.flags, existing_study=_existing(self.job, there))
            of_several = f", the {select.value} of {len(answers)}" if select and len(answers) > 1 else ""
            self.job.note(f"{self.action.name}: one answer is taken{of_several}", private=_identity(chosen))
        else:
            self.job.note(f"{self.action.name}: nothing was found")
        self.job.flags = replace(self.job.flags, query_found=bool(answers), query_partial=False)

    def _warn_of_missing(self, answers: list[Dataset]) -> None:
        for tag, _ in self.action.wishes.order if len(answers) > 1 else ():
            missing = sum(sort_key(answer, tag) is None for answer in answers)
            if missing:
                self.job.note(
                    f"{self.action.name}: {missing} of {len(answers)} answers lack {tag_name(tag)} and come last",
                    level="WARN",
                )

    def _tell_question(self, peer: Peer, question: QueryItem, keys: Dataset, *, asks: str) -> None:
        sent, checked = _names(question)
        if not question.sends_a_value:
            self.job.note(f"{self.action.name}: no key has a value, so {peer} is asked for everything", level="WARN")
        here = f"; checked here: {', '.join(checked)}" if checked else ""
        whom = f"{peer} ({self.action.wishes.model.value})"
        self.job.note(
            f"{self.action.name}: {asks} {whom} by {', '.join(sent) or 'nothing'}{here}",
            private=told(keys),
        )


def _existing(job: Job, there: str) -> str:
    """The job's study if an archive has it: the one just answered with, or still that of an earlier answer."""
    known = job.flags.existing_study
    return there or (known if job.dataset.get("StudyInstanceUID") == known else "")


def _answers(count: int) -> str:
    return f"{count} answer" + ("" if count == 1 else "s")


def _names(item: QueryItem) -> tuple[list[str], list[str]]:
    """The keys that go out with a value, and those that are checked here, by name."""
    sent = [tag_name(key.tag) for key in item.keys if not is_empty(key.value)]
    checked = [tag_name(key.tag) for key in item.keys if key.condition != Condition()]
    for sequence in item.sequences:
        for inner in sequence.items:
            inner_sent, inner_checked = _names(inner)
            sent += inner_sent
            checked += inner_checked
    return sent, checked


def _identity(answer: Dataset) -> Private:
    """By what a person tells one answer from the others."""
    planned = (answer.get("ScheduledProcedureStepSequence") or [answer])[0]
    number = str(answer.get("AccessionNumber") or "")
    parts = (
        _values(answer, "PatientName", "PatientID", "StudyInstanceUID"),
        f"accession {number}" if number else "",
        _values(answer, "StudyDate", "StudyTime")
        or _values(planned, "ScheduledProcedureStepStartDate", "ScheduledProcedureStepStartTime"),
        _values(answer, "StudyDescription")
        or _values(answer, "RequestedProcedureDescription")
        or _values(planned, "ScheduledProcedureStepDescription"),
    )
    return Private(", ".join(filter(None, parts)))


def _values(answer: Dataset, *names: str) -> str:
    return " ".join(filter(None, (str(answer.get(name) or "") for name in names)))
