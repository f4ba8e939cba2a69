"""PrintText and PrintImage, from the file to what the archive gets."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dicomprinter.actions.pages import lettering
from dicomprinter.imaging.fonts.choice import Choice
from dicomprinter.workflow.interpreter import Done, Held
from tests.canary import CANARY
from tests.imaging.fonts import renamed
from tests.imaging.pictures import pdf
from tests.scp import StorageScp
from tests.system.help import House, perform, pixels, png, store

Run = Callable[[Any], Any]
PLACE = "<X>0</X><Y>0</Y><Width>100</Width><Height>100</Height>"
IMAGES = '<Document as="Images" dpi="36"/>'


@pytest.fixture(autouse=True)
def fonts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The fonts of the machine: two, whatever it has."""
    folder = tmp_path / "fonts"
    renamed(folder, "Arial")
    renamed(folder, "Courier New", "VeraBd.ttf")
    monkeypatch.setattr(lettering, "font_folders", lambda: [folder])
    return folder


def text(inner: str = "", words: str = "E") -> str:
    """A PrintText of the whole page, on black."""
    return (
        f'<PrintText name="Write"><Text>{words}</Text>{PLACE}<Color>FFFFFF</Color>'
        f"<BackgroundColor>000000</BackgroundColor><FontHeight>20</FontHeight>{inner}</PrintText>"
    )


def image(path: str = "logo.png", attributes: str = "") -> str:
    return (
        f'<PrintImage name="Lay" {attributes}><ImagePath>{path}</ImagePath>{PLACE}<Aspect>ignore</Aspect></PrintImage>'
    )


def sheet(bits: int = 8) -> bytes:
    """A white page of 60 × 40."""
    stream = io.BytesIO()
    white = np.full((40, 60), 255, np.uint8) if bits == 8 else np.full((40, 60), 65535, np.uint16)
    Image.fromarray(white).save(stream, "PNG")
    return stream.getvalue()


def logo(house: House, colour: tuple[int, int, int, int] = (0, 0, 0, 255), name: str = "logo.png") -> Path:
    """A picture of one colour beside the configuration."""
    Image.new("RGBA", (6, 4), colour).save(house.base / name)
    return house.base / name


def received(house: House, scp: StorageScp, actions: str, *files: bytes, **tags: str) -> tuple[list[Any], str]:
    """The pixels that the archive got of one job, and its history."""
    name = "Write" if "<PrintText" in actions else "Lay"
    program = house.program(actions + store("A", scp.port, IMAGES), perform(name, "A"))
    job = house.job(*files, **tags)
    assert house.run(program, job) == Done(), job.reason
    return [pixels(one.dataset) for one in scp.received], house.messages(job)


def test_a_text_is_on_every_page(house: House, running: Run) -> None:
    got, said = received(house, running(StorageScp()), text(), sheet(), sheet(16), pdf(2))
    assert [page.shape for page in got] == [(40, 60), (40, 60), (72, 36, 3), (72, 36, 3)]
    assert [page.dtype for page in got] == [np.uint8, np.uint16, np.uint8, np.uint8]
    for page in got:
        assert page.min() == 0
        assert page.max() > np.iinfo(page.dtype).max // 2
        assert (page == 0).mean() > 0.7
    assert "Write: 2 of 4 pages changed" in said
    assert "WARN" not in said


def test_the_text_is_the_patients_and_no_log_has_it(house: House, running: Run) -> None:
    """tests/canary.py reads every log."""
    words = "#{PatientName}, born #{PatientBirthDate}, #{AccessionNumber}"
    plain, _ = received(house, running(StorageScp()), text(words=words), sheet())
    named, _ = received(house, running(StorageScp()), text(words=words), sheet(), **CANARY)
    assert plain[0].tolist() != named[0].tolist()


@pytest.mark.parametrize(
    ("inner", "words", "warned"),
    [
        ("", "E", []),
        ("<FontFamily>arial</FontFamily>", "E", []),
        ("<FontFamily>Courier</FontFamily>", "E", ["INFO"]),
        ("<FontFamily>Papyrus</FontFamily>", "E", ["WARN"]),
        ("", "E漢", ["WARN"]),
        ("", "Eש", ["WARN", "WARN"]),
        ("", "long words wrap " * 20, ["WARN"]),
    ],
)
def test_what_the_history_tells(inner: str, words: str, warned: list[str], house: House) -> None:
    program = house.program(text(inner, words), perform("Write"))
    job = house.job(sheet(), sheet())
    assert house.run(program, job) == Done()
    told = [line for line in house.stories[job.id] if line["message"].startswith("Write: ")][:-1]
    assert [line["level"] for line in told] == warned, told
    if "漢" in words:
        assert "no font of this machine has some characters" in told[0]["message"]
        assert told[0]["private"] == "漢"


def test_the_font_that_stands_in_is_named(house: House) -> None:
    program = house.program(text("<FontFamily>Papyrus</FontFamily>"), perform("Write"))
    job = house.job(sheet())
    house.run(program, job)
    assert 'Write: this machine has no font "Papyrus"; the text is written in Arial' in house.messages(job)


def test_a_machine_without_fonts_prints_all_the_same(
    house: House, running: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lettering, "font_folders", list)
    got, said = received(house, running(StorageScp()), text(), sheet())
    assert (got[0] != 0).any()
    assert "the text is written in Bitstream Vera Sans" in said


def test_a_font_that_goes_before_the_page_is_drawn(house: House, monkeypatch: pytest.MonkeyPatch, fonts: Path) -> None:
    choose = lettering.choose

    def gone(*arguments: Any) -> Choice:
        chosen = choose(*arguments)
        (fonts / "Courier New VeraBd.ttf").unlink()
        return chosen

    monkeypatch.setattr(lettering, "choose", gone)
    program = house.program(text(), perform("Write"))
    outcome = house.run(program, house.job(sheet()))
    assert isinstance(outcome, Held)
    assert "a font cannot be opened" in outcome.why


def test_nothing_to_write_changes_nothing(house: House) -> None:
    program = house.program(
        text(words="#{PatientComments}").replace("<BackgroundColor>000000</BackgroundColor>", ""), perform("Write")
    )
    job = house.job(sheet())
    before = job.payload
    assert house.run(program, job) == Done()
    assert "Write: there is nothing to change" in house.messages(job)
    assert job.payload == before


def test_a_text_of_many_pages(house: House) -> None:
    program = house.program(text(words="word " * 40_000), perform("Write"))
    job = house.job(sheet())
    assert house.run(program, job) == Done()
    assert "only the first 100000 characters of the text are written" in house.messages(job)


# PrintImage


@pytest.mark.parametrize(
    ("attributes", "wanted"), [("", [0]), ('pages="all"', [0, 1, 2, 3]), ('pages="2,4-"', [1, 3]), ('pages="9"', [])]
)
def test_pages_are_those_of_the_job(attributes: str, wanted: list[int], house: House, running: Run) -> None:
    """Pictures first, then the pages of PDFs."""
    logo(house)
    got, said = received(house, running(StorageScp()), image(attributes=attributes), sheet(), sheet(16), pdf(2))
    assert [number for number, page in enumerate(got) if (page == 0).all()] == wanted
    assert [page.dtype for page in got] == [np.uint8, np.uint16, np.uint8, np.uint8]
    changed = len([number for number in wanted if number < 2])
    assert (f"Lay: {changed} of 4 pages changed" in said) == (changed > 0)


def test_the_path_may_have_placeholders_and_stand_anywhere(house: House, running: Run) -> None:
    file = logo(house, name="logo-4711.png")
    for path in ("logo-#{PatientID}.png", str(file)):
        got, _ = received(house, running(StorageScp()), image(path), sheet(), PatientID="4711")
        assert not got[0].any()


def test_a_picture_that_is_exchanged_later_changes_nothing(house: House, running: Run) -> None:
    """The job has its own copy, which a PDF's pages get when they are rendered, before a restart or after it."""
    scp = running(StorageScp(answers=[0xA700, 0x0000, 0x0000]))
    logo(house)
    program = house.program(
        image(attributes='pages="all"') + store("A", scp.port, IMAGES),
        perform("Lay") + perform("A", on_error="Suspend"),
    )
    job = house.job(pdf(2))
    house.run(program, job)
    logo(house, (255, 0, 0, 255))
    assert house.resume(program, job.id) == Done()
    assert [one.dataset.pixel_array.max() for one in scp.received] == [0, 0, 0]
    assert scp.received[0].dataset.SOPInstanceUID == scp.received[1].dataset.SOPInstanceUID


def png_bomb() -> bytes:
    """Small on the disk, more pixels than a page may have."""
    stream = io.BytesIO()
    Image.new("1", (40_000, 10_000)).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (None, "cannot be read; No such file or directory; put it there, or correct the path"),
        (b"", "cannot be used; the file is empty"),
        (b"GIF89a", "GIF"),
        (pdf(), "it is no picture; it is application/pdf"),
        (b"a text", "it is no picture"),
        (png(1)[:-30], "damaged PNG"),
        (png(1)[:60] + b"\0\0" + png(1)[62:], "damaged PNG"),
        (png_bomb(), "MaximumPixels"),
    ],
    ids=["gone", "empty", "GIF", "PDF", "text", "cut", "damaged", "bomb"],
)
def test_a_picture_that_cannot_be_used(data: bytes | None, words: str, house: House) -> None:
    if data is not None:
        (house.base / "logo-X.png").write_bytes(data)
    program = house.program(image("logo-#{PatientID}.png"), perform("Lay"))
    job = house.job(sheet(), PatientID="X")
    outcome = house.run(program, job)
    assert isinstance(outcome, Held)
    assert 'the picture of <ImagePath> "logo-#{PatientID}.png"' in outcome.why
    assert words in outcome.why
    assert "logo-X" not in outcome.why


def test_the_jobs_copy_is_gone_when_a_page_is_rendered(house: House, running: Run) -> None:
    logo(house)
    scp = running(StorageScp(answers=[0xA700]))
    actions = image() + store("A", scp.port, IMAGES)
    program = house.program(actions, perform("Lay") + perform("A", on_error="Suspend"))
    job = house.job(pdf(1))
    house.run(program, job)
    (file,) = (job.folder.path / "payload").glob("picture-*")
    file.unlink()
    program = house.program(actions, perform("Lay") + perform("A"))
    outcome = house.resume(program, job.id)
    assert isinstance(outcome, Held)
    assert "the job's copy of the picture cannot be used; the file cannot be read; No such file" in outcome.why


def test_a_second_time_lays_the_same_once(house: House, running: Run) -> None:
    scp = running(StorageScp(answers=[0xA700, 0x0000]))
    logo(house, (0, 0, 0, 128))
    program = house.program(
        image() + store("A", scp.port),
        perform("Lay")
        + perform("A", on_error="Ignore")
        + '<If field="STORE_SUCCEEDED" tag="A" value="false"><Suspend resumeAction="Lay"/></If>',
    )
    job = house.job(sheet())
    house.run(program, job)
    assert house.resume(program, job.id) == Done()
    first, second = (one.dataset for one in scp.received)
    assert first.SOPInstanceUID == second.SOPInstanceUID
    assert np.unique(second.pixel_array).tolist() == [127]
