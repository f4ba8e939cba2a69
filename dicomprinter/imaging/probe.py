"""What a file is, by its content and never by its name; whole or refused. No pixel is decoded."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from dicomprinter.dicom.forwarded.beginning import seems_dicom
from dicomprinter.errors import InputError
from dicomprinter.imaging import bmp, jpeg, pdf, png, tiff
from dicomprinter.imaging.limits import Limits
from dicomprinter.imaging.refusals import check_size, too_large, unsupported
from dicomprinter.imaging.source import Source, mapped

_ACCEPTED: Final = "PDF, PNG, JPEG, TIFF, BMP, DICOM or UTF-8 text"
_BLOCK: Final = 1 << 20
_NOT_TEXT: Final = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]")
# Known, so that the refusal can say what came: where its signature stands, and what it is.
_STRANGERS: Final = (
    (0, b"%!", "PostScript file"),
    (0, b"GIF8", "GIF picture"),
    (0, b"RIFF", "WebP picture"),
    (0, b"PK\x03\x04", "ZIP or Office file"),
    (0, b"\xd0\xcf\x11\xe0", "Office file"),
    (0, b"{\\rtf", "RTF document"),
    (0, b"\xff\xfe", "text in UTF-16"),
    (0, b"\xfe\xff", "text in UTF-16"),
    (0, b"\x1f\x8b", "compressed file"),
    (0, b"\x00\x00\x00\x0cjP", "JPEG 2000 picture"),
    (4, b"ftyp", "HEIC picture or video"),
)


@dataclass(frozen=True)
class Probe:
    """What a file holds.

    Args:
        kind: `image`, `pdf`, `text` or `dicom`.
        media_type: such as `image/png`.
        frames: pages; of a DICOM file its frames, 0 when it holds no pixels; 1 for text.
        size: columns and rows of each page of a picture as stored, before any orientation; else empty.
        attributes: what a job takes from a DICOM file, in the DICOM JSON model (PS3.18 F); else empty.
    """

    kind: str
    media_type: str
    frames: int
    size: tuple[tuple[int, int], ...] = ()
    attributes: dict[str, Any] = field(default_factory=dict)


def probe(path: Path, limits: Limits | None = None) -> Probe:
    """Recognise a file and check that all of it is there.

    Raises:
        InputError: empty, unknown, damaged, cut off, protected by a password, or beyond the limits.
    """
    limits = limits or Limits()
    with mapped(path, limits) as data:
        media_type = sniff(data)
        if media_type == "application/pdf":
            return Probe("pdf", media_type, pdf.count_pages(path, data, limits))
        if media_type == "application/dicom":
            return _dicom(path, limits)
        if media_type == "text/plain":
            if len(data) > limits.text:
                raise too_large(f"a text of {len(data)} bytes; {limits.text} are allowed", "MaximumTextSize")
            _check_text(data)
            return Probe("text", media_type, 1)
        size = _sizes(media_type, data, limits)
    for width, height in size:
        check_size(width, height, limits)
    return Probe("image", media_type, len(size), size)


def sniff(data: Source) -> str:
    """The media type that the first bytes tell.

    Raises:
        InputError: a kind that is not accepted.
    """
    head = data[:1024]
    # Before all others: a preamble may be the header of another format, and a document may stand near the beginning.
    if seems_dicom(head) and (head[128:132] == b"DICM" or b"\0" in head[:8]):
        return "application/dicom"
    for media_type, signatures in (
        ("image/png", (png.SIGNATURE,)),
        ("image/jpeg", (jpeg.SIGNATURE,)),
        ("image/tiff", tiff.SIGNATURES),
        ("image/bmp", (bmp.SIGNATURE,)),
    ):
        if head.startswith(signatures) and (media_type != "image/bmp" or head[6:10] == bytes(4)):
            return media_type
    if pdf.SIGNATURE in head:
        return "application/pdf"
    for place, signature, name in _STRANGERS:
        if head.startswith(signature, place):
            raise InputError(f"a {name} is not accepted", remedy=f"save it as {_ACCEPTED}")
    return "text/plain"


def _dicom(path: Path, limits: Limits) -> Probe:
    from dicomprinter.imaging.dicom_file import probe_dicom  # noqa: PLC0415 - only a DICOM file pays for pydicom

    found = probe_dicom(path, limits)
    return Probe("dicom", "application/dicom", found.frames, attributes=found.attributes)


def _sizes(media_type: str, data: Source, limits: Limits) -> tuple[tuple[int, int], ...]:
    if media_type == "image/tiff":
        return tuple((page.width, page.height) for page in tiff.directories(data, limits.pages))
    header: png.PngHeader | jpeg.JpegHeader | bmp.BmpHeader
    if media_type == "image/png":
        header = png.inspect(data)
    elif media_type == "image/jpeg":
        header = jpeg.inspect(data)
    else:
        header = bmp.inspect(data)
    return ((header.width, header.height),)


def _check_text(data: Source) -> None:
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    blank = True
    for start in range(0, len(data), _BLOCK):
        block = data[start : start + _BLOCK]
        try:
            text = decoder.decode(block, final=start + _BLOCK >= len(data))
        except UnicodeDecodeError:
            raise unsupported(
                "file", "its kind is unknown and it is no UTF-8 text", f"save it as {_ACCEPTED}"
            ) from None
        if _NOT_TEXT.search(block):
            raise unsupported("file", "its kind is unknown", f"save it as {_ACCEPTED}")
        blank = blank and not text.strip()
    if blank:
        raise InputError("the file is empty", cause="it holds white space only", remedy="save or copy it again")
