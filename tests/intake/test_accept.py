from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image

from dicomprinter.demo.pages import Patient, report_pdf
from dicomprinter.engine.spool import UNFINISHED, Spool
from dicomprinter.engine.tools import local_now
from dicomprinter.errors import InputError
from dicomprinter.intake import accept
from dicomprinter.intake.accept import Intake
from dicomprinter.intake.names import is_left_alone, safe_name
from dicomprinter.intake.submission import Submission
from dicomprinter.job.parts import PageRef
from tests.killed import Killed, die


@pytest.fixture
def spool(tmp_path):
    with Spool.open(tmp_path / "base") as opened:
        yield opened


@pytest.fixture
def intake(spool, decoder):
    return Intake(spool, decoder, local_now)


def picture(file: Path, pages: int = 1) -> Path:
    images = [Image.new("L", (8, 6), 10 * page) for page in range(pages)]
    images[0].save(file, save_all=pages > 1, append_images=images[1:]) if pages > 1 else images[0].save(file)
    return file


def everything(spool) -> list[str]:
    return sorted(p.relative_to(spool.root).as_posix() for p in spool.root.rglob("*") if p.is_file())


def test_files_of_every_kind_become_one_job(tmp_path, intake, spool):
    tiff, pdf, text = picture(tmp_path / "a.TIFF", 3), tmp_path / "b.pdf", tmp_path / "b.txt"
    report_pdf(pdf, Patient())
    text.write_text("Größe 180", encoding="utf-8")
    job = intake.copy([tiff, pdf, text], Submission("a.TIFF", tags={"PatientID": "4711"}, priority=70))
    again = spool.load(job.id)
    assert (again.facts.size, again.facts.priority) == (3 + 2 + 1, 70)
    assert again.payload.pages == tuple(PageRef("payload/0001.tiff", index) for index in range(3))
    assert again.payload.documents == ("payload/0002.pdf",)
    assert again.payload.texts == ("payload/0003.txt",)
    assert again.dataset.PatientID == "4711"
    assert again.flags.set_tags == ("00100020",)
    assert again.path("payload/0002.pdf").read_bytes() == pdf.read_bytes()
    assert tiff.exists(), "the user's own files stay"


def test_a_text_alone_is_set_as_a_pdf(tmp_path, intake):
    text = tmp_path / "dictation.txt"
    text.write_text("Befund: unauffällig\fSeite 2", encoding="utf-8")
    job = intake.copy([text], Submission("dictation.txt"))
    assert job.payload.documents == ("payload/0001.set.pdf",)
    import pypdfium2  # noqa: PLC0415 - heavy, and only here

    document = pypdfium2.PdfDocument(job.path(job.payload.documents[0]))
    texts = [page.get_textpage().get_text_range().strip() for page in document]
    assert texts == ["Befund: unauffällig", "Seite 2"]


def test_what_sets_texts_is_loaded_for_a_text_alone():
    code = "import sys, dicomprinter.intake.incoming, dicomprinter.cli.run; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "dicomprinter.intake.accept" in modules
    assert "reportlab" not in modules


def test_a_refused_copy_leaves_nothing(tmp_path, intake, spool):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"")
    with pytest.raises(InputError):
        intake.copy([picture(tmp_path / "good.png"), bad], Submission("good.png"))
    assert [name for name in everything(spool) if name.startswith(("jobs", "rejected"))] == []
    assert bad.exists()


def test_a_refused_drop_lies_in_rejected_with_its_reason(tmp_path, intake, spool):
    bad = spool.incoming / "bad.png"
    bad.write_bytes(b"\x89PNG\r\n\x1a\n truncated")
    assert intake.take([bad], Submission("bad.png")) is None
    kept, reason = sorted(spool.rejected.iterdir(), key=lambda file: len(file.name))
    assert kept.name.endswith("-bad.png")
    assert kept.read_bytes().startswith(b"\x89PNG")
    assert "PNG" in reason.read_text()
    assert not bad.exists()
    assert spool.job_ids() == []


@pytest.mark.parametrize("name", ["../../etc/passwd", "a\"b'c.png", "a\nb.png", "Ärztin Мария 山田.png", ".hidden", ""])
def test_hostile_names_stay_in_their_folder(name):
    safe = safe_name(name)
    assert Path(safe).name == safe
    assert "\n" not in safe
    assert safe


def test_a_hostile_title_is_a_fact_and_no_path(tmp_path, intake):
    job = intake.copy([picture(tmp_path / "p.png")], Submission('../../x"\n.png', user="a\tb"))
    assert (job.facts.name, job.facts.user) == ('../../x" .png', "a b")
    assert job.payload.pages == (PageRef("payload/0001.png"),)


@pytest.mark.parametrize("kill_at", range(1, 12))
def test_killed_at_every_step_of_a_drop(kill_at, tmp_path, intake, spool, monkeypatch):
    """Whenever the process ends, one job comes of it after a restart, with both files and the sidecar."""
    pdf, text, sidecar = (spool.incoming / name for name in ("r.pdf", "r.txt", "r.pdf.json"))
    report_pdf(pdf, Patient())
    text.write_text("text", encoding="utf-8")
    sidecar.write_text(json.dumps({"title": "report"}))
    bytes_before = pdf.read_bytes()
    steps = 0

    def counted(original):
        def step(*arguments, **named):
            nonlocal steps
            steps += 1
            if steps == kill_at:
                raise Killed
            return original(*arguments, **named)

        return step

    with monkeypatch.context() as patch:
        for name in ("_move", "sync_folder"):
            patch.setattr(accept, name, counted(getattr(accept, name)))
        for name in ("write_arrival", "complete_arrival", "secure_payload", "save"):
            patch.setattr(accept.JobFolder, name, counted(getattr(accept.JobFolder, name)))
        patch.setattr(Intake, "_look_at", counted(Intake._look_at))
        job = None
        with suppress(Killed):
            job = intake.take([pdf, text], Submission("report"), sidecar)
    recovered = list(intake.recover())
    if job is None and not recovered and not spool.job_ids():
        # Killed before anything was written down: the files lie where they lay.
        assert sorted(file.name for file in spool.incoming.iterdir()) == ["r.pdf", "r.pdf.json", "r.txt"]
        recovered = [intake.take([pdf, text], Submission("report"), sidecar)]
    (job_id,) = spool.job_ids()
    final = spool.load(job_id)
    assert final.facts.name == "report"
    assert final.path(final.payload.documents[0]).read_bytes() == bytes_before
    assert len(final.payload.texts) == 1
    assert list(spool.incoming.iterdir()) == []
    assert list(spool.jobs.glob(UNFINISHED + "*")) == []


@pytest.mark.parametrize("source", ["run", "incoming"])
def test_whether_it_is_a_copy_is_not_for_a_sidecar_to_say(source, tmp_path, intake, spool, monkeypatch):
    dropped, own = picture(spool.incoming / "a.png"), picture(tmp_path / "own.png")
    with monkeypatch.context() as patch:
        patch.setattr(accept.JobFolder, "complete_arrival", die)
        with pytest.raises(Killed):
            intake.take([dropped], Submission("a.png", source=source))
        patch.setattr(accept.shutil, "rmtree", lambda *_, **__: None)
        with pytest.raises(Killed):
            intake.copy([own], Submission("own.png", source=source))
    assert len(intake.unfinished()) == 2
    (job,) = intake.recover()
    assert job.facts.name == "a.png"
    assert intake.unfinished() == []
    assert own.exists()


def test_the_page_that_went_away_takes_nothing_for_it(intake, spool):
    text, sidecar = spool.incoming / "a.txt", spool.incoming / "a.png.json"
    text.write_text("Befund")
    sidecar.write_text("{}")
    assert intake.take([spool.incoming / "a.png", text], Submission("a.png"), sidecar) is None
    assert sorted(file.name[29:] for file in spool.rejected.iterdir() if "reason" not in file.name) == [
        "a.png.json",
        "a.txt",
    ]


def test_halves_of_letters_are_taken_out_of_every_text(tmp_path, intake, spool):
    submission = Submission("a\ud800", source="b\ud800", options={"tray\ud800": "c\ud800"})
    job = spool.load(intake.copy([picture(tmp_path / "p.png")], submission).id)
    assert (job.facts.name, job.facts.source, job.facts.options) == ("a?", "b?", {"tray?": "c?"})


def test_the_reason_is_on_the_disk_with_what_was_rejected(intake, spool, tmp_path, monkeypatch):
    synced = set()
    sync = os.fsync

    def noted(descriptor: int) -> None:
        synced.add(os.fstat(descriptor).st_ino)
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    file = tmp_path / "a.png"
    file.write_bytes(b"\x89PNG")
    assert intake.take([file], Submission("a.png")) is None
    (reason,) = spool.rejected.glob("*.reason.txt")
    assert reason.stat().st_ino in synced


def test_no_rejected_file_takes_the_place_of_another(intake, spool, tmp_path):
    files = [picture(tmp_path / name) for name in ("a_.png", "a?.png")]
    intake.reject([(file, file.name) for file in files], InputError("no"))
    assert len(list(spool.rejected.glob("*.png"))) == 2


def test_a_text_that_went_away_does_not_take_its_page_along(intake, spool):
    page = picture(spool.incoming / "a.png")
    job = intake.take([page, spool.incoming / "a.txt"], Submission("a.png"))
    assert (len(job.payload.pages), len(job.payload.texts)) == (1, 0)
    assert list(spool.rejected.iterdir()) == []


@pytest.mark.parametrize("name", ["report.pdf", "SCAN.PNG", "image.dcm", "page.TIFF"])
def test_a_text_that_is_called_a_picture_is_no_report(intake, spool, tmp_path, name) -> None:
    file = tmp_path / name
    file.write_text("<html>Error 500</html>")
    with pytest.raises(InputError, match="but holds a text"):
        intake.copy([file], Submission(name))
    assert list(spool.jobs.iterdir()) == []


@pytest.mark.parametrize("name", ["report.txt", "report", "hl7.hl7"])
def test_a_text_of_another_name_is_one(intake, tmp_path, name) -> None:
    file = tmp_path / name
    file.write_text("Findings")
    assert intake.copy([file], Submission(name)).payload.texts


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("desktop.ini", True),
        ("Thumbs.db", True),
        (".x.pdf", True),
        ("x.PART", True),
        ("x.pdf~", True),
        ("x.pdf", False),
    ],
)
def test_what_is_left_alone(name: str, left: bool) -> None:
    assert is_left_alone(name) is left
