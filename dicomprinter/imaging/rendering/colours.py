"""Colours of DICOM images as RGB of 8 bits a sample (PS3.3 C.7.6.3.1.2, C.7.9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels.processing import apply_color_lut, convert_color_space
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian

from dicomprinter.dicom.page import STRIP, Pixels
from dicomprinter.imaging.rendering.lut import Lut, lut_of

if TYPE_CHECKING:
    from dicomprinter.imaging.rendering.cells import Cells

_COLOURS: Final = ("Red", "Green", "Blue")


def rgb_of(cells: Cells, photometric: str) -> Pixels:
    """Three samples a pixel as RGB.

    Args:
        cells: (rows, columns, 3).
        photometric: RGB or YBR_FULL.

    Returns:
        (rows, columns, 3), uint8.
    """
    top = (1 << cells.bits_stored) - 1
    is_plain = cells.raw.itemsize == 1 and cells.bits_stored == 8
    if is_plain and photometric == "RGB":
        return cells.raw
    result = np.empty(cells.raw.shape, np.uint8)
    for start in range(0, len(cells.raw), STRIP):
        strip = cells.raw[start : start + STRIP]
        if not is_plain:
            strip = ((cells.stored(strip) * 255 + top // 2) // top).astype(np.uint8)
        result[start : start + STRIP] = convert_color_space(strip, photometric, "RGB")
    return result


def palette_of(cells: Cells, said: Dataset, *, is_big: bool) -> Pixels:
    """The colours that a palette has for the values of one sample, (rows, columns, 3), uint8.

    Raises:
        ValueError: there is no palette, or none that can be used.
    """
    if "RedPaletteColorLookupTableData" not in said and "SegmentedRedPaletteColorLookupTableData" in said:
        luts = _segmented(said, is_big=is_big)
    else:
        luts = [
            lut_of(said, f"{one}PaletteColorLookupTableDescriptor", f"{one}PaletteColorLookupTableData", is_big=is_big)
            for one in _COLOURS
        ]
    # Palettes that tell 16 bits and fill 8 of them are common.
    bits = 8 if max(int(lut.entries.max()) for lut in luts) < 256 else 16
    eight = [_in_8_bits(lut.entries, bits) for lut in luts]
    tables = [Lut(lut.first, entries, 8) for lut, entries in zip(luts, eight, strict=True)]
    return cells.mapped(lambda stored: np.stack([lut.of(stored) for lut in tables], axis=-1))


def _segmented(said: Dataset, *, is_big: bool) -> list[Lut]:
    """Palettes in segments (PS3.3 C.7.9.2), which pydicom writes out."""
    number, first, bits = said.get("RedPaletteColorLookupTableDescriptor") or (0, 0, 0)
    number = (int(number) & 0xFFFF) or 65_536
    whole = Dataset()
    whole.update(said)
    whole.file_meta = FileMetaDataset()
    whole.file_meta.TransferSyntaxUID = ExplicitVRBigEndian if is_big else ExplicitVRLittleEndian
    try:
        written = apply_color_lut(np.arange(first, first + number), whole)
    except (AttributeError, IndexError) as error:
        raise ValueError("a segmented palette is damaged") from error
    return [Lut(int(first), written[:, sample], int(bits)) for sample in range(3)]


def _in_8_bits(entries: Pixels, bits: int) -> Pixels:
    top = (1 << bits) - 1
    return ((entries.astype(np.uint32) * 255 + top // 2) // top).astype(np.uint8)
