"""How each difference looks in a file: a function gets a sight, and answers with words for what it has seen."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeGuard

from dicomprinter.cli.quirks.sights import ACTIONS, OtherLetters, Unknown, Value, WithoutEffect, Written
from dicomprinter.config.kinds import BOOLEAN, SETTABLE_TAG, TAG
from dicomprinter.config.placeholders import Template
from dicomprinter.workflow.conditions import REFUSED_FIELDS, YES_OR_NO

if TYPE_CHECKING:
    from collections.abc import Callable

    from dicomprinter.cli.quirks.sights import Sight

    Look = Callable[[Sight], str | None]


def misread(sight: Sight) -> str | None:
    """A value that its kind cannot read; also what a yes or no is compared with."""
    if isinstance(sight, Value) and not sight.is_readable and "#{" not in sight.text and not made_here(sight):
        return f'{sight.what}: "{sight.text}"' + (f" (when unsaid: {sight.unsaid})" if sight.unsaid else "")
    if isinstance(sight, Written) and sight.text("field").upper() in YES_OR_NO:
        value = sight.text("value")
        if value and not _BOOLEAN.fullmatch(value):
            return f'<{sight.element.name} field="{sight.text("field")}">: "{value}"'
    return None


def made_here(sight: Sight) -> str | None:
    """A tag that there is, and that a job may not set."""
    if not isinstance(sight, Value) or sight.kind is not SETTABLE_TAG or sight.is_readable:
        return None
    try:
        TAG.parse(sight.text)
    except ValueError:
        return None
    return f'{sight.what}: "{sight.text}"'


def unknown_placeholder(sight: Sight) -> str | None:
    """A text with a placeholder that there is not."""
    if not isinstance(sight, Value) or sight.is_readable or "#{" not in sight.text:
        return None
    return f'{sight.what}: "{sight.text}"'


def false_by_another_word(sight: Sight) -> str | None:
    """A flag that is off without saying false."""
    if not isinstance(sight, Value) or sight.kind is not BOOLEAN or sight.value is not False:
        return None
    return None if sight.text.lower() == "false" else f'{sight.what}: "{sight.text}"'


def any_text_is_true(sight: Sight) -> str | None:
    """ConvertToPNG with a text that is neither yes nor no."""
    if not isinstance(sight, Written) or sight.name != "converttopng":
        return None
    text = sight.element.text.strip()
    return f'<ConvertToPNG>: "{text}"' if text and not _BOOLEAN.fullmatch(text) else None


_BOOLEAN = re.compile("true|false|1|0|yes|no|on|off", re.IGNORECASE)


def inside_a_longer_value(sight: Sight) -> str | None:
    """A placeholder with text around it."""
    # Folders and arguments of programs are filled in piece by piece there as well.
    if not isinstance(sight, Value) or not {"Save", "Run"}.isdisjoint(sight.path):
        return None
    template = getattr(sight.value, "template", sight.value)
    if not isinstance(template, Template) or len(template.parts) == 1:
        return None
    # Facts of the job are ours.
    filled = any(not isinstance(part, str) and part.kind != "fact" for part in template.parts)
    return f'{sight.what}: "{template.source}"' if filled else None


def unknown(sight: Sight) -> str | None:
    """An element or attribute that nothing declares."""
    return sight.what if isinstance(sight, Unknown) else None


def other_letters(sight: Sight) -> str | None:
    """A name in other capital or small letters."""
    return f'{sight.what}, which is "{sight.declared}"' if isinstance(sight, OtherLetters) else None


def without_effect(sight: Sight) -> str | None:
    """What loads without effect."""
    return sight.what if isinstance(sight, WithoutEffect) else None


def undeclared(attribute: str, *nodes: str) -> Look:
    """A node whose attribute names an action that is not declared."""

    def look(sight: Sight) -> str | None:
        if not isinstance(sight, Written) or sight.name not in nodes:
            return None
        name = sight.text(attribute)
        return f'<{sight.element.name}>: {attribute}="{name}"' if name and name not in sight.actions else None

    return look


def update(sight: Sight) -> str | None:
    """An Update of a Print."""
    if not isinstance(sight, Written) or sight.name != "update" or sight.text("field"):
        return None
    return f'<Update action="{sight.text("action")}">'


def switch(sight: Sight) -> str | None:
    """A Switch of a field that only this program takes there."""
    if not isinstance(sight, Written) or sight.name != "switch":
        return None
    field = sight.text("field")
    return None if field.upper() in ("", "CLIENT_HOST_NAME", "PRINTED_FILE_NAME") else f'<Switch field="{field}">'


def refused(sight: Sight) -> str | None:
    """A node or a field that is refused with a word of explanation."""
    if not isinstance(sight, Written) or "workflow" not in sight.holders:
        return None
    if sight.name == "resume":
        return "<Resume>"
    field = sight.text("field")
    if sight.name == "update" and field:
        return f'<Update field="{field}">'
    return f'field="{field}"' if field.upper() in REFUSED_FIELDS else None


def policy_on_a_definition(sight: Sight) -> str | None:
    """A policy on an action's definition."""
    if not isinstance(sight, Written) or not sight.holders or sight.holders[-1] not in ACTIONS:
        return None
    for name in ("onError", "mandatory") if sight.name == "notify" else ("onError",):
        if sight.text(name):
            return f'{name}="{sight.text(name)}" on <{sight.element.name}>'
    return None


def watched_folder(sight: Sight) -> str | None:
    """A watched folder."""
    return "<DropMonitor>" if isinstance(sight, Written) and sight.name == "dropmonitor" else None


def no_message(sight: Sight) -> str | None:
    """A Notify without a text."""
    if not isinstance(sight, Written) or sight.name != "notify" or sight.element.find("Message") is not None:
        return None
    return "<Notify> without a <Message>"


def named_only(*names: str) -> Look:
    """An element of one of these names, with a text."""

    def look(sight: Sight) -> str | None:
        return f"<{sight.path[-1]}>" if isinstance(sight, Value) and sight.path[-1] in names and sight.text else None

    return look


def of_windows(sight: Sight) -> str | None:
    """A path as Windows writes it."""
    return _path(sight, "ImagePath", "Path", "Command") if _is_path(sight, _WINDOWS) else None


def folder_of_windows(sight: Sight) -> str | None:
    """A folder to save into on a drive or a share; one without makes folders by its backslashes everywhere."""
    return _path(sight, "Directory") if _is_path(sight, _DRIVE) else None


def relative(sight: Sight) -> str | None:
    """The path of a picture or a folder that does not begin at the root."""
    inside = _path(sight, "ImagePath") if _is_path(sight, _INSIDE) else None
    return inside or (_path(sight, "Directory") if _is_path(sight, _BELOW) else None)


def relative_program(sight: Sight) -> str | None:
    """The same of a program, which has more than a name."""
    return _path(sight, "Command") if _is_path(sight, _INSIDE) and "/" in sight.text else None


def _is_path(sight: Sight, pattern: re.Pattern[str]) -> TypeGuard[Value]:
    return isinstance(sight, Value) and bool(pattern.match(sight.text))


def _path(sight: Value, *names: str) -> str | None:
    return f'<{sight.path[-1]}>: "{sight.text}"' if sight.path[-1] in names else None


_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|[^/]*\\")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]|\\\\")
_BELOW = re.compile(r"(?![A-Za-z]:[\\/]|\\\\)[^/#~]")
_INSIDE = re.compile(r"(?![A-Za-z]:[\\/]|[^/]*\\)[^/#~]")
