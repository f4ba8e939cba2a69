"""What printers have confirmed: the lines of a job's `printed.jsonl`."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from dicomprinter.job import lines
from dicomprinter.job.values import made, texts

if TYPE_CHECKING:
    from pathlib import Path

_FILE: Final = "printed.jsonl"


@dataclass(frozen=True)
class Film:
    """A film that goes to a printer, or a printer's answer for it.

    Args:
        action: the Print's name.
        peer: `AET@host:port`.
        pages: what is on it, in the order of its images.
        updates: the paths of the Updates that the job had passed: a changed Print prints its pages anew.
        status: None before the printer is asked to print; it may have printed although its answer never came.
        printed: whether the printer has confirmed it.
    """

    action: str
    peer: str
    pages: tuple[str, ...]
    updates: tuple[str, ...]
    status: int | None
    printed: bool

    def to_json(self) -> dict[str, Any]:
        """As it goes into `printed.jsonl`."""
        return dict(self.__dict__)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """From `printed.jsonl`.

        Raises:
            TypeError, KeyError: it is something else.
        """
        return made(cls, {**data, "pages": texts(data["pages"]), "updates": texts(data["updates"])})


def add_film(folder: Path, film: Film) -> None:
    """Add a line, which survives a loss of power when this returns."""
    lines.append_for_good(folder / _FILE, film.to_json())


def read_films(folder: Path) -> list[Film]:
    """Every film that was written down, in order."""
    found = []
    for line in lines.read(folder / _FILE):
        with suppress(LookupError, TypeError):
            found.append(Film.from_json(line))
    return found
