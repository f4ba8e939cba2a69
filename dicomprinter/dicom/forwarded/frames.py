"""Single frames of pixel data, native or in fragments (PS3.5 8.1, A.4)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

import numpy as np

from dicomprinter.dicom.forwarded.decoders import DecodedFrame, decode
from dicomprinter.dicom.forwarded.opening import Source
from dicomprinter.dicom.forwarded.original import PIXEL_DATA, Original, PixelLayout
from dicomprinter.dicom.forwarded.structure import Element, Reader, Span, StructureError

# How a JPEG, JPEG-LS or JPEG 2000 codestream begins, and a JP2 file.
_BEGINNINGS: Final = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP")


def frame_spans(reader: Reader, element: Element, frames: int) -> list[Sequence[Span]]:
    """The fragments of each frame.

    By the Basic Offset Table; else one a frame (as the Extended Offset Table always means, PS3.5 A.4), all of a
    single frame, or by where codestreams begin.

    Raises:
        StructureError: frames and fragments cannot be told together.
    """
    table, *fragments = reader.fragments(element) if element.length else [Span(0, 0)]
    if len(fragments) == frames:
        return [[fragment] for fragment in fragments]
    if frames == 1 and fragments:
        return [fragments]
    begins = _by_table(reader, table, fragments)
    if len(begins) != frames:
        begins = [
            index
            for index, fragment in enumerate(fragments)
            if reader.read(Span(fragment.start, min(fragment.stop, fragment.start + 8))).startswith(_BEGINNINGS)
        ]
    if len(begins) != frames or begins[0] != 0:
        raise StructureError(f"it has {frames} frames in {len(fragments)} fragments, and nothing says which is where")
    return [fragments[begin:end] for begin, end in zip(begins, [*begins[1:], len(fragments)], strict=True)]


def _by_table(reader: Reader, table: Span, fragments: Sequence[Span]) -> list[int]:
    """Which fragments begin a frame; none when the table is empty or wrong."""
    data = reader.read(table)
    places = {fragment.start - 8: index for index, fragment in enumerate(fragments)}
    offsets = [offset for (offset,) in struct.iter_unpack("<I", data[: len(data) // 4 * 4])]
    begins = [places.get(table.stop + offset, -1) for offset in offsets]
    return begins if begins == sorted(set(begins)) and -1 not in begins else []


def native_frame(source: Source, layout: PixelLayout, index: int) -> DecodedFrame:
    """A frame of native pixel data, in little endian, its samples together and its chroma at full size.

    Raises:
        StructureError: there is no such frame, or its kind is none that can be shown.
    """
    if layout.tag != PIXEL_DATA or not (layout.frame_bytes or layout.bits_allocated == 1):
        raise StructureError("its pixels are of no kind that can be decoded")
    element = source.find(PIXEL_DATA)
    cells = layout.rows * layout.columns * layout.samples
    is_halved = layout.photometric_interpretation.endswith("_422") and layout.samples == 3
    cells = cells * 2 // 3 if is_halved else cells
    first, last = index * cells * layout.bits_allocated, (index + 1) * cells * layout.bits_allocated
    if element is None or index < 0 or (last + 7) // 8 > element.length:
        raise StructureError(f"it has no frame {index + 1}, or it is cut off")
    data = _bytes(source, element, first // 8, (last + 7) // 8, layout.bits_allocated)
    allocated, stored, photometric = layout.bits_allocated, layout.bits_stored, layout.photometric_interpretation
    if allocated == 1:
        bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
        data, allocated, stored = bits[first % 8 :][:cells].tobytes(), 8, 1
    if is_halved:
        data, photometric = _full(data), "YBR_FULL"
    elif layout.samples > 1 and layout.planar_configuration == 1:
        planes = np.frombuffer(data, f"u{allocated // 8}").reshape(layout.samples, -1)
        data = planes.T.tobytes()
    return DecodedFrame(
        data, photometric, layout.rows, layout.columns, layout.samples, allocated, stored, layout.is_signed
    )


def decoded_frame(source: Source, original: Original, spans: Sequence[Span]) -> DecodedFrame:
    """A frame of compressed pixel data.

    Raises:
        ValueError, RuntimeError: see `decoders.decode`.
    """
    if original.pixels is None:
        raise StructureError("it has no pixels")
    data = b"".join(source.reader.read(span) for span in spans)
    return decode(data, original.transfer_syntax_uid, original.pixels)


def swap_unit(vr: str, bits_allocated: int) -> int:
    """How many bytes of big endian pixel data turn round together.

    Words of 16 bits, also for cells of 8; cells of 32 bits turn as a whole, as the programs that write them do it.
    """
    return 1 if vr == "OB" else max(2, bits_allocated // 8)


def swapped(data: bytes, unit: int) -> bytes:
    """Each `unit` bytes in reverse; what is left over stays."""
    if unit == 1:
        return data
    whole = len(data) // unit * unit
    return np.frombuffer(data, f">u{unit}", count=whole // unit).astype(f"<u{unit}").tobytes() + data[whole:]


def _bytes(source: Source, element: Element, first: int, last: int, bits_allocated: int) -> bytes:
    """Some bytes of the value in little endian; words of big endian are turned round as a whole."""
    if not source.coding.big:
        return source.reader.read(Span(element.value + first, element.value + last))
    unit = swap_unit(element.vr, bits_allocated)
    begin, end = first // unit * unit, min(-(-last // unit) * unit, element.length)
    words = swapped(source.reader.read(Span(element.value + begin, element.value + end)), unit)
    return words[first - begin : last - begin]


def _full(data: bytes) -> bytes:
    """Y Y Cb Cr of two pixels as Y Cb Cr Y Cb Cr (PS3.3 C.7.6.3.1.2)."""
    pairs = np.frombuffer(data, np.uint8).reshape(-1, 4)
    return pairs[:, [0, 2, 3, 1, 2, 3]].tobytes()
