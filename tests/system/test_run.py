"""Run: what a program is given, what it may say, and what becomes of the job when it misbehaves."""

from __future__ import annotations

import io
import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from PIL import Image
from pydicom import Dataset
from reportlab.pdfgen.canvas import Canvas

from dicomprinter.actions.objects.own import OwnAttributes
from dicomprinter.engine.dry_run import DryPrograms
from dicomprinter.job.job import Job
from dicomprinter.job.merged import take_in
from dicomprinter.job.parts import Own
from dicomprinter.workflow.interpreter import Discarded, Done, Held, Outcome, Suspended
from tests.imaging.pictures import pdf
from tests.system.help import House, grey, perform, png, tiff
from tests.waiting import wait_until

# Writes down what it was given, before it does what it is told to.
_SEEN = """
import json, os, sys
given = {"arguments": sys.argv[1:], "input": sys.stdin.buffer.read().decode(), "folder": os.getcwd()}
given["environment"] = dict(os.environ)
files = [os.environ[f"FILE{n + 1}"] for n in range(int(os.environ["NOFILES"]))]
given["sizes"] = [os.path.getsize(file) for file in files]
given["text"] = open(os.environ["CONTENTS_FILE"]).read() if os.environ["CONTENTS_FILE"] else None
json.dump(given, open(SEEN, "w"))
"""
_BEGINNINGS = r"R[:/]|Perform R\b|accepted|suspended|discarded|done|held|nothing was stored"


class Desk:
    """Runs a job through one Run, whose program is a few lines of Python."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.seen_file = house.base / "seen.json"

    def run(
        self, code: str, inner: str = "", *, job: Job | None = None, attributes: str = "", on_error: str = "Hold"
    ) -> Outcome:
        script = self.house.base / "program.py"
        script.write_text(f"SEEN = {str(self.seen_file)!r}\n{_SEEN}\n{code}\n", "utf-8")
        arguments = f"<Arguments>{escape(str(script))}</Arguments>" if "<Arguments>" not in inner else ""
        action = (
            f'<Run name="R" {attributes}><Command>{sys.executable}</Command>{arguments}'
            f"{inner.replace('SCRIPT', str(script))}</Run>"
        )
        program = self.house.program(action, perform("R", on_error=on_error), suspension=15)
        self.job = job or self.house.job(png(), PatientID="4711", PatientName="Müller^Jörg")
        outcome = self.house.run(program, self.job)
        # The history's lines begin with who wrote them: this action, or the program.
        assert all(re.match(_BEGINNINGS, line) for line in self.story.splitlines()), self.story
        return outcome

    @property
    def seen(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.seen_file.read_text("utf-8"))
        return found

    @property
    def story(self) -> str:
        return self.house.messages(self.job)

    @property
    def private(self) -> str:
        return "\n".join(line.get("private", "") for line in self.house.stories[self.job.id])


@pytest.fixture
def desk(house: House) -> Desk:
    return Desk(house)


def pdf_of(text: str) -> bytes:
    stream = io.BytesIO()
    canvas = Canvas(stream)
    canvas.drawString(72, 700, text)
    canvas.save()
    return stream.getvalue()


def own(job: Job, name: str) -> Dataset:
    return OwnAttributes.of_job(job).named(name)


def test_arguments_stay_what_they_are(desk: Desk) -> None:
    job = desk.house.job(png(), PatientID="--help", PatientName="Doe^Jane; rm -rf $(HOME)", PatientComments="a\nb")
    inner = "<Arguments>SCRIPT|#{PatientID}|x #{PatientName}||#{PatientComments}|#{AccessionNumber}</Arguments>"

    assert desk.run("", inner, job=job) == Done()
    assert desk.seen["arguments"] == ["--help", "x Doe^Jane; rm -rf $(HOME)", "", "a\r\nb", ""]
    assert "the job has no value for #{AccessionNumber}" in desk.story
    assert "Jane" not in desk.story
    assert "Jane" in desk.private


def test_input_is_a_line_for_each_value(desk: Desk) -> None:
    job = desk.house.job(png(), PatientID="4711", PatientName="Müller^Jörg", PatientComments="one\r\ntwo\nthree")
    tags = ("PatientName", "AccessionNumber", "PatientComments", "PatientID")

    assert desk.run("", "".join(f'<Input tag="{tag}"/>' for tag in tags), job=job) == Done()
    assert desk.seen["input"] == "Müller^Jörg\n\none two three\n4711\n"
    assert "the job has no value for AccessionNumber (0008,0050); its line is empty" in desk.story


def test_the_environment_tells_of_the_job(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_PASSWORD", "secret")
    monkeypatch.setenv("JAVA_HOME", "/java")
    job = desk.house.job(tiff(2), png(3), pdf())
    sizes = [file.stat().st_size for file in sorted(job.path("payload").iterdir())]

    assert desk.run("", "<Environment>JAVA_HOME | ODBCINI</Environment>", job=job) == Done()
    seen = desk.seen
    assert seen["environment"]["NOFILES"] == "3"
    assert seen["sizes"] == sizes
    assert seen["environment"]["CLIENT_HOST_NAME"] == job.facts.host
    assert seen["environment"]["JAVA_HOME"] == "/java"
    assert "DATABASE_PASSWORD" not in seen["environment"]
    # A place of its own, which is gone with all that was left there.
    assert Path(seen["folder"]).parent.name == "work"
    assert not Path(seen["folder"]).exists()


def test_files_of_merged_jobs_are_each_there(desk: Desk) -> None:
    job, other = desk.house.job(png(1)), desk.house.job(pdf(), png(2))
    mine, others = (sorted(one.path("payload").iterdir()) for one in (job, other))
    sizes = [file.stat().st_size for file in (*mine, others[1], others[0])]
    take_in(job, other.folder.path)

    assert desk.run("", job=job) == Done()
    assert desk.seen["sizes"] == sizes
    assert len({desk.seen["environment"][f"FILE{number}"] for number in (1, 2, 3)}) == 3


def test_the_text_of_a_job_is_its_contents(desk: Desk) -> None:
    assert desk.run("", job=desk.house.job(png(), "Befund: Größe 3 cm\n".encode())) == Done()
    assert desk.seen["text"] == "Befund: Größe 3 cm\n"
    assert desk.seen["environment"]["NOFILES"] == "1"


def test_without_a_text_of_its_own_a_job_has_its_pdfs_text(desk: Desk) -> None:
    assert desk.run("", job=desk.house.job(pdf_of("Befund von Frau Müller"))) == Done()
    assert "Befund von Frau Müller" in desk.seen["text"]
    assert desk.run("", job=desk.house.job(png())) == Done()
    assert desk.seen["environment"]["CONTENTS_FILE"] == ""


def test_a_path_begins_at_the_configurations_folder(desk: Desk) -> None:
    tool = desk.house.base / "tools" / "look"
    tool.parent.mkdir()
    tool.write_text(f"#!/bin/sh\nprintf found > '{desk.seen_file}'\n", "utf-8")
    tool.chmod(0o755)
    loaded = desk.house.program('<Run name="R"><Command>tools/look</Command></Run>', perform("R"))
    assert desk.house.run(loaded, desk.house.job(png())) == Done()
    assert desk.seen_file.read_text() == "found"


def test_a_program_cannot_change_the_jobs_files(desk: Desk) -> None:
    code = "open(files[0], 'wb').write(b'x'); os.unlink(files[0])"
    job = desk.house.job(png(), png(2))
    before = [file.read_bytes() for file in sorted(job.path("payload").iterdir())]

    assert isinstance(desk.run(code + "; sys.exit(1)", job=job), Held)
    assert [file.read_bytes() for file in sorted(job.path("payload").iterdir())] == before


def test_what_output_has_set_is_the_jobs(desk: Desk) -> None:
    job = desk.house.job(png(), PatientID="old", AccessionNumber="A1", StudyDescription="old")
    inner = "".join(f'<Output tag="{tag}"/>' for tag in ("PatientID", "PatientName", "AccessionNumber"))
    inner += '<Output tag="StudyDescription"/>'
    code = r"sys.stdout.buffer.write('P 1\r\nMüller^Jörg\n\r\n  a\\b \nmore\n'.encode())"

    assert desk.run(code, inner, job=job) == Done()
    dataset = job.dataset
    assert (dataset.PatientID, str(dataset.PatientName)) == ("P 1", "Müller^Jörg")
    assert (dataset.AccessionNumber, dataset.StudyDescription) == ("", "a/b")
    assert job.flags.set_tags == ("00080050", "00081030", "00100010", "00100020")
    assert "wrote 5 lines; those after the first 4 are not used" in desk.story
    assert 'StudyDescription (0008,1030): "\\" became "/"' in desk.story


def test_a_unique_line_belongs_to_an_image(desk: Desk) -> None:
    job = desk.house.job(tiff(2), pdf(), png(3))
    inner = '<Output tag="ImageComments" type="Unique"/><Output tag="PatientID"/>'
    inner += '<Output tag="AcquisitionNumber" type="Unique"/>'

    assert desk.run("print('one\\ntwo\\nthree\\nfour\\nP1\\n1\\n2\\n3\\n4')", inner, job=job) == Done()
    first, second, third = (page.name for page in job.payload.pages)
    names = [first, second, third, *job.payload.documents]
    assert [own(job, name).ImageComments for name in names] == ["one", "two", "three", "four"]
    assert [own(job, name).AcquisitionNumber for name in names] == [1, 2, 3, 4]
    assert job.dataset.PatientID == "P1"
    assert "ImageComments" not in job.dataset


@pytest.mark.parametrize(
    ("code", "inner", "said"),
    [
        (
            "print('x')",
            '<Output tag="PatientID"/><Output tag="PatientName"/>',
            "wrote 1 line to standard output, 2 are",
        ),
        ("", '<Output tag="PatientID"/>', "wrote 0 lines to standard output, 1 are wanted"),
        ("print('x')", '<Output tag="ImageComments" type="Unique"/>', "the job has 2"),
        ("print('no date')", '<Output tag="StudyDate"/>', "StudyDate"),
        ("sys.stdout.buffer.write(b'\\xff\\n')", '<Output tag="PatientID"/>', "no text in UTF-8"),
        ("while True: print('x' * 9999)", '<Output tag="PatientID"/>', "wrote more than 1048576 bytes"),
        ("sys.exit('Jane has no order')", "", "ended with exit code 1"),
        ("import signal; os.kill(os.getpid(), signal.SIGKILL)", "", "ended with the signal SIGKILL"),
        ("import time; time.sleep(600)", "<Timeout>700</Timeout>", "had not ended after 0.7 s"),
    ],
)
def test_one_that_misbehaves_fails_and_changes_nothing(desk: Desk, code: str, inner: str, said: str) -> None:
    job = desk.house.job(tiff(2), PatientID="4711")

    outcome = desk.run(code, inner, job=job)

    assert isinstance(outcome, Held)
    assert said in outcome.why
    assert "Jane" not in desk.story
    assert job.dataset.PatientID == "4711"
    assert (job.payload.own, job.flags.set_tags) == ((), ("00100020",))
    assert not (job.folder.path / "work").exists()


@pytest.mark.parametrize("on_error", ["Hold", "Ignore", "Suspend", "Discard"])
def test_two_exit_codes_are_wishes_that_no_policy_is_asked_about(desk: Desk, on_error: str) -> None:
    outcome = desk.run("sys.exit(-3)", on_error=on_error)
    assert isinstance(outcome, Suspended)
    assert outcome.position == desk.job.position
    assert desk.job.position.node == "Perform R"
    assert (outcome.until - desk.house.clock()).total_seconds() == 15
    assert "wants to be asked again later (exit code -3)" in desk.story

    outcome = desk.run("sys.exit(-2)", on_error=on_error)
    assert isinstance(outcome, Discarded)
    assert desk.house.spool.left(desk.job.id)["outcome"] == "discarded"


def test_a_suspended_program_is_asked_again(desk: Desk) -> None:
    code = "again = os.path.exists(SEEN + '.once'); open(SEEN + '.once', 'w'); sys.exit(0 if again else 253)"
    assert isinstance(desk.run(code), Suspended)
    assert desk.run(code, job=desk.house.spool.load(desk.job.id)) == Done()


@pytest.mark.parametrize(("on_error", "kind"), [("Suspend", Suspended), ("Ignore", Done), ("Discard", Discarded)])
def test_any_other_failure_asks_the_policy(desk: Desk, on_error: str, kind: type[Outcome]) -> None:
    assert isinstance(desk.run("sys.exit(252)", on_error=on_error), kind)
    assert "failure is permanent" not in desk.story


def test_a_program_that_is_not_there(desk: Desk) -> None:
    program = desk.house.program('<Run name="R"><Command>no-such-#{PatientID}</Command></Run>', perform("R"))
    job = desk.house.job(png(), PatientID="4711")
    outcome = desk.house.run(program, job)
    assert isinstance(outcome, Held)
    assert 'there is no program "no-such-#{PatientID}"' in outcome.why


def test_an_output_file_takes_the_place_of_the_first(desk: Desk) -> None:
    other = desk.house.base / "other.png"
    Image.fromarray(grey(9)).save(other)
    job = desk.house.job(png(1), png(2))
    first, second = job.payload.pages
    given = job.path(first.file).read_bytes()
    code = (
        f"assert open(sys.argv[1], 'rb').read() == {given!r}; import shutil; shutil.copy({str(other)!r}, sys.argv[2])"
    )
    inner = "<Arguments>SCRIPT|#{InputFile}|#{OutputFile}</Arguments>"
    job.payload = replace(job.payload, own=(Own(first.name, "{}"),))

    assert desk.run(code, inner, job=job) == Done(), desk.story
    new, same = job.payload.pages
    assert same == second
    assert new.file.startswith("payload/run-1")
    assert job.payload.own[0].name == new.name
    assert "(image/png) takes the place of payload/" in desk.story


@pytest.mark.parametrize(
    ("files", "written", "pages", "documents"),
    [
        ((png(1), png(2)), tiff(3), 4, 0),
        ((tiff(2), png(3)), tiff(2), 3, 0),
        ((png(1), png(2)), pdf(), 1, 1),
        ((pdf(),), pdf(), 0, 1),
        ((pdf(),), png(1), 1, 0),
    ],
)
def test_an_output_file_may_be_of_another_kind(
    desk: Desk, files: tuple[bytes, ...], written: bytes, pages: int, documents: int
) -> None:
    other = desk.house.base / "other"
    other.write_bytes(written)
    code = f"import shutil; shutil.copy({str(other)!r}, sys.argv[1])"
    job = desk.house.job(*files)
    first = next(iter([page.file for page in job.payload.pages] + [*job.payload.documents]))

    assert desk.run(code, "<Arguments>SCRIPT|#{OutputFile}</Arguments>", job=job) == Done()
    assert (len(job.payload.pages), len(job.payload.documents)) == (pages, documents)
    assert first not in [*(page.file for page in job.payload.pages), *job.payload.documents]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("open(sys.argv[1], 'wb').write(b'GIF89a')", "wrote to #{OutputFile} cannot be used: a GIF picture"),
        ("open(sys.argv[1], 'w')", "cannot be used: the file is empty"),
        ("open(sys.argv[1], 'w').write('text')", "wrote a text to #{OutputFile}"),
        ("os.symlink('/etc/passwd', sys.argv[1])", "is no file"),
        ("os.mkdir(sys.argv[1])", "is no file"),
    ],
)
def test_an_output_file_is_looked_at_before_it_is_taken(desk: Desk, code: str, said: str) -> None:
    job = desk.house.job(png())
    before = job.payload

    outcome = desk.run(code, "<Arguments>SCRIPT|#{OutputFile}</Arguments>", job=job)

    assert isinstance(outcome, Held)
    assert said in outcome.why
    assert job.payload == before


def test_no_output_file_changes_nothing(desk: Desk) -> None:
    job = desk.house.job(png())
    before = job.payload
    assert desk.run("", "<Arguments>SCRIPT|#{InputFile}|#{OutputFile}</Arguments>", job=job) == Done()
    assert job.payload == before


def test_interactive_without_a_desktop_runs_all_the_same(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert desk.run("", attributes='type="Interactive"') == Done()
    assert "runs without a desktop, as type Console does" in desk.story

    monkeypatch.setenv("DISPLAY", ":7")
    assert desk.run("") == Done()
    assert "DISPLAY" not in desk.seen["environment"]
    if sys.platform == "linux":
        assert desk.run("", attributes='type="Interactive"') == Done()
        assert desk.seen["environment"]["DISPLAY"] == ":7"
        assert "without a desktop" not in desk.story


def test_a_dry_run_starts_nothing(desk: Desk) -> None:
    desk.house.tools = replace(desk.house.tools, programs=DryPrograms())
    job = desk.house.job(png(), PatientID="Doe")

    assert desk.run("", '<Arguments>SCRIPT|#{PatientID}</Arguments><Output tag="PatientID"/>', job=job) == Done()
    assert not desk.seen_file.exists()
    assert "a dry run: it would start the program" in desk.story
    assert "with 2 arguments" in desk.story
    assert "Doe" in desk.private
    assert job.dataset.PatientID == "Doe"


def test_a_service_that_ends_leaves_the_node_to_the_next_start(desk: Desk) -> None:
    house = desk.house
    script = house.base / "program.py"
    script.write_text(f"import os, time\nopen({str(desk.seen_file)!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)\n")
    action = (
        f'<Run name="R"><Command>{sys.executable}</Command><Arguments>{script}</Arguments>'
        "<Timeout>600000</Timeout></Run>"
    )
    job = house.job(png())
    engine = house.engine(house.program(action, perform("R", on_error="Discard")))
    wait_until(lambda: desk.seen_file.exists() and desk.seen_file.read_text(), "the program runs")

    assert engine.stop(timeout=0.1) is False

    again = house.spool.load(job.id)
    assert str(again.position) in ("the first node", "Perform R (at 0)")
    assert (again.state.value, again.reason) == ("running", None)
    assert not any("failed" in line["message"] for line in again.folder.history())
    pid = desk.seen_file.read_text()
    wait_until(lambda: not Path("/proc").exists() or not Path(f"/proc/{pid}/cmdline").exists(), "the program is gone")
