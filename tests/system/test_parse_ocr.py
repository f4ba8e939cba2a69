"""ParseJobTextFile with ocr: the real tesseract reads what has no text; what goes wrong there is told."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from dicomprinter.workflow.interpreter import Done, Held
from tests.peers import program
from tests.system.help import House, png
from tests.system.test_parse import action, printed, run, tag

OCR = 'ocr="true"'
LINES = [(72.0, 700.0, "Patient ID: 0815"), (330.0, 700.0, "Sex: F"), (72.0, 660.0, "Accession: A7")]


def scanned(*lines: tuple[float, float, str]) -> Image.Image:
    """A page as a scanner gives it, 200 dpi grey."""
    with pypdfium2.PdfDocument(printed(list(lines))) as document:
        return document[0].render(scale=200 / 72).to_pil().convert("L")


def as_png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG", dpi=(200, 200))
    return stream.getvalue()


def as_pdf(image: Image.Image, text: str) -> bytes:
    """A PDF whose first page has this text and whose second is the picture."""
    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=(595, 842))
    canvas.drawString(72, 700, text)
    canvas.showPage()
    canvas.drawImage(ImageReader(image), 0, 0, 595, 842)
    canvas.save()
    return stream.getvalue()


@pytest.mark.peer("tesseract")
def test_pages_without_text_are_read(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(Path(program("tesseract")).parent))
    inner = (
        tag("PatientID", r"Patient ID: (\d+)\b", 'mandatory="true"')
        + tag("PatientSex", r"\s\sSex: (\w)")
        + tag("AccessionNumber", r"^Accession: (\w+)")
        + tag("StudyDescription", "^Kind: (.*)")
    )
    page = scanned(*LINES)
    for files in ((as_png(page),), (as_pdf(page, "Kind: letter"),)):
        job = house.job(*files)
        assert run(house, action("ParseJobTextFile", inner, OCR), job) == Done(), job.reason
        assert (job.dataset.PatientID, job.dataset.PatientSex, job.dataset.AccessionNumber) == ("0815", "F", "A7")
    assert job.dataset.StudyDescription == "letter"


def told(house: House, attributes: str, expression: str, *files: bytes) -> str:
    """What becomes of a job: its history, or why it was held."""
    job = house.job(*files)
    outcome = run(house, action("ParseJobTextFile", tag("PatientID", "(.+)", expression), attributes), job)
    return outcome.why if isinstance(outcome, Held) else house.messages(job)


def test_without_the_program_only_a_mandatory_tag_fails(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(house.base))
    history = told(house, OCR, "", png(1), png(2))
    assert history.count("install tesseract-ocr") == 1
    assert "P: the job has no text" in history
    assert "install tesseract-ocr" in told(house, OCR, 'mandatory="true"', png(1))


def test_the_program_is_not_asked_where_there_is_a_text(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(house.base))
    assert "found PatientID" in told(house, OCR, 'mandatory="true"', png(1), b"text beside")
    assert "found PatientID" in told(house, OCR, 'mandatory="true"', printed([(72, 700, "text inside")]))
    assert "tesseract" not in told(house, "", "", png(1))


@pytest.mark.skipif(sys.platform == "win32", reason="a script with an interpreter line")
def test_a_program_that_fails_is_told_and_gets_the_page_and_its_options(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = house.base / "tesseract"
    script.write_text(
        f"#!{sys.executable}\nimport sys\n"
        f'open("{house.base}/got", "wb").write(sys.stdin.buffer.read())\n'
        f'print(*sys.argv, sep="\\n", file=open("{house.base}/said", "w"))\n'
        'sys.exit("Muster is no page")\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join((str(house.base), os.defpath)))
    history = told(house, f'{OCR} ocrLanguage="deu+eng"', "", png(1, colour=True))
    assert 'P: a page was not read: the program "tesseract" ended with exit code 1' in history
    assert "Muster" not in history
    assert (house.base / "got").read_bytes().startswith(b"P5\n12 8\n255\n")
    assert (house.base / "said").read_text().splitlines()[-2:] == ["-l", "deu+eng"]
    assert 'the program "tesseract" ended with exit code 1' in told(house, OCR, 'mandatory="1"', png(1))


@pytest.mark.parametrize("language", ["", "--help", "eng+", "a b"])
def test_what_is_no_language_is_refused(house: House, language: str) -> None:
    with pytest.raises(Exception, match="is no language; write what tesseract calls it"):
        told(house, f'ocrLanguage="{language}"', "", png(1))
