"""What an attribute's or an element's text may be: each kind reads it or says why it cannot."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dicomprinter.config.placeholders import Template
from dicomprinter.dicom.character_sets import is_known
from dicomprinter.dicom.pcre import compiled
from dicomprinter.dicom.tags import parse_tag, refused_in_a_job, tag_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class Kind:
    """A kind of value.

    Args:
        name: for messages and the reference, e.g. `a whole number`.
        parse: from trimmed text to the value; raises ValueError with a message for the user.
        choices: the canonical spellings, where there are only some.
        trim: whether white space around the text is dropped.
        write: from the value back to its canonical text; None keeps the text as it stands.
    """

    name: str
    parse: Callable[[str], Any]
    choices: tuple[str, ...] = ()
    trim: bool = True
    write: Callable[[Any], str] | None = None


# Red, green, blue, alpha, 0 to 255 each; alpha 255 is opaque.
Colour = tuple[int, int, int, int]

_COLOUR = re.compile(r"(?:0x)?([0-9A-F]{2})?([0-9A-F]{2})([0-9A-F]{2})([0-9A-F]{2})", re.IGNORECASE)
# As many digits as any value needs; Python's own reading also takes 1_000, and has no end.
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]{1,18}(?:\.[0-9]{0,18})?|\.[0-9]{1,18})")
# In difflib's ratio: how near a word has to be so that it is clearly meant.
_NEAR = 0.65
_TRUE = ("true", "1", "yes", "on")
_FALSE = ("false", "0", "no", "off")


def _boolean(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError(f'"{text}" is neither true nor false (true/false, 1/0, yes/no, on/off)')


def _nonempty(text: str) -> str:
    if not text:
        raise ValueError("must not be empty")
    return text


def _tag(text: str) -> Any:
    return parse_tag(text)


def _settable_tag(text: str) -> Any:
    tag = parse_tag(text)
    reason = refused_in_a_job(tag)
    if reason:
        raise ValueError(f"{tag_name(tag)} cannot be set: {reason}")
    return tag


def _pattern(text: str) -> Any:
    try:
        return compiled(text)
    except ValueError as error:
        raise ValueError(f'"{text}" is not a regular expression: {error}') from None


def _character_set(text: str) -> str:
    terms = [term.strip() for term in text.split("\\")]
    if not any(terms) or not is_known(text):
        raise ValueError(f'"{text}" is not a Specific Character Set; write ISO_IR 100, ISO_IR 192 or another of PS3.3')
    return "\\".join(terms)


def _ae_title(text: str) -> str:
    if "#{" in text:
        raise ValueError("placeholders do not work in an AE title; write the title itself, or ${VARIABLE}")
    if not 1 <= len(text) <= 16 or not all(" " <= character <= "~" and character != "\\" for character in text):
        raise ValueError(f'"{text}" is not an AE title (1 to 16 ASCII characters, no backslash)')
    return text


def _host(text: str) -> str:
    if not text or any(character.isspace() or character in '/\\#{}<>"' for character in text):
        raise ValueError(f'"{text}" is not a host name or an address')
    return text


def _colour(text: str) -> Colour:
    match = _COLOUR.fullmatch(text)
    if not match:
        raise ValueError(f'"{text}" is not a colour; write RRGGBB or AARRGGBB in hexadecimal digits')
    alpha, red, green, blue = (int(digits, 16) for digits in (match[1] or "FF", match[2], match[3], match[4]))
    return red, green, blue, alpha


def _timeout(text: str) -> float | None:
    seconds: float = decimal(-1, 86400).parse(text)
    if -1 < seconds <= 0:
        raise ValueError(f"{text} is not a number of seconds above 0, or -1 for none")
    return None if seconds < 0 else seconds


def _limits(low: float, high: float | None) -> str:
    return f" of at least {low}" if high is None else f" from {low} to {high}"


def integer(low: int, high: int | None = None, what: str = "a whole number") -> Kind:
    """A whole number of at least `low`, and at most `high` if there is one."""
    limits = _limits(low, high)

    def parse(text: str) -> int:
        if not _INTEGER.fullmatch(text):
            raise ValueError(f'"{text}" is not {what}{limits}')
        number = int(text)
        if number < low or (high is not None and number > high):
            raise ValueError(f"{number} is not {what}{limits}")
        return number

    return Kind(what + limits, parse, write=str)


def decimal(low: float, high: float | None = None) -> Kind:
    """A decimal number of at least `low`, and at most `high` if there is one."""
    limits = _limits(low, high)

    def parse(text: str) -> float:
        if not _DECIMAL.fullmatch(text):
            raise ValueError(f'"{text}" is not a number{limits}')
        number = float(text)
        if number < low or (high is not None and number > high):
            raise ValueError(f"{text} is not a number{limits}")
        return number

    return Kind("a number" + limits, parse)


def _clearly_meant(text: str, known: Mapping[str, str]) -> str | None:
    """What a misspelt word stands for; None when that may be several: a guess would be taken for advice."""
    beginnings = {meant for word, meant in known.items() if text.startswith(word)}
    beginnings = beginnings or {meant for word, meant in known.items() if word.startswith(text)}
    if beginnings:
        return beginnings.pop() if len(beginnings) == 1 else None
    near = difflib.get_close_matches(text, known, n=1, cutoff=_NEAR)
    return known[near[0]] if near else None


def choice(*spellings: str, also: dict[str, str] | None = None) -> Kind:
    """One of some words, whatever their case; `also` maps other accepted words to these."""
    known = {spelling.lower(): spelling for spelling in spellings} | {k.lower(): v for k, v in (also or {}).items()}

    def parse(text: str) -> str:
        if text.lower() not in known:
            meant = _clearly_meant(text.lower(), known)
            hint = f'; did you mean "{meant}"?' if meant else f"; choose one of {', '.join(spellings)}"
            raise ValueError(f'"{text}" is not allowed here{hint}')
        return known[text.lower()]

    return Kind(" | ".join(spellings), parse, choices=spellings, write=str)


TEXT = Kind("text", str)
VERBATIM = Kind("text, blanks kept", str, trim=False)
NAME = Kind("a name", _nonempty)
BOOLEAN = Kind("true or false", _boolean, choices=("true", "false"), write=lambda value: "true" if value else "false")
TAG = Kind("a tag (gggg,eeee) or a keyword", _tag, write=lambda tag: f"{tag.group:04X},{tag.element:04X}")
SETTABLE_TAG = Kind("a tag that a job may set", _settable_tag, write=TAG.write)
PATTERN = Kind("a regular expression", _pattern)
CHARACTER_SET = Kind("a Specific Character Set", _character_set, write=str)
AE_TITLE = Kind("an AE title", _ae_title)
MILLISECONDS = integer(0, 2**31 - 1, "a number of milliseconds")
SIDE = integer(1, 65535, "a number of pixels")
PERCENT = decimal(0, 100)
COLOUR = Kind("a colour, RRGGBB or AARRGGBB", _colour)
HOST = Kind("a host name or address", _host)
PORT = integer(1, 65535, "a port")
TIMEOUT = Kind("seconds, -1 for none", _timeout)
TEMPLATE = Kind("text with placeholders", Template.parse)
NONEMPTY_TEMPLATE = Kind("text with placeholders, not empty", lambda text: Template.parse(_nonempty(text)))
VR = choice(
    "AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "LT", "OB", "OD", "OF", "OL", "OV", "OW", "PN",
    "SH", "SL", "SQ", "SS", "ST", "SV", "TM", "UC", "UI", "UL", "UN", "UR", "US", "UT", "UV",
)  # fmt: skip
