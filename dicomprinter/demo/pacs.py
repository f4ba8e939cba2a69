"""A small archive: stores what it is sent as files, and answers C-FIND and C-ECHO about it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import UID, AllTransferSyntaxes
from pynetdicom import AllStoragePresentationContexts, evt
from pynetdicom.events import Event

from dicomprinter.demo.listener import UNCOMPRESSED, Handler, Listener
from dicomprinter.demo.matching import answer, matches

STUDY_ROOT_FIND: Final = "1.2.840.10008.5.1.4.1.2.2.1"
PATIENT_ROOT_FIND: Final = "1.2.840.10008.5.1.4.1.2.1.1"

_UNIQUE_KEYS: Final = {
    "PATIENT": "PatientID",
    "STUDY": "StudyInstanceUID",
    "SERIES": "SeriesInstanceUID",
    "IMAGE": "SOPInstanceUID",
}
_SUCCESS: Final = 0x0000
_PENDING: Final = 0xFF00
_CANCELLED: Final = 0xFE00
_OUT_OF_RESOURCES: Final = 0xA700
_WRONG_IDENTIFIER: Final = 0xA900
_CANNOT_UNDERSTAND: Final = 0xC000


@dataclass(frozen=True)
class StoredInstance:
    """One object of the archive; `attributes` has everything but the bulk data, as Unicode."""

    path: Path
    sop_class: str
    sop_instance: str
    transfer_syntax: str
    attributes: Dataset

    def read(self) -> Dataset:
        """The whole object, pixels included."""
        return dcmread(self.path)


class EmbeddedPacs(Listener):
    """An archive over a folder: one Part 10 file an object, named by its UID; what lies there is known at once.

    Takes every storage class in every transfer syntax, byte for byte. Storing a UID again replaces the object.

    Args:
        folder: where the files are; made when it is missing.
        ae_title: the archive's.
        port: 0 takes a free one.
    """

    def __init__(self, folder: Path, ae_title: str = "PACS", port: int = 0) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._changed = threading.Condition()
        self._held: dict[str, StoredInstance] = {}
        for path in sorted(folder.glob("*.dcm")):
            instance = _index(path)
            self._held[instance.sop_instance] = instance
        syntaxes = [str(syntax) for syntax in AllTransferSyntaxes]
        storage = [(str(context.abstract_syntax), syntaxes) for context in AllStoragePresentationContexts]
        find = [(model, UNCOMPRESSED) for model in (STUDY_ROOT_FIND, PATIENT_ROOT_FIND)]
        handlers: list[Handler] = [(evt.EVT_C_STORE, self._store), (evt.EVT_C_FIND, self._find)]
        super().__init__(ae_title, port, [*storage, *find], handlers)

    @property
    def instances(self) -> tuple[StoredInstance, ...]:
        """What the archive holds, in the order of arrival."""
        with self._changed:
            return tuple(self._held.values())

    def wait_for(self, count: int, timeout: float = 120) -> tuple[StoredInstance, ...]:
        """Wait until at least `count` objects are there.

        Raises:
            TimeoutError: they did not come within `timeout` seconds.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._held) >= count, timeout):
                raise TimeoutError(f"{len(self._held)} of {count} instances came within {timeout:g} s")
        return self.instances

    def _store(self, event: Event) -> int:
        sop_instance = UID(str(getattr(event.request, "AffectedSOPInstanceUID", "")))
        # The UID becomes a file name.
        if not sop_instance.is_valid:
            return _CANNOT_UNDERSTAND
        path = self.folder / f"{sop_instance}.dcm"
        partial = path.with_suffix(".part")
        try:
            partial.write_bytes(event.encoded_dataset())
            instance = _index(partial)
            partial.replace(path)
        except OSError:
            return _OUT_OF_RESOURCES
        except Exception:  # noqa: BLE001 - whatever the caller's bytes lead to, the archive goes on
            partial.unlink(missing_ok=True)
            return _CANNOT_UNDERSTAND
        kept = StoredInstance(path, instance.sop_class, sop_instance, instance.transfer_syntax, instance.attributes)
        with self._changed:
            self._held.pop(sop_instance, None)
            self._held[sop_instance] = kept
            self._changed.notify_all()
        return _SUCCESS

    def _find(self, event: Event) -> Iterator[tuple[int, Dataset | None]]:
        keys = event.identifier
        keys.decode()
        level = str(keys.get("QueryRetrieveLevel", ""))
        if level not in _UNIQUE_KEYS:
            yield _WRONG_IDENTIFIER, None
            return
        for entity in _entities([instance.attributes for instance in self.instances], level):
            if event.is_cancelled:
                yield _CANCELLED, None
                return
            if matches(keys, entity):
                found = answer(keys, entity)
                found.SpecificCharacterSet = "ISO_IR 192"
                found.QueryRetrieveLevel = level
                found.RetrieveAETitle = self.ae_title
                yield _PENDING, found


def _index(path: Path) -> StoredInstance:
    header = dcmread(path, stop_before_pixels=True)
    syntax = str(header.file_meta.TransferSyntaxUID)
    header.decode()
    for bulk in ("EncapsulatedDocument", "WaveformSequence"):
        if bulk in header:
            del header[bulk]
    return StoredInstance(path, str(header.SOPClassUID), str(header.SOPInstanceUID), syntax, header)


def _entities(instances: list[Dataset], level: str) -> list[Dataset]:
    """The patients, studies, series or images of the archive, each with its counts (PS3.4 C.3.4)."""
    keyword = _UNIQUE_KEYS[level]
    groups: dict[str, list[Dataset]] = {}
    for instance in instances:
        groups.setdefault(str(instance.get(keyword, "")), []).append(instance)
    return [_entity(members, level) for members in groups.values()]


def _entity(members: list[Dataset], level: str) -> Dataset:
    entity = Dataset()
    entity.update(members[0])
    if level == "STUDY":
        entity.ModalitiesInStudy = sorted({str(member.get("Modality", "")) for member in members} - {""})
        entity.NumberOfStudyRelatedSeries = len({str(member.get("SeriesInstanceUID", "")) for member in members})
        entity.NumberOfStudyRelatedInstances = len(members)
    elif level == "SERIES":
        entity.NumberOfSeriesRelatedInstances = len(members)
    elif level == "PATIENT":
        entity.NumberOfPatientRelatedStudies = len({str(member.get("StudyInstanceUID", "")) for member in members})
        entity.NumberOfPatientRelatedInstances = len(members)
    return entity
