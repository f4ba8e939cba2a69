"""Frames of DICOM images as they are to be seen, against PS3.3 C.11 and C.7.6.3 computed value by value."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import (
    MPEG2MPML,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
    XRayAngiographicImageStorage,
)

from dicomprinter.dicom.codecs import encode
from dicomprinter.dicom.page import Page
from dicomprinter.errors import PermanentError
from dicomprinter.imaging.decoder import Decoder
from dicomprinter.imaging.limits import Limits
from dicomprinter.imaging.mode import ColourMode
from dicomprinter.imaging.rendering.frame import images_of, render_frame
from tests.dicom.forwarding import compressed, made, sample, saved
from tests.imaging.windows import exact, linear, shown, sigmoid

UNSIGNED = np.arange(0, 4096, 16, np.uint16).reshape(1, 16, 16)
SIGNED = np.arange(-2048, 2048, 16, np.int16).reshape(1, 16, 16)
BYTES = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
LONG = np.arange(0, 1 << 32, 1 << 24, np.uint32).reshape(1, 16, 16)
COLOURS = np.random.default_rng(3).integers(0, 256, (1, 6, 8, 3)).astype(np.uint8)
TWELVE = {"BitsStored": 12, "HighBit": 11}
CT = {**TWELVE, "RescaleSlope": "1", "RescaleIntercept": "-1024", "WindowCenter": "40", "WindowWidth": "400"}


def window(centre: float, width: float, function: str | None = None) -> dict[str, Any]:
    said: dict[str, Any] = {"WindowCenter": str(centre), "WindowWidth": str(width)}
    return said if function is None else {**said, "VOILUTFunction": function}


def item(**attributes: Any) -> Dataset:
    found = Dataset()
    for keyword, value in attributes.items():
        setattr(found, keyword, value)
    return found


def lut(first: int, bits: int, entries: np.ndarray[Any, Any], vr: str = "OW", order: str = "<u2") -> list[Dataset]:
    """A table as an item; OW has it as bytes, US as numbers."""
    found = Dataset()
    found.add_new("LUTDescriptor", "SS" if first < 0 else "US", [len(entries), first, bits])
    found.add_new("LUTData", vr, entries.astype(order).tobytes() if vr == "OW" else entries.tolist())
    return [found]


def rendered(path: Path, mode: ColourMode = ColourMode.MONOCHROME12, index: int = 0) -> Page:
    """A frame of which there is nothing to tell."""
    notes: list[str] = []
    page = render_frame(path, index, mode, notes.append)
    assert notes == []
    return page


GREY: dict[str, tuple[np.ndarray[Any, Any], dict[str, Any], Callable[..., np.ndarray[Any, Any]]]] = {
    "linear": (UNSIGNED, window(2000, 900), lambda x, bits: shown(x, linear(2000, 900), bits)),
    "of two windows the first": (
        UNSIGNED,
        {"WindowCenter": ["2000", "1"], "WindowWidth": ["900", "1"]},
        lambda x, bits: shown(x, linear(2000, 900), bits),
    ),
    "rescaled": (UNSIGNED, CT, lambda x, bits: shown(x, linear(40, 400), bits, intercept=-1024)),
    "half a slope": (
        UNSIGNED,
        {**CT, "RescaleSlope": "0.5"},
        lambda x, bits: shown(x, linear(40, 400), bits, slope=0.5, intercept=-1024),
    ),
    "signed": (SIGNED, window(-100.5, 333), lambda x, bits: shown(x, linear(-100.5, 333), bits)),
    "signed in 12 of 16 bits, the rest empty": (
        SIGNED & 0x0FFF,
        {**TWELVE, **window(-100, 333)},
        lambda x, bits: shown(np.where(x > 2047, x - 4096, x), linear(-100, 333), bits),
    ),
    "width 1": (UNSIGNED, window(800.5, 1), lambda x, bits: np.where(x <= 800, 0, (1 << bits) - 1)),
    "exact": (UNSIGNED, window(2000, 907, "LINEAR_EXACT"), lambda x, bits: shown(x, exact(2000, 907), bits)),
    "sigmoid": (UNSIGNED, window(2000, 900, "SIGMOID"), lambda x, bits: shown(x, sigmoid(2000, 900), bits)),
    "inverted": (
        UNSIGNED,
        {**CT, "PhotometricInterpretation": "MONOCHROME1"},
        lambda x, bits: shown(x, linear(40, 400), bits, intercept=-1024, is_inverted=True),
    ),
    "bytes in full": (BYTES, window(128, 256), lambda x, bits: shown(x, linear(128, 256), bits)),
    "no window": (UNSIGNED[:, 3:9], {}, lambda x, bits: shown(x, exact((768 + 2288) / 2, 2288 - 768), bits)),
    "no window, padded": (
        SIGNED,
        {"PixelPaddingValue": -2048, "PixelPaddingRangeLimit": -1025},
        lambda x, bits: shown(x, exact((-1024 + 2032) / 2, 2032 + 1024), bits),
    ),
    "one value alone": (BYTES[:, 15:, 15:], {}, lambda x, bits: np.full(x.shape, (1 << bits) - 1)),
    "old overlays above": (
        UNSIGNED | 0xF000,
        {**TWELVE, **window(2000, 900)},
        lambda x, bits: shown(x & 0x0FFF, linear(2000, 900), bits),
    ),
    "the upper 12 bits": (
        UNSIGNED << 4 | 5,
        {"BitsStored": 12, "HighBit": 15, **window(2000, 900)},
        lambda x, bits: shown(x >> 4, linear(2000, 900), bits),
    ),
    "32 bits": (LONG, window(2**31, 2**30), lambda x, bits: shown(x, linear(2**31, 2**30), bits)),
    "32 bits, no window": (LONG, {}, lambda x, bits: shown(x, exact(255 * 2**23, 255 * 2**24), bits)),
    "modality table, then window": (
        UNSIGNED,
        {"ModalityLUTSequence": lut(16, 12, np.arange(4000, 0, -2)), **window(2000, 900)},
        lambda x, bits: shown(4000 - 2 * np.clip(x.astype(int) - 16, 0, 1999), linear(2000, 900), bits),
    ),
    "VOI table of 12 bits before the window": (
        SIGNED,
        {"VOILUTSequence": lut(-100, 12, np.arange(0, 4000, 20), "US"), **window(1, 1)},
        lambda x, bits: shown(20 * np.clip(x.astype(int) + 100, 0, 199), exact(2047.5, 4095), bits),
    ),
    "VOI table for rescaled values, its sign unsaid": (
        UNSIGNED,
        {**CT, "VOILUTSequence": lut(65536 - 100, 16, np.arange(0, 65536, 256))},
        lambda x, bits: shown(256 * np.clip(x.astype(int) - 1024 + 100, 0, 255), exact(65535 / 2, 65535), bits),
    ),
    "a table that leads away from what is to be seen": (
        UNSIGNED,
        {
            "SOPClassUID": XRayAngiographicImageStorage,
            "PixelIntensityRelationship": "LOG",
            "ModalityLUTSequence": lut(0, 16, np.zeros(4096)),
            **window(2000, 900),
        },
        lambda x, bits: shown(x, linear(2000, 900), bits),
    ),
}


@pytest.mark.parametrize("name", GREY)
def test_grey(name: str, tmp_path: Path) -> None:
    stored, said, expected = GREY[name]
    path = made(tmp_path / "in.dcm", stored, **said)
    for mode, bits in ((ColourMode.MONOCHROME12, 12), (ColourMode.MONOCHROME8, 8)):
        page = rendered(path, mode)
        assert page.bits_stored == bits
        np.testing.assert_array_equal(page.pixels, expected(stored[0], bits))
    assert (rendered(path, ColourMode.RGB).pixels == page.pixels[..., None]).all()


def test_12_bits_come_from_the_window_itself(tmp_path: Path) -> None:
    stored = np.arange(1 << 16, dtype=np.uint16).reshape(1, 256, 256)
    page = rendered(made(tmp_path / "in.dcm", stored, **window(32768, 65536)))
    assert np.unique(page.pixels).size == 4096


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (window(100, 0), "window of the image is none"),
        (window(100, 0.5), "window of the image is none"),
        (window(100, -3, "SIGMOID"), "window of the image is none"),
        ({"WindowCenter": "100"}, "window of the image is none"),
        (window(128, 256, "CUBIC"), "Function of the image is unknown"),
    ],
)
def test_a_window_that_is_none(said: dict[str, Any], told: str, tmp_path: Path) -> None:
    notes: list[str] = []
    page = render_frame(made(tmp_path / "in.dcm", BYTES, **said), 0, ColourMode.MONOCHROME8, notes.append)
    assert [told in note for note in notes] == [True]
    assert (page.pixels == BYTES[0]).all()


def test_frames_with_windows_of_their_own(tmp_path: Path) -> None:
    """An enhanced object: what all frames share, and what one has of its own (PS3.3 C.7.6.16)."""
    shared = item(
        PixelValueTransformationSequence=[item(RescaleSlope="2", RescaleIntercept="-100")],
        PixelMeasuresSequence=[item(PixelSpacing=["0.5", "0.25"])],
    )
    single = [item(FrameVOILUTSequence=[item(WindowCenter=str(centre), WindowWidth="500")]) for centre in (900, 3000)]
    path = made(
        tmp_path / "in.dcm",
        np.concatenate([UNSIGNED, UNSIGNED]),
        SharedFunctionalGroupsSequence=[shared],
        PerFrameFunctionalGroupsSequence=single,
    )
    for index, centre in enumerate((900, 3000)):
        page = rendered(path, index=index)
        assert (page.pixels == shown(UNSIGNED[0], linear(centre, 500), 12, slope=2, intercept=-100)).all()
        assert page.resolution == (2, 1)


SYNTAXES = [
    ImplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    RLELossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEG2000Lossless,
]


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_the_same_however_it_is_written(syntax: str, tmp_path: Path) -> None:
    path = made(tmp_path / "in.dcm", UNSIGNED, **{**CT, "VOILUTSequence": lut(0, 12, np.arange(0, 4096, 2))})
    expected = rendered(path).pixels
    if syntax in SYNTAXES[:3]:
        # One that was not read from a file may be written in any byte order.
        dataset = Dataset()
        dataset.update(pydicom.dcmread(path))
        order = ">u2" if syntax == ExplicitVRBigEndian else "<u2"
        dataset.PixelData = UNSIGNED.astype(order).tobytes()
        dataset.VOILUTSequence = lut(0, 12, np.arange(0, 4096, 2), order=order)
        saved(dataset, path, syntax)
    else:
        bits = 16 if syntax == RLELossless else 12
        compressed(path, [bytes(encode(UNSIGNED[0], bits, pydicom.uid.UID(syntax)).data)], syntax)
    assert (rendered(path).pixels == expected).all()


def test_colours(tmp_path: Path) -> None:
    rgb = made(tmp_path / "rgb", COLOURS)
    assert (rendered(rgb, ColourMode.RGB).pixels == COLOURS[0]).all()
    planes = np.ascontiguousarray(np.moveaxis(COLOURS, 3, 1)).reshape(COLOURS.shape)
    planar = made(tmp_path / "planar", planes, PlanarConfiguration=1)
    assert (rendered(planar, ColourMode.RGB).pixels == COLOURS[0]).all()
    wide = made(tmp_path / "wide", COLOURS.astype(np.uint16) * 257)
    assert (rendered(wide, ColourMode.RGB).pixels == COLOURS[0]).all()
    luminance = (COLOURS[0].astype(int) @ [299, 587, 114] + 500) // 1000
    assert (rendered(rgb, ColourMode.MONOCHROME8).pixels == luminance).all()


def test_chroma(tmp_path: Path) -> None:
    """PS3.3 C.7.6.3.1.2, at full and at half size."""
    y, cb, cr = (COLOURS[0, ..., sample].astype(float) for sample in range(3))
    blue, red = cb - 128, cr - 128
    exact_rgb = np.stack([y + 1.402 * red, y - 0.344136 * blue - 0.714136 * red, y + 1.772 * blue], axis=-1)
    full = rendered(made(tmp_path / "full", COLOURS, PhotometricInterpretation="YBR_FULL"), ColourMode.RGB)
    assert np.abs(full.pixels - np.clip(exact_rgb, 0, 255)).max() <= 0.51
    halved = rendered(sample("SC_ybr_full_422_uncompressed"), ColourMode.RGB)
    plain = pydicom.dcmread(sample("SC_rgb_rle")).pixel_array.astype(int)
    assert np.abs(halved.pixels.astype(int) - plain).mean() < 3


def palette(first: int, bits: int, *entries: np.ndarray[Any, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for name, one in zip(("Red", "Green", "Blue"), entries, strict=True):
        said[f"{name}PaletteColorLookupTableDescriptor"] = [len(one) % 65536, first, bits]
        said[f"{name}PaletteColorLookupTableData"] = one.tobytes() + bytes(one.nbytes % 2)
    return said


@pytest.mark.parametrize(
    ("bits", "kind", "scale"), [(16, "<u2", 257), (16, "<u2", 1), (8, "u1", 1), (8, "<u2", 1)], ids=str
)
def test_palettes(bits: int, kind: str, scale: int, tmp_path: Path) -> None:
    """Of 8 and 16 bits; what is beyond an end has the colour of that end (PS3.3 C.7.6.3.1.5)."""
    number = 201
    tables = [np.arange(number) % 251, 255 - np.arange(number), np.arange(number) * 7 % 256]
    said = palette(20, bits, *((one * scale).astype(kind) for one in tables))
    places = np.clip(BYTES[0].astype(int) - 20, 0, number - 1)
    expected = np.stack([one[places] for one in tables], axis=-1)
    assert (rendered(made(tmp_path / "in.dcm", BYTES, **said), ColourMode.RGB).pixels == expected).all()
    wide = made(tmp_path / "wide.dcm", UNSIGNED, **said)
    places = np.clip(UNSIGNED[0].astype(int) - 20, 0, number - 1)
    assert (rendered(wide, ColourMode.RGB).pixels == np.stack([one[places] for one in tables], axis=-1)).all()


def test_a_segmented_palette(tmp_path: Path) -> None:
    """PS3.3 C.7.9.2: one discrete entry, then a straight line of 255."""
    said = palette(0, 16, *(np.array([0, 1, 0, 1, 255, 65535], "<u2"),) * 3)
    for name in ("Red", "Green", "Blue"):
        said[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        said[f"Segmented{name}PaletteColorLookupTableData"] = said.pop(f"{name}PaletteColorLookupTableData")
    page = rendered(made(tmp_path / "in.dcm", BYTES, **said), ColourMode.RGB)
    assert (page.pixels == BYTES[0][..., None]).all()


@pytest.mark.parametrize(
    ("said", "proportion"),
    [
        ({"PixelSpacing": ["0.2", "0.2"]}, None),
        ({"PixelSpacing": ["0.15", "0.1"]}, (3, 2)),
        ({"PixelSpacing": ["0", "0"], "ImagerPixelSpacing": ["1", "4"]}, (1, 4)),
        ({"PixelAspectRatio": ["4", "3"]}, (4, 3)),
        ({"PixelAspectRatio": ["1", "1000"]}, None),
    ],
)
def test_pixels_that_are_no_squares(said: dict[str, Any], proportion: object, tmp_path: Path) -> None:
    assert rendered(made(tmp_path / "in.dcm", BYTES, **said)).resolution == proportion


class TestRefused:
    """What cannot be shown, told before anything is decoded where that is possible."""

    @pytest.mark.parametrize(
        ("said", "cause"),
        [
            ({"Rows": 0}, "rows, columns or bits"),
            ({"BitsAllocated": 12}, "rows, columns or bits"),
            ({"BitsStored": 9}, "more bits stored"),
            ({"SamplesPerPixel": 4}, "Photometric"),
            ({"Rows": 65535, "Columns": 65535}, "million"),
            ({"NumberOfFrames": 2**31 - 1}, "5000 are allowed"),
        ],
    )
    def test_what_the_header_tells(self, said: dict[str, Any], cause: str, tmp_path: Path) -> None:
        with pytest.raises(PermanentError) as caught:
            images_of(made(tmp_path / "in.dcm", BYTES, **said))
        assert cause in caught.value.cause
        assert caught.value.remedy

    def test_a_syntax_that_nothing_decodes(self, tmp_path: Path) -> None:
        path = compressed(made(tmp_path / "in.dcm", COLOURS), [b"film"], MPEG2MPML)
        with pytest.raises(PermanentError, match="cannot be shown") as caught:
            images_of(path)
        assert "MPEG2" in caught.value.cause
        assert "uncompressed" in caught.value.remedy

    def test_numbers_that_are_not_whole(self, tmp_path: Path) -> None:
        path = made(tmp_path / "in.dcm", BYTES, FloatPixelData=bytes(1024))
        dataset = pydicom.dcmread(path)
        del dataset.PixelData
        with pytest.raises(PermanentError) as caught:
            images_of(saved(dataset, path))
        assert "real numbers" in caught.value.cause

    @pytest.mark.parametrize(
        "said",
        [
            {"PhotometricInterpretation": "PALETTE COLOR"},
            {"PhotometricInterpretation": "PALETTE COLOR", "SegmentedRedPaletteColorLookupTableData": b"\2\0\1\0"},
            palette(0, 16, *(np.zeros(0, "<u2"),) * 3),
            palette(0, 99, *(np.zeros(4, "<u2"),) * 3),
            {"VOILUTSequence": [item(LUTDescriptor=[4, 0])]},
            {"ModalityLUTSequence": [Dataset()]},
        ],
        ids=str,
    )
    def test_tables_that_are_none(self, said: dict[str, Any], tmp_path: Path) -> None:
        with pytest.raises(PermanentError, match="cannot be decoded"):
            rendered(made(tmp_path / "in.dcm", BYTES, **said))

    def test_colours_that_are_none(self, tmp_path: Path) -> None:
        with pytest.raises(PermanentError, match="cannot be shown"):
            rendered(made(tmp_path / "in.dcm", COLOURS, PhotometricInterpretation="CMYK"))

    def test_more_than_the_limits(self, tmp_path: Path) -> None:
        path = made(tmp_path / "in.dcm", np.concatenate([BYTES, BYTES]))
        assert images_of(path, Limits(pages=2)).frames == 2
        for limits in (Limits(pages=1), Limits(pixels=255), Limits(side=15)):
            with pytest.raises(PermanentError, match="too large"):
                images_of(path, limits)

    @pytest.mark.parametrize(
        ("syntax", "marker", "places"),
        [
            (JPEGBaseline8Bit, b"\xff\xc0", {5: ">HH"}),
            (JPEGLSLossless, b"\xff\xf7", {5: ">HH"}),
            (JPEG2000Lossless, b"\xff\x51", {6: ">II", 22: ">II"}),
        ],
        ids=str,
    )
    def test_a_picture_larger_than_the_object_says(
        self, syntax: str, marker: bytes, places: dict[int, str], tmp_path: Path
    ) -> None:
        """Some hundred bytes that would fill gigabytes are refused before a codec sees them."""
        stream = bytearray(encode(BYTES[0], 8, syntax).data)
        for place, layout in places.items():
            struct.pack_into(layout, stream, stream.find(marker) + place, 65_535, 65_535)
        path = compressed(made(tmp_path / "in.dcm", BYTES), [bytes(stream)], syntax)
        with Decoder(memory=2 << 30) as decoder, pytest.raises(PermanentError, match="cannot be decoded") as caught:
            decoder.rendered(path, 0, ColourMode.RGB)
        assert caught.value.cause == "ValueError"

    def test_numbers_beyond_all_bounds(self, tmp_path: Path) -> None:
        path = made(tmp_path / "in.dcm", BYTES, RescaleSlope="1e300", RescaleIntercept="-1e308", **window(1e308, 1e308))
        assert rendered(path).pixels.shape == (16, 16)
        assert rendered(made(path, BYTES, RescaleSlope="1e308", RescaleIntercept="0")).pixels.max() <= 4095
