"""Files of one JSON object a line: added to, never changed; a crash may cut the last line."""

from __future__ import annotations

import errno
import json
import os
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from dicomprinter.job.disk import give_to_owner, sync_file, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_BLOCK: Final = 1 << 16


def append(file: Path, line: dict[str, Any]) -> None:
    """Add a line.

    Raises:
        OSError: it cannot be written whole.
    """
    data = (json.dumps(line, ensure_ascii=False) + "\n").encode("utf-8", "replace")
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o600)
    try:
        size = os.lseek(descriptor, 0, os.SEEK_END)
        if size == 0:
            give_to_owner(descriptor, file.parent)
        else:
            os.lseek(descriptor, size - 1, os.SEEK_SET)
            # A line that was cut must not swallow this one.
            data = data if os.read(descriptor, 1) == b"\n" else b"\n" + data
        if os.write(descriptor, data) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(descriptor)


def append_for_good(file: Path, line: dict[str, Any]) -> None:
    """Add a line, which survives a loss of power when this returns.

    Raises:
        OSError: it cannot be written whole, or not be brought to the disk.
    """
    is_new = not file.exists()
    append(file, line)
    sync_file(file)
    if is_new:
        sync_folder(file.parent)


def read(file: Path, having: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
    """Every whole line, or only those in which one of some texts stands; none when there is no file.

    Raises:
        OSError: it cannot be read now.
    """
    if not file.exists():
        return
    wanted = [text.encode() for text in having]
    for line in file.read_bytes().splitlines():
        # To look is a tenth of what it costs to parse.
        if wanted and not any(text in line for text in wanted):
            continue
        with suppress(ValueError):
            yield parsed(line)


def parsed(text: str | bytes) -> dict[str, Any]:
    """A JSON object.

    Raises:
        ValueError: it is something else, or nested more deeply than can be read.
    """
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def content(file: str) -> bytes:
    """All of a file, in a third of the time that `Path.read_bytes` takes."""
    descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        found = os.read(descriptor, _BLOCK)
        # Of a file less than was asked for is all of it.
        return found if len(found) < _BLOCK else b"".join([found, *iter(partial(os.read, descriptor, _BLOCK), b"")])
    finally:
        os.close(descriptor)


def last(file: str) -> dict[str, Any] | None:
    """The last whole line; None when there is none, or no file.

    Raises:
        OSError: it cannot be read now.
    """
    try:
        written = content(file)
    except FileNotFoundError:
        return None
    for line in reversed(written.splitlines()):
        with suppress(ValueError):
            return parsed(line)
    return None
