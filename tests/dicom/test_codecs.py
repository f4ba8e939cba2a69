from __future__ import annotations

import imagecodecs
import numpy as np
import pytest
import simplejpeg
from pydicom.pixels.decoders.rle import _rle_decode_frame
from pydicom.uid import (
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    RLELossless,
)

from dicomprinter.dicom.codecs import ENCODERS, encode
from dicomprinter.errors import PermanentError

RANDOM = np.random.default_rng(8)


def page(kind: str, rows: int = 33, columns: int = 131) -> tuple[np.ndarray, int]:
    shape, top, bits = {
        "grey 8": ((rows, columns), 256, 8),
        "grey 12": ((rows, columns), 4096, 12),
        "grey 16": ((rows, columns), 65536, 16),
        "rgb": ((rows, columns, 3), 256, 8),
    }[kind]
    pixels = RANDOM.integers(0, top, shape).astype(np.uint8 if bits == 8 else np.uint16)
    pixels[5:20] = pixels[5, 5]  # runs longer than the 128 of one packet
    return pixels, bits


KINDS = ["grey 8", "grey 12", "grey 16", "rgb"]


@pytest.mark.parametrize("kind", KINDS)
def test_rle(kind: str) -> None:
    pixels, bits = page(kind)
    encoded = encode(pixels, bits, RLELossless)
    samples = 3 if kind == "rgb" else 1
    decoded = _rle_decode_frame(encoded.data, 33, 131, samples, pixels.dtype.itemsize * 8, ">")
    planes = np.frombuffer(decoded, pixels.dtype.newbyteorder("<")).reshape(samples, 33, 131)
    assert (np.moveaxis(planes, 0, 2).reshape(pixels.shape) == pixels).all()
    offsets = np.frombuffer(encoded.data[:64], "<u4")
    assert offsets[0] == samples * pixels.dtype.itemsize
    assert all(offset % 2 == 0 for offset in [*offsets[1:], len(encoded.data)])


def scan_header(data: bytes) -> bytes:
    place = data.index(b"\xff\xda")
    return data[place + 4 : place + 2 + int.from_bytes(data[place + 2 : place + 4], "big")]


@pytest.mark.parametrize("kind", KINDS)
def test_jpeg_lossless(kind: str) -> None:
    pixels, bits = page(kind)
    encoded = encode(pixels, bits, JPEGLosslessSV1)
    assert (imagecodecs.jpeg8_decode(encoded.data) == pixels).all()
    header = scan_header(encoded.data)
    assert header[-3] == 1  # selection value
    assert header[-2:] == b"\0\0"
    frame = encoded.data.index(b"\xff\xc3")
    assert encoded.data[frame + 4] == bits
    assert encoded.photometric_interpretation == ("RGB" if kind == "rgb" else "MONOCHROME2")
    assert encoded.lossy is None


def test_values_above_twelve_bits_are_clipped() -> None:
    pixels = np.array([[0, 4095, 4096, 65535]], np.uint16)
    decoded = imagecodecs.jpeg8_decode(encode(pixels, 12, JPEGLosslessSV1).data)
    assert decoded.tolist() == [[0, 4095, 4095, 4095]]


def test_jpeg_baseline_says_what_it_holds() -> None:
    pixels, bits = page("rgb", 64, 64)
    encoded = encode(pixels, bits, JPEGBaseline8Bit, 80)
    assert simplejpeg.decode_jpeg_header(encoded.data)[2:] == ("YCbCr", "422")
    assert encoded.photometric_interpretation == "YBR_FULL_422"
    assert encoded.lossy is not None
    assert encoded.lossy.method == "ISO_10918_1"
    assert encoded.lossy.ratio == pytest.approx(pixels.nbytes / len(encoded.data))
    assert encoded.notes == ()
    assert len(encode(pixels, bits, JPEGBaseline8Bit, 20).data) < len(encoded.data)


@pytest.mark.parametrize("kind", ["grey 12", "grey 16"])
def test_jpeg_baseline_of_more_bits(kind: str) -> None:
    bits = int(kind[-2:])
    gradient = np.linspace(0, (1 << bits) - 1, 64 * 64).reshape(64, 64).round()
    encoded = encode(gradient.astype(np.uint16), bits, JPEGBaseline8Bit, 100)
    decoded = simplejpeg.decode_jpeg(encoded.data, colorspace="GRAY")[:, :, 0]
    assert np.abs(decoded - gradient * 255 / ((1 << bits) - 1)).max() < 3
    assert encoded.bits_stored == 8
    assert encoded.photometric_interpretation == "MONOCHROME2"
    assert str(bits) in encoded.notes[0]


def test_native_is_little_endian() -> None:
    encoded = encode(np.array([[0x1234]], np.uint16), 16, ExplicitVRLittleEndian)
    assert encoded.data == b"\x34\x12"


def test_pixels_that_are_not_contiguous() -> None:
    pixels = page("rgb")[0][::2, ::3]
    for syntax in ENCODERS:
        assert encode(pixels, 8, syntax).data == encode(pixels.copy(), 8, syntax).data
    for syntax in ENCODERS:
        assert encode(pixels[:, :, 1], 8, syntax).data == encode(pixels[:, :, 1].copy(), 8, syntax).data


def test_a_page_that_cannot_be_written_to() -> None:
    pixels, bits = page("rgb")
    pixels.flags.writeable = False
    for syntax in ENCODERS:
        assert encode(pixels, bits, syntax).data


def test_no_encoder() -> None:
    with pytest.raises(PermanentError, match="JPEG 2000"):
        encode(*page("rgb"), JPEG2000Lossless)
