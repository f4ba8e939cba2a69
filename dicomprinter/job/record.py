"""What is written down of where a job stands, as JSON: `job.json`, and the steps that follow it. No DICOM."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from dicomprinter.errors import DicomPrinterError, SpoolError
from dicomprinter.job import lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

JOB_FILE: Final = "job.json"
STEPS_FILE: Final = "steps.jsonl"
ARRIVAL_FILE: Final = "arrival.json"
# What a file that is torn, or edited by hand, leads to.
DAMAGE: Final = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
_VERSION: Final = 1


class DamagedJobError(DicomPrinterError):
    """A job folder whose job.json cannot be read: torn by a loss of power, or edited by hand."""


def read_record(folder: Path) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """What `job.json` holds, and what it would hold after the last step since then, if there was one.

    Raises:
        FileNotFoundError, or one of DAMAGE: it is torn or gone.
        OSError: it cannot be read now.
    """
    # In this order: they may be written meanwhile, and what is newer is read later.
    place = os.fspath(folder)
    step = lines.last(os.path.join(place, STEPS_FILE))  # noqa: PTH118 - of ten thousand jobs in a moment
    data = lines.parsed(lines.content(os.path.join(place, JOB_FILE)))  # noqa: PTH118
    if not isinstance(data.get("serial", 1), int):
        raise TypeError("serial")
    if step is not None and step.get("serial") == data.get("serial", 1):
        return data, step
    return data, None


def check_record(data: dict[str, Any], folder: Path) -> None:
    """Refuse what this program has not written for this folder.

    Raises:
        SpoolError: another version wrote it, or the folder is a copy of another job's.
    """
    if data["version"] != _VERSION:
        raise SpoolError(
            f"the job {folder.name} was written by another version of this program",
            remedy="run that version, or discard the job's folder by hand",
        )
    if data["id"] != folder.name:
        raise SpoolError(
            f"the folder {folder.name} is a copy of the job {data['id']}",
            remedy="take the copy out of the spool",
        )


@contextmanager
def telling_damage(folder: Path) -> Iterator[None]:
    """Around the reading of a job's files.

    Raises:
        DamagedJobError: they are torn or gone.
    """
    try:
        yield
    except (FileNotFoundError, *DAMAGE) as error:
        raise DamagedJobError(
            f"the job folder {folder.name} cannot be read",
            cause=f"{JOB_FILE} or its dataset is damaged ({type(error).__name__})",
            remedy="look at its history.jsonl and payload, then resume or discard it",
        ) from error


def reason_to_hold(error: DamagedJobError) -> str:
    """Why a damaged job is held, and what becomes of it."""
    return f"{error}; resumed, it starts at the first node, with the same UIDs as before"


def dataset_file(folder: Path, version: int) -> Path:
    """The job's dataset after its Nth change."""
    return folder / "datasets" / f"{version}.json"


def read_arrival(folder: Path) -> dict[str, Any]:
    """What came in; raises OSError or ValueError."""
    return lines.parsed((folder / ARRIVAL_FILE).read_bytes())
