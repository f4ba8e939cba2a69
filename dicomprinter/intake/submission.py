"""What is known of a file that comes in: from its sidecar, from the command line, or from its path alone."""

from __future__ import annotations

import difflib
import json
import os
import stat
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dicomprinter.dicom.tags import dictionary_vr, parse_tag, refused_in_a_job, suggest_keyword, tag_name
from dicomprinter.dicom.text import clean
from dicomprinter.dicom.values import set_text
from dicomprinter.errors import InputError, PermanentError
from dicomprinter.job.parts import MIDDLE_PRIORITY

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pydicom import Dataset

_MAXIMUM_SIDECAR = 1 << 20
_TEXTS = ("title", "user", "host", "source")
_KNOWN = (*_TEXTS, "copies", "priority", "submitted", "media_type", "options", "tags")
_YEARS = range(1900, 9999)


@dataclass(frozen=True)
class Submission:
    """Facts of a job to be; `tags` are values for its dataset, by keyword or number."""

    title: str
    user: str = ""
    host: str = ""
    source: str = ""
    copies: int = 1
    priority: int = MIDDLE_PRIORITY
    submitted: datetime | None = None
    options: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


def sidecars(files: Sequence[Path]) -> list[Path]:
    """Of these files, the sidecars of others: `x.pdf.json` where `x.pdf` is there."""
    names = {f"{file.name}.json" for file in files}
    return [file for file in files if file.name in names]


def read_sidecar(file: Path, title: str, source: str) -> Submission:
    """Read `x.pdf.json`; what it does not say is taken from the arguments.

    Raises:
        InputError: it is no regular file, not JSON, or says something unknown or of the wrong kind.
    """
    if not stat.S_ISREG(file.lstat().st_mode):
        raise InputError("the sidecar is a link or no file", remedy="copy the sidecar itself")
    try:
        # What is no link now may be one, or a pipe, a moment later.
        with open(file, "rb", opener=_open_regular) as stream:
            content = stream.read(_MAXIMUM_SIDECAR + 1)
    except OSError as error:
        raise InputError(f"the sidecar cannot be read: {error.strerror}", remedy="check its rights") from None
    if len(content) > _MAXIMUM_SIDECAR:
        raise InputError("the sidecar is larger than 1 MB")
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as error:
        place = f": line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise InputError(
            f"the sidecar is not JSON{place}",
            cause="it is damaged, or was still being written",
            remedy="rename it in when it is whole",
        ) from None
    if not isinstance(data, dict):
        raise InputError("the sidecar is not a JSON object")
    return _submission(data, title, source)


def _open_regular(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))


def _submission(data: dict[str, Any], title: str, source: str) -> Submission:
    for key in data:
        # The way in writes "media type" as well.
        if key.replace(" ", "_") not in _KNOWN:
            raise _unknown(key)
    known: dict[str, Any] = {"title": title, "source": source}
    for name in _TEXTS:
        value = data.get(name)
        if value is not None and not isinstance(value, str):
            raise _wrong(f'"{name}" is not a text', value)
        if value:
            known[name] = value
    for name, default, most in (("copies", 1, 9999), ("priority", MIDDLE_PRIORITY, 100)):
        number = data.get(name, default)
        if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= most:
            raise _wrong(f'"{name}" is not a number from 1 to {most}', number)
        known[name] = number
    if data.get("submitted") is not None:
        known["submitted"] = _moment(data["submitted"])
    for name in ("options", "tags"):
        value = data.get(name) or {}
        if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
            raise _wrong(f'"{name}" is not an object of texts', value)
        known[name] = value
    return Submission(**known)


def _moment(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(value if isinstance(value, str) else "")
        if moment.year not in _YEARS:
            raise ValueError
        return moment.astimezone() if moment.tzinfo is None else moment
    except ValueError:
        raise _wrong('"submitted" is no date and time such as 2026-01-31T10:00:00+01:00', value) from None


def _wrong(what: str, value: object) -> InputError:
    return InputError(f"the sidecar is not right: {what}", private=str(value))


def _unknown(key: str) -> InputError:
    near = difflib.get_close_matches(key.lower(), _KNOWN, n=1)
    return InputError(
        "the sidecar has a key that is not known",
        cause=f'did you mean "{near[0]}"?' if near else "",
        remedy=f"the known ones are {', '.join(_KNOWN)}",
        private=key,
    )


def set_tags(dataset: Dataset, tags: dict[str, str]) -> tuple[list[str], list[str]]:
    """Put values into a job's dataset.

    Returns:
        The tags set, as eight hexadecimal digits, and the notes for the history.

    Raises:
        InputError: a name that is no tag, or a value that does not fit it; names the tag, not the value.
    """
    chosen, notes = [], []
    for name, value in tags.items():
        try:
            tag = parse_tag(name)
        except ValueError:
            raise InputError(
                f"a tag is neither a number (gggg,eeee) nor a DICOM keyword{suggest_keyword(name)}", private=name
            ) from None
        reason = refused_in_a_job(tag)
        if reason:
            raise InputError(f"{tag_name(tag)} cannot be set: {reason}")
        vr = dictionary_vr(tag) or "LO"
        try:
            text, more = clean(tag, vr, value)
            set_text(dataset, tag, vr, text)
        except ValueError as error:
            raise InputError(f"the value of {tag_name(tag)} cannot be written", private=str(error)) from None
        except PermanentError as error:
            raise InputError(error.what, cause=error.cause, remedy=error.remedy, private=error.private) from None
        chosen.append(f"{int(tag):08X}")
        notes += more
    return chosen, notes
