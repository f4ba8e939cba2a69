"""A page as a frame: its bytes in a transfer syntax, and what an object has to say about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pydicom.uid import UID, JPEGBaseline8Bit

from dicomprinter.dicom.codecs import decode_baseline, encode
from dicomprinter.dicom.page import Bitstream, Form, LossySource, Page


@dataclass(frozen=True)
class Description:
    """What an object says of its frames.

    Args:
        form: rows, columns, samples and bits of the bytes.
        photometric_interpretation: what the bytes hold.
        resolution: dots per inch (horizontal, vertical), None when unknown.
        losses: the lossy compressions that the pixels went through, in order.
    """

    form: Form
    photometric_interpretation: str
    resolution: tuple[float, float] | None
    losses: tuple[LossySource, ...]


@dataclass(frozen=True)
class Frame:
    """One frame's bytes: native pixels, or the codestream of a compressed syntax; `notes` are for the history."""

    data: bytes | memoryview
    description: Description
    notes: tuple[str, ...] = ()


def encode_page(page: Page, transfer_syntax: UID, *, lossy_quality: int | None = None) -> Frame:
    """A page's frame.

    Args:
        page: its pixels.
        transfer_syntax: a key of `dicom.codecs.ENCODERS`.
        lossy_quality: 1 to 100 when the pixels go through JPEG Baseline, whatever the syntax is that carries them.

    Raises:
        PermanentError: no encoder for the syntax.
    """
    before = () if page.lossy is None else (page.lossy,)
    if lossy_quality is None:
        return _frame(page, transfer_syntax, before)
    lossy = encode(page.pixels, page.bits_stored, JPEGBaseline8Bit, lossy_quality)
    losses = before if lossy.lossy is None else (*before, lossy.lossy)
    form = replace(page.form, bits_stored=lossy.bits_stored)
    if transfer_syntax == JPEGBaseline8Bit:
        description = Description(form, lossy.photometric_interpretation, page.resolution, losses)
        return Frame(lossy.data, description, lossy.notes)
    # The content is what JPEG left of it, also for a peer that does not take JPEG.
    decoded = replace(page, pixels=decode_baseline(bytes(lossy.data), page.is_colour), bits_stored=8)
    frame = _frame(decoded, transfer_syntax, losses)
    return replace(frame, notes=lossy.notes)


def encode_bitstream(bitstream: Bitstream, transfer_syntax: UID) -> Frame:
    """The frame of a page that came as a JPEG: as it is, or decoded where the peer takes no JPEG."""
    form = bitstream.form
    if transfer_syntax == JPEGBaseline8Bit:
        photometric = "YBR_FULL_422" if form.samples == 3 else "MONOCHROME2"
        return Frame(bitstream.data, Description(form, photometric, bitstream.resolution, (bitstream.lossy,)))
    page = Page(decode_baseline(bitstream.data, form.samples == 3), 8, bitstream.resolution)
    return _frame(page, transfer_syntax, (bitstream.lossy,))


def together(descriptions: Sequence[Description]) -> Description:
    """What a multi-frame object says of frames of one form (PS3.3 C.7.6.1.1.5: the ratio is an average)."""
    first = descriptions[0]
    steps = max(len(one.losses) for one in descriptions)
    losses = []
    for step in range(steps):
        found = [one.losses[step] for one in descriptions if len(one.losses) > step]
        losses.append(replace(found[0], ratio=sum(one.ratio for one in found) / len(found)))
    same = all(one.resolution == first.resolution for one in descriptions)
    return replace(first, resolution=first.resolution if same else None, losses=tuple(losses))


def _frame(page: Page, transfer_syntax: UID, losses: tuple[LossySource, ...]) -> Frame:
    encoded = encode(page.pixels, page.bits_stored, transfer_syntax)
    form = replace(page.form, bits_stored=encoded.bits_stored)
    description = Description(form, encoded.photometric_interpretation, page.resolution, losses)
    return Frame(encoded.data, description, encoded.notes)
