"""Colours by their ICC profile; what is expected is computed here from the profile's own numbers."""

from __future__ import annotations

import io
import itertools
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image, ImageCms

from dicomprinter.imaging import icc
from dicomprinter.imaging.open import open_page
from tests.imaging.pictures import chunk, png, tiff, tiff_page
from tests.imaging.profiles import D50, P3_PRIMARIES, SRGB_PRIMARIES, cmyk_profile, rgb_profile

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def lab_of(inks: tuple[float, float, float, float]) -> tuple[float, float, float]:
    """An ink set with dull colours, so that all of them lie within sRGB; every value is exact in 8 bits."""
    c, m, y, k = inks
    lightness = 100 - 80 * k if k == 1 else 100 - 20 * (c + m + y)
    chroma = 0 if k == 1 else 1
    return lightness, chroma * (-20 * c + 30 * m), chroma * (-20 * c - 10 * m + 30 * y)


CORNERS = {inks: lab_of(inks) for inks in itertools.product((0, 1), repeat=4)}
CMYK = cmyk_profile(CORNERS)


def between_the_corners(inks: tuple[int, ...]) -> np.ndarray:
    """The L*, a*, b* of inks of 0 to 255, where only one of them is neither 0 nor 255."""
    lab = np.zeros(3)
    for corner, values in CORNERS.items():
        weight = np.prod([ink / 255 if full else 1 - ink / 255 for ink, full in zip(inks, corner, strict=True)])
        lab += weight * np.array(values)
    return lab


def srgb_of_xyz(xyz: np.ndarray) -> np.ndarray:
    """IEC 61966-2-1, from D50."""
    linear = np.clip(np.linalg.solve(np.array(SRGB_PRIMARIES).T, xyz), 0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def xyz_of_lab(lab: np.ndarray) -> np.ndarray:
    """CIE 15, 8.2.1."""
    y = (lab[0] + 16) / 116
    roots = np.array([y + lab[1] / 500, y, y - lab[2] / 200])
    return np.array(D50) * np.where(roots > 6 / 29, roots**3, 3 * (6 / 29) ** 2 * (roots - 4 / 29))


def srgb_of_lab(lab: np.ndarray) -> np.ndarray:
    """With black point compensation (ISO 18619, 4.3): the darkest ink becomes black."""
    white, black = np.array(D50), xyz_of_lab(np.array(CORNERS[(0, 0, 0, 1)]))
    return srgb_of_xyz((xyz_of_lab(lab) - black) * white / (white - black))


INKS = [
    (0, 0, 0, 0),
    (255, 0, 0, 0),
    (0, 255, 0, 0),
    (0, 0, 255, 0),
    (255, 255, 0, 0),
    (0, 0, 0, 255),
    (128, 0, 0, 0),
    (0, 64, 0, 0),
    (0, 255, 200, 0),
    (0, 0, 0, 51),
]
EXPECTED = np.array([srgb_of_lab(between_the_corners(inks)) for inks in INKS])


def files(inks: tuple[int, ...], profile: bytes) -> dict[str, bytes]:
    """One colour in every kind of CMYK file."""
    page = tiff_page(1, 1, 8, bytes(inks), photometric=5, samples=4, tag34675=profile)
    wide = b"".join(bytes([ink]) * 2 for ink in inks)
    stream = io.BytesIO()
    Image.new("CMYK", (8, 8), inks).save(stream, "TIFF", compression="tiff_lzw", icc_profile=profile)
    block = 255 - np.broadcast_to(np.array(inks, np.uint8), (16, 16, 4))  # as every program writes them in JPEG
    jpegs = {
        kind: imagecodecs.jpeg8_encode(
            np.ascontiguousarray(block), level=100, subsampling="444", colorspace="CMYK", outcolorspace=kind
        )
        for kind in ("CMYK", "YCCK")
    }
    segment = b"ICC_PROFILE\0\1\1" + profile
    header = b"\xff\xe2" + (len(segment) + 2).to_bytes(2, "big") + segment
    return {
        "tiff": tiff(page),
        "tiff of 16 bits": tiff(tiff_page(1, 1, 16, wide, photometric=5, samples=4, tag34675=profile)),
        "tiff lzw": stream.getvalue(),
        **{f"jpeg {kind}": data[:2] + header + data[2:] for kind, data in jpegs.items()},
    }


KINDS = tuple(files(INKS[0], CMYK))


@pytest.mark.parametrize("kind", KINDS)
def test_cmyk_by_its_profile(kind: str, tmp_path: Path) -> None:
    got = []
    for inks in INKS:
        (tmp_path / "x").write_bytes(files(inks, CMYK)[kind])
        page = open_page(tmp_path / "x", 0)
        assert (page.lossy is not None) == kind.startswith("jpeg")
        got.append(page.pixels[0, 0])
    tolerance = 3 if "YCCK" in kind else 2
    assert np.abs(np.array(got) - EXPECTED).max() <= tolerance
    assert got[0].tolist() == [255, 255, 255]
    assert got[5].tolist() == [0, 0, 0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("profile", [b"no profile at all" * 20, rgb_profile()], ids=["broken", "of RGB"])
def test_cmyk_with_a_profile_that_does_not_fit(kind: str, profile: bytes, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(files((0, 255, 128, 0), profile)[kind])
    assert np.abs(open_page(tmp_path / "x", 0).pixels[0, 0] - np.array([255.0, 0, 127])).max() <= 2


def test_cmyk_without_a_profile_is_what_ink_and_black_leave() -> None:
    inks = np.random.default_rng(3).integers(0, 256, (200, 5, 4), dtype=np.uint8)
    expected = np.floor((255.0 - inks[..., :3]) * (255.0 - inks[..., 3:]) / 255 + 0.5)
    assert (icc.to_srgb(inks, None) == expected).all()


def through(gamma: float, primaries: tuple[tuple[float, float, float], ...], rgb: np.ndarray) -> np.ndarray:
    return srgb_of_xyz(np.array(primaries).T @ (rgb / 255) ** gamma)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG", "PNG of 16 bits"])
@pytest.mark.parametrize(("gamma", "primaries"), [(2.2, P3_PRIMARIES), (1.0, SRGB_PRIMARIES)])
def test_colours_of_another_space_become_srgb(
    kind: str, gamma: float, primaries: tuple[tuple[float, float, float], ...], tmp_path: Path
) -> None:
    profile = rgb_profile(gamma, primaries, "wide")
    for colour in ([255, 255, 255], [0, 0, 0], [180, 100, 90], [60, 120, 200], [40, 200, 120]):
        pixels = np.broadcast_to(np.array(colour, np.uint8), (16, 16, 3))
        if kind == "PNG of 16 bits":
            row = np.repeat(pixels[0], 2).tobytes()
            packed = chunk(b"iCCP", b"wide\0\0" + zlib.compress(profile))
            (tmp_path / "x").write_bytes(png(16, 16, 16, 2, [row] * 16, packed))
        else:
            options = {"quality": 100, "subsampling": 0} if kind == "JPEG" else {}
            Image.fromarray(pixels).save(tmp_path / "x", kind, icc_profile=profile, **options)
        got = open_page(tmp_path / "x", 0).pixels[8, 8]
        assert np.abs(got - through(gamma, primaries, np.array(colour))).max() <= (4 if kind == "JPEG" else 2)


@pytest.mark.parametrize("profile", [SRGB, b"broken" * 40, CMYK], ids=["sRGB", "broken", "of CMYK"])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_colours_stay_exactly(kind: str, profile: bytes, tmp_path: Path) -> None:
    pixels = np.random.default_rng(4).integers(0, 256, (70, 50, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "x", kind, icc_profile=profile)
    assert (open_page(tmp_path / "x", 0).pixels == pixels).all()


def test_grey_is_no_colour(tmp_path: Path) -> None:
    """Its numbers are what a viewer's grey scale is for: a curve of a profile does not change them."""
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    for kind in ("PNG", "TIFF"):
        Image.fromarray(pixels).save(tmp_path / "x", kind, icc_profile=rgb_profile(1.0))
        assert (open_page(tmp_path / "x", 0).pixels == pixels).all()


def test_srgb_by_its_colours_and_not_by_its_name() -> None:
    assert icc.is_srgb(SRGB)
    assert not icc.is_srgb(rgb_profile(1.0, name="sRGB IEC61966-2.1"))
    assert not icc.is_srgb(rgb_profile(2.2, P3_PRIMARIES))
    assert not icc.is_srgb(CMYK)
    assert not icc.is_srgb(b"")


@pytest.mark.parametrize("packed", [b"no deflate", zlib.compress(bytes(1 << 25)), zlib.compress(SRGB)[:-9]])
def test_a_png_s_profile_that_cannot_be_read(packed: bytes, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(png(1, 1, 8, 2, [b"\1\2\3"], chunk(b"iCCP", b"name\0\0" + packed)))
    assert open_page(tmp_path / "x", 0).pixels.tolist() == [[[1, 2, 3]]]
