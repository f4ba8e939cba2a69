"""What an object says of how its frames are to be seen, at its top level or for single frames (PS3.3 C.7.6.16)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from dicomprinter.dicom.forwarded.original import context_of
from dicomprinter.dicom.forwarded.values import dataset_of
from dicomprinter.imaging.rendering.lut import LARGEST_DATA

if TYPE_CHECKING:
    from dicomprinter.dicom.forwarded.context import Context
    from dicomprinter.dicom.forwarded.opening import Source
    from dicomprinter.dicom.forwarded.structure import Element

_SHARED: Final = 0x52009229
_PER_FRAME: Final = 0x52009230
# Pixel Measures, Frame VOI LUT, Pixel Value Transformation.
_MACROS: Final = frozenset({0x00289110, 0x00289132, 0x00289145})
_LUTS: Final = frozenset({0x00283000, 0x00283010})
_WANTED: Final = frozenset(
    {
        0x00080016,  # SOP Class UID
        *(0x00181164, 0x00182010, 0x00280030, 0x00280034),  # spacings, Pixel Aspect Ratio
        *(0x00280103, 0x00280120, 0x00280121),  # Pixel Representation, Pixel Padding
        *(0x00281040, 0x00281050, 0x00281051, 0x00281052, 0x00281053, 0x00281056),  # rescale, windows
        *(0x00281101, 0x00281102, 0x00281103, 0x00281201, 0x00281202, 0x00281203),  # palette
        *(0x00281221, 0x00281222, 0x00281223),  # segmented palette
        *(0x00283002, 0x00283006),  # of a table in a sequence
    }
)
_LONGEST: Final = LARGEST_DATA + 2


@dataclass(frozen=True)
class Descriptions:
    """Of the frames of one object.

    Args:
        common: what holds for all.
        single: what single frames say otherwise, as many as there are.
        is_big: whether bytes are big endian.
    """

    common: Dataset
    single: tuple[Dataset, ...]
    is_big: bool

    def of(self, index: int) -> Dataset:
        """What holds for a frame, from 0; sequences have one item."""
        found = Dataset()
        found.update(self.common)
        if index < len(self.single):
            found.update(self.single[index])
        return found


def descriptions(source: Source, most: int) -> Descriptions:
    """Read them; `most` frames can say something of their own.

    Raises:
        StructureError: the object is damaged.
    """
    context = context_of(source)
    common = _wanted(source, source.elements, context)
    for shared in islice(_macros(source, source.find(_SHARED), context), 1):
        common.update(shared)
    single = tuple(islice(_macros(source, source.find(_PER_FRAME), context), most))
    return Descriptions(common, single, context.coding.big)


def _macros(source: Source, groups: Element | None, context: Context) -> Iterator[Dataset]:
    """What the functional groups of each item come to."""
    for elements, inner in _items(source, groups, context):
        found = Dataset()
        for element in elements:
            if element.tag in _MACROS:
                for inside, own in islice(_items(source, element, inner, 2), 1):
                    found.update(_wanted(source, inside, own, 3))
        yield found


def _wanted(source: Source, elements: tuple[Element, ...], context: Context, depth: int = 1) -> Dataset:
    plain = [one for one in elements if one.tag in _WANTED and one.length <= _LONGEST and not one.is_delimited]
    found = dataset_of(source.reader, plain, context)
    for element in elements:
        if element.tag in _LUTS:
            items = list(islice(_items(source, element, context, depth), 1))
            found.add_new(element.tag, "SQ", Sequence(_wanted(source, *item, depth + 1) for item in items))
    return found


def _items(
    source: Source, sequence: Element | None, context: Context, depth: int = 1
) -> Iterator[tuple[tuple[Element, ...], Context]]:
    if sequence is None or not source.reader.is_sequence(sequence, context.coding):
        return
    for span, coding in source.reader.items(sequence, context.coding, depth):
        elements = tuple(source.reader.elements(span, coding, depth + 1))
        yield elements, context.within(elements, source.reader, coding)
