"""One table: transfer syntax → how a page's pixels become its bytes (PS3.5 8.2 and Annexes A, G).

Every syntax but JPEG Baseline loses nothing. Every one carries grey of 8, 12 and 16 bits and RGB of 8 bits a sample;
JPEG Baseline brings more than 8 bits to 8 and says so.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from dicomprinter.dicom.page import LossySource, Pixels, by_strips
from dicomprinter.errors import PermanentError

_TOP_OF_12: Final = 4095
_SSIZ: Final = 42
"""Where a codestream says the first component's precision: after SOC, in SIZ (ISO/IEC 15444-1 A.5.1)."""
_THREADS: Final = 2
"""For the slowest encoder only; pages of other jobs want the processor as well."""
# Held while OpenJPH fills its tables.
_FIRST_HTJ2K: Final = threading.Lock()

# libjpeg-turbo's own limit; the standard has 65,535.
_LONGEST_JPEG_SIDE: Final = 65_500


@dataclass(frozen=True)
class Encoded:
    """One frame's bytes, and what the object has to say about them.

    Args:
        data: the native pixels, or the frame's codestream when the syntax is a compressed one. A memoryview counts
            in bytes and shares the memory of the pixels that were encoded.
        photometric_interpretation: what the bytes hold.
        bits_stored: 8, 12 or 16; fewer than the page's when the syntax holds no more.
        lossy: what this encoding lost, None when it lost nothing.
        notes: what the job's history should say.
    """

    data: bytes | memoryview
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


def decode_baseline(data: bytes, is_colour: bool) -> Pixels:
    """Decode a JPEG Baseline codestream, ours or a page's own, with libjpeg's ordinary (smooth) chroma upsampling.

    Args:
        data: from SOI to EOI.
        is_colour: whether RGB is wanted, else grey.

    Returns:
        (rows, columns, 3) RGB or (rows, columns) grey, uint8.

    Raises:
        PermanentError: it cannot be decoded.
    """
    import simplejpeg  # noqa: PLC0415 - only where an archive takes no JPEG

    colours = "RGB" if is_colour else "GRAY"
    try:
        pixels: Pixels = simplejpeg.decode_jpeg(data, colorspace=colours, fastdct=False, fastupsample=False)
    except ValueError as error:
        raise PermanentError(
            "a page's JPEG cannot be decoded", cause=str(error), remedy="the file it came from may be damaged"
        ) from error
    return pixels if is_colour else pixels[:, :, 0]


def _photometric(pixels: Pixels) -> str:
    return "RGB" if pixels.ndim == 3 else "MONOCHROME2"


def _native(pixels: Pixels, bits_stored: int, _quality: int) -> Encoded:
    # A page is large: its own memory is handed on.
    return Encoded(_little_endian(pixels).reshape(-1).view(np.uint8).data, _photometric(pixels), bits_stored)


def _little_endian(pixels: Pixels) -> Pixels:
    return pixels if pixels.dtype == np.uint8 else pixels.astype("<u2", copy=False)


def _rle(pixels: Pixels, bits_stored: int, _quality: int) -> Encoded:
    """PS3.5 Annex G: a segment for each byte plane, the most significant first; each row by itself."""
    if pixels.ndim == 3:
        planes = [pixels[:, :, sample].copy() for sample in range(3)]
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
    data: bytes
    try:
        import dicomprinter_jpeg  # noqa: PLC0415 - native/, a distribution of its own that may be missing
    except ImportError:
        within = _within(pixels, bits_stored)
        data = _imagecodecs().jpeg8_encode(within, lossless=True, predictor=1, bitspersample=bits_stored)
    else:
        data = dicomprinter_jpeg.encode(pixels.data, bits_stored)
    return Encoded(data, _photometric(pixels), bits_stored)


def _within(pixels: Pixels, bits_stored: int) -> Pixels:
    """Libraries keep larger values without a word, and decoders wrap them."""
    return np.minimum(pixels, np.uint16(_TOP_OF_12)) if bits_stored == 12 else pixels


def _jpeg_ls(pixels: Pixels, bits_stored: int, _quality: int) -> Encoded:
    """Lossless JPEG-LS (PS3.5 8.2.3, A.4.3); RGB interleaved by sample, without any colour transform."""
    pixels = _within(pixels, bits_stored)
    data = _jpeg_ls_of_12(pixels) if bits_stored == 12 else _jpeg_ls_of_whole_bytes(pixels)
    return Encoded(data, _photometric(pixels), bits_stored)


def _jpeg_ls_of_12(pixels: Pixels) -> bytes:
    # imagecodecs takes the precision from the array, 16 bits. This one holds the interpreter's lock while it works.
    import jpeg_ls  # noqa: PLC0415 - only where such a page is compressed

    rows, columns = pixels.shape
    data = _little_endian(pixels).tobytes()
    try:
        return bytes(jpeg_ls.encode_buffer(data, rows, columns, samples_per_pixel=1, bits_stored=12))
    except RuntimeError:
        # It has no room for a codestream longer than the pixels (noise, some dozen pixels). Lossless with 16 as well.
        return _jpeg_ls_of_whole_bytes(pixels)


def _jpeg_ls_of_whole_bytes(pixels: Pixels) -> bytes:
    codec = _imagecodecs()
    try:
        data: bytes = codec.jpegls_encode(pixels)
    except codec.JpeglsError:
        # Noise can become longer; a sample takes at most four times its bits (ISO/IEC 14495-1, LIMIT), and stuffing.
        data = codec.jpegls_encode(pixels, out=5 * pixels.nbytes + 1024)
    return _without_spiff(data)


def _without_spiff(data: bytes) -> bytes:
    """Leave out the file header (APP8, ISO/IEC 14495-1 F): DICOM holds the codestream alone."""
    start = 2
    while data[start : start + 2] == b"\xff\xe8":
        start += 2 + int.from_bytes(data[start + 2 : start + 4], "big")
    return data[:2] + data[start:]


def _jpeg_2000(pixels: Pixels, bits_stored: int, _quality: int) -> Encoded:
    """Lossless JPEG 2000, the codestream alone (PS3.5 8.2.4, A.4.4); RGB goes through the reversible transform."""
    data: bytes = _imagecodecs().jpeg2k_encode(
        _within(pixels, bits_stored),
        level=0,
        codecformat="j2k",
        reversible=True,
        mct=True,
        bitspersample=bits_stored,
        numthreads=_THREADS,
    )
    return Encoded(data, _transformed(pixels), bits_stored)


def _transformed(pixels: Pixels) -> str:
    """Colour after the reversible component transform (PS3.3 C.7.6.3.1.2)."""
    return "YBR_RCT" if pixels.ndim == 3 else "MONOCHROME2"


def _htj2k(pixels: Pixels, bits_stored: int, _quality: int) -> Encoded:
    """Lossless High-Throughput JPEG 2000, the codestream alone (PS3.5 8.2.14, A.4.11)."""
    if bits_stored == 12:
        return Encoded(_htj2k_of_12(pixels), _transformed(pixels), bits_stored)
    return Encoded(_htj2k_codestream(pixels), _transformed(pixels), bits_stored)


def _htj2k_of_12(pixels: Pixels) -> bytes:
    """The encoder takes the precision from the array, 16 bits; the codestream is to say 12.

    Precision sets two things: by how much the samples are shifted to lie around 0 (ISO/IEC 15444-1 G.1.2), and a bound
    for the bit planes, which stands in the codestream (QCD) and may be larger than needed. So the samples are moved up
    by the difference of the two shifts, and the header is told what they are.
    """
    moved = _within(pixels, 12) + np.uint16((1 << 15) - (1 << 11))
    data = bytearray(_htj2k_codestream(moved))
    data[_SSIZ] = 12 - 1
    return bytes(data)


def _htj2k_codestream(pixels: Pixels) -> bytes:
    # Pages are encoded by several threads. Of two that were a process's first, one would take half-filled tables, and
    # its codestream would hold other pixels.
    with _FIRST_HTJ2K:
        _fill_htj2k_tables()
    data: bytes = _imagecodecs().htj2k_encode(pixels, reversible=True, rgb=pixels.ndim == 3)
    return data


@cache
def _fill_htj2k_tables() -> None:
    """OpenJPH fills its encoder's tables when it encodes for the first time, and does so without a lock of its own."""
    _imagecodecs().htj2k_encode(np.zeros((8, 8), np.uint8), reversible=True)


def _jpeg_baseline(pixels: Pixels, bits_stored: int, quality: int) -> Encoded:
    """Process 1; colour with its chroma halved across (YBR_FULL_422)."""
    import simplejpeg  # noqa: PLC0415 - only where a page is compressed

    rows, columns = pixels.shape[:2]
    if max(rows, columns) > _LONGEST_JPEG_SIDE:
        raise PermanentError(
            f"JPEG_Lossy cannot hold a page of {columns} × {rows} pixels",
            cause=f"a side may have {_LONGEST_JPEG_SIDE}",
            remedy="choose another Compression for such pages",
        )
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
        JPEGLSLossless: _jpeg_ls,
        JPEG2000Lossless: _jpeg_2000,
        HTJ2KLossless: _htj2k,
        JPEGBaseline8Bit: _jpeg_baseline,
    }
)

LOSSLESS: Final = frozenset(ENCODERS) - {JPEGBaseline8Bit}
"""The syntaxes of the table that lose nothing, whatever the page's form."""
