"""ParseJobFileName and ParseJobTextFile: what the incumbents document, line by line and tag by tag."""

from __future__ import annotations

import io
from typing import Any
from xml.sax.saxutils import escape

import pytest
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from dicomprinter.job.job import Job
from dicomprinter.workflow.interpreter import Done, Held
from tests.system.help import House, png


def tag(keyword: str, expression: str = "", attributes: str = "") -> str:
    return f'<DcmTag tag="{keyword}" {attributes}>{escape(expression)}</DcmTag>'


def action(kind: str, inner: str, attributes: str = "") -> str:
    return f'<{kind} name="P" {attributes}>{inner}</{kind}>'


def run(house: House, configured: str, job: Job) -> Any:
    return house.run(house.program(configured, '<Perform action="P"/>'), job)


def by_name(house: House, name: str, inner: str, attributes: str = "", **tags: str) -> Job:
    """A job of this name after a ParseJobFileName that succeeds."""
    job = house.job(png(1), title=name, **tags)
    assert run(house, action("ParseJobFileName", inner, attributes), job) == Done(), job.reason
    return job


def by_text(house: House, text: str, inner: str, attributes: str = "", *files: bytes) -> Job:
    """A job with a text after a ParseJobTextFile that succeeds."""
    job = house.job(*files, text.encode(), title="page")
    assert run(house, action("ParseJobTextFile", inner, attributes), job) == Done(), job.reason
    return job


@pytest.mark.parametrize(
    ("name", "inner", "keyword", "value"),
    [
        ("PatientID_12345.pdf", tag("PatientID", r"PatientID_(\d+)\.pdf"), "PatientID", "12345"),
        # The seed dialect: one expression, its groups for the tags.
        ("4711_X.pdf", r"<Pattern>(\d+)_(\w)</Pattern>" + tag("PatientID", "", 'group="1"'), "PatientID", "4711"),
        (
            "4711_X.pdf",
            r"<Pattern>(\d+)_(\w)</Pattern>" + tag("AccessionNumber", "", 'group="2"'),
            "AccessionNumber",
            "X",
        ),
        (
            "a_b_c",
            r"<Pattern>(.)_(.)_(.)</Pattern>" + tag("StudyDescription", "", 'group="3,1"'),
            "StudyDescription",
            "c^a",
        ),
        # A name is written given name first, DICOM has the family name first.
        ("John_Doe", "<Pattern>(.+)_(.+)</Pattern>" + tag("PatientName", "", 'group="1,2"'), "PatientName", "Doe^John"),
        ("Doe_John", "<Pattern>(.+)_(.+)</Pattern>" + tag("PatientName", "", 'group="2,1"'), "PatientName", "John^Doe"),
        (
            "Joe F Doe",
            r"<Pattern>(\w+) (\w) (\w+)</Pattern>" + tag("PatientName", "", 'group="1,2,3"'),
            "PatientName",
            "Doe^Joe^F",
        ),
        # The whole name, with its folder and its ending.
        ("ward/4711.PDF", tag("PatientID", r"^ward/(\d+)\.PDF$"), "PatientID", "4711"),
        # replacePattern.
        (
            "31-12-1980",
            tag("PatientBirthDate", r"(\d\d)-(\d\d)-(\d{4})", r'replacePattern="\3\2\1"'),
            "PatientBirthDate",
            "19801231",
        ),
        ("15-11-12", tag("StudyDate", r"(\d\d)-(\d\d)-(\d\d)", r'replacePattern="20\1\2\3"'), "StudyDate", "20151112"),
        ("abc", tag("PatientID", "b", r'replacePattern="\0\0x"'), "PatientID", "bbx"),
        ("abc", tag("PatientID", "(b)(x)?", r'replacePattern="-\2\1"'), "PatientID", "-b"),
        ("abc", tag("PatientID", "(b)", r'replacePattern="\12"'), "PatientID", "b2"),
        ("abc", tag("PatientID", "b", r'replacePattern="#{Job.Source}"'), "PatientID", "test"),
        # Letters at last, in every script.
        ("straße-é", tag("PatientID", "(.+)", 'transform="ToUpper"'), "PatientID", "STRASSE-É"),
        ("ÄB", tag("PatientID", "(.+)", 'transform="tolower"'), "PatientID", "äb"),
        ("ab", tag("PatientID", "(b)", r'replacePattern="x\1" transform="ToUpper"'), "PatientID", "XB"),
        # Capital and small letters.
        ("ID=7", tag("PatientID", r"id=(\d)", 'caseSensitive="false"'), "PatientID", "7"),
        ("ID=7", tag("PatientID", r"(?i)id=(\d)"), "PatientID", "7"),
        ("ÄÖ7", tag("PatientID", r"äö(\d)", 'caseSensitive="0"'), "PatientID", "7"),
        # PCRE.
        ("aaaa7", tag("PatientID", r"(?<=a+)(\d)"), "PatientID", "7"),
        ("x7", tag("PatientID", r"(?<!\d{1,3})(?<number>\d)"), "PatientID", "7"),
        # Only the first place of a name counts.
        ("1 2 3", tag("PatientID", r"(\d)"), "PatientID", "1"),
        # Cleaned as SetTag does.
        ("x", tag("StudyDescription", "x", f'replacePattern="{"y" * 70}"'), "StudyDescription", "y" * 64),
        ("ct", tag("Modality", "(ct)"), "Modality", "CT"),
    ],
)
def test_a_name_gives_values(house: House, name: str, inner: str, keyword: str, value: str) -> None:
    job = by_name(house, name, inner)
    assert str(job.dataset[keyword].value) == value
    assert job.flags.set_tags == (f"{int(job.dataset[keyword].tag):08X}",)


@pytest.mark.parametrize(
    ("attributes", "inner", "value"),
    [
        ("", tag("PatientID", "(id)"), None),
        ('defaultCaseSensitive="false"', tag("PatientID", "(id)"), "ID"),
        ('defaultCaseSensitive="false"', tag("PatientID", "(id)", 'caseSensitive="true"'), None),
        (r'defaultReplacePattern="\1!"', tag("PatientID", "(ID)"), "ID!"),
        (r'defaultReplacePattern="\1!"', tag("PatientID", "(ID)", r'replacePattern="\1"'), "ID"),
        ('defaultTransformation="ToLower"', tag("PatientID", "(ID)"), "id"),
        ('defaultTransformation="ToLower"', tag("PatientID", "(ID)", 'transform="None"'), "ID"),
    ],
)
def test_what_a_tag_does_not_say_its_action_says(house: House, attributes: str, inner: str, value: str | None) -> None:
    assert by_name(house, "my ID", inner, attributes).dataset.get("PatientID") == value


def test_a_placeholders_value_has_no_groups(house: House) -> None:
    inner = tag("PatientID", "(.)", r'replacePattern="\1#{PatientComments}\1"')
    assert by_name(house, "x", inner, PatientComments=r"\1").dataset.PatientID == r"x/1x"


def test_a_placeholder_without_a_value_is_told(house: House) -> None:
    job = by_name(house, "x", tag("PatientID", "(.)", r'replacePattern="\1#{PatientComments}"'))
    assert job.dataset.PatientID == "x"
    assert "P/PatientID (0010,0020): the job has no value for #{PatientComments}" in house.messages(job)


def test_what_is_found_is_told_in_the_history_alone(house: House, caplog: pytest.LogCaptureFixture) -> None:
    job = by_name(house, "4711_ct", tag("PatientID", r"(\d+)") + tag("Modality", "(ct)", 'transform="ToUpper"'))
    (line,) = [line for line in house.stories[job.id] if "P: found PatientID (0010,0020), Modality" in line["message"]]
    assert line["private"] == "Modality (0008,0060)=CT; PatientID (0010,0020)=4711"
    assert "4711" not in caplog.text


# Which match wins


LINES = "ID: 1 ID: 2\nnone\nID: 3\r\nName: A\rID:  \nName: b\n"


@pytest.mark.parametrize(
    ("attributes", "inner", "value"),
    [
        ("", tag("PatientID", r"ID: (\d)"), "3"),
        ('matchPolicy="lastMatch"', tag("PatientID", r"ID: (\d)"), "3"),
        ('matchPolicy="firstMatch"', tag("PatientID", r"ID: (\d)"), "1"),
        # An empty value is passed over, unless it may be.
        ("", tag("PatientID", r"ID:\s*(\d?)"), "3"),
        ("", tag("PatientID", r"ID:\s*(\d?)", 'allowEmpty="true"'), ""),
        ("", tag("PatientID", r"ID:( *)(?!\d)"), None),
        # Several expressions of one tag: the last line, and of one line the last listed.
        ("", tag("PatientID", r"ID: (\d)") + tag("PatientID", "Name: (.)"), "b"),
        ("", tag("PatientID", "Name: (.)") + tag("PatientID", r"ID: (\d)"), "b"),
        ("", tag("PatientID", r"ID: (\d)") + tag("PatientID", "(I)D: 3"), "I"),
        ("", tag("PatientID", "(I)D: 3") + tag("PatientID", r"ID: (\d)"), "3"),
        # The first listed that matches anywhere.
        ('matchPolicy="firstMatch"', tag("PatientID", "Name: (.)") + tag("PatientID", r"ID: (\d)"), "A"),
        ('matchPolicy="firstMatch"', tag("PatientID", r"ID: (\d)") + tag("PatientID", "Name: (.)"), "1"),
        ('matchPolicy="firstMatch"', tag("PatientID", "(nowhere)") + tag("PatientID", r"ID: (\d)"), "1"),
        ('matchPolicy="firstMatch"', tag("PatientID", "ID:( *)$") + tag("PatientID", r"ID: (\d)"), "1"),
        # No line sees the next, unless the expression asks for the whole text.
        ("", tag("PatientID", r"none\s+(ID)"), None),
        ("", tag("PatientID", r"(?s)none\s+(ID)"), "ID"),
        ("", tag("PatientID", r"(?s)Name: (.).*Name"), "A"),
        ("", tag("PatientID", r"(?ms)^Name: (.)$"), "A"),
        ("", tag("PatientID", r"ID: (\d)") + tag("PatientID", "(?s)(none)"), "3"),
        ("", tag("PatientID", r"(?s)(D): 3") + tag("PatientID", r"ID: (\d)"), "3"),
    ],
)
def test_which_match_wins(house: House, attributes: str, inner: str, value: str | None) -> None:
    assert by_text(house, LINES, inner, attributes).dataset.get("PatientID") == value


# What is mandatory


@pytest.mark.parametrize(
    ("kind", "cause"),
    [("ParseJobFileName", "the job's name does not match"), ("ParseJobTextFile", "no line of the text matches")],
)
def test_a_mandatory_tag_without_a_value_fails(house: House, kind: str, cause: str) -> None:
    inner = tag("PatientID", "(Muster)") + "\n" + tag("AccessionNumber", "(nothing)", 'mandatory="true"')
    job = house.job(b"Muster", title="Muster")
    outcome = run(house, action(kind, inner), job)
    assert isinstance(outcome, Held)
    assert f"P found no value for AccessionNumber (0008,0050); {cause}" in outcome.why
    assert "in line 2 of the configuration" in outcome.why
    assert "Muster" not in outcome.why
    assert "PatientID" not in job.dataset


@pytest.mark.parametrize(
    "inner",
    [
        tag("PatientID", "(nothing)", 'mandatory="true"') + tag("PatientID", "(X)"),
        tag("PatientID", "X()", 'mandatory="true" allowEmpty="true"'),
    ],
)
def test_a_mandatory_tag_may_get_its_value_anyhow(house: House, inner: str) -> None:
    assert "PatientID" in by_name(house, "X", inner).dataset


def test_without_a_text_only_a_mandatory_tag_fails(house: House) -> None:
    job = house.job(png(1))
    assert run(house, action("ParseJobTextFile", tag("PatientID", "(.)")), job) == Done()
    assert "P: the job has no text" in house.messages(job)
    outcome = run(house, action("ParseJobTextFile", tag("PatientID", "(.)", 'mandatory="1"')), house.job(png(1)))
    assert isinstance(outcome, Held)
    assert "PatientID (0010,0020); it has no text" in outcome.why


def test_a_value_that_is_none_of_its_tag_holds_the_job(house: House) -> None:
    job = house.job(png(1), title="19991332")
    outcome = run(house, action("ParseJobFileName", tag("StudyDate", r"(\d+)")), job)
    assert isinstance(outcome, Held)
    assert "the value of StudyDate (0008,0020) cannot be written; it is no day of the calendar" in outcome.why
    assert "19991332" not in outcome.why


def test_an_expression_that_backtracks_for_ever_ends_and_names_its_place(house: House) -> None:
    job = house.job(png(1), title="a" * 60 + "b")
    inner = tag("PatientID", "(a)") + "\n" + tag("StudyDescription", "(a|aa)+$")
    outcome = run(house, action("ParseJobFileName", inner), job)
    assert isinstance(outcome, Held)
    assert "the expression of StudyDescription (0008,1030) in line 2 of the configuration took longer" in outcome.why


# Where the text comes from


def printed(*pages: list[tuple[float, float, str]], rotation: int = 0, field: str = "") -> bytes:
    """A PDF whose texts stand at these places, written in this order."""
    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=A4)
    for page in pages:
        canvas.setPageRotation(rotation)
        canvas.setFont("Helvetica", 12)
        for x, y, text in page:
            canvas.drawString(x, y, text)
        if field:
            canvas.acroForm.textfield(name="field", value=field, x=72, y=100, width=200, height=20)
        canvas.showPage()
    canvas.save()
    return stream.getvalue()


def upwards(rotation: int) -> bytes:
    """A PDF whose lines run up the page, which a viewer turns clockwise by so many degrees, and one line across."""
    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=A4)
    canvas.setPageRotation(rotation)
    canvas.drawString(72, 100, "across")
    canvas.translate(300, 300)
    canvas.rotate(90)
    canvas.drawString(0, -20, "second line")
    canvas.drawString(0, 0, "first line")
    canvas.save()
    return stream.getvalue()


def taken(house: House, *files: bytes) -> str:
    """The text that an expression sees of a job."""
    job = house.job(*files)
    inner = tag("PatientComments", r"(?s)\A(.*)\z", 'allowEmpty="true"')
    assert run(house, action("ParseJobTextFile", inner), job) == Done(), job.reason
    return str(job.dataset.PatientComments)


OUT_OF_ORDER = [(72, 600, "third"), (300, 700, "right"), (72, 700, "first"), (72, 650, "second line")]


@pytest.mark.parametrize(
    ("files", "text"),
    [
        ((printed(OUT_OF_ORDER),), "first  right\r\nsecond line\r\nthird\r\n"),
        ((printed(OUT_OF_ORDER, rotation=180),), "first  right\r\nsecond line\r\nthird\r\n"),
        # Lines in another direction than most follow; most run upwards here, whether the page is turned or not.
        ((upwards(0),), "first line\r\nsecond line\r\nacross\r\n"),
        ((upwards(90),), "first line\r\nsecond line\r\nacross\r\n"),
        # A line is one although its parts stand a little higher.
        ((printed([(72, 700, "H"), (85, 700, "O"), (80.7, 697, "2")]),), "H2O\r\n"),
        ((printed([(72, 700, "bold"), (72.3, 700, "bold")]),), "bold\r\n"),
        ((printed([(72, 700, "one")], [], [(72, 700, "three")]),), "one\r\n\f\fthree\r\n"),
        ((printed([(72, 700, "Name:")], field="Filled"),), "Name:\r\nFilled\r\n"),
        ((printed([(72, 700, "one")]), printed([(72, 700, "two")])), "one\r\n\ftwo\r\n"),
        # Of a PDF and a text, the PDF's; of a PDF without any, the text's.
        ((printed([(72, 700, "of the PDF")]), b"of the text"), "of the PDF\r\n"),
        ((printed([]), b"of the text"), "of the text"),
        ((png(1), "\ufeffMüller".encode()), "Müller"),
        # A text that comes alone: its lines are whole, however the pages break them.
        ((b"x" * 100 + b"\ny",), "x" * 100 + "\r\ny"),
    ],
)
def test_where_a_text_comes_from_and_how_it_is_read(house: House, files: tuple[bytes, ...], text: str) -> None:
    assert taken(house, *files) == text
