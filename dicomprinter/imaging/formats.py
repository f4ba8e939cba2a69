"""Picture files: for each format, its page as a `Picture`, with nothing decoded yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from dicomprinter.dicom.page import STRIP, LossySource, Pixels
from dicomprinter.imaging import bmp, jpeg, pillow, png, tiff
from dicomprinter.imaging.colour import lay_on_white, to_8_bits
from dicomprinter.imaging.limits import Limits
from dicomprinter.imaging.picture import Picture, WithAlpha
from dicomprinter.imaging.refusals import check_size, no_page
from dicomprinter.imaging.source import Source

JPEG_METHOD: Final = "ISO_10918_1"  # PS3.3 C.7.6.1.1.5.1
_EXIF_MARK: Final = b"Exif\0\0"
_OLD_JPEG: Final = 6
_JPEG: Final = 7


def picture(path: Path, data: Source, media_type: str, index: int, limits: Limits) -> Picture | None:
    """One page of a picture file; None when it is no picture.

    Args:
        path: the file.
        data: its bytes; they have to stay until the picture is decoded.
        media_type: what `sniff` told.
        index: the page, from 0.
        limits: checked here.

    Raises:
        InputError: damaged, of a kind that cannot be decoded, or beyond the limits.
        PermanentError: there is no such page.
    """
    if media_type == "image/tiff":
        return _tiff(path, data, index, limits)
    made = {"image/png": _png, "image/jpeg": _jpeg, "image/bmp": _bmp}.get(media_type)
    if made is None:
        return None
    if index != 0:
        raise no_page(index)
    return made(path, data, limits)


def _png(_: Path, data: Source, limits: Limits) -> Picture:
    header = png.inspect(data)
    check_size(header.width, header.height, limits)
    return Picture(
        header.width,
        header.height,
        header.is_colour,
        16 if header.depth == 16 and not header.is_colour else 8,
        partial(_decode_png, data),
        header.orientation,
        header.resolution,
        header.lossy,
        header.profile,
        partial(_decode_png_alpha, data),
    )


def _decode_png(data: Source) -> Pixels:
    return _without_alpha(_decode_png_alpha(data).samples)


def _decode_png_alpha(data: Source) -> WithAlpha:
    import imagecodecs  # noqa: PLC0415 - keeps the start lean

    # Unlike Pillow, this keeps 16 bits in every colour type and obeys a transparent colour in all of them.
    return WithAlpha(imagecodecs.png_decode(data))


def _jpeg(path: Path, data: Source, limits: Limits) -> Picture:
    header = jpeg.inspect(data)
    check_size(header.width, header.height, limits)
    # Pillow reads no more than the headers here.
    with Image.open(path) as image:
        exif = image.info.get("exif", b"").removeprefix(_EXIF_MARK)
        resolution, profile = image.info.get("dpi"), image.info.get("icc_profile")
    return Picture(
        header.width,
        header.height,
        len(header.components) > 1,
        8,
        partial(_decode_jpeg, data),
        tiff.orientation(exif),
        (float(resolution[0]), float(resolution[1])) if resolution else None,
        LossySource(JPEG_METHOD, header.width * header.height * len(header.components) / header.length),
        profile,
    )


def _decode_jpeg(data: Source) -> Pixels:
    import imagecodecs  # noqa: PLC0415

    pixels: Pixels = imagecodecs.jpeg8_decode(data)
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        # Adobe began it, and now every program writes inks in JPEG the other way round.
        np.subtract(np.uint8(255), pixels, out=pixels)
    return pixels


def _bmp(path: Path, data: Source, limits: Limits) -> Picture:
    header = bmp.inspect(data)
    check_size(header.width, header.height, limits)
    with Image.open(path) as image:
        is_colour = pillow.is_colour(image)
    return Picture(
        header.width,
        header.height,
        is_colour,
        8,
        partial(_decode_by_pillow, path, 0, pillow.pixels),
        resolution=header.resolution,
        decode_alpha=partial(_alpha_by_pillow, path, 0),
    )


def _alpha_by_pillow(path: Path, index: int) -> WithAlpha:
    return WithAlpha(_decode_by_pillow(path, index, pillow.with_alpha))


def _decode_by_pillow(path: Path, index: int, read: Callable[[Image.Image], Pixels]) -> Pixels:
    # Given a path, Pillow would map an uncompressed file, and mistake its sides when it has to be turned.
    with path.open("rb") as file, Image.open(file) as image:
        if index:
            image.seek(index)
        return read(image)


def _tiff(path: Path, data: Source, index: int, limits: Limits) -> Picture:
    page = tiff.directory(data, index, limits.pages)
    if page is None:
        raise no_page(index)
    check_size(page.width, page.height, limits)
    lossy = None
    if page.compression in (_OLD_JPEG, _JPEG):
        lossy = LossySource(JPEG_METHOD, page.width * page.height * page.samples / page.stored)
    is_colour = page.photometric not in (0, 1)
    picture = Picture(
        page.width,
        page.height,
        is_colour,
        16 if page.bits == 16 and not is_colour else 8,
        partial(_decode_tiff, data, page),
        page.orientation,
        page.resolution,
        lossy,
        data[page.profile[0] : sum(page.profile)] if page.profile else None,
        partial(_decode_tiff_alpha, data, page) if page.alpha in (1, 2) else None,
    )
    if _is_simple(page):
        return picture
    # Pillow turns it.
    return replace(
        picture,
        width=picture.form.columns,
        height=picture.form.rows,
        decode=partial(_decode_by_pillow, path, page.index, pillow.pixels),
        decode_alpha=partial(_alpha_by_pillow, path, page.index) if picture.decode_alpha else None,
        orientation=1,
        resolution=picture.upright_resolution,
    )


def _is_simple(page: tiff.Directory) -> bool:
    """Whether libtiff's own pixels are what is wanted; they take half of Pillow's memory."""
    if page.bits == 16:
        return page.photometric in (0, 1, 2)  # Pillow drops the low bytes of colour and mistakes white-is-zero
    if page.photometric in (0, 1):
        return page.bits in (1, 8) and page.samples == 1 and page.compression != _OLD_JPEG
    is_rgb = page.photometric == 2 or (page.photometric == 6 and page.compression == _JPEG)
    return is_rgb and page.samples == 3 and page.compression != _OLD_JPEG


def _decode_tiff(data: Source, page: tiff.Directory) -> Pixels:
    found = _decode_tiff_alpha(data, page)
    return _without_alpha(found.samples, multiplied=found.is_multiplied)


def _decode_tiff_alpha(data: Source, page: tiff.Directory) -> WithAlpha:
    import imagecodecs  # noqa: PLC0415

    pixels: Pixels = imagecodecs.tiff_decode(data, index=page.index)
    if pixels.ndim == 3 and pixels.shape[0] == page.samples and pixels.shape[1:] == (page.height, page.width):
        pixels = np.moveaxis(pixels, 0, 2)
    if pixels.dtype == np.bool_:
        pixels = pixels.view(np.uint8)
        np.negative(pixels, out=pixels)  # 1 becomes 255
    if page.photometric == 0:
        grey = pixels if pixels.ndim == 2 else pixels[:, :, 0]
        np.invert(grey, out=grey)
    colours = 3 if page.photometric in (2, 6) else 1
    if pixels.ndim == 3:
        pixels = pixels[:, :, : colours + (page.alpha in (1, 2))]
    return WithAlpha(pixels, is_multiplied=page.alpha == 1)


def _without_alpha(pixels: Pixels, *, multiplied: bool = False) -> Pixels:
    """Grey or RGB of what may have alpha as its last sample; RGB of 16 bits becomes 8."""
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    if pixels.ndim == 2 or (pixels.shape[2] == 3 and pixels.dtype == np.uint8):
        return pixels
    rows, columns, samples = pixels.shape
    is_grey = samples == 2
    result = np.empty((rows, columns) if is_grey else (rows, columns, 3), pixels.dtype if is_grey else np.uint8)
    for start in range(0, rows, STRIP):
        strip = pixels[start : start + STRIP]
        if samples in (2, 4):
            strip = lay_on_white(strip[:, :, 0] if is_grey else strip[:, :, :3], strip[:, :, -1], multiplied=multiplied)
        result[start : start + STRIP] = strip if is_grey else to_8_bits(strip)
    return result
