"""A second decoder for frames that the first one refuses: pydicom's, with the extra `decode` where it is installed."""

from __future__ import annotations

from typing import Any

from pydicom.encaps import encapsulate
from pydicom.uid import UID

from dicomprinter.dicom.forwarded.original import PixelLayout
from dicomprinter.dicom.page import Pixels


def by_pydicom(data: bytes, syntax: UID, layout: PixelLayout) -> tuple[Pixels, str] | None:
    """A frame's pixels and what they hold; None where nothing installed decodes it.

    Args:
        data: the frame's codestream.
        syntax: its transfer syntax.
        layout: what the object says of its pixels.
    """
    from pydicom.pixels.decoders.base import get_decoder  # noqa: PLC0415 - it looks for every plug-in there is

    try:
        decoder = get_decoder(syntax)
        if not decoder.is_available:
            return None
        pixels, said = decoder.as_array(encapsulate([data]), index=0, **_options(layout))
    # The decoders behind it raise whatever a wrong byte leads to; the first decoder's error is the one that is told.
    except Exception:  # noqa: BLE001
        return None
    return pixels, str(said["photometric_interpretation"])


def _options(layout: PixelLayout) -> dict[str, Any]:
    return {
        "rows": layout.rows,
        "columns": layout.columns,
        "samples_per_pixel": layout.samples,
        "bits_allocated": layout.bits_allocated,
        "bits_stored": layout.bits_stored,
        "pixel_representation": int(layout.is_signed),
        "planar_configuration": 0,
        "photometric_interpretation": layout.photometric_interpretation,
        "number_of_frames": 1,
        "pixel_keyword": "PixelData",
    }
