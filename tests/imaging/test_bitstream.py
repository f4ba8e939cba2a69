from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from dicomprinter.dicom.page import Bitstream, Form, LossySource
from dicomprinter.errors import PermanentError
from dicomprinter.imaging.decoder import Decoder
from dicomprinter.imaging.mode import ColourMode
from tests.imaging.pictures import png
from tests.imaging.profiles import rgb_profile

PHOTO = np.kron(np.random.default_rng(9).integers(0, 256, (5, 6, 3), dtype=np.uint8), np.ones((8, 8, 1), np.uint8))
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
AS_IS, RGB = ColourMode.AS_IS, ColourMode.RGB
GREY = ColourMode.MONOCHROME8


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    with Decoder() as opened:
        yield opened


def jpeg(mode: str = "RGB", orientation: int | None = None, **options: object) -> bytes:
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    stream = io.BytesIO()
    settings = {"subsampling": "4:2:2", "dpi": (300, 200), "exif": exif, **options}
    Image.fromarray(PHOTO).convert(mode).save(stream, "JPEG", **settings)
    return stream.getvalue()


def with_segment(data: bytes, marker: int, segment: bytes) -> bytes:
    return data[:2] + bytes([0xFF, marker]) + (len(segment) + 2).to_bytes(2, "big") + segment + data[2:]


def adobe(transform: int) -> bytes:
    return b"Adobe\0\x64\0\0\0\0" + bytes([transform])


def edited(data: bytes, marker: int, change: dict[int, int]) -> bytes:
    """Bytes of the first such segment's content replaced."""
    start = data.index(bytes([0xFF, marker])) + 4
    copy = bytearray(data)
    for place, value in change.items():
        copy[start + place] = value
    return bytes(copy)


def in_scans_of_their_own(data: bytes) -> bytes:
    """A grey picture's frame that tells of three components, each in a scan of its own, as T.81 allows."""
    frame, scan = data.index(b"\xff\xc0"), data.index(b"\xff\xda")
    coded = data[scan + 10 : -2]
    components = b"\1\x21\0\2\x11\0\3\x11\0"
    header = data[frame + 4 : frame + 9] + b"\3" + components
    three = b"".join(b"\xff\xda\0\x08\1" + bytes([number]) + b"\0\0\x3f\0" + coded for number in (1, 2, 3))
    before, after = data[:frame], data[frame + 4 + 9 : scan]
    return before + b"\xff\xc0\0\x11" + header + after + three + b"\xff\xd9"


TAKEN = {
    "colour": (jpeg(), (AS_IS, RGB)),
    "grey": (jpeg("L", subsampling="4:4:4"), (AS_IS, GREY)),
    "grey with a sampling that says nothing": (jpeg("L", subsampling="4:2:0"), (AS_IS, GREY)),
    "orientation told": (jpeg(orientation=1), (AS_IS, RGB)),
    "orientation of nonsense": (jpeg(orientation=9), (AS_IS, RGB)),
    "srgb told": (jpeg(icc_profile=SRGB), (AS_IS, RGB)),
    "restarts": (jpeg(restart_marker_blocks=2), (AS_IS, RGB)),
    "a comment": (jpeg(comment=b"x" * 300), (AS_IS, RGB)),
    "adobe says ycbcr": (with_segment(jpeg(), 0xEE, adobe(1)), (AS_IS, RGB)),
    "more behind it": (jpeg() + b"\xff\xd8\xff\xe0 a second picture \xff\xd9", (AS_IS, RGB)),
}


@pytest.mark.parametrize("name", TAKEN)
def test_taken_as_it_is(decoder: Decoder, name: str, tmp_path: Path) -> None:
    data, modes = TAKEN[name]
    (tmp_path / "x").write_bytes(data)
    found = {mode: decoder.bitstream(tmp_path / "x", mode) for mode in ColourMode}
    assert {mode for mode, stream in found.items() if stream} == set(modes)
    for mode in modes:
        stream, page = found[mode], decoder.page(tmp_path / "x", 0, mode)
        assert isinstance(stream, Bitstream)
        assert stream.data == data.removesuffix(b"\xff\xd8\xff\xe0 a second picture \xff\xd9")
        assert stream.data.endswith(b"\xff\xd9")
        assert (stream.form, stream.resolution, stream.lossy) == (page.form, page.resolution, page.lossy)
        assert (np.asarray(Image.open(io.BytesIO(stream.data))) == page.pixels).all()


def test_its_facts(decoder: Decoder, tmp_path: Path) -> None:
    data = jpeg()
    (tmp_path / "x").write_bytes(data)
    admitted: list[int] = []
    found = decoder.bitstream(tmp_path / "x", AS_IS, admit=admitted.append)
    assert found is not None
    assert admitted == [len(data)]
    assert found.form == Form(40, 48, 3, 8)
    assert found.resolution == (300, 200)
    assert found.lossy == LossySource("ISO_10918_1", 40 * 48 * 3 / len(data))


REFUSED = {
    "4:2:0": jpeg(subsampling="4:2:0"),
    "4:4:4": jpeg(subsampling="4:4:4"),
    "4:4:0, that is half the rows": edited(jpeg(), 0xC0, {7: 0x12}),
    "progressive": jpeg(progressive=True),
    "turned": jpeg(orientation=6),
    "mirrored": jpeg(orientation=2),
    "another profile": jpeg(icc_profile=rgb_profile(gamma=1.0)),
    "a profile that is none": jpeg(icc_profile=b"x" * 200),
    "grey with a profile of colour": jpeg("L", icc_profile=rgb_profile(gamma=1.0)),
    "rgb by adobe": with_segment(jpeg(), 0xEE, adobe(0)),
    "rgb by the names of its components": edited(
        edited(jpeg(), 0xC0, {6: 82, 9: 71, 12: 66}), 0xDA, {1: 82, 3: 71, 5: 66}
    ),
    "cmyk": jpeg("CMYK"),
    "extended": jpeg().replace(b"\xff\xc0", b"\xff\xc1", 1),
    "scans of one component each": in_scans_of_their_own(jpeg("L")),
    "without its tables": jpeg("L").replace(b"\xff\xc4", b"\xff\xeb"),
    "the first of many": with_segment(jpeg(), 0xE2, b"MPF\0" + b"II*\0\x08\0\0\0\0\0\0\0\0\0"),
    "not a jpeg": png(1, 1, 8, 0, [b"\0\0"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_not_taken(decoder: Decoder, name: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(REFUSED[name])
    assert [decoder.bitstream(tmp_path / "x", mode) for mode in ColourMode] == [None] * 4


def test_damage_is_told(decoder: Decoder, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(jpeg()[:-1])
    with pytest.raises(PermanentError, match="cut off"):
        decoder.bitstream(tmp_path / "x", AS_IS)
