"""Tags as people write them: `0010,0020`, `(0010,0020)`, `00100020`, `(10,20)` or a keyword."""

from __future__ import annotations

import difflib
import re
from functools import cache

from dicomprinter.dicom import dictionary

_PAIR = re.compile(r"\(?\s*([0-9A-Fa-f]+)\s*,\s*([0-9A-Fa-f]+)\s*\)?")
_EIGHT = re.compile(r"[0-9A-Fa-f]{8}")
_PIXEL_DESCRIPTION = range(0x00280002, 0x00280110)


class Tag(int):
    """A tag as a number; it equals that of pydicom, which takes it wherever it takes its own."""

    __slots__ = ()

    @property
    def group(self) -> int:
        """Its first four digits."""
        return self >> 16

    @property
    def element(self) -> int:
        """Its last four digits."""
        return self & 0xFFFF

    @property
    def is_private(self) -> bool:
        """Whether its group is odd (PS3.5 7.8)."""
        return bool(self.group & 1)

    @property
    def is_private_creator(self) -> bool:
        """Whether it reserves a block of private tags (PS3.5 7.8.1)."""
        return self.is_private and 0x0010 <= self.element < 0x0100

    def __repr__(self) -> str:
        return f"({self.group:04X},{self.element:04X})"


@cache
def _keywords() -> dict[str, str]:
    return {keyword.lower(): keyword for keyword in dictionary.keywords()}


def parse_tag(text: str) -> Tag:
    """Read a tag in any of the spellings above; keywords match whatever their case.

    Raises:
        ValueError: with the nearest keyword when there is one.
    """
    text = text.strip()
    pair = _PAIR.fullmatch(text)
    if pair and text.startswith("(") == text.endswith(")"):
        if not _is_whole(pair[1], pair[2]):
            raise ValueError(f'"{text}" is not a tag; write four digits, a comma and four digits, as in 0010,0020')
        return Tag(int(pair[1], 16) << 16 | int(pair[2], 16))
    if _EIGHT.fullmatch(text):
        return Tag(int(text, 16))
    keyword = _keywords().get(text.lower())
    if keyword:
        return Tag(dictionary.keywords()[keyword])
    raise ValueError(f'"{text}" is neither a tag (gggg,eeee) nor a DICOM keyword{suggest_keyword(text)}')


def _is_whole(group: str, element: str) -> bool:
    """Four digits each, or short without the zeros in front: `8,103E`. Of `0008,002` a digit got lost, maybe the 8."""
    if len(group) == 4:
        return len(element) == 4
    is_short = not group.startswith("0") and not element.startswith("0")
    return len(element) <= 4 and len(group) < 4 and (is_short or max(len(group), len(element)) <= 2)


def suggest_keyword(text: str) -> str:
    """`; did you mean "PatientID"?` for a near miss, else the empty text."""
    near = difflib.get_close_matches(text.lower(), _keywords(), n=1, cutoff=0.75)
    return f'; did you mean "{_keywords()[near[0]]}"?' if near else ""


def tag_text(tag: int) -> str:
    """`(0010,0020)`, upper case."""
    return repr(Tag(tag))


def tag_name(tag: int) -> str:
    """`PatientID (0010,0020)`, or the number alone where the dictionary knows no keyword."""
    keyword = dictionary.keyword(tag)
    return f"{keyword} {tag_text(tag)}" if keyword else tag_text(tag)


def dictionary_vr(tag: int, creator: str | None = None) -> str | None:
    """The tag's value representation, the first one where the dictionary allows several; None if unknown."""
    vr = _private_vr(tag, creator) if Tag(tag).is_private and creator else dictionary.vr(tag)
    return vr.split(" or ")[0] if vr else None


def _private_vr(tag: int, creator: str) -> str | None:
    from pydicom.datadict import private_dictionary_VR  # noqa: PLC0415 - `dicom.dictionary` says why not above

    try:
        return private_dictionary_VR(tag, creator)
    except KeyError:
        return None


def refused_in_a_job(tag: int) -> str | None:
    """Why a configuration may not set this tag, or None: the object's builder owns these (PS3.3 C.7.6.3, C.12.1)."""
    tag = Tag(tag)
    if tag.group == 0x0002:
        return "group 0002 belongs to the file, not to the object"
    if tag in (0x00080016, 0x00080018):
        return "the object's class and instance UID are made by the Store"
    if int(tag) in _PIXEL_DESCRIPTION or tag.group == 0x7FE0:
        return "the description of the pixels comes from the page"
    return None
