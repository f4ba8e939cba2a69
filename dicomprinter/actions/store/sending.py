"""Builds a Store's objects and sends them on one association, each written down as the archive confirms it.

They go in their order, one after the other; while one is being sent, those after it are being built.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING

from pydicom.uid import UID

from dicomprinter.actions.objects.ahead import Ahead
from dicomprinter.actions.objects.building import Builder, Order
from dicomprinter.actions.objects.representation import Forwarded
from dicomprinter.dicom.network.contexts import MOST_CONTEXTS
from dicomprinter.dicom.status import Kind, StoreResult
from dicomprinter.errors import PermanentError, Private, TransientError
from dicomprinter.imaging.pool import cores
from dicomprinter.job.parts import Sent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicomprinter.actions.base import OpenAssociation, Tools
    from dicomprinter.actions.objects.building import Built
    from dicomprinter.actions.objects.representation import Planned, Representation
    from dicomprinter.dicom.network.peer import Peer
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
        known: keys of instances that an earlier attempt may have sent; a DICOM file's own UID may be anybody's, so for
            one of these an attempt at this archive has to be on record.
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
            sent.key for sent in job.sent() if sent.stored and (sent.action, sent.peer) == (self.action, str(self.peer))
        }
        waiting = [item for item in objects if item.instance.key not in confirmed]
        if len(waiting) < len(objects):
            job.note(f"{self.action}: {len(objects) - len(waiting)} of {len(objects)} were confirmed before")
        if not waiting:
            return
        failures = {item: item.fault for item in waiting if item.fault is not None}
        sound = [item for item in waiting if item.fault is None]
        try:
            if sound:
                self._send_all(job, sound, tools, failures)
        except Exception:
            # The Store fails by this one; without a line of their own the others would go untold.
            for item, earlier in failures.items():
                job.note(
                    f"{self.action}: {_what(item)}: {earlier}",
                    level="ERROR",
                    private=earlier.private,
                    deeper=2,
                    **earlier.details,
                )
            raise
        if failures:
            raise _summary(failures, len(objects))

    def _send_all(
        self, job: Job, objects: list[Planned], tools: Tools, failures: dict[Planned, PermanentError]
    ) -> None:
        told: set[str] = set()
        tried = {sent.sop_instance_uid for sent in job.folder.read_attempts() if sent.peer == str(self.peer)}
        with (
            job.folder.work() as work,
            tools.network.open(self.peer, contexts(objects), action=self.action) as association,
            closing(tools.decoder.branch()) as decoder,
        ):
            choices = [(item, self._syntax(item, association)) for item in objects]
            orders = [
                Order(number, item, syntax)
                for number, (item, syntax) in enumerate(choices, start=1)
                if syntax is not None
            ]
            builder = Builder(job, self.representation, decoder, work)
            with Ahead(orders, builder.build, cores(), decoder.close) as built:
                for item, syntax in choices:
                    try:
                        if syntax is None:
                            raise self._no_context(item, association)
                        was_tried = self._was_tried(item, tried)
                        self._send_one(job, item, syntax, association, built=built, told=told, was_tried=was_tried)
                    except PermanentError as failure:
                        # Its traceback holds the page that it was about.
                        failures[item] = failure.with_traceback(None)

    def _was_tried(self, item: Planned, tried: set[str]) -> bool:
        """Whether the archive may have this very object from us."""
        if isinstance(item.source, Forwarded):
            return item.instance.sop_instance_uid in tried
        return item.instance.key in self.known

    def _send_one(
        self,
        job: Job,
        item: Planned,
        syntax: UID,
        association: OpenAssociation,
        *,
        built: Ahead[Order, Built],
        told: set[str],
        was_tried: bool,
    ) -> None:
        instance = item.instance
        if syntax != item.syntaxes[0]:
            self._tell_once(job, f"{self.peer} does not take {item.syntaxes[0].name}; sent as {syntax.name}", told)
        file, notes = built.take()
        for note in notes:
            self._tell_once(job, note, told)
        attempt = Sent(
            self.action,
            str(self.peer),
            instance.sop_class_uid,
            instance.sop_instance_uid,
            str(syntax),
            None,
            stored=False,
            key=instance.key,
        )
        if isinstance(item.source, Forwarded):
            job.folder.add_sent(attempt)
        result = association.store(
            file,
            sop_class=instance.sop_class_uid,
            sop_instance=instance.sop_instance_uid,
            transfer_syntax=syntax,
        )
        file.unlink()
        stored = result.status.stored or (result.status.kind is Kind.DUPLICATE and was_tried)
        job.folder.add_sent(replace(attempt, status=result.status.code, stored=stored))
        self._tell(job, item, result, stored)

    def _syntax(self, item: Planned, association: OpenAssociation) -> UID | None:
        accepted = association.accepted(item.instance.sop_class_uid)
        return next((syntax for syntax in item.syntaxes if syntax in accepted), None)

    def _no_context(self, item: Planned, association: OpenAssociation) -> PermanentError:
        sop_class = item.instance.sop_class_uid
        only = " in a transfer syntax that this object can have" if association.accepted(sop_class) else ""
        return association.no_context(UID(sop_class).name + only)

    def _tell_once(self, job: Job, message: str, told: set[str]) -> None:
        """What holds for hundreds of pages alike is one line of the history."""
        if message not in told:
            told.add(message)
            job.note(f"{self.action}: {message}", level="WARN")

    def _tell(self, job: Job, item: Planned, result: StoreResult, stored: bool) -> None:
        instance, status = item.instance, result.status
        what = f"{self.action}: {_what(item)}"
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
            f"{self.peer} answered {status} for {_what(item)}",
            cause=status.cause,
            remedy=status.remedy,
            private=result.error_comment,
            details=details,
        )


def contexts(objects: Sequence[Planned]) -> list[tuple[str, list[UID]]]:
    """What to propose for some objects: each class with its syntaxes, the best first.

    Where there are too many for one association, the last choices are left out (PS3.8 9.3.2.2).
    """
    pairs: dict[tuple[str, UID], None] = {}
    for choices in zip_longest(*(item.syntaxes for item in objects)):
        wanted = [
            (item.instance.sop_class_uid, choice) for item, choice in zip(objects, choices, strict=True) if choice
        ]
        pairs |= dict.fromkeys(wanted)
    found: dict[str, list[UID]] = {}
    for sop_class, syntax in list(pairs)[:MOST_CONTEXTS]:
        found.setdefault(sop_class, []).append(syntax)
    return list(found.items())


def _what(item: Planned) -> str:
    return f"{UID(item.instance.sop_class_uid).name} {item.instance.instance_number}"


def _summary(failures: dict[Planned, PermanentError], number: int) -> PermanentError:
    errors = list(failures.values())
    if len(errors) == 1 and number == 1:
        return errors[0]
    alike = all(error.cause == errors[0].cause for error in errors)
    lines = []
    for item, error in failures.items():
        what = error.what if _what(item) in error.what else f"{_what(item)}: {error.what}"
        lines.append(what if alike or not error.cause else f"{what} ({error.cause})")
    shown = " | ".join(lines[:_SHOWN_FAILURES])
    more = f" | and {len(lines) - _SHOWN_FAILURES} more" if len(lines) > _SHOWN_FAILURES else ""
    return PermanentError(
        f"{len(lines)} of {number} objects were not stored: {shown}{more}",
        cause=errors[0].cause if alike else "",
        remedy=errors[0].remedy,
        private=Private.joined(" | ", (error.private for error in errors if error.private)),
        details=errors[0].details,
    )
