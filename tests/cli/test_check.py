"""`dicomprinter check`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dicomprinter.actions.registry import actions as action_kinds
from tests.actions.test_elements import LEAST
from tests.cli.conftest import Call
from tests.system.service import configuration, connection

STORE = f'<Store name="Send">{connection(104, "PACS", host="${PACS_HOST}")}</Store>'
PERFORM = '<Perform action="Send"/>'


def config(folder: Path, text: str) -> Path:
    file = folder / "config.xml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_valid_file(call: Call, tmp_path: Path) -> None:
    file = config(tmp_path, configuration(STORE.replace("${PACS_HOST}", "pacs"), PERFORM))
    said = call("check", file)
    assert (said.code, said.out, said.err) == (0, f"{file}: valid\n", "")


def test_every_problem_of_a_file_comes_in_one_go(call: Call, tmp_path: Path) -> None:
    file = config(
        tmp_path,
        f"<DicomPrinter>\n<Actions>{STORE}</Actions>\n<Workflow>{PERFORM}<If/></Workflow>\n<X/></DicomPrinter>",
    )
    said = call("check", file)
    assert said.code == 2
    assert said.out == ""
    lines = said.err.splitlines()
    assert {line.removeprefix(f"{file}:").partition(":")[0] for line in lines[:-1]} == {"2", "3", "4"}
    assert "PACS_HOST" in said.err
    assert lines[-1] == f"{file}: {len(lines) - 1} errors"


def test_problems_for_a_program(call: Call, tmp_path: Path) -> None:
    file = config(tmp_path, "<DicomPrinter>\n  <Actoins/></DicomPrinter>")
    said = call("check", file, "--json")
    assert said.code == 2
    assert (said.json["file"], said.json["valid"], said.json["warnings"]) == (str(file), False, [])
    problem = said.json["problems"][0]
    assert set(problem) == {"file", "line", "column", "message", "suggestion"}


def test_a_warning_is_an_error_when_strict(call: Call, tmp_path: Path) -> None:
    text = configuration(STORE.replace("${PACS_HOST}", "pacs"), PERFORM)
    file = config(tmp_path, text.replace("<General>", "<General><RegistrationKey>x</RegistrationKey>"))
    said = call("check", file)
    assert said.code == 0
    assert said.err.startswith(f"warning: {file}:1:")
    said = call("check", file, "--strict", "--json")
    assert said.code == 2
    assert said.err.startswith(f"error: {file}:1:")
    assert (said.json["valid"], said.json["problems"], len(said.json["warnings"])) == (False, [], 1)


def test_the_base_directory_gives_the_variables(call: Call, tmp_path: Path) -> None:
    base = tmp_path / "base"
    (base / "config").mkdir(parents=True)
    file = config(base / "config", configuration(STORE, PERFORM))
    assert call("check", file).code == 2
    (base / ".env").write_text("PACS_HOST=pacs.example.org\n")
    # Found by itself where the configuration lies as a service wants it.
    assert call("check", file).code == 0
    other = config(tmp_path, file.read_text())
    assert call("check", other).code == 2
    assert call("check", other, "--base", base).code == 0


def test_a_file_that_is_not_there(call: Call, tmp_path: Path) -> None:
    said = call("check", tmp_path / "none.xml")
    assert said.code == 2
    assert "none.xml; No such file or directory; check the path" in said.err


def with_tag(tag: str, text: str) -> str:
    """A SetTag beside the Store, both performed."""
    set_tag = f'<SetTag name="Tag"><DcmTag tag="{tag}">{text}</DcmTag></SetTag>'
    return configuration(set_tag + STORE.replace("${PACS_HOST}", "pacs"), '<Perform action="Tag"/>' + PERFORM)


@pytest.mark.parametrize(
    ("tag", "text", "said"),
    [
        ("StudyDate", "2026-01-01", '"2026-01-01" cannot be the value of StudyDate (0008,0020): it is no day'),
        ("StudyDate", "20260230", "it is no day of the calendar"),
        ("StudyTime", "9:00", "it is no time of day"),
        ("PatientAge", "42", "it is no age such as 042Y"),
        ("AccessionNumber", "12345678901234567", "it is longer than the 16 characters of SH"),
        ("Modality", "O-T", "it holds something else than letters"),
        ("SeriesNumber", "first", "it is no whole number"),
        ("StudyInstanceUID", "1.2.03", "it is no UID"),
    ],
)
def test_a_text_that_no_object_can_hold(tag: str, text: str, said: str, call: Call, tmp_path: Path) -> None:
    shown = call("check", config(tmp_path, with_tag(tag, text)))
    assert shown.code == 2
    assert said in shown.err
    assert shown.err.endswith(": 1 error\n")


@pytest.mark.parametrize(
    ("tag", "text", "said"),
    [
        ("Modality", "ot", "Modality (0008,0060): written in capitals"),
        ("StudyDescription", "x" * 70, "StudyDescription (0008,1030): cut to 64 characters"),
        ("PatientName", "A\\B", 'PatientName (0010,0010): "\\" became "/"'),
    ],
)
def test_a_text_that_would_be_changed(tag: str, text: str, said: str, call: Call, tmp_path: Path) -> None:
    shown = call("check", config(tmp_path, with_tag(tag, text)))
    assert shown.code == 0
    assert said in shown.err


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("StudyDate", "20260228"),
        ("StudyDate", ""),
        ("StudyDate", "#{Date}"),
        ("StudyDate", "2026-#{Month}-01"),
        ("StudyTime", "0900"),
        ("Modality", "OT"),
        ("ImageType", "DERIVED\\SECONDARY"),
        ("PatientComments", "two\nlines"),
    ],
)
def test_a_text_that_is_right_or_known_only_at_run_time(tag: str, text: str, call: Call, tmp_path: Path) -> None:
    assert call("check", "--strict", config(tmp_path, with_tag(tag, text))).code == 0


def test_the_value_of_an_item_is_looked_at_too(call: Call, tmp_path: Path) -> None:
    sequence = (
        '<SetSequence name="Tag" tag="ReferencedStudySequence"><DcmItem><DcmTag tag="StudyDate">1.1.2026</DcmTag>'
        "</DcmItem></SetSequence>"
    )
    actions = sequence + STORE.replace("${PACS_HOST}", "pacs")
    said = call("check", config(tmp_path, configuration(actions, '<Perform action="Tag"/>' + PERFORM)))
    assert (said.code, '"1.1.2026" cannot be the value of StudyDate' in said.err) == (2, True)


def test_an_unknown_placeholder_lists_what_there_is(call: Call, tmp_path: Path) -> None:
    said = call("check", config(tmp_path, with_tag("PatientName", "#{Foo}")))
    assert said.code == 2
    for name in ("tag", "Date[,days[,spread]]", "Time", "Year", "UID", "Job.Name", "Job.Host"):
        assert name in said.err


def test_advice_about_the_workflow_is_a_warning(call: Call, tmp_path: Path) -> None:
    text = configuration(STORE.replace("${PACS_HOST}", "pacs"), PERFORM + "<Discard/>" + PERFORM)
    file = config(tmp_path, text)
    said = call("check", file, "--json")
    assert (said.code, len(said.json["warnings"])) == (0, 1)
    assert 'the Perform of "Send" is never reached' in said.json["warnings"][0]["message"]
    assert call("check", file, "--strict").code == 2


def test_run_tells_the_same_warnings(call: Call, page: Path, tmp_path: Path) -> None:
    text = configuration(STORE.replace("${PACS_HOST}", "pacs"), PERFORM + "<Discard/>" + PERFORM)
    said = call("run", config(tmp_path, text), page, "--dry-run", "--output-dir", tmp_path / "out")
    assert said.code == 5
    assert said.err.startswith("warning: ")


def test_check_waits_for_nothing_that_only_a_job_needs(tmp_path: Path) -> None:
    """pydicom brings numpy, Pillow and its own decoders along: a file is checked without all of them."""
    performs = "".join(f'<Perform action="{number}"/>' for number in range(len(LEAST)))
    declared = "".join(least.format(f'name="{number}"') for number, least in enumerate(LEAST.values()))
    keyed = (
        f'<Query name="Keys" type="Worklist" order-by="StudyDate">{connection(104, "RIS")}'
        '<DcmTag tag="StudyDate">20260101-20260115</DcmTag><DcmTag tag="PatientName">^Do?e*</DcmTag></Query>'
        f'<Store name="Other">{connection(104, "PACS")}<CharacterSet>ISO_IR 100</CharacterSet>'
        '<Compression type="RLE"/><ColorMode mode="RGB"/></Store>'
        '<SetTag name="Values"><DcmTag tag="PatientBirthDate">19700101</DcmTag><DcmTag tag="0011,1001" vr="DS">1.5'
        '</DcmTag><DcmTag tag="60000022">overlay</DcmTag></SetTag>'
    )
    performs += "".join(f'<Perform action="{name}"/>' for name in ("Keys", "Other", "Values"))
    file = config(tmp_path, configuration(declared + keyed, performs))
    code = f"import sys; import dicomprinter.cli.main as m; m.invoke(['check', {str(file)!r}]); print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    valid, modules = run.stdout.splitlines()
    assert set(LEAST) == set(action_kinds().values())
    assert valid.endswith(": valid")
    unwanted = {"pydicom", "numpy", "PIL", "pynetdicom", "imagecodecs", "simplejpeg", "pypdfium2", "reportlab", "rich"}
    assert not {name.partition(".")[0] for name in modules.split()} & {*unwanted, "watchdog"}
    ours = {
        f"dicomprinter.actions.{name}" for name in ("storing", "planning", "sending", "building", "query.performing")
    }
    assert not set(modules.split()) & {*ours, "dicomprinter.dicom.forwarded", "dicomprinter.dicom.values"}
