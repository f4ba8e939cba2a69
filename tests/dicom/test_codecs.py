from __future__ import annotations

import subprocess
import threading
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import simplejpeg
from pydicom.pixels.decoders.rle import _rle_decode_frame
from pydicom.uid import (
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPIPHTJ2KReferenced,
    RLELossless,
)

from dicomprinter.dicom import codecs
from dicomprinter.dicom.codecs import ENCODERS, LOSSLESS, decode_baseline, encode
from dicomprinter.errors import PermanentError
from tests.dicom.encoded import KINDS, RANDOM, page, scan_header, written
from tests.peers import program
from tests.peers.decoders import native


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


DECODERS = {
    JPEGLosslessSV1: imagecodecs.jpeg8_decode,
    JPEGLSLossless: imagecodecs.jpegls_decode,
    JPEG2000Lossless: imagecodecs.jpeg2k_decode,
    HTJ2KLossless: imagecodecs.htj2k_decode,
}


@pytest.mark.parametrize("syntax", DECODERS, ids=lambda syntax: syntax.name)
def test_values_above_twelve_bits_are_clipped(syntax: str) -> None:
    pixels = np.array([[0, 4095, 4096, 65535]] * 8, np.uint16)
    decoded = DECODERS[syntax](encode(pixels, 12, syntax).data)
    assert decoded.tolist() == [[0, 4095, 4095, 4095]] * 8


def test_no_page_is_encoded_while_openjph_fills_its_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    first, over, calls = threading.Event(), threading.Event(), []

    def encoder(pixels: Any, **_: Any) -> bytes:
        calls.append(pixels.shape)
        if len(calls) == 1:
            first.set()
            over.wait(60)
        return bytes(64)

    monkeypatch.setattr(imagecodecs, "htj2k_encode", encoder)
    codecs._fill_htj2k_tables.cache_clear()
    pages = [np.zeros((20 + number, 20), np.uint8) for number in range(3)]
    threads = [threading.Thread(target=encode, args=(one, 8, HTJ2KLossless), daemon=True) for one in pages]
    for thread in threads:
        thread.start()
    assert first.wait(60)
    threads[-1].join(0.2)
    assert len(calls) == 1, "none has begun beside the first"
    over.set()
    for thread in threads:
        thread.join(60)
    assert sorted(calls[1:]) == [(20, 20), (21, 20), (22, 20)]


@pytest.mark.parametrize("kind", KINDS)
def test_jpeg_ls(kind: str) -> None:
    pixels, bits = page(kind)
    encoded = encode(pixels, bits, JPEGLSLossless)
    assert (imagecodecs.jpegls_decode(encoded.data) == pixels).all()
    assert encoded.data[:4] == b"\xff\xd8\xff\xf7"  # no SPIFF header in front
    assert encoded.data[6] == bits
    near, interleave, _point_transform = scan_header(bytes(encoded.data))[-3:]
    assert near == 0
    assert interleave == (2 if kind == "rgb" else 0)
    assert encoded.photometric_interpretation == ("RGB" if kind == "rgb" else "MONOCHROME2")
    assert encoded.bits_stored == bits


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("syntax", [JPEG2000Lossless, HTJ2KLossless], ids=["JPEG 2000", "HTJ2K"])
def test_jpeg_2000(syntax: str, kind: str) -> None:
    pixels, bits = page(kind)
    encoded = encode(pixels, bits, syntax)
    assert (DECODERS[syntax](encoded.data) == pixels).all()
    assert encoded.data[:4] == b"\xff\x4f\xff\x51"  # the codestream alone: SOC, SIZ
    components = int.from_bytes(encoded.data[40:42], "big")
    assert components == (3 if kind == "rgb" else 1)
    assert set(encoded.data[42 : 42 + 3 * components : 3]) == {bits - 1}
    has_parts_of_high_throughput = b"\xff\x50" in encoded.data[:80]
    assert has_parts_of_high_throughput is (syntax == HTJ2KLossless)
    style = encoded.data.index(b"\xff\x52")
    assert encoded.data[style + 13] == 1  # the reversible wavelet
    assert encoded.photometric_interpretation == ("YBR_RCT" if encoded.data[style + 8] else "MONOCHROME2")
    assert encoded.data[style + 8] == (kind == "rgb")
    assert encoded.bits_stored == bits
    assert encoded.lossy is None


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (40, 1)])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("syntax", DECODERS, ids=lambda syntax: syntax.name)
def test_tiny_pages(syntax: str, kind: str, shape: tuple[int, int]) -> None:
    pixels, bits = page(kind)
    tiny = pixels[24 : 24 + shape[0], : shape[1]] if shape[0] == 1 else np.resize(pixels, (40, 1, *pixels.shape[2:]))
    assert (DECODERS[syntax](encode(tiny, bits, syntax).data).reshape(tiny.shape) == tiny).all()


@pytest.mark.parametrize("kind", KINDS)
def test_noise_that_becomes_longer(kind: str) -> None:
    pixels, bits = noise(kind)
    encoded = encode(pixels, bits, JPEGLSLossless)
    assert len(encoded.data) > pixels.nbytes
    assert (imagecodecs.jpegls_decode(encoded.data) == pixels).all()


def noise(kind: str) -> tuple[np.ndarray, int]:
    """What JPEG-LS makes longer; of 12 bits in 16 that takes a page so small that the headers weigh more."""
    pixels, bits = page(kind, 3, 2) if kind == "grey 12" else page(kind)
    return RANDOM.integers(0, 1 << bits, pixels.shape).astype(pixels.dtype), bits


@pytest.mark.parametrize("make", [page, noise])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.peer("dcmdjpls")
def test_dcmtk_decodes_jpeg_ls(kind: str, make: Any, tmp_path: Path) -> None:
    pixels, bits = make(kind)
    path = written(tmp_path / "in.dcm", pixels, [encode(pixels, bits, JPEGLSLossless)], JPEGLSLossless)
    subprocess.run([program("dcmdjpls"), path, tmp_path / "out.dcm"], check=True)
    assert (native(tmp_path / "out.dcm")[0] == pixels).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEG2000Lossless], ids=["JPEG-LS", "JPEG 2000"])
@pytest.mark.peer("gdcmconv")
def test_gdcm_decodes(syntax: str, kind: str, tmp_path: Path) -> None:
    pixels, bits = page(kind)
    path = written(tmp_path / "in.dcm", pixels, [encode(pixels, bits, syntax)], syntax)
    subprocess.run([program("gdcmconv"), "--raw", path, tmp_path / "out.dcm"], check=True)
    assert (native(tmp_path / "out.dcm")[0] == pixels).all()


@pytest.mark.parametrize("make", [page, noise])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("syntax", [JPEG2000Lossless, HTJ2KLossless], ids=["JPEG 2000", "HTJ2K"])
@pytest.mark.peer("opj_decompress")
def test_openjpeg_decodes(syntax: str, kind: str, make: Any, tmp_path: Path) -> None:
    pixels, bits = make(kind)
    stream, image = tmp_path / "page.j2k", tmp_path / ("page.ppm" if kind == "rgb" else "page.pgm")
    stream.write_bytes(encode(pixels, bits, syntax).data)
    subprocess.run([program("opj_decompress"), "-i", stream, "-o", image], check=True, capture_output=True)
    data = image.read_bytes()
    assert str((1 << bits) - 1).encode() in data[:60].split()
    found = np.frombuffer(data[-pixels.nbytes :], pixels.dtype.newbyteorder(">")).reshape(pixels.shape)
    assert (found == pixels).all()


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


@pytest.mark.parametrize("kind", ["rgb", "grey 8"])
def test_a_baseline_codestream_is_decoded_as_libjpeg_does_it(kind: str) -> None:
    pixels, bits = page(kind, 64, 64)
    data = encode(pixels, bits, JPEGBaseline8Bit, 80).data
    decoded = decode_baseline(bytes(data), kind == "rgb")
    # Both are libjpeg-turbo; without the smooth upsampling, colours beside an edge are some dozen levels apart.
    assert np.abs(decoded.astype(int) - imagecodecs.jpeg8_decode(data)).max() <= 1
    assert decoded.shape == pixels.shape
    assert decoded.dtype == np.uint8


def test_a_damaged_baseline_codestream() -> None:
    with pytest.raises(PermanentError, match="cannot be decoded"):
        decode_baseline(b"\xff\xd8\xff\xd9", True)


def test_what_loses_nothing() -> None:
    assert set(ENCODERS) - LOSSLESS == {JPEGBaseline8Bit}
    for kind in KINDS:
        pixels, bits = page(kind)
        for syntax in LOSSLESS:
            encoded = encode(pixels, bits, syntax)
            assert (encoded.lossy, encoded.bits_stored, encoded.notes) == (None, bits, ())


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


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian], ids=lambda syntax: syntax.name)
def test_native_pixels_are_not_copied(syntax: str, kind: str) -> None:
    pixels, bits = page(kind)
    encoded = encode(pixels, bits, syntax)
    assert len(encoded.data) == pixels.nbytes
    assert np.shares_memory(np.frombuffer(encoded.data, np.uint8), pixels)


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
    with pytest.raises(PermanentError, match="JPIP"):
        encode(*page("rgb"), JPIPHTJ2KReferenced)


def test_a_colour_page_of_one_pixel_goes_as_rle() -> None:
    assert encode(np.full((1, 1, 3), 7, np.uint8), 8, RLELossless).data


@pytest.mark.parametrize("shape", [(1, 65_501), (65_501, 1)])
def test_a_page_that_libjpeg_cannot_hold(shape: tuple[int, int]) -> None:
    with pytest.raises(PermanentError, match="JPEG_Lossy cannot hold a page of"):
        encode(np.zeros(shape, np.uint8), 8, JPEGBaseline8Bit)
