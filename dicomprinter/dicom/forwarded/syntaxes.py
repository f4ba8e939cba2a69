"""In which transfer syntaxes a forwarded object can go, without its pixels changing."""

from __future__ import annotations

from typing import Final

from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from dicomprinter.dicom.codecs import ENCODERS
from dicomprinter.dicom.forwarded.decoders import LOSSLESS, decodes
from dicomprinter.dicom.forwarded.original import PIXEL_DATA, Original, PixelLayout

NATIVE: Final = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
UNCOMPRESSED: Final = frozenset({*NATIVE, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian})
# PS3.5 7.1: an even length that is not FFFFFFFF.
_LONGEST: Final = 0xFFFFFFFE
# JPIP: the pixels are on a server.
_ELSEWHERE: Final = frozenset(f"1.2.840.10008.1.2.4.{number}" for number in (94, 95, 204, 205))


def syntaxes(original: Original) -> tuple[UID, ...]:
    """What to propose for an object, the best first.

    Its own syntax, save the retired Explicit VR Big Endian; then native ones where its frames can be decoded here;
    then lossless compressions, for objects that have lost nothing in their own.
    """
    own = original.transfer_syntax_uid
    found: list[UID] = [] if own == ExplicitVRBigEndian else [own]
    if _becomes_native(original):
        found += NATIVE
    if original.pixels is not None and _is_whole(original):
        found += [syntax for syntax in ENCODERS if _encodes(syntax, original.pixels)]
    return tuple(dict.fromkeys(found))


def _becomes_native(original: Original) -> bool:
    own, pixels = original.transfer_syntax_uid, original.pixels
    if own in UNCOMPRESSED:
        return pixels is None or not pixels.is_encapsulated
    if pixels is None:
        # Of a syntax that is not in our dictionary nothing is known: the object goes as it came, or not at all.
        return own.is_transfer_syntax and not own.is_private and own not in _ELSEWHERE
    return decodes(own, pixels) and original.frames * pixels.frame_bytes <= _LONGEST


def _is_whole(original: Original) -> bool:
    """Whether its frames are at hand as they were taken."""
    own, pixels = original.transfer_syntax_uid, original.pixels
    if pixels is None or pixels.tag != PIXEL_DATA or pixels.frame_bytes == 0:
        return False
    if pixels.is_encapsulated:
        return own in LOSSLESS and decodes(own, pixels)
    return own in UNCOMPRESSED and original.frames * pixels.frame_bytes <= pixels.length


def _encodes(syntax: UID, pixels: PixelLayout) -> bool:
    """Whether our encoder gives back exactly what it was given."""
    if syntax not in LOSSLESS:
        return False
    photometric, bits = pixels.photometric_interpretation, (pixels.bits_allocated, pixels.bits_stored)
    if pixels.samples == 3:
        # Of a whole byte each; RLE takes any three planes.
        return bits == (8, 8) and (photometric == "RGB" or (syntax == RLELossless and photometric == "YBR_FULL"))
    if pixels.samples != 1 or pixels.bits_allocated not in (8, 16):
        return False
    if syntax == RLELossless:
        return True
    is_plain = not pixels.is_signed and pixels.high_bit == pixels.bits_stored - 1
    return is_plain and photometric in ("MONOCHROME1", "MONOCHROME2") and bits in ((8, 8), (16, 12), (16, 16))
