"""AddInstance: pictures and blank pages among the pages of a job, in what the archive gets."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom.uid import EncapsulatedPDFStorage, JPEGBaseline8Bit

from dicomprinter.actions.objects.job_pages import JobPages
from dicomprinter.actions.pages.adding import inserted
from dicomprinter.actions.parse.job_text import job_text
from dicomprinter.job.parts import PageRef, Payload
from dicomprinter.workflow.interpreter import Done, Held
from tests.imaging.pictures import pdf
from tests.imaging.texts import text_pdf
from tests.scp import StorageScp
from tests.system.help import House, grey, jpeg_of, perform, pixels, png, set_tag, store, tiff

Run = Callable[[Any], Any]
IMAGES = '<Document as="Images" dpi="36"/>'


def add(name: str, inner: str = "", index: int | None = None) -> str:
    where = "" if index is None else f"<InsertionIndex>{index}</InsertionIndex>"
    return f'<AddInstance name="{name}">{inner}{where}</AddInstance>'


def blank(name: str, index: int | None = None, size: tuple[int, int] = (5, 4), colour: str = "") -> str:
    colour = f"<CanvasColor>{colour}</CanvasColor>" if colour else ""
    return add(name, f"<Width>{size[0]}</Width><Height>{size[1]}</Height>{colour}", index)


def kinds(scp: StorageScp) -> str:
    """What came, in its order: b a blank page, i a page that came in, p one of a PDF, D a PDF."""
    by_size = {(4, 5): "b", (8, 12): "i", (72, 36): "p", (36, 72): "P"}
    found = sorted(scp.received, key=lambda one: (one.dataset.SeriesNumber, one.dataset.InstanceNumber))
    return "".join(
        "D" if one.sop_class == EncapsulatedPDFStorage else by_size[one.dataset.Rows, one.dataset.Columns]
        for one in found
    )


def run(house: House, scp: StorageScp, actions: str, names: tuple[str, ...], *files: bytes, inner: str = "") -> str:
    """Run a job to its end; its history."""
    program = house.program(actions + store("S", scp.port, inner), perform(*names, "S"))
    job = house.job(*files)
    assert house.run(program, job) == Done(), job.reason
    return house.messages(job)


@pytest.mark.parametrize(
    ("index", "wanted"),
    [(None, "iiib"), (-1, "iiib"), (0, "biii"), (1, "ibii"), (3, "iiib"), (9, "iiib")],
)
def test_where_a_page_goes_among_pictures(house: House, running: Run, index: int | None, wanted: str) -> None:
    scp = running(StorageScp())
    said = run(house, scp, blank("A", index), ("A",), tiff(2), png(3))
    assert kinds(scp) == wanted
    assert ("page 10 goes to the end" in said) == (index == 9)


@pytest.mark.parametrize(
    ("index", "as_images", "as_both"),
    [
        (-1, "ippb", "ibD"),
        (0, "bipp", "biD"),
        (1, "ibpp", "ibD"),
        (2, "ipbp", "ibD"),
        (3, "ippb", "ibD"),
        (7, "ippb", "ibD"),
    ],
)
def test_where_a_page_goes_beside_a_pdf(house: House, running: Run, index: int, as_images: str, as_both: str) -> None:
    """Where the PDF goes out as it is, the page is among the pictures."""
    scp = running(StorageScp())
    run(house, scp, blank("A", index), ("A",), pdf(2), png(1), inner=IMAGES)
    assert kinds(scp) == as_images
    scp = running(StorageScp())
    run(house, scp, blank("A", index), ("A",), pdf(2), png(1))
    assert kinds(scp) == as_both


def test_several_pages_among_those_of_several_pdfs(house: House, running: Run) -> None:
    scp = running(StorageScp())
    actions = blank("A", 1) + blank("B", 3) + blank("C", 3) + blank("D", -1)
    run(house, scp, actions, ("A", "B", "C", "D"), pdf(2), pdf(1), inner=IMAGES)
    # pp p; p b p p; p b p b p; p b p b b p; and the end
    assert kinds(scp) == "pbpbbpb"
    assert len({one.dataset.SOPInstanceUID for one in scp.received}) == 7


def test_added_pages_are_changed_as_the_others_are(house: House, running: Run) -> None:
    scp = running(StorageScp())
    turn = '<Rotate name="Turn"><Angle>90</Angle></Rotate>'
    run(house, scp, blank("A", 1, (8, 12)) + turn, ("A", "Turn"), pdf(2), inner=IMAGES)
    assert kinds(scp) == "PiP"


def test_everything_counts_the_pages_alike(house: House) -> None:
    """The pictures, and the pages of PDFs, in the order in which they go out."""
    turn, cut = '<Rotate name="Turn"><Angle>90</Angle></Rotate>', '<Trim name="Cut"><Top>9</Top></Trim>'
    program = house.program(blank("A", 1) + turn + cut, perform("A", "Turn", "Cut"))
    job = house.job(text_pdf("alpha", "omega"))
    assert isinstance(house.run(program, job), Held)
    said = house.messages(job)
    assert "A: added as page 2" in said
    assert "Turn: 1 of 3 pages changed" in said
    assert "page 2 has 4 × 5 pixels; to cut" in said
    first, second, third = job_text(job, house.tools, None).split("\f")
    assert ("alpha" in first, second, "omega" in third) == (True, "", True)


def test_edits_count_the_pages_as_they_were(house: House) -> None:
    """A stamp on the first page stays there, whatever is put before that page later."""
    program = house.program(
        blank("A", 1) + blank("B", 0) + '<Rotate name="Turn"><Angle>90</Angle></Rotate>',
        perform("A", "Turn", "B"),
    )
    job = house.job(pdf(3))
    assert house.run(program, job) == Done()
    (edit,) = job.payload.edits
    assert (edit.first, edit.after) == (1, (0,))
    assert [edit.number(index) for index in range(3)] == [1, 3, 4]
    assert Payload.from_json(job.payload.to_json()) == job.payload


def test_a_page_whose_document_is_gone_stays() -> None:
    payload = inserted(Payload(documents=("d",)), [PageRef("d", 0), PageRef("d", 1)], 1, [PageRef("b")])
    assert [(one.page, one.document, one.after) for one in payload.places] == [("b#0", "d", 0)]
    renamed = payload.with_pages({PageRef("b"): PageRef("c")}).with_document("d", "e")
    assert [(one.page, one.document) for one in renamed.places] == [("c#0", "e")]
    job: Any = SimpleNamespace(payload=Payload(renamed.pages, places=renamed.places))
    assert JobPages(job, job).refs(documents=True) == [PageRef("c")]


@pytest.mark.parametrize(
    ("colour", "value"),
    [
        ("", [0, 0, 0]),
        ("FF0000", [255, 0, 0]),
        ("FFFFFFFF", [255, 255, 255]),
        ("8000FF00", [127, 255, 127]),
        ("0x00123456", [255, 255, 255]),
    ],
)
def test_a_blank_page_has_its_colour_over_white(house: House, running: Run, colour: str, value: list[int]) -> None:
    scp = running(StorageScp())
    run(house, scp, blank("A", 0, (1, 1)) + blank("B", 1, (7, 3), colour), ("A", "B"), png(1))
    black, coloured = (pixels(one.dataset) for one in scp.received[:2])
    assert black.reshape(-1).tolist() == [0, 0, 0]
    assert (coloured == value).all()
    assert coloured.shape == (3, 7, 3)


def picture(folder: Path, data: bytes, name: str = "logo") -> str:
    (folder / name).write_bytes(data)
    return f"<ImagePath>{folder / name}</ImagePath>"


def test_all_pages_of_a_picture_are_added(house: House, running: Run, tmp_path: Path) -> None:
    scp = running(StorageScp())
    said = run(house, scp, add("A", picture(tmp_path, tiff(3)), 1), ("A",), png(7), png(8))
    assert [pixels(one.dataset).tolist() for one in scp.received] == [grey(n).tolist() for n in (7, 1, 2, 3, 8)]
    assert "A: added as pages 2 to 4" in said


def test_a_jpeg_is_added_as_it_is(house: House, running: Run, tmp_path: Path) -> None:
    data = jpeg_of(np.random.default_rng(1).integers(0, 256, (16, 32, 3), dtype=np.uint8))
    scp = running(StorageScp())
    inner = '<Compression type="JPEG_Lossy"/>'
    run(house, scp, add("A", picture(tmp_path, data)), ("A",), png(1), inner=inner)
    assert scp.received[1].transfer_syntax == JPEGBaseline8Bit
    assert data in scp.received[1].dataset.PixelData


def test_the_same_picture_twice_is_two_pages(house: House, running: Run, tmp_path: Path) -> None:
    scp = running(StorageScp())
    path = picture(tmp_path, png(9))
    run(house, scp, add("A", path, 0) + add("B", path, -1), ("A", "B", "A"), png(1))
    assert [pixels(one.dataset)[0, 1] for one in scp.received] == [9, 9, 1, 9]
    assert len({one.dataset.SOPInstanceUID for one in scp.received}) == 4


@pytest.mark.parametrize("names", [("A", "M", "A", "M"), ("A", "A", "M", "A"), ("A", "E", "M", "A")])
def test_pages_that_came_the_same_way_are_several(
    house: House, running: Run, tmp_path: Path, names: tuple[str, ...]
) -> None:
    """The first page alone is changed, so that others keep a name or a file that one before them had."""
    scp = running(StorageScp())
    path = picture(tmp_path, tiff(2))
    place = "<X>0</X><Y>0</Y><Width>50</Width><Height>50</Height>"
    mark = f'<PrintImage name="M">{picture(tmp_path, png(200), "mark")}{place}</PrintImage>'
    run(house, scp, add("A", path, 0) + add("E", path) + mark, names, png(1))
    assert len({one.dataset.SOPInstanceUID for one in scp.received}) == 1 + 2 * (len(names) - names.count("M"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        (b"", "empty"),
        (b"GIF89a", "cannot be used"),
        (png(1)[:-9], "damaged PNG"),
        (pdf(1), "no picture"),
    ],
)
def test_a_picture_that_cannot_be_used(house: House, tmp_path: Path, content: bytes | None, words: str) -> None:
    inner = picture(tmp_path, content or b"x")
    if content is None:
        (tmp_path / "logo").unlink()
    elif not content:
        (tmp_path / "logo").write_bytes(b"")
    job = house.job(png(1))
    before = job.payload
    outcome = house.run(house.program(add("A", inner), perform("A")), job)
    assert isinstance(outcome, Held)
    assert words in outcome.why
    assert house.spool.load(job.id).payload == before


def test_a_path_with_values_of_the_patient_is_private(house: House, tmp_path: Path) -> None:
    actions = set_tag("T", "0010,0020", "Qzjxkv") + add("A", f"<ImagePath>{tmp_path}/#{{PatientID}}.png</ImagePath>")
    job = house.job(png(1))
    outcome = house.run(house.program(actions, perform("T", "A")), job)
    assert isinstance(outcome, Held)
    assert "Qzjxkv" not in outcome.why
    assert any("Qzjxkv.png" in line.get("private", "") for line in job.folder.history())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("logos/#{PatientID}.png", "../secret"),
        ("#{PatientID}", "/etc/logo.png"),
        ("x/#{PatientID}", "..\\..\\secret.png"),
    ],
)
def test_a_value_of_the_job_leads_nowhere_else(house: House, tmp_path: Path, path: str, value: str) -> None:
    job = house.job(png(1))
    job.dataset.add_new(0x00100020, "UT", value)
    program = house.program(add("A", f"<ImagePath>{path}</ImagePath>"), perform("A"))
    outcome = house.run(program, job)
    assert isinstance(outcome, Held)
    assert "a value of the job leads out of the folder" in outcome.why
    assert "secret" not in outcome.why


def test_a_second_try_adds_once(house: House, running: Run, tmp_path: Path) -> None:
    scp = running(StorageScp(answers=[0x0000, 0xA700]))
    program = house.program(
        add("A", picture(tmp_path, png(5)), 0) + blank("B", 0) + store("S", scp.port),
        perform("A", "B") + '<Perform action="S" onError="Ignore"/>'
        '<If field="STORE_SUCCEEDED" tag="S" value="false"><Suspend resumeAction="A"/></If>',
    )
    job = house.job(png(1))
    house.run(program, job)
    files = sorted(file.name for file in (job.folder.path / "payload").iterdir())
    assert house.resume(program, job.id) == Done()
    assert len(files) == 3
    assert all(set('<>:"|?*').isdisjoint(name) and not name.endswith(".new") for name in files)
    first, refused, again, last = (one.dataset.SOPInstanceUID for one in scp.received)
    assert (refused == again, len({first, again, last})) == (True, 3)


def test_an_added_page_keeps_its_bits(house: House, running: Run, tmp_path: Path) -> None:
    stream = io.BytesIO()
    Image.fromarray(grey(1).astype(np.uint16) * 257).save(stream, "PNG", dpi=(300, 300))
    scp = running(StorageScp())
    turn = '<Rotate name="Turn"><Angle>180</Angle></Rotate>'
    run(house, scp, add("A", picture(tmp_path, stream.getvalue()), 0) + turn, ("A", "Turn"), png(1))
    dataset = scp.received[0].dataset
    assert pixels(dataset).tolist() == (grey(1)[::-1, ::-1].astype(int) * 257).tolist()
    assert dataset.BitsStored == 16
