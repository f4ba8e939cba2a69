"""A file's bytes without reading it whole."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dicomprinter.errors import InputError
from dicomprinter.imaging.limits import Limits
from dicomprinter.imaging.refusals import too_large

Source = bytes | mmap.mmap


@contextmanager
def mapped(path: Path, limits: Limits) -> Iterator[Source]:
    """The file, mapped into memory.

    Raises:
        InputError: the file is missing, unreadable, empty or too large.
    """
    try:
        size = path.stat().st_size
        if size == 0:
            raise InputError("the file is empty", remedy="save or copy it again")
        if size > limits.bytes:
            raise too_large(f"{size} bytes; {limits.bytes} are allowed")
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data
    except OSError as error:
        raise InputError("the file cannot be read", cause=error.strerror or "", remedy="check its rights") from error
