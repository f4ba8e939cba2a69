"""Bells: a command line that has left something in a job's folder says so, and the scheduler looks there next.

A bell is an empty file in `spool/commands/`. One that cannot be rung, or gets lost, costs time alone: each waiting job
is looked at in its turn.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from dicomprinter.job.disk import make_folder

if TYPE_CHECKING:
    from dicomprinter.engine.spool_view import SpoolView

_ENDING: Final = ".bell"


def ring(spool: SpoolView, job_id: str) -> None:
    """Have a job looked at."""
    with suppress(OSError):
        make_folder(spool.commands)
        (spool.commands / (job_id + _ENDING)).touch(mode=0o600)


def rung(spool: SpoolView) -> list[str]:
    """The jobs for which a bell has been rung since it was last asked."""
    found = []
    with suppress(OSError):
        names = [entry.name for entry in os.scandir(spool.commands) if entry.name.endswith(_ENDING)]
        for name in names:
            (spool.commands / name).unlink(missing_ok=True)
            found.append(name.removesuffix(_ENDING))
    return found
