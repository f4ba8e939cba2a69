"""JPEG Lossless by each of its two encoders: whatever decodes it finds the same pixels."""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path

import imagecodecs
import libjpeg
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.encaps import generate_frames
from pydicom.uid import JPEGLosslessSV1

from bench.pages import photo, text_with_pictures
from dicomprinter.dicom.codecs import encode
from tests.dicom.encoded import KINDS, RANDOM, page, scan_header, written
from tests.peers.decoders import decoded_by_dcmtk, decoded_by_gdcm

Decode = Callable[[Path], list[np.ndarray]]


@pytest.fixture(params=["native", "imagecodecs"])
def encoder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """One of the two, whichever is installed."""
    name: str = request.param
    if name == "imagecodecs":
        monkeypatch.setitem(sys.modules, "dicomprinter_jpeg", None)
        return name
    try:
        import dicomprinter_jpeg  # noqa: F401, PLC0415
    except ImportError:
        reason = "native/ is not installed: .ci/native does that, with a C compiler and Python's headers"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return name


@pytest.mark.parametrize("kind", KINDS)
def test_jpeg_lossless(kind: str, encoder: str) -> None:
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
    # JFIF's marker before a grey frame is libjpeg's.
    if kind != "rgb":
        assert encoded.data[2:4] == {"native": b"\xff\xc3", "imagecodecs": b"\xff\xe0"}[encoder]


def pages(kind: str) -> dict[str, np.ndarray]:
    """Text, photographs, noise, paper and the largest differences, all of one size; and odd sizes."""
    depth, data_type = page(kind)[1], page(kind)[0].dtype
    top, form = (1 << depth) - 1, (3,) if kind == "rgb" else ()

    def printed(picture: np.ndarray) -> np.ndarray:
        return (picture if form else picture[:, :, 1]).astype(data_type) * data_type.type(top // 255)

    def random(rows: int, columns: int, most: int) -> np.ndarray:
        return RANDOM.integers(0, most, (rows, columns, *form), endpoint=True).astype(data_type)

    return {
        "runs and noise": page(kind)[0],
        "text": printed(text_with_pictures(33, 131)),
        "photo": printed(photo(33, 131)),
        "noise": random(33, 131, top),
        "white": np.full_like(page(kind)[0], top),
        "black": np.zeros_like(page(kind)[0]),
        "0 and the largest": random(33, 131, 1) * data_type.type(top),
        "half of all values": random(33, 131, 1) * data_type.type(top // 2 + 1),
    } | {f"{rows} x {columns}": random(rows, columns, top) for rows, columns in ((1, 1), (1, 9), (9, 1), (7, 1000))}


def in_process(decode: Callable[[bytes], np.ndarray]) -> Decode:
    def decoded(path: Path) -> list[np.ndarray]:
        dataset = dcmread(path)
        frames = generate_frames(dataset.PixelData, number_of_frames=int(dataset.NumberOfFrames))
        shape = (dataset.Rows, dataset.Columns, *[3] * (dataset.SamplesPerPixel == 3))
        return [decode(frame).reshape(shape) for frame in frames]

    return decoded


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "decode",
    [
        pytest.param(in_process(imagecodecs.jpeg8_decode), id="imagecodecs"),
        pytest.param(in_process(libjpeg.decode), id="pylibjpeg"),
        pytest.param(partial(decoded_by_dcmtk, syntax=JPEGLosslessSV1), id="dcmtk", marks=pytest.mark.peer),
        pytest.param(decoded_by_gdcm, id="gdcm", marks=pytest.mark.peer),
    ],
)
def test_every_decoder_finds_the_same_pixels(decode: Decode, kind: str, encoder: str, tmp_path: Path) -> None:
    by_size = defaultdict(list)
    for name, pixels in pages(kind).items():
        by_size[pixels.shape].append((name, pixels))
    wrong = []
    for size in by_size.values():
        frames = [encode(pixels, page(kind)[1], JPEGLosslessSV1) for _, pixels in size]
        path = written(tmp_path / f"{len(frames)}.dcm", size[0][1], frames, JPEGLosslessSV1)
        found = zip(size, decode(path), strict=True)
        wrong += [name for (name, pixels), decoded in found if not (decoded == pixels).all()]
    assert wrong == []


@given(data=st.data())
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_any_page(encoder: str, data: st.DataObject) -> None:
    pixels, bits = page(data.draw(st.sampled_from(KINDS)), data.draw(st.integers(1, 12)), data.draw(st.integers(1, 40)))
    values = data.draw(st.lists(st.integers(0, (1 << bits) - 1), min_size=1, max_size=6))
    pixels = np.array(values, pixels.dtype)[RANDOM.integers(0, len(values), pixels.shape)]
    assert (imagecodecs.jpeg8_decode(encode(pixels, bits, JPEGLosslessSV1).data).reshape(pixels.shape) == pixels).all()


def test_values_above_twelve_bits_are_clipped(encoder: str) -> None:
    pixels = np.array([[0, 4095, 4096, 65535]] * 8, np.uint16)
    decoded = imagecodecs.jpeg8_decode(encode(pixels, 12, JPEGLosslessSV1).data)
    assert decoded.tolist() == [[0, 4095, 4095, 4095]] * 8


def test_both_take_about_as_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("dicomprinter_jpeg")
    for kind in KINDS:
        for name, pixels in pages(kind).items():
            ours = encode(pixels, page(kind)[1], JPEGLosslessSV1).data
            with monkeypatch.context() as without:
                without.setitem(sys.modules, "dicomprinter_jpeg", None)
                theirs = encode(pixels, page(kind)[1], JPEGLosslessSV1).data
            assert len(ours) <= 1.03 * len(theirs) + 20, (kind, name)
