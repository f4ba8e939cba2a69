"""`--set`, `--endpoint`, `--assume`."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from dicomprinter.cli.arguments import _assignment, _endpoint, assumptions
from dicomprinter.errors import InputError
from dicomprinter.program import Program, load
from tests.system.service import configuration, connection


@pytest.fixture
def program(tmp_path: Path) -> Program:
    file = tmp_path / "config.xml"
    store = f'<Store name="Send to PACS">{connection(104, "PACS")}</Store>'
    file.write_text(configuration(store, '<Perform action="Send to PACS"/>'))
    return load(file, environment={})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PACS=pacs.example.org:104", ("PACS", ("pacs.example.org", 104))),
        ("Send to=PACS=127.0.0.1:11112", ("Send to=PACS", ("127.0.0.1", 11112))),
        ("PACS=[::1]:104", ("PACS", ("::1", 104))),
        ("PACS=[fe80::1%eth0]:104", ("PACS", ("fe80::1%eth0", 104))),
    ],
)
def test_an_endpoint(text: str, expected: tuple[str, tuple[str, int]]) -> None:
    assert _endpoint(text) == expected


@pytest.mark.parametrize(
    "text", ["PACS", "PACS=host", "=host:1", "PACS=::1:104", "PACS=host:0", "PACS=host:65536", "PACS=:1"]
)
def test_what_is_no_endpoint(text: str) -> None:
    with pytest.raises(click.BadParameter, match="NAME=host:port"):
        _endpoint(text)


@pytest.mark.parametrize("port", ["0", "65536", "99999", "123456"])
def test_a_port_out_of_range_is_named(port: str) -> None:
    with pytest.raises(click.BadParameter, match=f": {port} is not a port from 1 to 65535"):
        _endpoint(f"PACS=host:{port}")


def test_a_value_may_hold_equals_signs() -> None:
    assert _assignment("PatientName=山田^太郎=やまだ^たろう") == ("PatientName", "山田^太郎=やまだ^たろう")
    assert _assignment("PatientID=") == ("PatientID", "")


@pytest.mark.parametrize("text", ["PatientID", "=x"])
def test_what_is_no_assignment(text: str) -> None:
    with pytest.raises(click.BadParameter, match="NAME=value"):
        _assignment(text)


@pytest.mark.parametrize(
    ("name", "value", "label"),
    [
        ("query_found", "yes", "QUERY_FOUND"),
        ("STORE_SUCCEEDED", "0", "STORE_SUCCEEDED"),
        ("STORE_SUCCEEDED(Send to PACS)", "0", "STORE_SUCCEEDED(Send to PACS)"),
        ("TAG_VALUE(PatientID)", "4711", "TAG_VALUE(0010,0020)"),
        ("TAG_VALUE( 0010,0020 )", "4711", "TAG_VALUE(0010,0020)"),
        ("TAG_VALUE((0010,0020))", "4711", "TAG_VALUE(0010,0020)"),
        ("CLIENT_HOST_NAME", "ward", "CLIENT_HOST_NAME"),
    ],
)
def test_an_assumption_has_the_label_of_its_condition(program: Program, name: str, value: str, label: str) -> None:
    assert assumptions(program, [(name, value)]) == {label: value}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("QUERY_FUND", "1", 'did you mean "QUERY_FOUND"'),
        ("QUERY_FOUND", "perhaps", "perhaps"),
        ("QUERY_FOUND(x)", "1", "takes nothing in parentheses"),
        ("STORE_SUCCEEDED(Send to PAC)", "1", 'did you mean "Send to PACS"'),
        ("TAG_VALUE(PatientD)", "1", 'did you mean "PatientID"'),
    ],
)
def test_a_bad_assumption_says_what_is_near(program: Program, name: str, value: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        assumptions(program, [(name, value)])
    assert str(caught.value).startswith("--assume")
    assert message in str(caught.value)
