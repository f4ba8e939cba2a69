"""UIDs that a job gets again, whatever happened to its files."""

from __future__ import annotations

from typing import Final
from uuid import UUID, uuid5

from pydicom.uid import UID

from dicomprinter import __version__

_NAMESPACE: Final = UUID("0b7e5c52-6f6c-4a0c-9b53-6d7d1f3f6a41")

# Who wrote a file or opened an association (PS3.7 D.3.3.2).
IMPLEMENTATION_CLASS_UID: Final = UID(f"2.25.{_NAMESPACE.int}")
IMPLEMENTATION_VERSION_NAME: Final = f"DCMPRINTER_{__version__}"[:16]


def derive_uid(job_id: str, *parts: str) -> str:
    """A UID that depends on the job and the parts alone (PS3.5 B.2: `2.25.` and a UUID as an integer).

    Args:
        job_id: the job's id.
        parts: what the UID is for, such as `"series", "1"`; their order and borders count.

    Returns:
        At most 44 characters.
    """
    name = "\x00".join((job_id, *parts))
    return f"2.25.{uuid5(_NAMESPACE, name).int}"
