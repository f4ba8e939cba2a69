"""Configurations that cannot be used: what is said, and that nothing happens to the input."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Call
from tests.system.service import configuration, connection

STORE = f'<Store name="SendToPACS">{connection(104, "PACS")}</Store>'
PERFORM = '<Perform action="SendToPACS"/>'
Refused = Callable[[str], str]


@pytest.fixture
def refused(call: Call, tmp_path: Path, page: Path, spools: Callable[[], list[Path]]) -> Refused:
    """`check` and `run` refuse the text in the same words, with exit code 2, and the page stays where it is."""

    def told(text: str) -> str:
        file, before = tmp_path / "config.xml", page.read_bytes()
        file.write_text(text, encoding="utf-8")
        run = call("run", file, page, "--json")
        check = call("check", file)
        assert (run.code, check.code) == (2, 2)
        assert run.json["error"] == "the configuration cannot be used"
        assert run.json["problems"] != []
        assert check.err.splitlines()[:-1] == run.err.splitlines()
        assert check.out == ""
        assert (page.read_bytes(), file.read_text("utf-8")) == (before, text)
        assert spools() == []
        return run.err.replace(str(file), "config.xml")

    return told


def test_xml_that_is_not_well_formed(refused: Refused) -> None:
    said = refused("<DicomPrinter>\n  <Actions></Actoins>\n</DicomPrinter>")
    assert said == "config.xml:2:14: not well-formed XML: <Actions> opened in line 2 is not closed before </Actoins>\n"


def test_an_entity_bomb(refused: Refused) -> None:
    entities = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">\n' for n in range(12))
    said = refused(f'<!DOCTYPE DicomPrinter [\n<!ENTITY e0 "boom">\n{entities}]>\n<DicomPrinter>&e12;</DicomPrinter>')
    assert said.startswith("config.xml:2:")
    assert "entities are not allowed here" in said


def test_an_external_entity(refused: Refused, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the secret")
    head = f'<!DOCTYPE DicomPrinter [\n<!ENTITY x SYSTEM "{secret.as_uri()}">\n]>\n'
    said = refused(head + configuration(STORE.replace(">PACS<", ">&x;<"), PERFORM))
    assert said.startswith("config.xml:2:")
    assert "entities are not allowed here" in said
    assert "the secret" not in said


def test_an_unknown_element(refused: Refused) -> None:
    said = refused(configuration(STORE.replace("Store", "Stroe"), PERFORM))
    assert 'did you mean "Store"?' in said
    assert "<Stroe>" in said


def test_a_typo_in_an_actions_name(refused: Refused) -> None:
    said = refused(configuration(STORE, "\n" + PERFORM.replace("SendToPACS", "SendToPacs")))
    assert said == 'config.xml:2:1: action "SendToPacs" is not declared; did you mean "SendToPACS"?\n'


def test_a_missing_variable(refused: Refused) -> None:
    said = refused(configuration(STORE.replace(">PACS<", ">${PACS_AE_TITLE}<"), PERFORM))
    assert said.startswith("config.xml:1:")
    assert "PACS_AE_TITLE" in said


def test_a_folder_in_place_of_a_configuration(call: Call, tmp_path: Path, page: Path) -> None:
    def told() -> str:
        said = [
            call("run", tmp_path, page),
            call("check", tmp_path),
            call("serve", "--base", tmp_path / "base", "--config", tmp_path),
        ]
        assert [one.code for one in said] == [2, 2, 2]
        assert said[0].err == said[1].err == said[2].err
        return said[0].err

    assert told() == f"error: the configuration {tmp_path} is a folder; name the XML file itself\n"
    file = tmp_path / "config.xml"
    file.touch()
    assert told() == f"error: the configuration {tmp_path} is a folder; name the file: {file}\n"
