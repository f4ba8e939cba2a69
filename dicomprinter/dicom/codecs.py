"""One table: transfer syntax → how a page's pixels become its bytes (PS3.5 8.2 and Annexes A, G)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    RLELossless,
)

from dicomprinter.dicom.page import LossySource, Pixels, by_strips
from dicomprinter.errors import PermanentError


@dataclass(frozen=True)
class Encoded:
    """One frame's bytes, and what the object has to say about them.

    Args:
        data: the native pixels, or the frame's codestream when the syntax is a compressed one.
        photometric_interpretation: what the bytes hold.
        bits_stored: 8, 12 or 16; fewer than the page's when the syntax holds no more.
        lossy: what this encoding lost, None when it lost nothing.
        notes: what the job's history should say.
    """

    data: bytes
    photometric_interpretation: str
    bits_stored: int
    lossy: LossySource | None = None
    notes: tuple[str, ...] = ()


def encode(pixels: Pixels, bits_stored: int, transfer_syntax: str, quality: int = 90) -> Encoded:
    """Encode one frame.

    Args:
        pixels: (rows, columns) grey or (rows, columns, 3) RGB; uint8 for 8 bits, else uint16.
        bits_stored: 8, 12 or 16.
        transfer_syntax: a key of `ENCODERS`.
        quality: 1 to 100, for JPEG Baseline.

    Raises:
        PermanentError: no encoder for the syntax.
    """
    encoder = ENCODERS.get(UID(transfer_syntax))
    if encoder is None:
        raise PermanentError(
            f"no encoder for the transfer syntax {UID(transfer_syntax).name}",
            remedy="choose another Compression, or none",
        )
    return encoder(np.ascontiguousarray(pixels), bits_stored, quality)


def _photometric(pixels: Pixels) -> str:
    return "RGB" if pixels.ndim == 3 else "MONOCHROME2"


def _native(pixels: Pixels, bits_stored: int, _quality: int) -> Encoded:
    if pixels.dtype == np.uint16:
        pixels = pixels.astype("<u2", copy=False)
    return Encoded(pixels.tobytes(), _photometric(pixels), bits_stored)


def _rle(pixels: Pixels, bits_stored: int, _quality: int) -> Encoded:
    """PS3.5 Annex G: a segment for each byte plane, the most significant first; each row by itself."""
    if pixels.ndim == 3:
        planes = [np.ascontiguousarray(pixels[:, :, sample]) for sample in range(3)]
    elif pixels.dtype == np.uint16:
        planes = [(pixels >> 8).astype(np.uint8), (pixels & 0xFF).astype(np.uint8)]
    else:
        planes = [pixels]
    segments = [_packbits(plane) for plane in planes]
    offsets = [64]
    for segment in segments[:-1]:
        offsets.append(offsets[-1] + len(segment))
    header = struct.pack("<16L", len(segments), *offsets, *[0] * (15 - len(offsets)))
    return Encoded(b"".join((header, *segments)), _photometric(pixels), bits_stored)


def _packbits(plane: Pixels) -> bytes:
    segment: bytes = _imagecodecs().packbits_encode(plane)
    return segment if len(segment) % 2 == 0 else segment + b"\0"


def _jpeg_lossless(pixels: Pixels, bits_stored: int, _quality: int) -> Encoded:
    """Process 14, selection value 1 (PS3.5 Table A.4.3); RGB without any colour transform."""
    if bits_stored == 12:
        # libjpeg would keep larger values without a word, and decoders would wrap them.
        pixels = np.minimum(pixels, np.uint16(4095))
    data: bytes = _imagecodecs().jpeg8_encode(pixels, lossless=True, predictor=1, bitspersample=bits_stored)
    return Encoded(data, _photometric(pixels), bits_stored)


def _jpeg_baseline(pixels: Pixels, bits_stored: int, quality: int) -> Encoded:
    """Process 1; colour with its chroma halved across (YBR_FULL_422)."""
    import simplejpeg  # noqa: PLC0415 - only where a page is compressed

    before = pixels.nbytes
    notes: tuple[str, ...] = ()
    if bits_stored > 8:
        top = (1 << bits_stored) - 1
        pixels = by_strips(pixels, 8, lambda wide: (np.minimum(wide, top) * 255 + top // 2) // top)
        notes = (f"JPEG_Lossy holds 8 bits a sample: the page's {bits_stored} bits were brought to 8",)
    data: bytes
    if pixels.ndim == 3:
        data = simplejpeg.encode_jpeg(pixels, quality=quality, colorspace="RGB", colorsubsampling="422")
        photometric = "YBR_FULL_422"
    else:
        grey = pixels[:, :, None]
        data = simplejpeg.encode_jpeg(grey, quality=quality, colorspace="GRAY", colorsubsampling="Gray")
        photometric = "MONOCHROME2"
    return Encoded(data, photometric, 8, LossySource("ISO_10918_1", before / len(data)), notes)


def _imagecodecs() -> Any:
    import imagecodecs  # noqa: PLC0415 - a quarter of a second that only a compressing Store pays

    return imagecodecs


Encoder = Callable[[Pixels, int, int], Encoded]

ENCODERS: Final[Mapping[UID, Encoder]] = MappingProxyType(
    {
        ImplicitVRLittleEndian: _native,
        ExplicitVRLittleEndian: _native,
        RLELossless: _rle,
        JPEGLosslessSV1: _jpeg_lossless,
        JPEGBaseline8Bit: _jpeg_baseline,
    }
)
