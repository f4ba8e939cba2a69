"""What of a DICOM file can be shown, as the child tells it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Images:
    """The frames of a DICOM file.

    Args:
        sop_class: what the file holds, in words or as a UID.
        frames: 0 for what has no pixels.
        rows: of each.
        columns: of each.
    """

    sop_class: str
    frames: int
    rows: int = 0
    columns: int = 0
