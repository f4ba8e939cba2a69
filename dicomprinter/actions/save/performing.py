"""Performs a Save; imported when the first one is performed, for it brings all that makes objects."""

from __future__ import annotations

import filecmp
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydicom import dcmread
from pydicom.filereader import read_file_meta_info
from pydicom.uid import UID

from dicomprinter.actions.objects.ahead import Ahead
from dicomprinter.actions.objects.building import Builder, Order
from dicomprinter.actions.objects.job_pages import JobPages
from dicomprinter.actions.objects.planning import plan
from dicomprinter.actions.objects.representation import Forwarded, Planned, Representation
from dicomprinter.actions.save.archive import Archive, copy, link_or_copy
from dicomprinter.actions.save.file_set import FileSet
from dicomprinter.actions.save.filing import Filing, Wanted
from dicomprinter.actions.save.names import Names, ObjectSource, Place, is_listable
from dicomprinter.actions.save.raw import save_raw
from dicomprinter.errors import PermanentError, Private, TransientError
from dicomprinter.imaging.pool import cores

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dicomprinter.actions.base import Tools
    from dicomprinter.actions.objects.building import Built
    from dicomprinter.actions.save.action import Save
    from dicomprinter.job.job import Job

_LARGE = 1 << 16
# Legal names beside the wished ones: `DICOM/IM_00001`.
_LISTED = "#listed"
_LISTED_FOLDER, _LISTED_STEM, _LISTED_DIGITS = "DICOM", "IM", 5
_SHOWN_FAILURES = 10


def save(action: Save, job: Job, tools: Tools) -> None:
    """Write every object of the job that was not saved before, and list it in the folder's DICOMDIR.

    Raises:
        TransientError: the folder is away, full, or may not be written; what is saved stays saved.
        PermanentError: some objects could not be made, or a DICOMDIR that is there is damaged; the others are saved.
    """
    if action.raw:
        save_raw(action, job, tools)
        return
    objects = plan(job, Representation(), tools.decoder)
    if not objects:
        raise PermanentError(
            f"{action.name} has nothing to save", cause="the job has neither a page, a PDF nor a DICOM file"
        )
    JobPages(job, tools.decoder).tell_of_unchanged_documents(action.name)
    job.instances |= {item.instance.key: item.instance for item in objects}
    # Every UID is on the disk before the first file is there: a crash cannot make a second one.
    tools.secure(job)
    saving = _Saving(action, job, tools)
    try:
        failures = saving.save_all(objects)
    except TransientError:
        saving.list_what_can_be()
        raise
    saving.list_all()
    if failures:
        raise _summary(failures, len(objects))


@dataclass
class _Saving:
    """One Save of one job."""

    action: Save
    job: Job
    tools: Tools
    _archives: dict[Path, Archive] = field(default_factory=dict)

    def __post_init__(self) -> None:
        action = self.action
        self._names = Names(action.directory, action.filename, action.name, self.tools.outside)
        self._filing = Filing(self.job, action.name, action.directory.source)
        self._is_listable = is_listable(action.filename)
        self._has_copies = action.always_dicomdir and not self._is_listable

    def save_all(self, objects: list[Planned]) -> dict[Planned, PermanentError]:
        """Save what was not saved before; why some could not be made."""
        waiting = [item for item in objects if not self._is_saved(item.instance.key)]
        if len(waiting) < len(objects):
            self.job.note(f"{self.action.name}: {len(objects) - len(waiting)} of {len(objects)} were saved before")
        failures = {item: item.fault for item in waiting if item.fault is not None}
        missing: dict[str, None] = {}
        orders = [
            Order(number, item, item.syntaxes[0])
            for number, item in enumerate((item for item in waiting if item.fault is None), start=1)
        ]
        told: set[str] = set()
        with self.job.folder.work() as work, closing(self.tools.decoder.branch()) as decoder:
            builder = Builder(self.job, Representation(), decoder, work)
            with Ahead(orders, builder.build, cores(), decoder.close) as built:
                for order in orders:
                    try:
                        self._save_one(order, built, missing, told)
                    except PermanentError as failure:
                        # Its traceback holds the page that it was about.
                        failures[order.item] = failure.with_traceback(None)
        for placeholder in missing:
            self.job.note(f"{self.action.name}: the job has no value for {placeholder}; it is left empty", level="WARN")
        return failures

    def _is_saved(self, key: str) -> bool:
        keys = (key, key + _LISTED) if self._has_copies else (key,)
        return all(self._filing.done(one) is not None for one in keys)

    def _save_one(self, order: Order, built: Ahead[Order, Built], missing: dict[str, None], told: set[str]) -> None:
        file, notes = built.take()
        for note in notes:
            if note not in told:
                told.add(note)
                self.job.note(f"{self.action.name}: {note}", level="WARN")
        instance = order.item.instance
        header = dcmread(file, stop_before_pixels=True, defer_size=_LARGE)
        place = self._names.place(ObjectSource(self.job, header), missing)
        archive = self._archive(place.root)
        saved = self._filing.done(instance.key)
        if saved is None:
            uid = instance.sop_instance_uid
            is_it = _same_object(uid, file if isinstance(order.item.source, Forwarded) else None)
            saved = self._filing.save(Wanted(instance.key, file, copy, is_it, uid), place, archive)
        if self._has_copies:
            listed = Place(place.root, (_LISTED_FOLDER,), _LISTED_STEM, "", _LISTED_DIGITS)
            is_it = _same_object(instance.sop_instance_uid, file)
            wanted = Wanted(instance.key + _LISTED, saved, link_or_copy, is_it, instance.sop_instance_uid)
            self._filing.save(wanted, listed, archive)
        file.unlink()
        self.job.note(
            f"{self.action.name}: {_what(order.item)} saved",
            private=str(saved),
            deeper=2,
            sop_class_uid=instance.sop_class_uid,
            sop_instance_uid=instance.sop_instance_uid,
        )

    def _archive(self, root: Path) -> Archive:
        return self._archives.setdefault(root, Archive(root, self.action.directory.source, self.job.id))

    def list_what_can_be(self) -> None:
        """List what is saved after a failure: where the workflow ignores it, no other try comes to do so."""
        try:
            self.list_all()
        except (TransientError, PermanentError) as error:
            self.job.note(
                f"{self.action.name}: the DICOMDIR does not list what is saved: {error}",
                level="WARN",
                private=error.private,
            )

    def list_all(self) -> None:
        """Bring every file that this Save has written into the DICOMDIR of its folder."""
        roots: dict[Path, list[Path]] = {}
        for key, file in self._filing.files().items():
            if key.endswith(_LISTED):
                roots.setdefault(file.parent.parent, []).append(file)
            elif self._is_listable:
                roots.setdefault(file.parents[self._names.depth], []).append(file)
        for root, files in roots.items():
            archive = self._archive(root)
            FileSet(self.job, self.action.name, archive).list(files)
            if not archive.knows_locks:
                why = "its file server knows no locks"
                self.job.note(
                    f"{self.action.name}: the DICOMDIR may lack what others saved in the same moment: {why}",
                    level="WARN",
                )


def _same_object(uid: str, source: Path | None) -> Callable[[Path], bool]:
    """Whether a file holds an object; a UID that came from outside may be that of a file from elsewhere."""

    def is_it(file: Path) -> bool:
        try:
            found = str(read_file_meta_info(file).get("MediaStorageSOPInstanceUID") or "")
        except Exception:  # noqa: BLE001 - pydicom raises whatever a strange file leads to
            return False
        return found == uid and (source is None or filecmp.cmp(file, source, shallow=False))

    return is_it


def _what(item: Planned) -> str:
    return f"{UID(item.instance.sop_class_uid).name} {item.instance.instance_number}"


def _summary(failures: dict[Planned, PermanentError], number: int) -> PermanentError:
    errors = list(failures.values())
    if len(errors) == number == 1:
        return errors[0]
    lines = [f"{_what(item)}: {error}" for item, error in failures.items()]
    shown = " | ".join(lines[:_SHOWN_FAILURES])
    more = f" | and {len(lines) - _SHOWN_FAILURES} more" if len(lines) > _SHOWN_FAILURES else ""
    return PermanentError(
        f"{len(lines)} of {number} objects were not saved: {shown}{more}",
        remedy="the others are saved",
        private=Private.joined(" | ", (error.private for error in errors if error.private)),
    )
