"""One page of a file, as pixels."""

from __future__ import annotations

import struct
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image, ImageCms

from dicomprinter.dicom.page import LossySource, Page, Pixels
from dicomprinter.errors import InputError, PermanentError
from dicomprinter.imaging import bmp, jpeg, pdf, png, tiff
from dicomprinter.imaging.colour import lay_on_white, to_8_bits
from dicomprinter.imaging.limits import Limits
from dicomprinter.imaging.probe import sniff
from dicomprinter.imaging.refusals import check_size, no_page
from dicomprinter.imaging.source import Source, mapped

_EXIF_ORIENTATION: Final = 0x0112
_JPEG_IN_TIFF: Final = (6, 7)


def open_page(path: Path, index: int, limits: Limits | None = None, *, dpi: float = 300) -> Page:
    """Decode one page: upright, on white, 8 bits a sample or 16 bit grey.

    Args:
        path: a picture or a PDF.
        index: the page, from 0.
        limits: checked before memory is taken.
        dpi: dots per inch, for PDF.

    Raises:
        PermanentError: the file is damaged, no picture, has no such page, or is beyond the limits.
    """
    limits = limits or Limits()
    try:
        with mapped(path, limits) as data:
            return _decode(path, data, index, limits, dpi)
    except PermanentError:
        raise
    except InputError as error:
        raise PermanentError(error.what, cause=error.cause, remedy=error.remedy) from error
    except MemoryError:
        raise _undecodable(index, "it takes more memory than is allowed") from None
    # The decoders raise whatever a wrong byte leads to; imagecodecs' errors are RuntimeErrors.
    except (
        ArithmeticError,
        LookupError,
        OSError,
        RuntimeError,
        SyntaxError,
        TypeError,
        ValueError,
        struct.error,
    ) as error:
        raise _undecodable(index, type(error).__name__) from error


def _decode(path: Path, data: Source, index: int, limits: Limits, dpi: float) -> Page:
    media_type = sniff(data)
    if media_type == "application/pdf":
        return pdf.render(path, index, dpi, limits)
    if media_type == "image/tiff":
        page = next(islice(tiff.directories(data, limits.pages), index, None), None)
        if page is None:
            raise no_page(index)
        return _tiff(path, data, page, limits)
    if index != 0:
        raise no_page(index)
    if media_type == "image/png":
        return _png(data, limits)
    if media_type == "image/jpeg":
        return _jpeg(path, data, limits)
    if media_type == "image/bmp":
        return _bmp(path, data, limits)
    raise PermanentError("the file has no pages", cause=f"it is {media_type}", remedy="give a picture or a PDF")


def _png(data: Source, limits: Limits) -> Page:
    import imagecodecs  # noqa: PLC0415 - keeps the start lean

    header = png.inspect(data)
    check_size(header.width, header.height, limits)
    # Unlike Pillow, this keeps 16 bits in every colour type and obeys a transparent colour in all of them.
    pixels = _without_alpha(imagecodecs.png_decode(data))
    return _page(pixels, header.orientation, header.resolution)


def _jpeg(path: Path, data: Source, limits: Limits) -> Page:
    header = jpeg.inspect(data)
    check_size(header.width, header.height, limits)
    with Image.open(path) as image:
        orientation = image.getexif().get(_EXIF_ORIENTATION, 1)
        resolution = image.info.get("dpi")
        pixels = _from_pillow(image)
    ratio = header.width * header.height * header.components / header.length
    return _page(pixels, orientation, resolution, LossySource("ISO_10918_1", ratio))


def _bmp(path: Path, data: Source, limits: Limits) -> Page:
    header = bmp.inspect(data)
    check_size(header.width, header.height, limits)
    with Image.open(path) as image:
        return _page(_from_pillow(image), 1, header.resolution)


def _tiff(path: Path, data: Source, page: tiff.Directory, limits: Limits) -> Page:
    check_size(page.width, page.height, limits)
    lossy = None
    if page.compression in _JPEG_IN_TIFF:
        lossy = LossySource("ISO_10918_1", page.width * page.height * page.samples / page.stored)
    if page.bits == 16:
        pixels = _turned(_tiff_16(data, page), page.orientation)
    else:
        with Image.open(path) as image:
            image.seek(page.index)
            pixels = _from_pillow(image)  # Pillow has turned it
    resolution = page.resolution
    if resolution and page.orientation >= 5:
        resolution = resolution[::-1]
    return _page(pixels, 1, resolution, lossy)


def _tiff_16(data: Source, page: tiff.Directory) -> Pixels:
    """Pillow drops the low bytes of colour and does not turn white-is-zero round."""
    import imagecodecs  # noqa: PLC0415

    pixels: Pixels = imagecodecs.tiff_decode(data, index=page.index)
    if pixels.ndim == 3 and pixels.shape[0] == page.samples and pixels.shape[1:] == (page.height, page.width):
        pixels = np.moveaxis(pixels, 0, 2)
    colours = 3 if page.photometric == 2 else 1
    if pixels.ndim == 3:
        pixels = pixels[:, :, : colours + 1]
    if page.photometric == 0:
        grey = pixels if pixels.ndim == 2 else pixels[:, :, 0]
        np.subtract(np.uint16(65535), grey, out=grey)
    return _without_alpha(pixels)


def _from_pillow(image: Image.Image) -> Pixels:
    """8 bit grey or RGB, of any of Pillow's modes."""
    image.load()
    mode = image.mode
    if mode == "1":
        return np.asarray(image.convert("L"))
    if mode in ("L", "RGB"):
        return np.asarray(image)
    if mode == "CMYK":
        return np.asarray(_cmyk_to_rgb(image))
    if mode in ("LA", "La"):
        return _without_alpha(np.asarray(image.convert("LA")))
    if mode in ("RGBA", "RGBa", "PA") or "transparency" in image.info:
        return _without_alpha(np.asarray(image.convert("RGBA")))
    if mode in ("P", "RGBX", "YCbCr"):
        return np.asarray(image.convert("RGB"))
    raise ValueError(mode)


def _cmyk_to_rgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            target: Any = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            pass  # a broken profile, or one that is not for CMYK: better plain colours than no page
        else:
            if converted is not None:
                return converted
    return image.convert("RGB")


def _without_alpha(pixels: Pixels) -> Pixels:
    """Grey or RGB of what may have alpha as its last sample; RGB of 16 bits becomes 8."""
    if pixels.ndim == 3 and pixels.shape[2] in (2, 4):
        colours = pixels[:, :, 0] if pixels.shape[2] == 2 else pixels[:, :, :3]
        pixels = lay_on_white(colours, pixels[:, :, -1])
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    return to_8_bits(pixels) if pixels.ndim == 3 else pixels


def _turned(pixels: Pixels, orientation: int) -> Pixels:
    """The stored pixels set upright (Exif 2.32, 4.6.4 A, tag 0112)."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def _page(pixels: Pixels, orientation: Any, resolution: Any, lossy: LossySource | None = None) -> Page:
    if isinstance(orientation, int) and 2 <= orientation <= 8:
        pixels = _turned(pixels, orientation)
        if resolution and orientation >= 5:
            resolution = resolution[::-1]
    pixels = np.ascontiguousarray(pixels)
    return Page(pixels, 16 if pixels.dtype == np.uint16 else 8, _plausible(resolution), lossy)


def _plausible(resolution: Any) -> tuple[float, float] | None:
    """Some programs write 0, or 1, for a resolution they do not know."""
    if not resolution:
        return None
    horizontal, vertical = (float(value) for value in resolution)
    return (horizontal, vertical) if 2 <= horizontal <= 20_000 and 2 <= vertical <= 20_000 else None


def _undecodable(index: int, cause: str) -> PermanentError:
    return PermanentError(f"page {index + 1} cannot be decoded", cause=cause, remedy="save the file again")
