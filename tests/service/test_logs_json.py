from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomprinter.errors import Private
from dicomprinter.service.log_event import Settings
from dicomprinter.service.log_form import EventFormatter, Form
from dicomprinter.service.logs import Logs

pytestmark = pytest.mark.usefixtures("libraries_as_before")

ALWAYS = {"time", "level", "job", "depth", "message", "logger"}


def record(message: str = "m", name: str = "dicomprinter.job", **extra: Any) -> logging.LogRecord:
    made = logging.LogRecord(name, logging.INFO, "x.py", 1, "%s", (message,), None)
    made.__dict__.update(extra)
    return made


def written(made: logging.LogRecord, *, redact: bool = True) -> dict[str, Any]:
    line = EventFormatter(Settings(redact), Form.JSON).format(made)
    assert line.isascii()
    assert len(line.splitlines()) == 1
    found = json.loads(line)
    assert isinstance(found, dict)
    return found


def test_an_event_is_an_object() -> None:
    found = written(record("ready"))
    assert set(found) == ALWAYS
    assert {**found, "time": ""} == {
        "time": "",
        "level": "INFO",
        "job": None,
        "depth": 1,
        "message": "ready",
        "logger": "dicomprinter.job",
    }
    moment = datetime.fromisoformat(found["time"])
    assert moment.utcoffset() is not None
    assert moment.isoformat(timespec="milliseconds") == found["time"]


DETAILS = {
    "status": "A700",
    "sop_class_uid": "1.2.840.10008.5.1.4.1.1.7",
    "sop_instance_uid": "2.25.4711",
    "peer": "PACS@127.0.0.1:104",
    "offending": ["00100020"],
    "node": "0",
    "answers": None,
}


@pytest.mark.unredacted
@pytest.mark.parametrize(("redact", "uid", "private"), [(True, "****", "ID ****"), (False, "2.25.4711", "ID Vogel")])
def test_details_without_patient_data_are_told(redact: bool, uid: str, private: str) -> None:
    made = record(
        job="j", depth=3, node="0/then/1", action="Send", details=DETAILS, private=Private.fill("ID {}", "Vogel")
    )
    found = written(made, redact=redact)
    assert set(found) == ALWAYS | {"node", "action", "details", "private"}
    assert (found["job"], found["depth"], found["node"], found["action"]) == ("j", 3, "0/then/1", "Send")
    assert found["private"] == private
    assert found["details"] == {
        "status": "A700",
        "sop_class_uid": "1.2.840.10008.5.1.4.1.1.7",
        "sop_instance_uid": uid,
        "peer": "PACS@127.0.0.1:104",
        "offending": ["00100020"],
    }


def test_an_exception_is_the_list_of_its_places() -> None:
    made = record()
    try:
        int("Vogel")
    except ValueError as error:
        made.exc_info = (type(error), error, error.__traceback__)
    found = written(made)
    assert found["trace"][-1] == "ValueError: ****"
    assert "in test_an_exception_is_the_list_of_its_places" in found["trace"][0]
    assert "Vogel" not in json.dumps(found)


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
# Every code point: control characters and halves of surrogate pairs as well.
_TEXT = st.text(st.characters(codec=None))


@given(_TEXT, _TEXT, st.dictionaries(_TEXT, _ANY), st.booleans())
def test_it_is_json_whatever_it_tells(message: str, job: str, details: Mapping[str, Any], redact: bool) -> None:
    found = written(record(message, job=job, details=details, private=message, node=job), redact=redact)
    json.dumps(found, ensure_ascii=False).encode("utf-8")


@given(_TEXT)
def test_the_text_form_is_one_line_whatever_it_tells(message: str) -> None:
    line = EventFormatter(Settings()).format(record(message, job=message))
    assert len(line.splitlines()) == 1
    assert not any(ord(letter) < 32 and letter != "\t" for letter in line)
    line.encode("utf-8")


def test_file_and_screen_are_alike(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Logs.open(tmp_path, screen=True, form=Form.JSON):
        logging.getLogger("dicomprinter.x").info("größer")
    line = (tmp_path / "dicomprinter.log").read_text("ascii")
    assert json.loads(line)["message"] == "größer"
    assert capsys.readouterr().err == line
