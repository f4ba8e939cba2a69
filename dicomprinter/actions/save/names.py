"""What a Save calls its files: patterns filled in from an object, without what a file system could not take."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pydicom import Dataset

    from dicomprinter.config.placeholders import Template
    from dicomprinter.job.job import Job

# A File ID has at most 8 components of at most 8 characters (PS3.10 8.2).
_COMPONENT: Final = re.compile(r"[A-Z0-9_]{1,8}")
_MOST_COMPONENTS: Final = 8
_LONGEST: Final = 8
_DIGITS: Final = 6
_SEPARATORS: Final = re.compile(r"[/\\]")
_UNSAFE: Final = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*\ud800-\udfff]')
# Names of devices, whatever their ending (Windows).
_DEVICE: Final = re.compile(r"(CON|PRN|AUX|NUL|COM[0-9¹²³]|LPT[0-9¹²³])(\..*)?", re.IGNORECASE)
_ENDING: Final = re.compile(r"\.[A-Za-z0-9]{1,5}\Z")
# A name has at most 255 bytes nearly everywhere; a number and endings come after it.
_MOST_BYTES: Final = 200


@dataclass(frozen=True)
class Place:
    """Where an object goes.

    Args:
        root: the folder that `Directory` gives; a DICOMDIR lies there.
        below: the folders below it that `Filename` gives.
        stem: what the name begins with.
        ending: what follows the number, mostly nothing.
        digits: of the number at least; a longer one is written whole.
    """

    root: Path
    below: tuple[str, ...]
    stem: str
    ending: str
    digits: int = _DIGITS

    @property
    def folder(self) -> Path:
        """The folder of the file itself."""
        return self.root.joinpath(*self.below)

    def file(self, number: int) -> Path:
        """The file of a number."""
        return self.folder / f"{self.stem}_{number:0{self.digits}d}{self.ending}"


@dataclass(frozen=True)
class ObjectSource:
    """Where the placeholders of one object find their values: in the object itself, else in its job.

    Args:
        job: whose object this is.
        header: the object without its pixels.
    """

    job: Job
    header: Dataset

    def moment(self) -> datetime:
        """The job's."""
        return self.job.moment()

    def fact(self, name: str) -> str:
        """The job's."""
        return self.job.fact(name)

    def tag_text(self, tag: int) -> str | None:
        """The object's own value, else the job's."""
        element = self.header.get(tag)
        if element is None or element.VR in ("SQ", "OB", "OW", "UN") or element.value is None:
            return self.job.tag_text(tag)
        values = element.value if element.VM > 1 else [element.value]
        return "\\".join(str(value) for value in values)

    def fresh_uid(self, place: str) -> str:
        """The job's."""
        return self.job.fresh_uid(place)


@dataclass(frozen=True)
class Names:
    """The patterns of a Save.

    Args:
        directory: of the folder.
        filename: of what the names begin with; separators in it make folders below that one.
        name: the action's.
        outside: where a folder outside the spool lies.
    """

    directory: Template
    filename: Template
    name: str
    outside: Callable[[Path], Path]

    @property
    def depth(self) -> int:
        """How many folders a pattern without placeholders makes below the one of `Directory`."""
        return len([piece for piece in _SEPARATORS.split(self.filename.source) if piece]) - 1

    def place(self, source: ObjectSource, missing: dict[str, None]) -> Place:
        """Where an object goes; placeholders without a value come into `missing`."""
        root = self.root(source, missing)
        literal_ending = _ending(self.filename)
        pieces = self._filled(self.filename, source, "Filename", missing)
        *below, last = pieces or ["_"]
        stem = last.removesuffix(literal_ending) or "_"
        digits = _LONGEST - 1 - len(stem) if is_listable(self.filename) else _DIGITS
        return Place(root, tuple(below), stem, literal_ending, min(digits, _DIGITS))

    def root(self, source: ObjectSource, missing: dict[str, None]) -> Path:
        """The folder that `Directory` gives."""
        parts = self.directory.parts
        first = parts[0] if parts and isinstance(parts[0], str) else ""
        # Of an absolute path what comes before the folders: `/`, `C:\\`, `\\\\server\\share\\`.
        anchor = Path(first).anchor
        pieces = self._filled(self.directory, source, "Directory", missing, skip=len(anchor))
        return self.outside(Path(anchor, *pieces))

    def _filled(
        self, template: Template, source: ObjectSource, what: str, missing: dict[str, None], *, skip: int = 0
    ) -> list[str]:
        """The components of a pattern: separators in the pattern itself divide, those in a value do not."""
        found: list[tuple[str, bool]] = [("", False)]
        for index, part in enumerate(template.parts):
            if isinstance(part, str):
                first, *others = _SEPARATORS.split(part[skip:] if index == 0 else part)
                found[-1] = (found[-1][0] + first, found[-1][1])
                found += [(other, False) for other in others]
                continue
            value = part.expand(source, f"{self.name}/{what}#{index}")
            if value is None:
                missing["#{" + part.text + "}"] = None
            found[-1] = (found[-1][0] + _UNSAFE.sub("_", value or ""), True)
        return [component(text) if has_value else text for text, has_value in found if text or has_value]


def component(text: str) -> str:
    """A folder's or a file's name of what a job says, one that every file system takes."""
    safe = _UNSAFE.sub("_", unicodedata.normalize("NFC", text)).strip()
    # A folder that begins with a dot is one that nobody sees.
    safe = "_" + safe.lstrip(".") if safe.startswith(".") else safe
    # Windows drops dots and spaces at the end; `.` and `..` would lead elsewhere.
    shown = safe.encode("utf-8")[:_MOST_BYTES].decode("utf-8", "ignore").rstrip(". ")
    if not shown:
        return "_"
    return f"_{shown}" if _DEVICE.fullmatch(shown) else shown


def is_listable(filename: Template) -> bool:
    """Whether the names of a pattern are File IDs (PS3.10 8.2), so that a DICOMDIR can list them."""
    if not filename.is_literal:
        return False
    *below, last = [piece for piece in _SEPARATORS.split(filename.source) if piece] or [""]
    if len(below) >= _MOST_COMPONENTS or not all(_COMPONENT.fullmatch(piece) for piece in below):
        return False
    # An underscore and a digit at least come after it.
    return bool(_COMPONENT.fullmatch(last)) and len(last) <= _LONGEST - 2


def file_id(root: Path, file: Path) -> tuple[str, ...] | None:
    """A file's ID in the File-set of a folder; None for a name that is none."""
    if not file.is_relative_to(root):
        return None
    parts = file.relative_to(root).parts
    is_legal = 0 < len(parts) <= _MOST_COMPONENTS and all(_COMPONENT.fullmatch(part) for part in parts)
    return parts if is_legal else None


def _ending(filename: Template) -> str:
    """`.dcm`, say, that the pattern itself ends with: the number comes before it."""
    last = filename.parts[-1] if filename.parts else ""
    match = _ENDING.search(last) if isinstance(last, str) else None
    return match[0] if match else ""
