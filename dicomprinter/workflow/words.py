"""Actions, conditions and policies in words, for people who read a workflow."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any

from dicomprinter.actions.base import Connected, OnError
from dicomprinter.actions.query.action import Query
from dicomprinter.actions.query.declaration import Model
from dicomprinter.actions.run.action import Run
from dicomprinter.actions.store.action import Store
from dicomprinter.actions.tags.dcm import DcmItem, DcmSequence, DcmTag
from dicomprinter.config.placeholders import Template
from dicomprinter.dicom import dictionary
from dicomprinter.dicom.tags import Tag, tag_text
from dicomprinter.imaging.mode import ColourMode
from dicomprinter.workflow.conditions import YES_OR_NO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicomprinter.actions.base import Action
    from dicomprinter.actions.objects.representation import Representation
    from dicomprinter.actions.query.keys import KeyItem
    from dicomprinter.workflow.conditions import Condition

_COMMON = ("name", "position", "on_error", "peer")


def kind(action: Action) -> str:
    """`Query of a worklist`, `Store`."""
    if not isinstance(action, Query):
        return action.spec.name
    model = action.wishes.model
    if model in (Model.MANUAL, Model.WORKLIST):
        return {Model.MANUAL: "Query by an operator", Model.WORKLIST: "Query of a worklist"}[model]
    return f"Query ({model.value} root, {action.wishes.level_asked})"


def peer(action: Action) -> str:
    """`PACS@host:104, called as DICOM_PRINTER`, or nothing."""
    if not isinstance(action, Connected) or action.peer is None:
        return ""
    tls = ", with TLS" if action.peer.tls else ""
    return f"{action.peer}, as {action.peer.calling_ae_title}{tls}"


def waiting(action: Action) -> str:
    """What a job waits for at an action, or nothing."""
    manual = isinstance(action, Query) and action.wishes.model is Model.MANUAL
    return "waits for an operator's answer" if manual else ""


def settings(action: Action) -> Iterator[str]:
    """What the file says of an action, a line each."""
    if isinstance(action, Query):
        yield from _query(action)
        return
    if isinstance(action, Store):
        yield from _store(action.representation)
        return
    for field in fields(action):
        if field.name not in _COMMON:
            text = _text(getattr(action, field.name))
            if text:
                yield text if field.name == "tags" else f"{field.name.replace('_', ' ')}: {text}"


def failure(on_error: OnError, wait: timedelta) -> str:
    """What becomes of a job when an action fails."""
    return {
        OnError.HOLD: "the job is held, until an operator resumes it here",
        OnError.SUSPEND: f"the job waits {duration(wait)} and tries again, here",
        OnError.IGNORE: "that is noted, and the next node runs",
        OnError.DISCARD: "the job ends and its files go",
    }[on_error]


def wishes(action: Action, wait: timedelta) -> Iterator[str]:
    """What an action may want for the job, whatever its policy says."""
    if isinstance(action, Run):
        yield f"exit code -2: the job ends and its files go; -3: it waits {duration(wait)} and goes on here"


def asked(condition: Condition) -> str:
    """`QUERY_FOUND is true`, `PatientID (0010,0020) matches "^47"`."""
    if condition.field in YES_OR_NO:
        return f"{condition.label} is {condition.value}"
    small = "" if condition.case_sensitive else ", in capital or small letters"
    if condition.tag is not None:
        return f'{_tag(condition.tag)} matches "{condition.value}"{small}'
    return f'{condition.label} is "{condition.value}"{small}'


def field_of(condition: Condition) -> str:
    """What a Switch looks at."""
    return condition.label if condition.tag is None else _tag(condition.tag)


def duration(time: timedelta) -> str:
    """`15 min`, `90 s`, `5 days`."""
    seconds = time.total_seconds()
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit[:-1] if unit == 'days' and seconds == size else unit}"
    return f"{seconds:g} s"


def times(count: int) -> str:
    """`once`, `3 times`."""
    return "once" if count == 1 else f"{count} times"


def _query(action: Query) -> Iterator[str]:
    keys = list(_keys(action.wishes.keys))
    if action.wishes.model is Model.MANUAL:
        yield waiting(action)
    elif keys:
        yield f"asks by {', '.join(keys)}"
    if action.wishes.select is not None:
        order = ", ".join(f"{_tag(tag)} {'desc' if down else 'asc'}" for tag, down in action.wishes.order)
        yield f"of several answers the {action.wishes.select.value} is taken" + (
            f", sorted by {order}" if order else ""
        )
    elif action.wishes.model is not Model.MANUAL:
        yield "of several answers none is taken (QUERY_PARTIAL)"


def _store(made: Representation) -> Iterator[str]:
    compression = f"as {_syntax(made.compression)}" if made.compression else "uncompressed"
    quality = f" of quality {made.lossy_quality}" if made.lossy_quality is not None else ""
    colours = "" if made.mode is ColourMode.AS_IS else f", as {made.mode.value}"
    together = ", in one multi-frame object" if made.multiframe else ""
    yield f"pages go {compression}{quality}{colours}{together}"
    if made.document != "Pdf":
        yield f"a PDF goes as pages of {made.dpi} dpi" + (" and as itself" if made.document == "Both" else "")


def _syntax(uid: str) -> str:
    from pydicom.uid import UID  # noqa: PLC0415 - most workflows are told without it

    return UID(uid).name


def _keys(item: KeyItem) -> Iterator[str]:
    for key in item.keys:
        text = key.text.template.source
        yield f"{_tag(key.tag)} = {text}" if text else _tag(key.tag)
    for sequence in item.sequences:
        inside = "; ".join(", ".join(_keys(one)) for one in sequence.items)
        yield f"{_tag(sequence.tag)} ({inside})" if inside else _tag(sequence.tag)


def _tag(tag: int) -> str:
    return dictionary.keyword(tag) or tag_text(tag)


def _text(value: Any) -> str:
    """A value of the file in one line; nothing where it says nothing."""
    # A number is something, 0 as well.
    if value is None or value is False or value in ("", ()):
        return ""
    if value is True:
        return "yes"
    if isinstance(value, tuple):
        return ", ".join(filter(None, map(_text, value)))
    if isinstance(value, Tag):
        return _tag(value)
    return _part(value)


def _part(value: Any) -> str:
    """Of what a value of the file is made."""
    match value:
        case Template():
            text = value.source
        case Enum():
            text = str(value.value)
        case DcmTag():
            text = f"{_tag(value.tag)} = {value.text.source or 'nothing'}"
        case DcmItem():
            text = _text((*value.tags, *value.sequences))
        case DcmSequence():
            text = f"{_tag(value.tag)} ({'; '.join(map(_text, value.items))})"
        case _ if is_dataclass(value):
            # What a representation leaves out is a password.
            shown = (field.name for field in fields(value) if field.repr and field.name != "position")
            parts = ((name, _text(getattr(value, name))) for name in shown)
            text = ", ".join(f"{name.replace('_', ' ')} {part}" for name, part in parts if part)
        case _:
            # A compiled expression is shown as it was written.
            text = str(getattr(value, "pattern", value))
    return text
