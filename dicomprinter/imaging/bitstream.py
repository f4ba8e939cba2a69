"""JPEG files whose bitstream goes into an object as it is, so that nothing is lost a second time."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from dicomprinter.dicom.page import Bitstream
from dicomprinter.imaging import icc, jpeg
from dicomprinter.imaging.formats import picture
from dicomprinter.imaging.limits import Limits
from dicomprinter.imaging.mode import ColourMode
from dicomprinter.imaging.probe import sniff
from dicomprinter.imaging.refusals import refusing
from dicomprinter.imaging.source import mapped

_COLOUR_422: Final = ((2, 1), (1, 1), (1, 1))
_RGB: Final = tuple(b"RGB")
# Tables, restarts, comments and applications' segments; DNL, arithmetic and expanding ones have no place here.
_QUANTISATION, _HUFFMAN, _RESTARTS, _SCAN, _COMMENT = 0xDB, 0xC4, 0xDD, 0xDA, 0xFE
_ALLOWED: Final = frozenset({jpeg.BASELINE, _QUANTISATION, _HUFFMAN, _RESTARTS, _SCAN, _COMMENT, *range(0xE0, 0xF0)})


def bitstream(path: Path, mode: ColourMode, limits: Limits | None = None) -> Bitstream | None:
    """The file's own bitstream, when JPEG Baseline (Process 1) of an object can hold it (PS3.5 8.2.1, A.4.1).

    That is: sequential DCT, 8 bits, Huffman, one scan with its tables; grey, or YCbCr with half the columns of
    colour (YBR_FULL_422); upright; without a profile, or in sRGB; a single picture.

    Returns:
        None for any other file, and when the mode asks for other pixels.

    Raises:
        PermanentError: the file is damaged or beyond the limits.
    """
    limits = limits or Limits()
    with refusing(0), mapped(path, limits) as data:
        if sniff(data) != "image/jpeg":
            return None
        header = jpeg.inspect(data)
        found = picture(path, data, "image/jpeg", 0, limits)
        if not _fits(header, mode) or found is None or found.orientation != 1 or found.lossy is None:
            return None
        if found.profile is not None and not icc.is_srgb(found.profile):
            return None
        return Bitstream(found.form, data[: header.length], found.upright_resolution, found.lossy)


def _fits(header: jpeg.JpegHeader, mode: ColourMode) -> bool:
    number = len(header.components)
    if header.scans != (number,) or header.is_one_of_many:
        return False
    if not {_QUANTISATION, _HUFFMAN} <= header.markers <= _ALLOWED:
        return False
    if number == 1:
        return mode in (ColourMode.AS_IS, ColourMode.MONOCHROME8)  # alone in its scan: its sampling says nothing
    sampling = tuple(component.sampling for component in header.components)
    is_ycbcr = header.adobe_transform in (None, 1) and tuple(c.identifier for c in header.components) != _RGB
    return is_ycbcr and sampling == _COLOUR_422 and mode in (ColourMode.AS_IS, ColourMode.RGB)
