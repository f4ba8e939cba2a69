"""Builds a Store's objects and sends them on one association, each written down as the archive confirms it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydicom.uid import UID

from dicomprinter.actions.representation import Planned, Representation
from dicomprinter.dicom.association import StoreResult
from dicomprinter.dicom.encapsulated_pdf import encapsulated_pdf
from dicomprinter.dicom.objects import Identity
from dicomprinter.dicom.part10 import write
from dicomprinter.dicom.secondary_capture import secondary_capture
from dicomprinter.dicom.status import Kind
from dicomprinter.errors import PermanentError, TransientError
from dicomprinter.job.parts import PageRef, Sent

if TYPE_CHECKING:
    from pydicom import Dataset

    from dicomprinter.actions.base import OpenAssociation, Tools
    from dicomprinter.dicom.peer import Peer
    from dicomprinter.job.job import Job

_SHOWN_FAILURES = 10


@dataclass(frozen=True)
class StandIn(StoreResult):
    """The answer of a network that stands in for the archives: nothing has gone out."""


@dataclass(frozen=True)
class Sending:
    """One Store of one job.

    Args:
        action: the Store's name.
        peer: the archive.
        representation: how the objects are made.
        known: keys of instances that an earlier attempt may have sent.
    """

    action: str
    peer: Peer
    representation: Representation
    known: frozenset[str]

    def send(self, job: Job, objects: list[Planned], tools: Tools) -> None:
        """Send what has not been confirmed by this archive.

        Raises:
            TransientError: the Store stops here.
            PermanentError: after the rest has gone, with the list of what has not.
        """
        confirmed = {
            sent.sop_instance_uid
            for sent in job.sent()
            if sent.stored and (sent.action, sent.peer) == (self.action, str(self.peer))
        }
        waiting = [item for item in objects if item.instance.sop_instance_uid not in confirmed]
        if len(waiting) < len(objects):
            job.note(f"{self.action}: {len(objects) - len(waiting)} of {len(objects)} were confirmed before")
        if not waiting:
            return
        classes = dict.fromkeys(item.instance.sop_class_uid for item in waiting)
        contexts = [(sop_class, self.representation.syntaxes(sop_class)) for sop_class in classes]
        failures: list[PermanentError] = []
        work = job.folder.work()
        with tools.network.open(self.peer, contexts, action=self.action) as association:
            for item in waiting:
                try:
                    self._send_one(job, item, association, work, tools)
                except PermanentError as failure:
                    failures.append(failure)
                except TransientError:
                    # The Store fails by this one; without a line of their own the others would go untold.
                    for earlier in failures:
                        job.note(f"{self.action}: {earlier}", level="ERROR", private=earlier.private)
                    raise
        if failures:
            raise _summary(failures, len(objects))

    def _send_one(self, job: Job, item: Planned, association: OpenAssociation, work: Path, tools: Tools) -> None:
        instance = item.instance
        syntax = self._syntax(job, instance.sop_class_uid, association)
        dataset, notes = self._build(job, item, syntax, tools)
        for note in notes:
            job.note(f"{self.action}: {note}", level="WARN")
        file = work / "object.dcm"
        write(dataset, file)
        del dataset
        result = association.store(
            file,
            sop_class=instance.sop_class_uid,
            sop_instance=instance.sop_instance_uid,
            transfer_syntax=syntax,
        )
        file.unlink()
        stored = result.status.stored or (result.status.kind is Kind.DUPLICATE and instance.key in self.known)
        job.folder.add_sent(
            Sent(
                self.action,
                str(self.peer),
                instance.sop_class_uid,
                instance.sop_instance_uid,
                str(syntax),
                result.status.code,
                stored,
            )
        )
        self._tell(job, item, result, stored)

    def _syntax(self, job: Job, sop_class: str, association: OpenAssociation) -> UID:
        wished = self.representation.syntaxes(sop_class)
        accepted = association.accepted(sop_class)
        for syntax in wished:
            if syntax in accepted:
                if syntax != wished[0]:
                    job.note(
                        f"{self.action}: {self.peer} does not take {UID(wished[0]).name}; sent as {syntax.name}",
                        level="WARN",
                    )
                return syntax
        raise association.no_context(UID(sop_class).name)

    def _build(self, job: Job, item: Planned, syntax: UID, tools: Tools) -> tuple[Dataset, list[str]]:
        instance = item.instance
        identity = Identity(
            job.study_instance_uid,
            instance.series_instance_uid,
            instance.sop_instance_uid,
            instance.series_number,
            instance.instance_number,
            job.moment(),
        )
        character_set = self.representation.character_set
        if isinstance(item.source, PageRef):
            page = tools.decoder.page(job.path(item.source.file), item.source.index, self.representation.mode)
            return secondary_capture(
                item.attributes,
                page,
                identity,
                transfer_syntax=syntax,
                quality=self.representation.quality,
                character_set=character_set,
            )
        pdf = job.path(item.source).read_bytes()
        return encapsulated_pdf(
            item.attributes,
            pdf,
            identity,
            title=job.facts.name,
            transfer_syntax=syntax,
            character_set=character_set,
        )

    def _tell(self, job: Job, item: Planned, result: StoreResult, stored: bool) -> None:
        instance, status = item.instance, result.status
        what = f"{self.action}: {UID(instance.sop_class_uid).name} {instance.instance_number}"
        if stored:
            would = "would be " if isinstance(result, StandIn) else ""
            level = "INFO" if status.kind is Kind.SUCCESS else "WARN"
            job.note(
                f"{what} {would}stored by {self.peer}" + ("" if status.kind is Kind.SUCCESS else f" with {status}"),
                level=level,
                private=result.error_comment,
                sop_instance_uid=instance.sop_instance_uid,
                status=f"{status.code:04X}",
                offending=[f"{tag:08X}" for tag in result.offending],
            )
            return
        kind = TransientError if status.kind is Kind.TRANSIENT else PermanentError
        raise kind(
            f"{self.peer} answered {status} for {UID(instance.sop_class_uid).name} {instance.instance_number}",
            cause=status.cause,
            remedy=status.remedy,
            private=result.error_comment,
        )


def _summary(failures: list[PermanentError], number: int) -> PermanentError:
    if len(failures) == 1 and number == 1:
        return failures[0]
    shown = " | ".join(failure.what for failure in failures[:_SHOWN_FAILURES])
    more = f" | and {len(failures) - _SHOWN_FAILURES} more" if len(failures) > _SHOWN_FAILURES else ""
    return PermanentError(
        f"{len(failures)} of {number} objects were not stored: {shown}{more}",
        cause=failures[0].cause,
        remedy=failures[0].remedy,
        private=" | ".join(failure.private for failure in failures if failure.private),
    )
