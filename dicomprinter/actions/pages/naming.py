"""Names for the files of changed and added pages."""

from __future__ import annotations

import hashlib
import json
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dicomprinter.job.parts import Payload


def digest(*said: object) -> str:
    """The same for the same change of the same file: a repetition replaces it, and UIDs stay."""
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:24]


def unused(payload: Payload, stem: str, ending: str = "") -> str:
    """A file name that no page has: a page's attributes, edits and UIDs go by it.

    Args:
        payload: of the job; while that is the same the name is, so a repetition replaces the file.
        stem: says what the page is made of.
        ending: such as `.png`.
    """
    taken = {page.file for page in payload.pages}
    names = (f"{stem}-{number}{ending}" if number > 1 else f"{stem}{ending}" for number in count(1))
    return next(name for name in names if f"payload/{name}" not in taken)
