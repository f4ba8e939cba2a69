"""The action Query: asks, chooses, copies."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Self

from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from dicomprinter.actions.base import Connected, policy
from dicomprinter.actions.connection import read_peer
from dicomprinter.actions.keys import read_keys
from dicomprinter.actions.query.declaration import CHANGES, Model, Select, Wishes, merged_keys, query_spec, remarks
from dicomprinter.actions.query.question import Asker
from dicomprinter.dicom.query_answer import copied, copied_from_worklist, in_order, sort_key
from dicomprinter.dicom.query_filter import Condition
from dicomprinter.dicom.query_keys import identifier, is_empty, rejection
from dicomprinter.dicom.query_match import matched
from dicomprinter.dicom.sensitive import told
from dicomprinter.dicom.tags import tag_name
from dicomprinter.errors import OperatorNeeded, PermanentError, Private

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydicom.dataset import Dataset

    from dicomprinter.actions.base import OpenAssociation, Tools
    from dicomprinter.config.spec import Report, Spec
    from dicomprinter.config.tree import Node
    from dicomprinter.dicom.peer import Peer
    from dicomprinter.dicom.query_keys import QueryItem
    from dicomprinter.job.job import Job
    from dicomprinter.job.parts import Flags

# PS3.4 table C.6.1.3-1, C.6.2.3-1 and K.5-1.
SOP_CLASSES: Final = {
    Model.WORKLIST: "1.2.840.10008.5.1.4.31",
    Model.PATIENT: "1.2.840.10008.5.1.4.1.2.1.1",
    Model.STUDY: "1.2.840.10008.5.1.4.1.2.2.1",
}
_SYNTAXES: Final = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)


def _check(node: Node, report: Report) -> None:
    if node["force-assignment"] and node["select"] == Select.LAST.value:
        report.warn(node.position, 'force-assignment has no effect beside select="last"', "take it away")
    if node["forcePeerAe"] and node["type"] != Model.WORKLIST.value:
        report.warn(node.position, 'forcePeerAe has an effect with type="Worklist" alone', "take it away")
    for remark in remarks(Query.read(node).wishes):
        tell = report.error if remark.is_error else report.warn
        tell(node.position, remark.message, remark.suggestion)


class AsksNobody:
    """What a network derives from that answers without a peer."""


@dataclass(frozen=True)
class Query(Connected):
    """Asks for the patient, the order or the study, and copies a single answer into the job.

    Args:
        peer: whom to ask; None for a manual query.
        wishes: what to ask, and which answer to take.
        force_station: whether a worklist is asked for the job's station AE title.
        show: whether operators' lists offer it.
        character_set: the SpecificCharacterSet of answers that have none.
    """

    spec = query_spec(_check)

    peer: Peer | None
    wishes: Wishes
    force_station: bool
    show: bool
    character_set: str

    @classmethod
    def read(cls, node: Node) -> Self:
        """Make the action from its checked element."""
        connection = node.child("ConnectionParameters")
        return cls(
            node["name"],
            node.position,
            policy(node),
            peer=None if connection is None else read_peer(connection),
            wishes=Wishes(
                model=Model(node["type"]),
                level=node["level"] or "",
                keys=read_keys(node),
                select=_select(node),
                order=node["order-by"],
                has_peer=connection is not None,
            ),
            force_station=node["forcePeerAe"],
            show=node["show"],
            character_set=node["characterSet"],
        )

    def flags_after_failure(self, flags: Flags) -> Flags:
        """A Query that failed has found nothing."""
        return replace(flags, query_found=False, query_partial=False)

    @classmethod
    def overriding(cls) -> tuple[Spec, ...]:
        """A `<Query>` inside a Perform."""
        return (CHANGES,)

    def overridden(self, changes: Node) -> Self:
        """This action with what a Perform names instead: a key replaces the key of its tag, others are added.

        Args:
            changes: the Perform, or its `<Query>`.

        Raises:
            PermanentError: the result contradicts itself.
        """
        node = changes if changes.name == "Query" else changes.child("Query")
        if node is None:
            return self
        connection = node.child("ConnectionParameters")
        named = node.texts
        wishes = replace(
            self.wishes,
            model=Model(node["type"]) if "type" in named else self.wishes.model,
            level=node["level"] if "level" in named else self.wishes.level,
            keys=merged_keys(self.wishes.keys, read_keys(node)),
            select=_select(node) if {"select", "force-assignment"} & set(named) else self.wishes.select,
            order=node["order-by"] if "order-by" in named else self.wishes.order,
            has_peer=self.wishes.has_peer or connection is not None,
        )
        for remark in remarks(wishes):
            if remark.is_error:
                raise PermanentError(
                    f'"{self.name}" as changed by its Perform: {remark.message}', remedy=remark.suggestion
                )
        return replace(
            self,
            peer=self.peer if connection is None else read_peer(connection),
            wishes=wishes,
            force_station=node["forcePeerAe"] if "forcePeerAe" in named else self.force_station,
            show=node["show"] if "show" in named else self.show,
            character_set=node["characterSet"] if "characterSet" in named else self.character_set,
        )

    def contexts(self) -> list[tuple[str, Sequence[str]]]:
        """Its information model; nothing for a Manual one."""
        sop_class = SOP_CLASSES.get(self.wishes.model)
        return [(sop_class, _SYNTAXES)] if sop_class else []

    @property
    def is_offered(self) -> bool:
        """Whether operators may use it to find out whose a job is."""
        return self.show and self.peer is not None and self.wishes.model is not Model.MANUAL

    def perform(self, job: Job, tools: Tools) -> None:
        """Ask, and copy the answer when it is the only one or select says which.

        Raises:
            TransientError, PermanentError: the query failed; what had come is dropped.
            OperatorNeeded: it is a Manual one, and no operator has matched the job yet.
        """
        if self.wishes.model is Model.MANUAL or self.peer is None:
            self._take_match(job)
            return
        question = Asker(self.name, self.wishes, self.force_station, job).question()
        answers = self._ask(self.peer, question, job, tools)
        self._take(answers, job)

    def _take_match(self, job: Job) -> None:
        if job.match is None:
            raise OperatorNeeded(
                f'"{self.name}" waits for an operator to say whose the job is',
                remedy="answer with dicomprinter jobs match",
            )
        job.dataset = matched(job.dataset, job.match)
        set_here = {f"{int(tag):08X}" for tag in job.match.keys()}  # noqa: SIM118 - a Dataset's elements, not its tags
        job.flags = replace(
            job.flags,
            query_found=True,
            query_partial=False,
            set_tags=tuple(sorted({*job.flags.set_tags, *set_here})),
            # An operator chooses among studies that were found somewhere.
            existing_study=_existing(job, str(job.match.get("StudyInstanceUID") or "")),
        )
        names = ", ".join(map(tag_name, sorted(job.match.keys()))) or "nothing"
        job.note(f"{self.name}: the operator set {names}", private=told(job.match))

    def _ask(self, peer: Peer, question: QueryItem, job: Job, tools: Tools) -> list[Dataset]:
        """The answers that pass the conditions, in the order of their coming."""
        sop_class = SOP_CLASSES[self.wishes.model]
        keys = identifier(question)
        if self.wishes.level_asked:
            keys.QueryRetrieveLevel = self.wishes.level_asked
        is_dry = isinstance(tools.network, AsksNobody)
        self._tell_question(peer, question, keys, job, asks="would ask" if is_dry else "asks")
        if is_dry:
            job.note(f"{self.name}: a dry run asks nobody")
            return []
        passed: list[Dataset] = []
        failed: Counter[str] = Counter()
        with tools.network.open(peer, [(sop_class, _SYNTAXES)], action=self.name) as association:
            for answer in self._answers(association, sop_class, keys):
                reason = rejection(answer, question)
                if reason is None:
                    passed.append(answer)
                else:
                    failed[str(reason)] += 1
        job.note(f"{self.name}: {_answers(len(passed) + failed.total())} came")
        if failed:
            reasons = ", ".join(f"{count} by {reason}" for reason, count in failed.most_common())
            job.note(f"{self.name}: {_answers(failed.total())} left out here: {reasons}")
        return passed

    def _answers(self, association: OpenAssociation, sop_class: str, keys: Dataset) -> Iterator[Dataset]:
        try:
            yield from association.find(sop_class, keys, default_charset=self.character_set)
        except ValueError as error:
            raise PermanentError(
                f'"{self.name}" cannot be sent: {error}',
                cause="a text of the Query or a value of the job is not what its tag holds",
                remedy="correct the Query's keys",
                private=told(keys),
            ) from error

    def _take(self, answers: list[Dataset], job: Job) -> None:
        select = self.wishes.select
        if len(answers) > 1 and select is None:
            job.flags = replace(job.flags, query_found=True, query_partial=True)
            job.note(
                f"{self.name}: {_answers(len(answers))} left and none is taken",
                level="WARN",
                private=Private.joined("; ", map(_identity, answers)),
            )
            return
        if answers:
            self._warn_of_missing(answers, job)
            chosen = in_order(answers, self.wishes.order)[-1 if select is Select.LAST else 0]
            keys = self.wishes.keys
            asked = frozenset(key.tag for key in keys.keys)
            persist = frozenset(sequence.tag for sequence in keys.sequences if sequence.persist)
            copy = copied_from_worklist if self.wishes.model is Model.WORKLIST else copied
            job.dataset = copy(job.dataset, chosen, asked=asked, persist=persist)
            # A worklist's study is planned; an archive's is there.
            there = "" if self.wishes.model is Model.WORKLIST else str(chosen.get("StudyInstanceUID") or "")
            job.flags = replace(job.flags, existing_study=_existing(job, there))
            of_several = f", the {select.value} of {len(answers)}" if select and len(answers) > 1 else ""
            job.note(f"{self.name}: one answer is taken{of_several}", private=_identity(chosen))
        else:
            job.note(f"{self.name}: nothing was found")
        job.flags = replace(job.flags, query_found=bool(answers), query_partial=False)

    def _warn_of_missing(self, answers: list[Dataset], job: Job) -> None:
        for tag, _ in self.wishes.order if len(answers) > 1 else ():
            missing = sum(sort_key(answer, tag) is None for answer in answers)
            if missing:
                job.note(
                    f"{self.name}: {missing} of {len(answers)} answers lack {tag_name(tag)} and come last", level="WARN"
                )

    def _tell_question(self, peer: Peer, question: QueryItem, keys: Dataset, job: Job, *, asks: str) -> None:
        sent, checked = _names(question)
        if not question.sends_a_value:
            job.note(f"{self.name}: no key has a value, so {peer} is asked for everything", level="WARN")
        here = f"; checked here: {', '.join(checked)}" if checked else ""
        job.note(
            f"{self.name}: {asks} {peer} ({self.wishes.model.value}) by {', '.join(sent) or 'nothing'}{here}",
            private=told(keys),
        )


def _existing(job: Job, there: str) -> str:
    """The job's study if an archive has it: the one just answered with, or still that of an earlier answer."""
    known = job.flags.existing_study
    return there or (known if job.dataset.get("StudyInstanceUID") == known else "")


def _select(node: Node) -> Select | None:
    if node["select"] is not None:
        return Select(node["select"])
    return Select.FIRST if node["force-assignment"] else None


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
