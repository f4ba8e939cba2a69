"""From bytes to elements with positions. Entities are refused, nothing is fetched."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING
from xml.parsers import expat

from dicomprinter.config.tree import Element, Position
from dicomprinter.errors import ConfigError, Problem

if TYPE_CHECKING:
    from pathlib import Path

# A configuration cannot tell how large it may be itself.
MAXIMUM_DEPTH = 100
MAXIMUM_BYTES = 16 * 1024 * 1024
MAXIMUM_ELEMENTS = 100_000
"""Attributes count as well."""

_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_TAG_WITH_ENTITY = re.compile(r"<[^!?/].*&(?!#|(?:amp|lt|gt|quot|apos);)", re.DOTALL)
_END_TAG = re.compile(rb"</\s*([^\s>]+)")
_DECLARED = re.compile(rb"<\?xml[^>]*\sencoding\s*=")
_SAYS_UTF8 = re.compile(rb"\s*[\"']utf-?8", re.IGNORECASE)
_MISMATCHED = expat.errors.codes[expat.errors.XML_ERROR_TAG_MISMATCH]
_UNCLOSED = expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS]
_INVALID = expat.errors.codes[expat.errors.XML_ERROR_INVALID_TOKEN]
_LONGEST_NAME = 80
_AMPERSAND = re.compile(rb"&#?\w*\Z")
_IN_A_VALUE = re.compile(
    rb"<[^\s<>=]+(?:\s+[^\s<>=]+\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'))*\s+[^\s<>=]+\s*=\s*(?:\"[^\"<]*|'[^'<]*)\Z"
)
_TAG = re.compile(rb"</?[^\s<>=]")
_WITHOUT_END = re.compile(rb"</?[^\s<>=]+(?:\s+[^\s<>=]+\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'))*\s*\Z")
_NO_ENTITIES = "entities are not allowed here; write the text itself, or ${VARIABLE}"


class _Refused(Exception):  # noqa: N818 - ends the parse, never leaves this file
    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


class _Builder:
    """Expat's handlers. Expat itself resolves nothing from outside: every entity of the file's own is refused here."""

    def __init__(self, data: bytes) -> None:
        self.parser = expat.ParserCreate(namespace_separator=None)
        # Expat counts a byte order mark as the first character.
        self._mark = 1 if data.startswith(_MARKS) else 0
        self.root: Element | None = None
        self._open: list[Element] = []
        self._texts: list[list[str]] = []
        self._count = 0
        self.parser.buffer_text = True
        # Only what the elements themselves say: no defaults of a DOCTYPE.
        self.parser.specified_attributes = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.EntityDeclHandler = self._entity
        self.parser.ExternalEntityRefHandler = self._entity
        self.parser.SkippedEntityHandler = self._entity

    def _place(self) -> Position:
        return _place(self.parser, self._mark)

    def _refuse(self, message: str) -> _Refused:
        place = self._place()
        return _Refused(message, place.line, place.column)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) >= MAXIMUM_DEPTH:
            raise self._refuse(f"elements are nested deeper than {MAXIMUM_DEPTH}")
        self._count += 1 + len(attributes)
        if self._count > MAXIMUM_ELEMENTS:
            raise self._refuse(f"there are more than {MAXIMUM_ELEMENTS} elements and attributes")
        element = Element(name, self._place(), dict(attributes))
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)
        self._texts.append([])

    def describe(self, error: expat.ExpatError, data: bytes) -> str:
        """What is not well-formed, in words for whoever writes the file."""
        if error.code == _MISMATCHED and self._open:
            # Expat stands behind the `</` of the tag that does not fit.
            found = _END_TAG.match(data, max(self.parser.ErrorByteIndex - 2, 0))
            before = f" before </{found[1].decode('utf-8', 'replace')}>" if found else ""
            return f"<{self._open[-1].name}> opened in line {self._open[-1].position.line} is not closed{before}"
        if error.code == _UNCLOSED and self._open:
            return f"<{self._open[-1].name}> opened in line {self._open[-1].position.line} is not closed"
        if error.code == _INVALID and not _names_encoding(data) and not _is_utf8(data):
            return "the file is not UTF-8: save it as UTF-8, or name its encoding in the first line"
        if not data.removeprefix(codecs.BOM_UTF8).strip():
            return "the file is empty"
        if error.code == _INVALID:
            return _slip(data, self.parser.ErrorByteIndex) or expat.ErrorString(error.code)
        return expat.ErrorString(error.code)

    def _end(self, _name: str) -> None:
        self._open.pop().text = "".join(self._texts.pop())

    def _characters(self, text: str) -> None:
        self._texts[-1].append(text)

    def _entity(self, *_: object) -> int:
        raise self._refuse(_NO_ENTITIES)


def _slip(data: bytes, index: int) -> str:
    """What is written wrongly at a byte that expat does not take; empty when that is not plain to see."""
    if _AMPERSAND.search(data[max(index - _LONGEST_NAME, 0) : index]):
        return "an & that stands for itself; write &amp;"
    tag = data[data.rfind(b"<", 0, index) : index]
    if _TAG.match(data, index) and _WITHOUT_END.match(tag):
        return "the tag before this one is not closed with >"
    if data[index : index + 1] == b"<" and _IN_A_VALUE.match(tag):
        return "a < inside an attribute's value; a closing quote is missing in this line or one above, or write &lt;"
    return ""


def _names_encoding(data: bytes) -> bool:
    """Whether the file is in UTF-16 or says something other than UTF-8."""
    declared = _DECLARED.match(data.removeprefix(codecs.BOM_UTF8))
    return data.startswith(_MARKS[1:]) or (declared is not None and not _SAYS_UTF8.match(data, declared.end()))


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _place(parser: expat.XMLParserType, mark: int) -> Position:
    line, column = parser.CurrentLineNumber, parser.CurrentColumnNumber + 1
    return Position(line, column - mark if line == 1 else column)


def _refuse_entities_in_attributes(data: bytes) -> None:
    """Where a DOCTYPE names a DTD, expat drops an unknown entity in an attribute without a word: look at the tags."""
    parser = expat.ParserCreate()
    mark = 1 if data.startswith(_MARKS) else 0
    tags: list[tuple[Position, list[str]]] = [(Position(1, 1), [])]

    def gather(text: str) -> None:
        # A long tag comes in pieces; only the first begins with <.
        if text.startswith("<"):
            tags.append((_place(parser, mark), []))
        tags[-1][1].append(text)

    def pass_over(*_: object) -> None:
        """What is neither a tag nor part of a DOCTYPE."""

    parser.DefaultHandler = gather
    parser.CharacterDataHandler = parser.CommentHandler = parser.ProcessingInstructionHandler = pass_over
    parser.XmlDeclHandler = parser.StartCdataSectionHandler = parser.EndCdataSectionHandler = pass_over
    parser.Parse(data, True)
    for place, pieces in tags:
        if _TAG_WITH_ENTITY.match("".join(pieces)):
            raise _Refused(_NO_ENTITIES, place.line, place.column)


def parse(data: bytes, file: Path) -> Element:
    """Read a document into elements.

    Raises:
        ConfigError: the document is not well-formed, declares or uses an entity, or is far too large.
    """
    if len(data) > MAXIMUM_BYTES:
        raise ConfigError([Problem(file, 1, 1, f"the file is larger than {MAXIMUM_BYTES // 1024 // 1024} MB")])
    builder = _Builder(data)
    try:
        builder.parser.Parse(data, True)
        _refuse_entities_in_attributes(data)
    except expat.ExpatError as error:
        message = f"not well-formed XML: {builder.describe(error, data)}"
        raise ConfigError([Problem(file, error.lineno, error.offset + 1, message)]) from None
    except _Refused as error:
        raise ConfigError([Problem(file, error.line, error.column, str(error))]) from None
    except (LookupError, ValueError):
        # Raised by expat for an encoding that Python does not know, or one that it cannot map.
        raise ConfigError(
            [Problem(file, 1, 1, "the encoding in the XML declaration is not known; use UTF-8")]
        ) from None
    if builder.root is None:  # expat has refused a document without an element; this tells the type checker
        raise ConfigError([Problem(file, 1, 1, "the file holds no element")])
    return builder.root
