"""What is known of a file that comes in: from its sidecar, from the command line, or from its path alone."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dicomprinter.dicom.tags import dictionary_vr, parse_tag, refused_in_a_job, tag_name
from dicomprinter.dicom.text import clean
from dicomprinter.dicom.values import set_text
from dicomprinter.errors import InputError, PermanentError

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom import Dataset

_MAXIMUM_SIDECAR = 1 << 20
_TEXTS = ("title", "user", "host", "source")


@dataclass(frozen=True)
class Submission:
    """Facts of a job to be; `tags` are values for its dataset, by keyword or number."""

    title: str
    user: str = ""
    host: str = ""
    source: str = ""
    copies: int = 1
    submitted: datetime | None = None
    options: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


def read_sidecar(file: Path, title: str, source: str) -> Submission:
    """Read `x.pdf.json`; what it does not say is taken from the arguments.

    Raises:
        InputError: it is not JSON, or says something of the wrong kind.
    """
    try:
        if file.stat().st_size > _MAXIMUM_SIDECAR:
            raise InputError("the sidecar is larger than 1 MB")
        data = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        raise InputError(
            "the sidecar is not JSON",
            cause="it is damaged, or was still being written",
            remedy="rename it in when it is whole",
        ) from None
    if not isinstance(data, dict):
        raise InputError("the sidecar is not a JSON object")
    try:
        return _submission(data, title, source)
    except (TypeError, ValueError) as error:
        raise InputError(f"the sidecar is not right: {error}") from None


def _submission(data: dict[str, Any], title: str, source: str) -> Submission:
    known: dict[str, Any] = {"title": title, "source": source}
    for name in _TEXTS:
        value = data.get(name)
        if value is not None and not isinstance(value, str):
            raise TypeError(f'"{name}" is not a text')
        if value:
            known[name] = value
    copies = data.get("copies", 1)
    if not isinstance(copies, int) or isinstance(copies, bool) or not 1 <= copies <= 9999:
        raise ValueError('"copies" is not a number from 1 to 9999')
    if data.get("submitted") is not None:
        moment = datetime.fromisoformat(str(data["submitted"]))
        known["submitted"] = moment.astimezone() if moment.tzinfo is None else moment
    for name in ("options", "tags"):
        value = data.get(name) or {}
        if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
            raise TypeError(f'"{name}" is not an object of texts')
        known[name] = value
    return Submission(copies=copies, **known)


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
            reason = refused_in_a_job(tag)
            if reason:
                raise ValueError(f"{tag_name(tag)} cannot be set: {reason}")
            vr = dictionary_vr(tag) or "LO"
            text, more = clean(tag, vr, value)
            set_text(dataset, tag, vr, text)
        except ValueError as error:
            raise InputError(str(error)) from None
        except PermanentError as error:
            raise InputError(error.what, cause=error.cause, remedy=error.remedy) from None
        chosen.append(f"{int(tag):08X}")
        notes += more
    return chosen, notes
