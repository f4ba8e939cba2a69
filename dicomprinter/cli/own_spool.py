"""The spool of one `run`, and what interrupts it."""

from __future__ import annotations

import secrets
import shutil
import signal
import tempfile
import threading
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from dicomprinter.cli.bases import runs
from dicomprinter.config.environment import ENV_FILES
from dicomprinter.engine.spool import Spool
from dicomprinter.errors import SpoolError
from dicomprinter.job.parts import State

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def spool_of_a_run(base: Path | None, *, dry: bool) -> Iterator[Spool]:
    """The spool of a base directory; without one a fresh spool, which goes when no job is left in it.

    Args:
        base: the base directory, or None.
        dry: a fresh spool in any case, which always goes: a service would send what is left in it.

    Raises:
        SpoolError: it belongs to another process, or cannot be written.
    """
    if base is not None and not dry:
        with Spool.open(base.absolute()) as spool:
            yield spool
        return
    folder = _fresh(dry)
    try:
        with Spool.open(folder) as spool:
            yield spool
    finally:
        if dry or not Spool(folder).job_ids():
            shutil.rmtree(folder, ignore_errors=True)


def _fresh(dry: bool) -> Path:
    if dry:
        return Path(tempfile.mkdtemp(prefix="dicomprinter-dry-run-"))
    folder = runs() / f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    try:
        folder.mkdir(mode=0o700, parents=True)
    except OSError as error:
        raise SpoolError(
            f"{folder} cannot be made", cause=error.strerror or "", remedy="name a folder of yours with --base"
        ) from None
    return folder


def keep_environment(source: Path | None, base: Path) -> None:
    """Copy the `.env` files beside a job that stays, so that it goes on with the same values."""
    for name in ENV_FILES if source is not None and source.absolute() != base else ():
        file, target = Path(source or "") / name, base / name
        if file.is_file() and not target.exists():
            target.parent.mkdir(mode=0o700, exist_ok=True)
            shutil.copyfile(file, target)
            target.chmod(0o600)


def put_back(spool: Spool, job_id: str) -> bool:
    """Leave an interrupted job queued; False when it had left the spool already."""
    with suppress(SpoolError):
        job = spool.load(job_id)
        if job.state is State.RUNNING:
            job.state = State.QUEUED
        # A disk that is full leaves it running, which the next start takes for the same.
        with suppress(OSError):
            job.note("interrupted; it goes on at the node that ran", level="WARN")
            job.folder.save(job, secure=True)
        return True
    return False


@contextmanager
def interruptible() -> Iterator[None]:
    """SIGTERM ends a run as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt
