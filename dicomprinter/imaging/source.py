"""A file's bytes without reading it whole."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dicomprinter.errors import InputError, TransientError
from dicomprinter.imaging.limits import Limits
from dicomprinter.imaging.refusals import too_large

Source = bytes | mmap.mmap


@contextmanager
def mapped(path: Path, limits: Limits) -> Iterator[Source]:
    """The file, mapped into memory.

    Raises:
        InputError: the file is missing, unreadable, empty or too large.
        TransientError: the disk or the system fails.
    """
    with _opened(path, limits) as data:
        yield data


def _opened(path: Path, limits: Limits) -> mmap.mmap:
    try:
        size = path.stat().st_size
        if size == 0:
            raise InputError("the file is empty", remedy="save or copy it again")
        if size > limits.bytes:
            raise too_large(f"{size} bytes; {limits.bytes} are allowed", "MaximumFileSize")
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        raise InputError("the file cannot be read", cause=error.strerror or "", remedy="check its rights") from error
    except OSError as error:
        raise TransientError(
            "the file cannot be read now", cause=error.strerror or "", remedy="check the disk"
        ) from error
