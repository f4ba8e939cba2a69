"""Values with placeholders: read, and filled in for a job."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from hypothesis import strategies as st

from dicomprinter.config.environment import expand, unclosed
from dicomprinter.config.placeholders import FACTS, FILES, MOMENTS, Template
from dicomprinter.errors import PermanentError
from fuzz.target import Target


class _Job:
    """A job that has every other tag."""

    def moment(self) -> datetime:
        return datetime(2026, 1, 31, 9, 15, 2, tzinfo=UTC)

    def fact(self, name: str) -> str:
        return name

    def tag_text(self, tag: int) -> str | None:
        return f"{tag:08X}" if tag % 2 == 0 else None

    def fresh_uid(self, place: str) -> str:
        return f"2.25.{len(place)}"


def _run(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    filled, missing = expand(text, {"A": "a", "B": "#{PatientID}"})
    unclosed(text)
    try:
        template = Template.parse(filled)
    except ValueError:
        return
    try:
        told, lacking = template.expand(_Job(), "place")
    except PermanentError:
        return
    if template.is_literal:
        assert told == filled
        assert not lacking
    # What is read from its own text is the same again.
    assert Template.parse(template.source) == template
    assert len(missing) <= len(text)


def _seeds() -> Iterator[bytes]:
    for name in (*FACTS, *MOMENTS, *FILES, "UID", "PatientID", "0010,0020", "Date", "Date,-1", "Date,+7,3"):
        yield f"a #{{{name}}} ${{A}} ${{C:-b}}".encode()
    yield b"#{#{PatientID}} ${A ${ #{"


def _inputs() -> st.SearchStrategy[bytes]:
    names = st.sampled_from((*FACTS, *MOMENTS, "UID", "PatientID", "patientname", "(0010,0020)", "Patient", "Jahr"))
    numbers = st.integers(-120_000, 120_000).map(str)
    dates = st.builds("Date,{},{}".format, numbers, numbers) | st.builds("Date, {}".format, numbers)
    pieces = st.builds("#{{{}}}".format, names | dates | st.text(max_size=9)) | st.sampled_from(
        ["#{", "}", "${A}", "${B:-#{Date}}", "${", "${C}", "$", "#", "é", "\0"]
    )
    return st.lists(pieces | st.text(max_size=5), max_size=8).map(
        lambda parts: "".join(parts).encode("utf-8", "replace")
    )


TARGET = Target(
    run=_run,
    seeds=_seeds,
    inputs=_inputs,
    executions=20_000,
    structured=2_000,
    words=(b"#{", b"}", b"${", b":-", b"Date", b",", b"UID", b"Job.", b"PatientID"),
    longest=512,
)
