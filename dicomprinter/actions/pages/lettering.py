"""The text of a PrintText and the fonts that this machine has for it; imported when the first one is performed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dicomprinter.imaging.edits import print_text
from dicomprinter.imaging.fonts.choice import choose
from dicomprinter.imaging.fonts.folders import font_folders, installed, own_font
from dicomprinter.imaging.fonts.letters import clean, runs_backwards

if TYPE_CHECKING:
    from dicomprinter.actions.pages.print_text import PrintText
    from dicomprinter.imaging.fonts.choice import Choice
    from dicomprinter.job.job import Job

# More than a page can show.
_LONGEST: Final = 100_000


def text_edit(action: PrintText, job: Job) -> print_text.PrintText | None:
    """What is done to each page; None when nothing would be seen."""
    text = job.expand(action.text, f"{action.name}/Text")
    if len(text) > _LONGEST:
        text = text[:_LONGEST]
        job.note(f"{action.name}: only the first {_LONGEST} characters of the text are written", level="WARN")
    text = clean(text)
    if not text.strip() and action.background[3] == 0:
        return None
    written = {character for character in text if not character.isspace()}
    chosen = choose(action.font_family, written, installed(font_folders()), own_font())
    _tell(action, job, chosen)
    if runs_backwards(text):
        job.note(
            f"{action.name}: the text has letters that run from right to left; they are written from left to right",
            level="WARN",
        )
    place, alignment = action.rectangle, action.alignment
    return print_text.PrintText(
        text=text,
        x=place.x,
        y=place.y,
        width=place.width,
        height=place.height,
        colour=action.colour,
        background=action.background,
        font_height=action.font_height,
        fonts=tuple((face.file, face.index, characters) for face, characters in chosen.fonts),
        across=alignment.across,
        down=alignment.down,
    )


def _tell(action: PrintText, job: Job, chosen: Choice) -> None:
    if not chosen.is_named:
        # Lines break at the same places in a font that is as wide.
        level = "INFO" if chosen.is_as_wide else "WARN"
        family = chosen.fonts[0][0].family
        told = f'{action.name}: this machine has no font "{action.font_family}"; the text is written in {family}'
        job.note(told, level=level)
    if chosen.lacking:
        told = f"{action.name}: no font of this machine has some characters of the text; a box stands for each"
        job.note(told, level="WARN", private=chosen.lacking)
