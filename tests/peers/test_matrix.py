"""Every kind of page × colour mode × compression, one frame an object or many, of jobs with and without a match.

`dciodvfy` judges the objects; DCMTK, GDCM and OpenJPEG decode them, each by itself. The pixels that must come out are
computed here from the pictures as they were drawn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import product
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import simplejpeg
from PIL import Image, ImageDraw, ImageFilter
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from dicomprinter.demo.worklist import worklist_entry
from dicomprinter.dicom.frames import encode_page, together
from dicomprinter.dicom.objects import Identity
from dicomprinter.dicom.part10 import write
from dicomprinter.dicom.query.answer import copied_from_worklist
from dicomprinter.dicom.secondary_capture import multiframe_class, secondary_capture
from dicomprinter.dicom.uids import derive_uid
from dicomprinter.imaging.colour import convert
from dicomprinter.imaging.mode import ColourMode
from dicomprinter.imaging.open import open_page
from tests.dicom.helpers import capture
from tests.peers.decoders import Pixels, assert_valid, decoded_by_dcmtk, decoders

pytestmark = pytest.mark.peer("dciodvfy", "dcmdjpeg", "dcmdjpls", "dcmdrle", "gdcmconv", "opj_decompress")

SIZE = (241, 163)  # odd, so that padding and halved chroma are met
COMPRESSIONS = {
    "none": ExplicitVRLittleEndian,
    "RLE": RLELossless,
    "JPEG_Lossless": JPEGLosslessSV1,
    "JPEG_Lossy": JPEGBaseline8Bit,
    "JPEG_LS": JPEGLSLossless,
    "JPEG_2000": JPEG2000Lossless,
    "HTJ2K": HTJ2KLossless,
}
NOT_ALLOWED = {
    (
        ColourMode.MONOCHROME12,
        "JPEG_Lossy",
    ): "JPEG Baseline holds 8 bits; a configuration that asks for both is refused",
}


@dataclass(frozen=True)
class Picture:
    """A file and what its pages show: pixels of the full range of `bits`.

    `loss` is what JPEG_Lossy at quality 90 may change, in grey levels on average: the hard colour steps of a palette
    suffer from halved chroma more than a photograph or black text do.
    """

    save: Callable[[Path], None]
    pages: tuple[Pixels, ...]
    bits: int = 8
    lossy: bool = False
    loss: float = 2


def photograph(seed: int = 0) -> Image.Image:
    random = np.random.default_rng(seed).integers(0, 256, (SIZE[1] // 4, SIZE[0] // 4, 3), dtype=np.uint8)
    soft = Image.fromarray(random).resize(SIZE, Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(3))
    shade = Image.linear_gradient("L").resize(SIZE)
    return Image.blend(soft, Image.merge("RGB", (shade, shade.rotate(180), shade)), 0.5)


def text(number: int = 1) -> Image.Image:
    page = Image.new("L", SIZE, 255)
    for line in range(5):
        ImageDraw.Draw(page).text(
            (8, 8 + 30 * line), f"Befund {number}, Zeile {line}: 120/80 mmHg", fill=0, font_size=20
        )
    return page.point(lambda value: 255 if value > 127 else 0)


def array(image: Image.Image) -> Pixels:
    return np.asarray(image).astype(np.int64)


def deep(seed: int = 0) -> Pixels:
    """16 bit grey whose low bytes matter."""
    return array(photograph(seed).convert("L")) * 257 ^ np.random.default_rng(seed).integers(0, 256, SIZE[::-1])


def on_white(colours: Pixels, alpha: Pixels) -> Pixels:
    if colours.ndim == 3:
        alpha = alpha[:, :, None]
    return half_up(colours * alpha + 255 * (255 - alpha), 255)


def half_up(numerator: Pixels, denominator: int) -> Pixels:
    return (2 * numerator + denominator) // (2 * denominator)


def write_all(images: list[Image.Image], **options: object) -> Callable[[Path], None]:
    first, *rest = [image.copy() for image in images]  # Pillow leaves the options of one saving in the image
    return lambda path: first.save(path, "TIFF", save_all=True, append_images=rest, **options)


def pictures() -> dict[str, Picture]:
    rgb, grey, words = photograph(), photograph().convert("L"), text()
    bilevel = words.convert("1")
    palette = rgb.quantize(200, dither=Image.Dither.NONE)
    shown = array(palette.convert("RGB"))
    alpha = Image.linear_gradient("L").rotate(90).resize(SIZE)
    rgba, grey_alpha = rgb.copy(), grey.convert("LA")
    rgba.putalpha(alpha)
    grey_alpha.putalpha(alpha)
    transparent = bytes([0] + [255] * 199)
    hidden = np.asarray(palette) == 0

    def png(image: Image.Image, **options: object) -> Callable[[Path], None]:
        return lambda path: image.save(path, "PNG", dpi=(300, 300), **options)

    def bmp(image: Image.Image) -> Callable[[Path], None]:
        return lambda path: image.save(path, "BMP")

    def jpeg(image: Image.Image) -> tuple[Callable[[Path], None], Pixels]:
        space, sampling = ("GRAY", "Gray") if image.mode == "L" else ("RGB", "420")
        pixels = np.asarray(image) if image.mode == "RGB" else np.asarray(image)[:, :, None]
        data = simplejpeg.encode_jpeg(np.ascontiguousarray(pixels), 85, space, sampling)
        decoded = simplejpeg.decode_jpeg(data, space)
        return lambda path: path.write_bytes(data) and None, np.squeeze(decoded).astype(np.int64)

    def sixteen(pages: list[Pixels]) -> Callable[[Path], None]:
        return write_all([Image.fromarray(page.astype(np.uint16)) for page in pages], compression="tiff_lzw")

    def png_rgb_16(path: Path) -> None:
        path.write_bytes(imagecodecs.png_encode((array(rgb) * 257).astype(np.uint16)))

    found = {
        "PNG 1 bit": Picture(png(bilevel), (array(words),)),
        "PNG grey": Picture(png(grey), (array(grey),)),
        "PNG grey 16": Picture(png(Image.fromarray(deep().astype(np.uint16))), (deep(),), 16),
        "PNG RGB": Picture(png(rgb), (array(rgb),)),
        "PNG RGB 16": Picture(png_rgb_16, (array(rgb),)),
        "PNG palette": Picture(png(palette), (shown,), loss=3),
        "PNG palette, one colour transparent": Picture(
            png(palette, transparency=transparent), (np.where(hidden[:, :, None], 255, shown),), loss=3
        ),
        "PNG RGBA": Picture(png(rgba), (on_white(array(rgb), array(alpha)),)),
        "PNG grey and alpha": Picture(png(grey_alpha), (on_white(array(grey), array(alpha)),)),
        "TIFF 1 bit, G4, 3 pages": Picture(
            write_all([text(n).convert("1") for n in range(3)], compression="group4", dpi=(204, 98)),
            tuple(array(text(n)) for n in range(3)),
        ),
        "TIFF grey, 2 pages": Picture(write_all([grey, words], compression="packbits"), (array(grey), array(words))),
        "TIFF grey 16, 2 pages": Picture(sixteen([deep(1), deep(2)]), (deep(1), deep(2)), 16),
        "TIFF RGB, 2 pages": Picture(
            write_all([rgb, photograph(1)], compression="tiff_adobe_deflate"), (array(rgb), array(photograph(1)))
        ),
        "TIFF palette": Picture(write_all([palette]), (shown,), loss=3),
        "TIFF RGBA": Picture(write_all([rgba]), (on_white(array(rgb), array(alpha)),)),
        "TIFF of mixed kinds": Picture(write_all([rgb, bilevel, grey]), (array(rgb), array(words), array(grey))),
        "BMP 1 bit": Picture(bmp(bilevel), (array(words),)),
        "BMP grey": Picture(bmp(grey), (array(grey),)),
        "BMP palette": Picture(bmp(palette), (shown,), loss=3),
        "BMP RGB": Picture(bmp(rgb), (array(rgb),)),
    }
    for name, image in (("JPEG RGB", rgb), ("JPEG grey", grey)):
        save, decoded = jpeg(image)
        found[name] = Picture(save, (decoded,), lossy=True)
    return found


PICTURES = pictures()
CELLS = list(product(PICTURES, ColourMode, COMPRESSIONS))


def expected(pixels: Pixels, bits: int, mode: ColourMode) -> tuple[Pixels, int]:
    """The pixels that an object must show, and their bits."""
    top = (1 << bits) - 1
    if mode is ColourMode.AS_IS:
        return pixels, bits
    if mode is ColourMode.RGB:
        grey = half_up(pixels * 255, top)
        return (pixels if pixels.ndim == 3 else np.stack([grey] * 3, axis=2)), 8
    if mode is ColourMode.MONOCHROME12 and bits == 8 and pixels.ndim == 2:
        return (pixels << 4) | (pixels >> 4), 12
    wished = 255 if mode is ColourMode.MONOCHROME8 else 4095
    if pixels.ndim == 3:
        pixels, top = pixels @ np.array([299, 587, 114]), 255_000
    return half_up(pixels * wished, top), wished.bit_length()


def match() -> Dataset:
    """A job's dataset after a worklist has answered with everything."""
    entry = worklist_entry(
        patient_name="Müller^Jürgen=山田^太郎",
        patient_id="P1",
        accession_number="A1",
        description="Befund Schädel",
        start=datetime(2024, 2, 29),
        birth_date="19700101",
        sex="O",
    )
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "1", "99LOCAL", "Schädel"
    entry.RequestedProcedureCodeSequence = [code]
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = "1.2.840.10008.3.1.2.3.1", "1.2.3"
    entry.ReferencedStudySequence = [reference]
    return copied_from_worklist(Dataset(), entry)


@cache
def file_of(folder: Path, name: str) -> Path:
    path = folder / f"{list(PICTURES).index(name)}"
    PICTURES[name].save(path)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pictures")


def identity(name: str, number: int = 1) -> Identity:
    uids = (derive_uid(name), derive_uid(name, "series"), derive_uid(name, str(number)))
    return Identity(*uids, 1, number, datetime(2024, 2, 29))


def assert_pixels(path: Path, syntax: UID, wanted: list[Pixels], bits: int, loss: float) -> None:
    if syntax == JPEGBaseline8Bit:
        for frame, lossless in zip(decoded_by_dcmtk(path, syntax), wanted, strict=True):
            assert np.abs(frame - half_up(lossless * 255, (1 << bits) - 1)).mean() <= loss
        return
    for decode in decoders(syntax):
        for frame, lossless in zip(decode(path), wanted, strict=True):
            assert (frame == lossless).all()


@pytest.mark.parametrize(
    ("name", "mode", "compression"), CELLS, ids=[f"{name}-{mode.value}-{by}" for name, mode, by in CELLS]
)
def test_cell(name: str, mode: ColourMode, compression: str, folder: Path, tmp_path: Path) -> None:
    if (mode, compression) in NOT_ALLOWED:
        return  # counted below
    picture, syntax = PICTURES[name], COMPRESSIONS[compression]
    for index, drawn in enumerate(picture.pages):
        page = convert(open_page(file_of(folder, name), index), mode)
        bits_of_page = picture.bits if drawn.ndim == 2 else 8
        wanted, bits = expected(drawn, bits_of_page, mode)
        path = tmp_path / f"{index}.dcm"
        dataset, notes = capture(Dataset(), page, identity(name, index + 1), syntax)
        write(dataset, path)

        assert_valid(dataset, path)
        assert (dataset.get("LossyImageCompression") == "01") == (picture.lossy or compression == "JPEG_Lossy")
        assert dataset.BitsStored == (8 if compression == "JPEG_Lossy" else bits)
        assert bool(notes) == (compression == "JPEG_Lossy" and bits > 8)
        assert_pixels(path, syntax, [wanted], bits, picture.loss)
        if compression == "JPEG_Lossless":
            assert selection_value(path) == 1

        matched, _ = capture(match(), page, identity(name, index + 1), syntax)
        write(matched, path)
        assert_valid(matched, path)


MANY = [name for name, picture in PICTURES.items() if len(picture.pages) > 1 and "mixed" not in name]
MULTIFRAME = list(product(MANY, ColourMode, COMPRESSIONS))


@pytest.mark.parametrize(
    ("name", "mode", "compression"), MULTIFRAME, ids=[f"{name}-{mode.value}-{by}" for name, mode, by in MULTIFRAME]
)
@pytest.mark.parametrize("attributes", [Dataset(), match()], ids=["no tags", "match"])
def test_multi_frame(
    name: str, mode: ColourMode, compression: str, *, attributes: Dataset, folder: Path, tmp_path: Path
) -> None:
    if (mode, compression) in NOT_ALLOWED:
        return
    picture, syntax = PICTURES[name], COMPRESSIONS[compression]
    quality = 90 if syntax == JPEGBaseline8Bit else None
    pages = [convert(open_page(file_of(folder, name), index), mode) for index in range(len(picture.pages))]
    frames = [encode_page(page, syntax, lossy_quality=quality) for page in pages]
    description = together([frame.description for frame in frames])
    dataset, _ = secondary_capture(
        attributes,
        description,
        [frame.data for frame in frames],
        identity(name),
        sop_class=multiframe_class(description.form),
        transfer_syntax=syntax,
    )
    path = tmp_path / "x.dcm"
    write(dataset, path)
    assert_valid(dataset, path)
    wanted = [expected(drawn, picture.bits if drawn.ndim == 2 else 8, mode) for drawn in picture.pages]
    assert_pixels(path, syntax, [pixels for pixels, _ in wanted], wanted[0][1], picture.loss)


def selection_value(path: Path) -> int:
    """Ss of the scan header: the predictor of a lossless process (ISO/IEC 10918-1 B.2.3)."""
    dataset = dcmread(path)
    stream = next(generate_frames(dataset.PixelData, number_of_frames=1))
    place = 2
    while stream[place + 1] != 0xDA:
        place += 2 + int.from_bytes(stream[place + 2 : place + 4], "big")
    components = stream[place + 4]
    return stream[place + 5 + 2 * components]


def test_every_cell_is_there() -> None:
    assert len(CELLS) == len(PICTURES) * 4 * 7 == 616
    assert len(MULTIFRAME) == 4 * 4 * 7
    left_out = Counter((mode, by) for _, mode, by in CELLS if (mode, by) in NOT_ALLOWED)
    assert left_out == {(ColourMode.MONOCHROME12, "JPEG_Lossy"): len(PICTURES)}
    assert all(NOT_ALLOWED.values())


@pytest.mark.parametrize("quality", [90, 100])
@pytest.mark.parametrize("drawing", ["photograph", "text", "red text"])
@pytest.mark.parametrize("mode", [ColourMode.RGB, ColourMode.MONOCHROME8])
def test_what_jpeg_lossy_loses(mode: ColourMode, drawing: str, quality: int, tmp_path: Path) -> None:
    image = photograph(3) if drawing == "photograph" else text().convert("RGB")
    if drawing == "red text":
        image = Image.merge("RGB", (Image.new("L", SIZE, 255), text(), text()))
    image.save(tmp_path / "x.png")
    page = convert(open_page(tmp_path / "x.png", 0), mode)
    write(capture(Dataset(), page, identity("x"), JPEGBaseline8Bit, quality=quality)[0], tmp_path / "x.dcm")
    wanted = expected(array(image), 8, mode)[0]
    (decoded,) = decoded_by_dcmtk(tmp_path / "x.dcm", JPEGBaseline8Bit)
    lost = np.abs(decoded - wanted).mean()
    # Halved chroma smears red strokes: that much is the price of 4:2:2.
    assert lost <= (8 if drawing == "red text" and mode is ColourMode.RGB else 2)


@pytest.mark.parametrize("modality", ["OT", "ECG", "EPS", "RESP", "CR", "US", "DX", "XC", "DOC", "ES", "SC", "HC"])
def test_dciodvfy_takes_every_modality(modality: str, folder: Path, tmp_path: Path) -> None:
    """An empty Laterality has to be there for some and must not be for others."""
    attributes = Dataset()
    attributes.Modality = modality
    page = open_page(file_of(folder, "PNG grey"), 0)
    dataset, _ = capture(attributes, page, identity("x"), ExplicitVRLittleEndian)
    write(dataset, tmp_path / "x.dcm")
    assert_valid(dataset, tmp_path / "x.dcm")
