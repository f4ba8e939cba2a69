from __future__ import annotations

import io
import struct
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image, ImageCms

from dicomprinter.errors import PermanentError
from dicomprinter.imaging.limits import Limits
from dicomprinter.imaging.open import open_page
from tests.imaging.pictures import chunk, pdf, png, tiff, tiff_page

RGB = np.random.default_rng(4).integers(0, 256, (4, 6, 3), dtype=np.uint8)
PALETTE = bytes([0, 0, 0, 255, 0, 0, 10, 20, 30])
W16 = struct.pack(">4H", 0, 0x1234, 0x0080, 0xFFFF)

# name: (file, expected pixels as a list, bits stored)
PICTURES = {
    "png 1 bit": (png(8, 1, 1, 0, [b"\xa5"]), [[255, 0, 255, 0, 0, 255, 0, 255]], 8),
    "png 4 bit": (png(4, 1, 4, 0, [b"\x01\xef"]), [[0, 17, 238, 255]], 8),
    "png 4 bit with a transparent grey": (
        png(4, 1, 4, 0, [b"\x01\xef"], chunk(b"tRNS", b"\0\1")),
        [[0, 255, 238, 255]],
        8,
    ),
    "png 16 bit": (png(4, 1, 16, 0, [W16]), [[0, 0x1234, 0x80, 0xFFFF]], 16),
    "png grey and alpha": (png(3, 1, 8, 4, [bytes([100, 255, 100, 0, 0, 128])]), [[100, 255, 127]], 8),
    "png 16 bit grey and alpha": (
        png(2, 1, 16, 4, [struct.pack(">4H", 0x1234, 0xFFFF, 0x1234, 0)]),
        [[0x1234, 0xFFFF]],
        16,
    ),
    "png palette": (
        png(4, 1, 2, 3, [b"\x18"], chunk(b"PLTE", PALETTE)),
        [[[0] * 3, [255, 0, 0], [10, 20, 30], [0] * 3]],
        8,
    ),
    "png palette with alpha": (
        png(2, 1, 8, 3, [b"\0\1"], chunk(b"PLTE", PALETTE), chunk(b"tRNS", b"\x00\x80")),
        [[[255] * 3, [255, 127, 127]]],
        8,
    ),
    "png rgba": (png(1, 1, 8, 6, [bytes([0, 255, 10, 128])]), [[[127, 255, 132]]], 8),
    "png 16 bit rgb": (png(1, 1, 16, 2, [struct.pack(">3H", 0x00FF, 0xFF00, 129)]), [[[1, 254, 1]]], 8),
    "tiff 1 bit": (tiff(tiff_page(8, 1, 1, b"\xa5")), [[255, 0, 255, 0, 0, 255, 0, 255]], 8),
    "tiff 1 bit white is zero": (
        tiff(tiff_page(8, 1, 1, b"\xa5", photometric=0)),
        [[0, 255, 0, 255, 255, 0, 255, 0]],
        8,
    ),
    "tiff 8 bit white is zero": (tiff(tiff_page(2, 1, 8, b"\x00\x10", photometric=0)), [[255, 239]], 8),
    "tiff 16 bit": (tiff(tiff_page(4, 1, 16, W16), order=">"), [[0, 0x1234, 0x80, 0xFFFF]], 16),
    "tiff 16 bit white is zero": (
        tiff(tiff_page(4, 1, 16, W16, photometric=0), order=">"),
        [[0xFFFF, 0xFFFF - 0x1234, 0xFFFF - 0x80, 0]],
        16,
    ),
    "tiff 16 bit rgb": (
        tiff(tiff_page(1, 1, 16, struct.pack("<3H", 0x00FF, 0xFF00, 129), photometric=2, samples=3)),
        [[[1, 254, 1]]],
        8,
    ),
    "tiff 16 bit turned": (tiff(tiff_page(2, 1, 16, b"\1\0\2\0", tag274=6)), [[1], [2]], 16),
    "tiff rgba": (
        tiff(tiff_page(1, 1, 8, bytes([0, 255, 10, 128]), photometric=2, samples=4, tag338=2)),
        [[[127, 255, 132]]],
        8,
    ),
    **{
        f"tiff 16 bit rgb, {name}": (
            tiff(
                tiff_page(
                    2,
                    1,
                    16,
                    struct.pack("<8H", 0, 30_000, 60_000, 65_535, 0, 15_000, 30_000, 32_768),
                    photometric=2,
                    samples=4,
                    tag338=kind,
                )
            ),
            [[[0, 117, 233], second]],
            8,
        )
        for name, kind, second in (
            ("alpha of its own", 2, [127, 157, 186]),
            ("multiplied by alpha", 1, [127, 186, 244]),
            ("something else beside it", 0, [0, 58, 117]),
        )
    },
    "tiff cmyk": (tiff(tiff_page(1, 1, 8, bytes([255, 0, 0, 0]), photometric=5, samples=4)), [[[0, 255, 255]]], 8),
}


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("name", PICTURES)
def test_pixels(name: str, tmp_path: Path) -> None:
    data, expected, bits = PICTURES[name]
    page = open_page(written(tmp_path / "x", data), 0)
    assert page.pixels.tolist() == expected
    assert page.bits_stored == bits
    assert page.pixels.dtype == (np.uint8 if bits == 8 else np.uint16)
    assert page.lossy is None


def as_stored(orientation: int) -> np.ndarray:
    """What a camera held that way stores, so that the upright picture is RGB (Exif, tag 0112)."""
    return {
        1: RGB,
        2: np.fliplr(RGB),
        3: np.rot90(RGB, 2),
        4: np.flipud(RGB),
        5: RGB.transpose(1, 0, 2),
        6: np.rot90(RGB),
        7: np.rot90(RGB, 2).transpose(1, 0, 2),
        8: np.rot90(RGB, -1),
    }[orientation]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_orientation_is_obeyed(orientation: int, kind: str, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "x"
    Image.fromarray(as_stored(orientation)).save(path, kind, exif=exif, dpi=(300, 150))
    page = open_page(path, 0)
    assert (page.pixels == RGB).all()
    upright = (300, 150) if orientation < 5 else (150, 300)
    assert page.resolution == pytest.approx(upright, rel=1e-3)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_a_photograph(orientation: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(as_stored(orientation)).save(tmp_path / "x", "JPEG", exif=exif, quality=100, subsampling=0)
    page = open_page(tmp_path / "x", 0)
    assert np.abs(page.pixels.astype(int) - RGB).max() < 12


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("exif", [b"", b"II", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff", b"no TIFF at all"])
def test_a_broken_exif_costs_no_photograph(exif: bytes, tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / "x", "JPEG", exif=b"Exif\0\0" + exif)
    assert open_page(tmp_path / "x", 0).pixels.shape == (4, 6, 3)


def test_a_jpeg_is_a_lossy_source(tmp_path: Path) -> None:
    picture = np.kron(RGB, np.ones((16, 16, 1), np.uint8))
    Image.fromarray(picture).save(tmp_path / "x", "JPEG", dpi=(204, 98))
    page = open_page(tmp_path / "x", 0)
    assert page.lossy is not None
    assert page.lossy.method == "ISO_10918_1"
    assert page.lossy.ratio == pytest.approx(picture.nbytes / (tmp_path / "x").stat().st_size)
    assert page.resolution == (204, 98)
    Image.fromarray(picture).save(tmp_path / "x", "TIFF", compression="jpeg")
    inside = open_page(tmp_path / "x", 0)
    assert inside.lossy is not None
    assert inside.lossy.ratio > 1


def test_grey_photograph_stays_grey(tmp_path: Path) -> None:
    Image.new("L", (8, 8), 77).save(tmp_path / "x", "JPEG")
    assert (open_page(tmp_path / "x", 0).pixels == np.full((8, 8), 77)).all()


def test_cmyk_photograph(tmp_path: Path) -> None:
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "x", "JPEG", quality=100)
    red, green, blue = open_page(tmp_path / "x", 0).pixels[0, 0].tolist()
    assert red > 250
    assert green < 5
    assert blue < 5


def test_a_profile_that_does_not_fit_is_passed_over(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.new("CMYK", (2, 2), (0, 0, 0, 0)).save(tmp_path / "x", "TIFF", icc_profile=profile)
    assert open_page(tmp_path / "x", 0).pixels.min() == 255


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "group4", "packbits", "tiff_adobe_deflate"])
def test_pages_of_a_tiff(compression: str | None, tmp_path: Path) -> None:
    random = np.random.default_rng(5).integers(0, 2, (3, 30, 40), dtype=np.uint8) * 255
    pages = [Image.fromarray(page).convert("1") for page in random]
    options = {"compression": compression} if compression else {}
    pages[0].save(tmp_path / "x", "TIFF", save_all=True, append_images=pages[1:], dpi=(204, 98), **options)
    for index in range(3):
        page = open_page(tmp_path / "x", index)
        assert (page.pixels == random[index]).all()
        assert page.resolution == (204, 98)
    with pytest.raises(PermanentError, match="no page 4"):
        open_page(tmp_path / "x", 3)


def test_pages_after_a_thumbnail(tmp_path: Path) -> None:
    thumbnail = tiff_page(1, 1, 16, b"\7\0", tag254=1)
    data = tiff(thumbnail, tiff_page(1, 1, 16, b"\1\0"), tiff_page(1, 1, 8, b"\2"))
    assert open_page(written(tmp_path / "x", data), 0).pixels.tolist() == [[1]]
    assert open_page(written(tmp_path / "x", data), 1).pixels.tolist() == [[2]]


def test_sixteen_bit_tiff_compressed_and_planar(tmp_path: Path) -> None:
    random = np.random.default_rng(6).integers(0, 65536, (3, 9, 7), dtype=np.uint16)
    data = imagecodecs.tiff_encode(random, photometric="rgb", planarconfig="separate", compression="deflate")
    page = open_page(written(tmp_path / "x", data), 0)
    assert (page.pixels == np.moveaxis((random.astype(np.int64) * 255 + 32767) // 65535, 0, 2)).all()


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_bmp(mode: str, tmp_path: Path) -> None:
    image = Image.fromarray(RGB).convert(mode)
    image.save(tmp_path / "x", "BMP", dpi=(96, 96))
    page = open_page(tmp_path / "x", 0)
    expected = np.asarray(image.convert("RGB" if mode == "P" else "L" if mode == "1" else mode))
    assert (page.pixels == expected).all()
    assert page.resolution == pytest.approx((96, 96), rel=1e-3)


def test_pdf(tmp_path: Path) -> None:
    page = open_page(written(tmp_path / "x", pdf(2)), 1, dpi=100)
    assert page.pixels.shape == (200, 100, 3)
    assert page.resolution == (100, 100)
    with pytest.raises(PermanentError, match="lower resolution"):
        open_page(tmp_path / "x", 0, Limits(pixels=1000), dpi=100)


def test_no_resolution_where_none_is_told(tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / "x", "PNG")
    assert open_page(tmp_path / "x", 0).resolution is None


def test_beyond_the_limits(tmp_path: Path) -> None:
    for kind in ("PNG", "JPEG", "TIFF", "BMP"):
        Image.fromarray(RGB).save(tmp_path / "x", kind)
        with pytest.raises(PermanentError, match="too large"):
            open_page(tmp_path / "x", 0, Limits(pixels=23))


def test_damage_is_permanent(tmp_path: Path) -> None:
    good = io.BytesIO()
    Image.fromarray(RGB).save(good, "TIFF", compression="tiff_adobe_deflate")
    broken = {
        "deflate": good.getvalue()[:8] + b"\xff" * 40 + good.getvalue()[48:],
        "png": png(2, 2, 8, 0, [b"\0"]),
        "text": b"text",
        "empty": b"",
    }
    for data in broken.values():
        with pytest.raises(PermanentError):
            open_page(written(tmp_path / "x", data), 0)
