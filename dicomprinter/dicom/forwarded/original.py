"""What a forwarded object says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydicom.dataset import Dataset
from pydicom.uid import UID

from dicomprinter.dicom.forwarded.context import SPECIFIC_CHARACTER_SET, Context
from dicomprinter.dicom.forwarded.opening import Source, usable
from dicomprinter.dicom.forwarded.structure import Element
from dicomprinter.dicom.forwarded.texts import GOVERNED
from dicomprinter.dicom.forwarded.values import READABLE, conforms, dataset_of, text
from dicomprinter.dicom.tags import refused_in_a_job
from dicomprinter.dicom.text import is_value
from dicomprinter.errors import PermanentError

PIXEL_DATA: Final = 0x7FE00010
FLOAT_PIXEL_DATA: Final = 0x7FE00008
DOUBLE_FLOAT_PIXEL_DATA: Final = 0x7FE00009
_IN_A_HEADER: Final = 1024
_UIDS: Final = (
    ("sop_class_uid", 0x00080016),
    ("sop_instance_uid", 0x00080018),
    ("study_instance_uid", 0x0020000D),
    ("series_instance_uid", 0x0020000E),
)


@dataclass(frozen=True)
class PixelLayout:
    """The Image Pixel module (PS3.3 C.7.6.3); numbers that are missing are 0.

    Args:
        tag: 7FE0,0010, or 7FE0,0008 or 7FE0,0009 for real numbers.
        is_encapsulated: whether it is made of fragments.
        length: bytes of the value as it stands.
    """

    tag: int
    is_encapsulated: bool
    length: int
    rows: int
    columns: int
    samples: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    is_signed: bool
    planar_configuration: int
    photometric_interpretation: str

    @property
    def frame_bytes(self) -> int:
        """A frame's size when it is native and its chroma is not subsampled; 0 for cells that are no whole bytes."""
        return self.rows * self.columns * self.samples * (self.bits_allocated // 8)


@dataclass(frozen=True)
class Original:
    """A forwarded object, before anything is done to it.

    Args:
        sop_class_uid: valid.
        sop_instance_uid: as it stands; `invalid_uids` says whether it is usable.
        study_instance_uid: the same.
        series_instance_uid: the same.
        transfer_syntax_uid: of its data set.
        frames: 1 where nothing is said.
        pixels: None for an object without pixel data.
        lossy: whether it says that its pixels went through a lossy compression.
    """

    sop_class_uid: str
    sop_instance_uid: str
    study_instance_uid: str
    series_instance_uid: str
    transfer_syntax_uid: UID
    frames: int
    pixels: PixelLayout | None
    lossy: bool

    @property
    def invalid_uids(self) -> frozenset[str]:
        """Which of `sop_instance_uid`, `study_instance_uid` and `series_instance_uid` are missing or no UIDs."""
        return frozenset(name for name, _ in _UIDS if not is_uid(getattr(self, name)))


def is_uid(value: str) -> bool:
    """Whether a text is a UID (PS3.5 9.1)."""
    return bool(value) and is_value("UI", value)


def read_original(path: Path) -> Original:
    """What the object says of itself; nothing large is read.

    Raises:
        PermanentError: it is no sound DICOM file, or names no SOP class.
    """
    with usable(path) as source:
        return original_of(source)


def header(path: Path) -> Dataset:
    """What a job's dataset starts from: the texts and numbers of the top level, in Unicode.

    No sequences, no bytes, no values over 1024 bytes, nothing that belongs to the Store (`refused_in_a_job`); what is
    no value of its representation, a date that is none say, is left out. Specific Character Set is not there: the
    dataset is Unicode.

    Raises:
        PermanentError: it is no sound DICOM file.
    """
    with usable(path) as source:
        return header_of(source)


def has_items(path: Path, tag: int) -> bool:
    """Whether a DICOM file has a sequence with an item in it at its top level.

    Raises:
        PermanentError: it is no sound DICOM file.
    """
    with usable(path) as source:
        own, context = source.find(tag), context_of(source)
        return own is not None and any(source.reader.items(own, context.coding, 1))


def original_of(source: Source) -> Original:
    """`read_original` of an open file."""
    uids = {name: plain(source, tag) for name, tag in _UIDS}
    if not is_uid(uids["sop_class_uid"]):
        raise PermanentError(
            "the DICOM file does not say what kind of object it holds",
            cause="SOP Class UID (0008,0016) is missing or no UID",
            remedy="export the file again",
        )
    return Original(
        **uids,
        transfer_syntax_uid=source.transfer_syntax,
        frames=max(1, _integer(plain(source, 0x00280008))),
        pixels=_layout(source),
        lossy=plain(source, 0x00282110) == "01",
    )


def header_of(source: Source) -> Dataset:
    """`header` of an open file."""
    context = context_of(source)
    elements = [
        element
        for element in source.elements
        if _is_for_a_job(element, context)
        and (context.vr(element) in GOVERNED or conforms(source.reader, element, context))
    ]
    return dataset_of(source.reader, elements, context)


def context_of(source: Source) -> Context:
    """The context of the top level."""
    return Context(source.coding).within(source.elements, source.reader, source.coding)


def plain(source: Source, tag: int) -> str:
    """The first value of a short text or number at the top level, empty when there is none."""
    element = source.find(tag)
    if element is None or element.length > _IN_A_HEADER or element.is_delimited:
        return ""
    data = source.reader.read(element)
    if Context(source.coding).vr(element) in ("US", "SS"):
        return str(int.from_bytes(data[:2], "big" if source.coding.big else "little"))
    return text(data, "CS", Context(source.coding)).split("\\")[0].strip("\0 ")


def _is_for_a_job(element: Element, context: Context) -> bool:
    return (
        element.length <= _IN_A_HEADER
        and not element.is_delimited
        and element.tag != SPECIFIC_CHARACTER_SET
        and context.vr(element) in READABLE
        and refused_in_a_job(element.tag) is None
    )


def _layout(source: Source) -> PixelLayout | None:
    found = [source.find(tag) for tag in (PIXEL_DATA, FLOAT_PIXEL_DATA, DOUBLE_FLOAT_PIXEL_DATA)]
    element = next((element for element in found if element is not None), None)
    if element is None:
        return None
    allocated = _integer(plain(source, 0x00280100))
    stored = _integer(plain(source, 0x00280101)) or allocated
    return PixelLayout(
        tag=element.tag,
        is_encapsulated=element.is_delimited,
        length=element.length,
        rows=_integer(plain(source, 0x00280010)),
        columns=_integer(plain(source, 0x00280011)),
        samples=_integer(plain(source, 0x00280002)) or 1,
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=_integer(plain(source, 0x00280102)) or stored - 1,
        is_signed=plain(source, 0x00280103) == "1",
        planar_configuration=_integer(plain(source, 0x00280006)),
        photometric_interpretation=plain(source, 0x00280004),
    )


def _integer(value: str) -> int:
    try:
        return int(value)
    except ValueError:
        return 0
