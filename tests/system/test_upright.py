"""AutoRotateText, from the file to what the archive gets."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pypdf
import pytest
from PIL import Image
from pydicom import Dataset
from pydicom.uid import EncapsulatedPDFStorage
from pypdf.generic import NameObject, NumberObject

from dicomprinter.errors import InputError
from dicomprinter.imaging.orientation.analysis import analyse
from dicomprinter.imaging.orientation.finding import Gates
from dicomprinter.intake.submission import Submission
from dicomprinter.job.job import Job
from dicomprinter.workflow.interpreter import Done, Held
from tests.imaging.texts import ENGLISH, GERMAN, Grey, drawn, text_page, text_pdf, turned
from tests.scp import StorageScp
from tests.system.help import House, perform, pixels, png, store

Run = Callable[[Any], Any]
GATES = Gates()
PAGE = text_page(dpi=110)


def upright(inner: str = "") -> str:
    return f'<AutoRotateText name="Up">{inner}</AutoRotateText>'


def saved(*pages: Grey | np.ndarray[Any, Any], kind: str = "TIFF") -> bytes:
    stream = io.BytesIO()
    first, *others = map(Image.fromarray, pages)
    first.save(stream, kind, **({"save_all": True, "append_images": others} if others else {}))
    return stream.getvalue()


def turn_of(page: np.ndarray[Any, Any]) -> int:
    return analyse(np.ascontiguousarray(page), GATES).turn(GATES)


def stored(
    house: House, scp: StorageScp, job: Job, *, action: str = upright(), inner: str = "", before: str = ""
) -> tuple[list[Dataset], str]:
    """What the archive got of a job that came to its end, and the history."""
    names = ("Before", "Up", "A") if before else ("Up", "A")
    program = house.program(before + action + store("A", scp.port, inner), perform(*names))
    assert house.run(program, job) == Done(), job.reason
    return [one.dataset for one in scp.received], house.messages(job)


def test_pages_of_every_kind_end_upright(house: House, running: Run) -> None:
    colour = np.stack([PAGE, PAGE, np.maximum(PAGE, 90)], axis=-1)
    deep = PAGE.astype(np.uint16) * 257
    job = house.job(
        saved(turned(PAGE, 0), turned(PAGE, 90), turned(PAGE, 180)),
        saved(np.ascontiguousarray(np.rot90(colour)), kind="PNG"),
        saved(np.ascontiguousarray(np.rot90(deep)), kind="PNG"),
    )
    got, said = stored(house, running(StorageScp()), job)
    assert [pixels(one).tolist() for one in got[:3]] == [PAGE.tolist()] * 3
    assert np.array_equal(pixels(got[3]), colour)
    assert (got[4].BitsStored, np.array_equal(pixels(got[4]), deep)) == (16, True)
    assert "Up: page 1 stays as it is: axis 1.00, direction " in said
    for number, turn in ((2, 270), (3, 180), (4, 90), (5, 90)):
        assert f"Up: page {number} is turned by {turn} degrees clockwise: axis " in said


def test_what_is_not_surely_text_stays(house: House, running: Run) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (300, 400)).astype(np.uint8)
    blank = np.full((300, 400), 255, np.uint8)
    got, said = stored(house, running(StorageScp()), house.job(saved(noise, blank)))
    assert [np.array_equal(pixels(one), page) for one, page in zip(got, (noise, blank), strict=True)] == [True, True]
    assert "page 1 stays as it is: axis 0.00" in said
    assert "page 2 stays as it is: no lines of text" in said


def test_a_pdf_is_turned_and_not_drawn(house: House, running: Run) -> None:
    data = text_pdf(ENGLISH, GERMAN, rotate=90)
    got, said = stored(house, running(StorageScp()), house.job(data))
    assert [one.SOPClassUID for one in got] == [EncapsulatedPDFStorage]
    document = bytes(got[0].EncapsulatedDocument)
    assert document.startswith(data)
    assert [turn_of(drawn(document, index)) for index in (0, 1)] == [0, 0]
    assert "page 2 is turned by 270 degrees clockwise" in said
    # A Store that draws it shows it upright.
    drawings, _ = stored(house, running(StorageScp()), house.job(data), inner='<Document as="Images" dpi="110"/>')
    assert [turn_of(pixels(one).mean(axis=-1).astype(np.uint8)) for one in drawings] == [0, 0]


def test_the_history_counts_pages_as_the_archive_does(house: House, running: Run) -> None:
    """A blank page was put behind the first one of the PDF."""
    blank = "<Width>50</Width><Height>50</Height><CanvasColor>FFFFFFFF</CanvasColor><InsertionIndex>1</InsertionIndex>"
    job = house.job(text_pdf(ENGLISH, GERMAN, rotate=90))
    inner = '<Document as="Images" dpi="36"/>'
    before = f'<AddInstance name="Before">{blank}</AddInstance>'
    _, said = stored(house, running(StorageScp()), job, inner=inner, before=before)
    numbers = re.findall(r"Up: page (\d) (is turned by 270 degrees|stays as it is: no lines)", said)
    assert [number for number, decided in sorted(numbers) if decided.startswith("is turned")] == ["1", "3"]
    assert ("2", "stays as it is: no lines") in numbers


def test_a_scan_in_a_pdf_is_seen(house: House, running: Run) -> None:
    stream = io.BytesIO()
    Image.fromarray(turned(PAGE, 180)).save(stream, "PDF", resolution=110)
    got, said = stored(house, running(StorageScp()), house.job(stream.getvalue()))
    assert turn_of(drawn(bytes(got[0].EncapsulatedDocument))) == 0
    assert "page 1 is turned by 180 degrees clockwise" in said


def test_the_same_job_makes_the_same_objects_again(house: House, running: Run) -> None:
    scp = running(StorageScp(answers=[0xA700]))
    job = house.job(saved(turned(PAGE, 90)), text_pdf(ENGLISH, rotate=180))
    program = house.program(upright() + store("A", scp.port), perform("Up") + '<Perform action="A" onError="Hold"/>')
    assert isinstance(house.run(program, job), Held)
    before = {path.name for path in (job.folder.path / "payload").iterdir()}
    assert house.resume(program, job.id) == Done()
    assert len(before) == 4
    # The first one was refused, and is the same when it comes again.
    uids = [one.dataset.SOPInstanceUID for one in scp.received]
    assert (len(uids), len(set(uids))) == (3, 2)


ODD = "<FailOnUnsupported>{}</FailOnUnsupported>"


def odd_pdf() -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(text_pdf(ENGLISH, angle=90)))
    writer.pages[0][NameObject("/Rotate")] = NumberObject(45)
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


def test_what_cannot_be_turned_stays_with_a_warning_or_fails(house: House, running: Run) -> None:
    job = house.job(odd_pdf())
    got, said = stored(house, running(StorageScp()), job)
    assert bytes(got[0].EncapsulatedDocument).rstrip(b"\0") == odd_pdf().rstrip(b"\0")
    assert "Up: the PDF's pages cannot be turned; page 1 has a /Rotate that is no quarter turn" in said
    assert [line["level"] for line in house.stories[job.id] if "cannot be turned" in line["message"]] == ["WARN"]
    job = house.job(odd_pdf())
    assert isinstance(house.run(house.program(upright(ODD.format("true")), perform("Up")), job), Held)
    assert "the PDF's pages cannot be turned" in str(job.reason)


def test_after_an_action_that_draws_on_it_a_pdf_stays(house: House, running: Run) -> None:
    before = '<Rotate name="Before"><Angle>90</Angle></Rotate>'
    job = house.job(text_pdf(ENGLISH, rotate=90))
    got, said = stored(house, running(StorageScp()), job, before=before)
    assert bytes(got[0].EncapsulatedDocument).startswith(text_pdf(ENGLISH, rotate=90))
    assert "an earlier action has changed its pages" in said


def with_hints(house: House, hints: object, *files: tuple[str, bytes]) -> Job:
    """A job of files with names, and its hints."""
    folder = house.base / f"given-{len(list(house.base.iterdir()))}"
    folder.mkdir()
    for name, data in files:
        (folder / name).write_bytes(data)
    text = hints if isinstance(hints, str) else json.dumps(hints)
    (folder / "job.orientation.json").write_text(text, "utf-8")
    names = [*(name for name, _ in files), "job.orientation.json"]
    return house.intake.copy([folder / name for name in names], Submission("page", source="test"))


def hint(clockwise: int, confidence: float) -> dict[str, float]:
    return {"recommendedClockwiseDegrees": clockwise, "confidence": confidence}


def test_a_sure_hint_is_followed_without_a_look(house: House, running: Run) -> None:
    pages = {"scan.tif": hint(90, 0.9), "scan.tif#2": hint(0, 1), "other.pdf#1": hint(180, 0.95)}
    job = with_hints(
        house,
        {"version": 1, "pages": pages},
        ("scan.tif", saved(PAGE, turned(PAGE, 90))),
        ("other.pdf", text_pdf(ENGLISH)),
    )
    got, said = stored(house, running(StorageScp()), job)
    assert [turn_of(pixels(one)) for one in got[:2]] == [270, 270]
    assert turn_of(drawn(bytes(got[2].EncapsulatedDocument))) == 180
    assert "Up: page 1 is turned by 90 degrees clockwise: by a hint of 0.90" in said


@pytest.mark.parametrize(("said", "turn"), [(hint(180, 0.8), 180), (hint(90, 0.8), 0), (hint(180, 0.1), 0), (None, 0)])
def test_a_weaker_hint_counts_where_the_look_says_the_same(
    house: House, running: Run, said: dict[str, float] | None, turn: int
) -> None:
    # Capitals and few stops: a look alone is not sure enough for a half turn.
    page = turned(text_page("THE HEART IS OF NORMAL SIZE AND NOT MOVED, THE LUNGS ARE CLEAR", lines=20), 180)
    pages = {} if said is None else {"scan.tif": said}
    job = with_hints(house, {"version": 1, "pages": pages}, ("scan.tif", saved(page)))
    got, _ = stored(house, running(StorageScp()), job)
    assert np.array_equal(pixels(got[0]), turned(page, turn))


def test_hints_may_be_left_out(house: House, running: Run) -> None:
    job = with_hints(house, {"version": 1, "pages": {"scan.tif": hint(90, 1)}}, ("scan.tif", saved(PAGE)))
    got, _ = stored(house, running(StorageScp()), job, action=upright("<UseHints>false</UseHints>"))
    assert np.array_equal(pixels(got[0]), PAGE)


@pytest.mark.parametrize(
    "hints",
    [
        "",
        "[",
        "[" * 100_000,
        "[]",
        {"version": 2, "pages": {}},
        {"version": 1, "pages": []},
        {"version": 1, "pages": {"scan.tif": 90}},
        {"version": 1, "pages": {"scan.tif": hint(45, 1)}},
        {"version": 1, "pages": {"scan.tif": hint(90, 2)}},
        {"version": 1, "pages": {"scan.tif": {"recommendedClockwiseDegrees": True, "confidence": 1}}},
        {"version": 1, "pages": {"scan.tif": {"recommendedClockwiseDegrees": [90], "confidence": 1}}},
        '{"version": 1, "pages": {"scan.tif": {"recommendedClockwiseDegrees": 90, "confidence": NaN}}}',
        " " * (1 << 20) + "{}",
    ],
)
def test_hostile_hints_are_left_out_with_a_warning(house: House, running: Run, hints: object) -> None:
    job = with_hints(house, hints, ("scan.tif", png(1)))
    _, said = stored(house, running(StorageScp()), job)
    assert "Up: the hints of which way up pages are cannot be used" in said


def test_dicom_files_stay_with_a_warning(house: House, running: Run) -> None:
    first = running(StorageScp())
    program = house.program(store("A", first.port), perform("A"))
    assert house.run(program, house.job(png(1))) == Done()
    part10 = io.BytesIO()
    first.received[0].dataset.save_as(part10, enforce_file_format=True)
    _, said = stored(house, running(StorageScp()), house.job(part10.getvalue()))
    assert "Up: the DICOM file stays as it is; only pictures and PDFs are turned" in said


def test_hints_alone_are_no_job(house: House) -> None:
    with pytest.raises(InputError, match="a job is at least one file"):
        with_hints(house, {"version": 1, "pages": {}})
