"""`dicomprinter check`."""

from __future__ import annotations

from pathlib import Path

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
