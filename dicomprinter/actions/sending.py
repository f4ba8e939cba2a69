"""Builds a Store's objects and sends them on one association, each written down as the archive confirms it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydicom.uid import UID

from dicomprinter.actions.building import Builder
from dicomprinter.dicom.contexts import MOST_CONTEXTS
from dicomprinter.dicom.status import Kind, StoreResult
from dicomprinter.errors import PermanentError, Private, TransientError
from dicomprinter.job.parts import Sent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicomprinter.actions.base import OpenAssociation, Tools
    from dicomprinter.actions.representation import Planned, Representation
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
        failures: list[PermanentError] = []
        told: set[str] = set()
        builder = Builder(job, self.representation, tools, job.folder.work())
        with tools.network.open(self.peer, contexts(waiting), action=self.action) as association:
            for item in waiting:
                try:
                    self._send_one(job, item, association, builder, told)
                except PermanentError as failure:
                    failures.append(failure)
                except TransientError:
                    # The Store fails by this one; without a line of their own the others would go untold.
                    for earlier in failures:
                        job.note(
                            f"{self.action}: {earlier}",
                            level="ERROR",
                            private=earlier.private,
                            deeper=2,
                            **earlier.details,
                        )
                    raise
        if failures:
            raise _summary(failures, len(objects))

    def _send_one(
        self, job: Job, item: Planned, association: OpenAssociation, builder: Builder, told: set[str]
    ) -> None:
        instance = item.instance
        syntax = self._syntax(item, association)
        if syntax != item.syntaxes[0]:
            self._tell_once(job, f"{self.peer} does not take {item.syntaxes[0].name}; sent as {syntax.name}", told)
        file, notes = builder.build(item, syntax)
        for note in notes:
            self._tell_once(job, note, told)
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

    def _syntax(self, item: Planned, association: OpenAssociation) -> UID:
        sop_class = item.instance.sop_class_uid
        accepted = association.accepted(sop_class)
        for syntax in item.syntaxes:
            if syntax in accepted:
                return syntax
        raise association.no_context(UID(sop_class).name)

    def _tell_once(self, job: Job, message: str, told: set[str]) -> None:
        """What holds for hundreds of pages alike is one line of the history."""
        if message not in told:
            told.add(message)
            job.note(f"{self.action}: {message}", level="WARN")

    def _tell(self, job: Job, item: Planned, result: StoreResult, stored: bool) -> None:
        instance, status = item.instance, result.status
        what = f"{self.action}: {UID(instance.sop_class_uid).name} {instance.instance_number}"
        details = {
            "status": f"{status.code:04X}",
            "offending": [f"{tag:08X}" for tag in result.offending],
            "peer": str(self.peer),
            "sop_class_uid": instance.sop_class_uid,
        }
        if stored:
            would = "would be " if isinstance(result, StandIn) else ""
            level = "INFO" if status.kind is Kind.SUCCESS else "WARN"
            job.note(
                f"{what} {would}stored by {self.peer}" + ("" if status.kind is Kind.SUCCESS else f" with {status}"),
                level=level,
                private=result.error_comment,
                deeper=2,
                sop_instance_uid=instance.sop_instance_uid,
                **details,
            )
            return
        kind = TransientError if status.kind is Kind.TRANSIENT else PermanentError
        raise kind(
            f"{self.peer} answered {status} for {UID(instance.sop_class_uid).name} {instance.instance_number}",
            cause=status.cause,
            remedy=status.remedy,
            private=result.error_comment,
            details=details,
        )


def contexts(objects: Sequence[Planned]) -> list[tuple[str, list[UID]]]:
    """What to propose for some objects: each class with its syntaxes, the best first.

    Where there are too many for one association, the last choices are left out (PS3.8 9.3.2.2).
    """
    found: dict[str, dict[UID, None]] = {}
    for item in objects:
        found.setdefault(item.instance.sop_class_uid, {}).update(dict.fromkeys(item.syntaxes))
    most = max(1, MOST_CONTEXTS // len(found))
    return [(sop_class, list(syntaxes)[:most]) for sop_class, syntaxes in found.items()]


def _summary(failures: list[PermanentError], number: int) -> PermanentError:
    if len(failures) == 1 and number == 1:
        return failures[0]
    shown = " | ".join(failure.what for failure in failures[:_SHOWN_FAILURES])
    more = f" | and {len(failures) - _SHOWN_FAILURES} more" if len(failures) > _SHOWN_FAILURES else ""
    return PermanentError(
        f"{len(failures)} of {number} objects were not stored: {shown}{more}",
        cause=failures[0].cause,
        remedy=failures[0].remedy,
        private=Private.joined(" | ", (failure.private for failure in failures if failure.private)),
        details=failures[0].details,
    )
