"""Configurations that are made to take the machine: each is told in a moment, by its number of elements or errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from dicomprinter.config.environment import expand, unclosed
from dicomprinter.config.spec import MOST_ERRORS
from dicomprinter.config.xml import MAXIMUM_ELEMENTS, parse
from dicomprinter.errors import ConfigError
from dicomprinter.imaging.limits import Limits
from dicomprinter.program import load

FILE = Path("config.xml")
DOCUMENT = "<DicomPrinter><General>%s</General><Actions>%s</Actions><Workflow/></DicomPrinter>"


@pytest.mark.parametrize(
    "data",
    [
        b"<a>" + b"<b/>" * MAXIMUM_ELEMENTS + b"</a>",
        b"<a>" + b"x<b/>" * MAXIMUM_ELEMENTS + b"</a>",
        b"<a " + b" ".join(b'a%d=""' % number for number in range(MAXIMUM_ELEMENTS)) + b"/>",
    ],
)
def test_more_elements_and_attributes_than_any_site_has(data: bytes) -> None:
    with pytest.raises(ConfigError, match=f"config.xml:1:.*more than {MAXIMUM_ELEMENTS} elements and attributes"):
        parse(data, FILE)


def test_text_in_many_pieces_is_put_together_once() -> None:
    root = parse(b"<a>" + b"x<b/>" * (MAXIMUM_ELEMENTS - 1) + b"</a>", FILE)
    assert root.text == "x" * (MAXIMUM_ELEMENTS - 1)


def test_long_names_and_texts(tmp_path: Path) -> None:
    file = tmp_path / "config.xml"
    for name, text in (("a" * (1 << 20), ""), ("Store", "x" * (1 << 22))):
        file.write_text(DOCUMENT % ("", f"<{name}>{text}</{name}>"), encoding="utf-8")
        with pytest.raises(ConfigError):
            load(file, None, {})


def test_errors_without_end_are_told_in_part(tmp_path: Path) -> None:
    file = tmp_path / "config.xml"
    file.write_text(DOCUMENT % ("", "<Stor/>" * 20_000), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(file, None, {})
    assert len(caught.value.problems) == MOST_ERRORS + 1
    assert "not looked at" in caught.value.problems[-1].message


@pytest.mark.parametrize("text", ["${a!" * 30_000 + "!}", "${a:-" * 30_000, "${a:-" * 30_000 + "}"])
def test_references_that_never_end(text: str) -> None:
    expand(text, {})
    unclosed(text)


def test_limits_of_a_file_are_the_configurations(tmp_path: Path) -> None:
    file = tmp_path / "config.xml"
    general = (
        "<MaximumPixels>1000</MaximumPixels><MaximumSide>100</MaximumSide><MaximumPages>7</MaximumPages>"
        "<MaximumFileSize>3</MaximumFileSize><MaximumTextSize>5K</MaximumTextSize>"
        "<MaximumDecodingTime>1.5</MaximumDecodingTime>"
    )
    action = '<SetTag name="a"><DcmTag tag="PatientID">1</DcmTag></SetTag>'
    file.write_text(DOCUMENT % (general, action), encoding="utf-8")
    found = load(file, None, {}).general
    assert found.limits == Limits(pixels=1000, side=100, pages=7, bytes=3 << 20, text=5 << 10)
    assert found.decoding_seconds == 1.5
    file.write_text(DOCUMENT % ("", action), encoding="utf-8")
    assert load(file, None, {}).general.limits == Limits()
    file.write_text(DOCUMENT % ("<MaximumFileSize>0</MaximumFileSize>", action), encoding="utf-8")
    with pytest.raises(ConfigError, match="lets no file in; write 512K"):
        load(file, None, {})
