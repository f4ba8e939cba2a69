"""One table: transfer syntax → how a frame's codestream becomes pixels (PS3.5 8.2, Annexes A and G)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from dicomprinter.dicom.forwarded.codestreams import SIZ, told_size
from dicomprinter.dicom.forwarded.original import PixelLayout
from dicomprinter.dicom.forwarded.second_opinion import by_pydicom
from dicomprinter.dicom.page import Pixels

LOSSLESS: Final = frozenset(
    {HTJ2KLossless, HTJ2KLosslessRPCL, JPEG2000Lossless, JPEGLSLossless, JPEGLossless, JPEGLosslessSV1, RLELossless}
)
# What these hold has lost something, whatever the object says of it; JPEG 2000 may have been used without loss.
ALWAYS_LOSSY: Final[Mapping[UID, str]] = MappingProxyType(
    {JPEGBaseline8Bit: "ISO_10918_1", JPEGExtended12Bit: "ISO_10918_1"}
)
_CODING_STYLE: Final = b"\xff\x52"
_TILE: Final = b"\xff\x90"


@dataclass(frozen=True, eq=False)
class DecodedFrame:
    """One frame's native pixels, little endian, sample by sample within a pixel (Planar Configuration 0).

    Args:
        data: rows × columns × samples cells of `bits_allocated`; bits above `bits_stored` repeat the sign.
        photometric_interpretation: what they hold now; chroma is not subsampled.
        bits_allocated: 8, 16 or 32.
        is_signed: whether the cells are two's complement.
    """

    data: bytes | bytearray | memoryview
    photometric_interpretation: str
    rows: int
    columns: int
    samples: int
    bits_allocated: int
    bits_stored: int
    is_signed: bool

    @property
    def pixels(self) -> Pixels:
        """(rows, columns) or (rows, columns, samples), without a copy."""
        kind = "i" if self.is_signed else "u"
        shape = (self.rows, self.columns) if self.samples == 1 else (self.rows, self.columns, self.samples)
        return np.frombuffer(self.data, f"<{kind}{self.bits_allocated // 8}").reshape(shape)


def decodes(syntax: UID, layout: PixelLayout) -> bool:
    """Whether frames of this kind become native ones here, without any further loss."""
    depths = (8, 16, 32) if syntax == RLELossless else (8, 16)
    return (
        syntax in DECODERS
        and layout.is_encapsulated
        and layout.samples in (1, 3)
        and layout.bits_allocated in depths
        and 0 < layout.bits_stored <= layout.bits_allocated
        and layout.frame_bytes > 0
    )


def decode(data: bytes, syntax: UID, layout: PixelLayout) -> DecodedFrame:
    """Decode one frame.

    Args:
        data: all its fragments.
        syntax: a key of `DECODERS`.
        layout: what the object says of its pixels.

    Raises:
        ValueError: it cannot be decoded, or is not what the object says.
        RuntimeError: whatever else a codec makes of damaged data.
    """
    expected = (layout.rows, layout.columns, layout.samples)
    told = told_size(data) if syntax != RLELossless else None
    if told is not None and told != expected:
        raise ValueError("a frame is not of the size that the object tells")
    try:
        pixels, photometric = DECODERS[syntax](data, layout)
    except (RuntimeError, ValueError):
        other = by_pydicom(data, syntax, layout)
        if other is None:
            raise
        pixels, photometric = other
    if pixels.size != layout.rows * layout.columns * layout.samples or pixels.shape[:2] != expected[:2]:
        raise ValueError("a frame is not of the size that the object tells")
    if pixels.dtype.itemsize * 8 > layout.bits_allocated:
        raise ValueError("a frame has more bits than the object tells")
    return DecodedFrame(
        _cells(pixels, layout),
        photometric,
        layout.rows,
        layout.columns,
        layout.samples,
        layout.bits_allocated,
        layout.bits_stored,
        layout.is_signed,
    )


def _cells(pixels: Pixels, layout: PixelLayout) -> bytes:
    """Codecs know of no sign, or of another one than the object: its own word counts (PS3.5 8.1.1)."""
    size = layout.bits_allocated // 8
    spare = layout.bits_allocated - layout.bits_stored
    is_normal = layout.high_bit == layout.bits_stored - 1
    if pixels.dtype.kind == "i":
        pixels = pixels.astype(f"<i{size}")
        if not layout.is_signed and is_normal:
            pixels = pixels & ((1 << layout.bits_stored) - 1 if spare else -1)
    else:
        pixels = pixels.astype(f"<u{size}", copy=False)
        if layout.is_signed and is_normal and spare:
            pixels = (pixels << spare).view(f"<i{size}") >> spare
    return pixels.tobytes()


def _imagecodecs() -> Any:
    import imagecodecs  # noqa: PLC0415 - a quarter of a second that only compressed objects pay

    return imagecodecs


def _jpeg(data: bytes, layout: PixelLayout) -> tuple[Pixels, str]:
    """PS3.5 A.4.1; YCbCr becomes RGB, because hardly an object may hold native YBR_FULL (PS3.3 C.8.5.6.1.2, say)."""
    if layout.samples == 1:
        return _imagecodecs().jpeg8_decode(data), layout.photometric_interpretation
    # Adobe's marker is the one thing that tells YCbCr for certain in a stream that is called RGB.
    marker = data.find(b"Adobe\0", 0, 4096)
    is_marked = marker >= 0 and data[marker + 11 : marker + 12] == b"\1"
    is_ycbcr = is_marked or layout.photometric_interpretation.startswith("YBR")
    return _imagecodecs().jpeg8_decode(data, colorspace="YCBCR" if is_ycbcr else "RGB", outcolorspace="RGB"), "RGB"


def _jpeg_lossless(data: bytes, layout: PixelLayout) -> tuple[Pixels, str]:
    """PS3.5 A.4.2; the samples as they stand in the stream."""
    if layout.samples == 1:
        return _imagecodecs().jpeg8_decode(data), layout.photometric_interpretation
    # The same name twice: libjpeg then leaves colours alone, whatever they are.
    pixels: Pixels = _imagecodecs().jpeg8_decode(data, colorspace="RGB", outcolorspace="RGB")
    return pixels, _full_size(layout.photometric_interpretation)


def _full_size(photometric: str) -> str:
    """Chroma that was coded at full size, or is so now."""
    return "YBR_FULL" if photometric.startswith("YBR") else photometric


def _jpeg_ls(data: bytes, layout: PixelLayout) -> tuple[Pixels, str]:
    """PS3.5 A.4.3."""
    return _imagecodecs().jpegls_decode(data), _full_size(layout.photometric_interpretation)


def _jpeg_2000(data: bytes, layout: PixelLayout) -> tuple[Pixels, str]:
    """PS3.5 A.4.4, A.4.6; the transform of the components is undone, which leaves RGB (PS3.5 8.2.4)."""
    # Some programs put the whole file format around the codestream.
    start = max(0, data.find(SIZ, 0, 4096))
    pixels: Pixels = _imagecodecs().jpeg2k_decode(data[start:])
    photometric = layout.photometric_interpretation
    if _is_transformed(data, start + 2) or photometric in ("YBR_RCT", "YBR_ICT"):
        return pixels, "RGB"
    return pixels, _full_size(photometric)


def _is_transformed(data: bytes, position: int) -> bool:
    """What the marker segment COD says of the multiple component transform (ISO/IEC 15444-1 A.6.1)."""
    while data[position : position + 2] not in (_CODING_STYLE, _TILE, b""):
        position += 2 + max(2, int.from_bytes(data[position + 2 : position + 4], "big"))
    return data[position : position + 2] == _CODING_STYLE and data[position + 8 : position + 9] == b"\1"


def _rle(data: bytes, layout: PixelLayout) -> tuple[Pixels, str]:
    """PS3.5 Annex G: a segment for each byte plane of each sample, the most significant first."""
    size = layout.bits_allocated // 8
    if len(data) < 64:
        raise ValueError("an RLE frame is cut off")
    number, *offsets = struct.unpack("<16I", data[:64])
    if number != layout.samples * size:
        raise ValueError("an RLE frame has another number of segments than the object tells")
    plane = layout.rows * layout.columns
    cells = np.empty((plane, layout.samples, size), np.uint8)
    ends = [*offsets[1:number], len(data)]
    for index, (start, end) in enumerate(zip(offsets[:number], ends, strict=True)):
        if not 64 <= start <= end <= len(data):
            raise ValueError("an RLE frame has its segments elsewhere than it tells")
        segment = np.frombuffer(_unpacked(data[start:end]), np.uint8, count=plane)
        cells[:, index // size, size - 1 - index % size] = segment
    pixels = cells.reshape(layout.rows, layout.columns, layout.samples * size).view(f"<u{size}")
    return pixels, _full_size(layout.photometric_interpretation)


def _unpacked(segment: bytes) -> bytes:
    unpacked: bytes = _imagecodecs().packbits_decode(segment)
    return unpacked


Decoding = Callable[[bytes, PixelLayout], tuple[Pixels, str]]

DECODERS: Final[Mapping[UID, Decoding]] = MappingProxyType(
    {
        JPEGBaseline8Bit: _jpeg,
        JPEGExtended12Bit: _jpeg,
        JPEGLossless: _jpeg_lossless,
        JPEGLosslessSV1: _jpeg_lossless,
        JPEGLSLossless: _jpeg_ls,
        JPEGLSNearLossless: _jpeg_ls,
        JPEG2000Lossless: _jpeg_2000,
        JPEG2000: _jpeg_2000,
        HTJ2KLossless: _jpeg_2000,
        HTJ2KLosslessRPCL: _jpeg_2000,
        HTJ2K: _jpeg_2000,
        RLELossless: _rle,
    }
)
