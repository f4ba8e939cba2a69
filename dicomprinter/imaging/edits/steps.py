"""The edits of one page, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dicomprinter.dicom.page import Form, Page
from dicomprinter.errors import InputError, PermanentError
from dicomprinter.imaging.edits.base import Note, PageEdit
from dicomprinter.imaging.edits.registry import edit_from_json
from dicomprinter.imaging.limits import Limits
from dicomprinter.imaging.refusals import check_size


@dataclass(frozen=True)
class Step:
    """One edit of one page.

    Args:
        kind: of the edit.
        arguments: of the edit, as JSON text.
        number: of the page in the job when the edit was asked for, from 1.
    """

    kind: str
    arguments: str
    number: int


@dataclass(frozen=True)
class Steps:
    """The edits of one page, the first one first.

    Args:
        folder: the job's, below which the files lie that edits name.
        steps: the edits.
    """

    folder: Path
    steps: tuple[Step, ...]

    def to_message(self) -> dict[str, Any]:
        """As it goes to the decoder's child."""
        return {"folder": str(self.folder), "steps": [step.__dict__ for step in self.steps]}

    @classmethod
    def from_message(cls, message: dict[str, Any]) -> Steps:
        """In the decoder's child."""
        return cls(Path(message["folder"]), tuple(Step(**step) for step in message["steps"]))

    def apply(self, page: Page, limits: Limits, note: Note) -> Page:
        """The page after all of them.

        Raises:
            PermanentError: one cannot be done to this page, or would make it larger than the limits allow.
        """
        for step in self.steps:
            edit = self._edit(step)
            with _refusing(edit, step.number):
                _size(edit, page.form, step.number, limits)
                page = edit.apply(page, step.number, note, limits)
        return page

    def form(self, form: Form, limits: Limits) -> Form | None:
        """The form that `apply` gives a page of this one; None where that shows in the page's pixels alone.

        Raises:
            PermanentError: as `apply`, as far as the form tells.
        """
        for step in self.steps:
            edit = self._edit(step)
            with _refusing(edit, step.number):
                columns, rows = _size(edit, form, step.number, limits)
            if edit.shows_in_pixels:
                return None
            form = replace(form, rows=rows, columns=columns)
        return form

    def _edit(self, step: Step) -> PageEdit:
        return edit_from_json(step.kind, step.arguments).below(self.folder)


def _size(edit: PageEdit, form: Form, number: int, limits: Limits) -> tuple[int, int]:
    columns, rows = edit.size(form, number)
    check_size(columns, rows, limits, "the page would have ", "ask for a smaller page")
    return columns, rows


@contextmanager
def _refusing(edit: PageEdit, number: int) -> Iterator[None]:
    what = f"page {number} cannot be changed ({edit.kind})"
    try:
        yield
    except PermanentError:
        raise
    except InputError as error:
        raise PermanentError(what, cause=error.cause or error.what, remedy=error.remedy) from error
    except MemoryError:
        raise PermanentError(what, cause="it takes more memory than is allowed", remedy="shrink the page") from None
    # numpy, Pillow and what else draws raise whatever an odd page or a damaged picture leads to.
    except (ArithmeticError, LookupError, OSError, RuntimeError, TypeError, ValueError) as error:
        raise PermanentError(what, cause=type(error).__name__, remedy="look at the action's values") from error
