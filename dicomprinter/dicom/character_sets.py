"""The narrowest character set that loses nothing (PS3.3 C.12.1.1.2, PS3.5 6.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableSequence
from typing import TYPE_CHECKING, Final

from dicomprinter.dicom.tags import tag_name
from dicomprinter.errors import PermanentError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# Those that pydicom can write: PS3.3 tables C.12-2 to C.12-5, and spellings that are met with.
_TERMS: Final = frozenset(
    {"", "GB18030", "GBK", "ISO 2022 58", "ISO 2022 GBK"}
    | {f"ISO_IR {number}" for number in (6, 13, 100, 101, 109, 110, 126, 127, 138, 144, 148, 166, 192)}
    | {
        f"ISO 2022 IR {number}"
        for number in (6, 13, 58, 87, 100, 101, 109, 110, 126, 127, 138, 144, 148, 149, 159, 166)
    }
)
_LINE_ENDS: Final = re.compile(rb"[\t\n\f\r]")
# PS3.5 6.1.2.3: the representations that Specific Character Set governs.
_GOVERNED: Final = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})


def narrowest(dataset: Dataset, wished: str | None = None) -> str:
    """The set that the dataset's text needs: `` (ASCII), `ISO_IR 100`, `ISO_IR 192`, or the wished one.

    Args:
        dataset: its text is Unicode; items of sequences count.
        wished: a value of Specific Character Set, several between backslashes.

    Raises:
        PermanentError: the wished set is unknown or cannot hold a text; names the tag.
    """
    if wished is not None:
        _check(dataset, wished)
        return "" if wished == "ISO_IR 6" else wished
    widest = ""
    for _, _, text in _texts(dataset):
        if not text.isascii():
            try:
                text.encode("latin_1")
            except UnicodeEncodeError:
                return "ISO_IR 192"
            widest = "ISO_IR 100"
    return widest


def write_in(dataset: Dataset, character_set: str) -> None:
    """Declare the set in the dataset; its items take it over, so that one set governs the whole object."""
    if character_set:
        dataset.SpecificCharacterSet = character_set.split("\\")
    elif "SpecificCharacterSet" in dataset:
        del dataset.SpecificCharacterSet


def is_known(character_set: str) -> bool:
    """Whether this is a defined term, or several between backslashes, that can be written."""
    return all(term.strip() in _TERMS for term in character_set.split("\\"))


def _check(dataset: Dataset, wished: str) -> None:
    if not is_known(wished):
        raise PermanentError(
            f'the character set "{wished}" is unknown',
            remedy="use a defined term of Specific Character Set, such as ISO_IR 100 or ISO_IR 192",
        )
    terms = [term.strip() for term in wished.split("\\")]
    for tag, vr, text in _texts(dataset):
        if not text.isascii() and not all(_holds(terms, piece) for piece in _pieces(vr, text)):
            raise PermanentError(
                f"{tag_name(tag)} cannot be written in the character set {wished}",
                cause="it holds characters that the set has not, or that would not be read back for certain",
                remedy="name ISO_IR 192 in CharacterSet, or none",
            )


def _holds(terms: list[str], text: str) -> bool:
    from pydicom import charset  # noqa: PLC0415 - `dicom.dictionary` says why not above

    # pydicom takes Latin 1 for the default repertoire.
    if len(terms) == 1:
        if terms[0] in ("", "ISO_IR 6", "ISO 2022 IR 6"):
            return text.isascii()
        encoding = charset.python_encoding[terms[0]]
        try:
            # Letters and half-width kana in one text are allowed, but pydicom writes "?" for the second kind of them.
            is_kana = encoding == "shift_jis" and text
            encoded = charset.custom_encoders[encoding](text) if is_kana else text.encode(encoding)
        except UnicodeEncodeError:
            return False
        # What a reader takes for another character (a yen for the backslash in its place) is not held.
        return encoded.decode(encoding, "replace") == text
    # Asked one character at a time first: where one has no place, pydicom writes "?" and only warns.
    if not all(any(_holds([term], char) for term in terms) for char in text):
        return False
    encodings = charset.convert_encodings(terms)
    written = charset.encode_string(text, encodings)
    # Where the first value designates no second half, only an escape sequence may (PS3.5 6.1.2.5.2), and after the end
    # of a line that has to come again (6.1.2.5.3). pydicom writes neither.
    is_plain = all(line.split(b"\x1b")[0].isascii() for line in _LINE_ENDS.split(written))
    if terms[0] in ("", "ISO_IR 6", "ISO 2022 IR 6") and not is_plain:
        return False
    return charset.decode_bytes(written, encodings, set(b"\t\n\f\r")) == text


def _pieces(vr: str, text: str) -> list[str]:
    """What is written with an escape sequence of its own: in names each component of each group (PS3.5 6.1.2.5.3)."""
    return re.split(r"[=^]", text) if vr == "PN" else [text]


def _texts(dataset: Dataset) -> Iterator[tuple[int, str, str]]:
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield from _texts(item)
        elif element.VR in _GOVERNED and element.value:
            values = element.value if isinstance(element.value, MutableSequence | tuple) else [element.value]
            for value in values:
                yield int(element.tag), element.VR, str(value)
