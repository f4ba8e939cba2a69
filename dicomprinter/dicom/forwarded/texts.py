"""The bytes of a text and its characters, exactly (PS3.5 6.1)."""

from __future__ import annotations

import re
from typing import Final

from pydicom import charset
from pydicom.valuerep import PN_DELIMS, TEXT_VR_DELIMS

from dicomprinter.dicom.text import ONE_VALUE_VRS

# PS3.5 6.1.2.3: the representations that Specific Character Set governs.
GOVERNED: Final = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
# Where code extensions fall back to the first set (PS3.5 6.1.2.5.3).
_RESETS: Final = re.compile(r"([\\\r\n\t\f])")
_NAME_RESETS: Final = re.compile(r"([\\^=])")
_MISSPELT: Final = re.compile(r"ISO[ _-]?(2022)?[ _-]?IR[ _-]?(\d+)", re.IGNORECASE)
_REPLACEMENT: Final = "\ufffd"


class UndecodableError(ValueError):
    """Bytes that the character set does not have, or a set that is unknown."""


def decode(data: bytes, terms: tuple[str, ...], vr: str) -> str:
    """The characters of a whole value, padding and separators included.

    Raises:
        UndecodableError: not all of it can be told for certain.
    """
    if data.isascii() and b"\x1b" not in data:
        return data.decode("ascii")
    known = _known(terms)
    if known == ("",):
        raise UndecodableError
    try:
        if len(known) == 1 and not known[0].startswith("ISO 2022"):
            return data.decode(charset.python_encoding[known[0]])
        text = _with_extensions(data, known, vr)
    except (UnicodeDecodeError, LookupError):
        raise UndecodableError from None
    if _REPLACEMENT in text or "\x1b" in text:
        raise UndecodableError
    return text


def decode_anyhow(data: bytes, terms: tuple[str, ...], vr: str) -> str:
    """As `decode`; what cannot be told is read as Latin 1 where no set is named, else replaced by U+FFFD."""
    try:
        return decode(data, terms, vr)
    except UndecodableError:
        if terms == ("",):
            return data.decode("latin-1")
        name = charset.python_encoding.get(_corrected(terms[0]), "ascii")
        return data.decode(name, "replace")


def encode(text: str, terms: tuple[str, ...], vr: str) -> bytes:
    """The bytes of a text that `dicom.character_sets.narrowest` has let pass for these terms."""
    if len(terms) == 1 and not terms[0].startswith("ISO 2022"):
        return text.encode(charset.python_encoding[terms[0]] if terms[0] else "ascii")
    encodings = charset.convert_encodings(list(terms))
    resets = _NAME_RESETS if vr == "PN" else _RESETS
    return b"".join(charset.encode_string(part, encodings) for part in resets.split(text) if part)


def split(text: str, vr: str) -> list[str]:
    """The values of a text, without padding."""
    if vr in ONE_VALUE_VRS:
        return [text.rstrip("\0 ")]
    return [value.strip("\0 ") for value in text.split("\\")]


def _with_extensions(data: bytes, terms: tuple[str, ...], vr: str) -> str:
    encodings = charset.convert_encodings(list(terms))
    delimiters = {*PN_DELIMS, ord("=")} if vr == "PN" else TEXT_VR_DELIMS
    return charset.decode_bytes(data, encodings, {*delimiters, ord("\\")})


def _known(terms: tuple[str, ...]) -> tuple[str, ...]:
    corrected = tuple(_corrected(term) for term in terms)
    if not all(term in charset.python_encoding for term in corrected):
        raise UndecodableError
    return corrected


def _corrected(term: str) -> str:
    """`ISO-IR 100` and the like are seen in the field."""
    match = _MISSPELT.fullmatch(term)
    if match is None or term in charset.python_encoding:
        return term
    return f"ISO 2022 IR {match[2]}" if match[1] else f"ISO_IR {match[2]}"
