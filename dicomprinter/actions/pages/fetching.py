"""Pictures that a configuration names: copied into the job, so that what is exchanged later changes nothing."""

from __future__ import annotations

import hashlib
from pathlib import PureWindowsPath
from typing import TYPE_CHECKING

from dicomprinter.errors import DicomPrinterError, InputError, PermanentError, Private
from dicomprinter.imaging.edits.steps import Steps
from dicomprinter.imaging.refusals import too_large

if TYPE_CHECKING:
    from pathlib import Path

    from dicomprinter.actions.base import Tools
    from dicomprinter.config.placeholders import Template
    from dicomprinter.job.job import Job


def fetch_picture(action: str, path: Template, job: Job, tools: Tools) -> str:
    """Copy the picture that an `ImagePath` names into a job's payload, once it is seen to be one.

    Args:
        action: its name, for messages.
        path: of the picture; a relative one is beside the configuration.
        job: whose payload gets it. The same picture has the same name there, so a repetition adds nothing.
        tools: the decoder, and where the configuration is.

    Returns:
        the file, relative to the job's folder.

    Raises:
        PermanentError: it is not there, cannot be read, is no picture or damaged.
        TransientError: the decoder cannot be started.
    """
    named = f'{action}: the picture of <ImagePath> "{path.source}"'
    expanded = job.expand(path, f"{action}/ImagePath")
    private = "" if path.is_literal else Private.fill("the path is {}", expanded)
    if not _stays(path, expanded):
        raise PermanentError(
            f"{named} cannot be used",
            cause="a value of the job leads out of the folder that the path names",
            remedy="look at the job's values",
            private=private,
        )
    try:
        data = _read(tools.folder / expanded, tools.decoder.limits.bytes)
    except (OSError, ValueError) as error:
        cause = (error.strerror if isinstance(error, OSError) else None) or "the path is none"
        remedy = "put it there, or correct the path"
        raise PermanentError(f"{named} cannot be read", cause=cause, remedy=remedy, private=private) from error
    except InputError as error:
        raise _refused(named, error, private) from error
    file = job.folder.add_payload(f"picture-{hashlib.sha256(data).hexdigest()[:24]}", data)
    job.folder.secure_payload()
    try:
        _look_at(job, file, tools)
    except (InputError, PermanentError) as error:
        raise _refused(named, error, private) from error
    return file


def _stays(path: Template, expanded: str) -> bool:
    """Whether what is filled in leads neither upwards nor to another root; these paths know both separators."""
    said, found = PureWindowsPath(path.source), PureWindowsPath(expanded)
    return found.parts.count("..") <= said.parts.count("..") and found.anchor == said.anchor


def _read(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise too_large(f"more than {most} bytes", "MaximumFileSize")
    return data


def _look_at(job: Job, file: str, tools: Tools) -> None:
    """Decode it once: nobody should hear of its damage only when an archive waits for a page."""
    found = tools.decoder.probe(job.path(file))
    if found.kind != "image":
        raise InputError("it is no picture", cause=f"it is {found.media_type}", remedy="give a PNG, JPEG, TIFF or BMP")
    tools.decoder.edited(job.path(file), 0, Steps(job.folder.path, ()))


def _refused(named: str, error: DicomPrinterError, private: str) -> PermanentError:
    cause = "; ".join(part for part in (error.what, error.cause) if part)
    return PermanentError(f"{named} cannot be used", cause=cause, remedy=error.remedy, private=private)
