"""What the declarations refuse, with the words that a reader needs, and what no single value shows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import reduce
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomprinter.actions.base import Action
from dicomprinter.actions.connection import connection_dialect
from dicomprinter.actions.pages.rotate import Rotate
from dicomprinter.actions.print.action import Print
from dicomprinter.actions.print.film import FILM_BOX, IMAGE_BOX, SESSION
from dicomprinter.actions.query.keys import KeyText
from dicomprinter.actions.run.action import Run
from dicomprinter.config.canonical import canonical
from dicomprinter.config.spec import Child, Report, Spec
from dicomprinter.config.tree import Element, Position
from dicomprinter.config.xml import parse
from dicomprinter.errors import PermanentError
from tests.actions.rows_pages import PLACE, added, merged, notify, overlaid, resize, rotate, run, saved, trim, written
from tests.actions.rows_print import PEER, connected, film, image, printing, session
from tests.actions.rows_tags import item, key, keyed, keys, sequence
from tests.actions.test_elements import LEAST, load


def parsing(inner: str, attributes: str = "") -> str:
    return f'<ParseJobFileName name="A" {attributes}>{inner}</ParseJobFileName>'


MAIL = "<To>a@h</To><From>b@h</From><SmtpHost>h</SmtpHost>"


def turned(inner: str) -> str:
    return f'<AutoRotateText name="A">{inner}</AutoRotateText>'


REFUSED: list[tuple[str, tuple[str, ...]]] = [
    # Connections.
    (connected("").replace("<Host>h</Host>", ""), ("needs a <Host>",)),
    (connected("").replace(">104<", ">0<"), ("<Port>", "1 to 65535")),
    (connected("").replace(">104<", ">http<"), ("<Port>", '"http"')),
    (connected("").replace(">P<", ">SEVENTEEN_LETTERS<"), ("<PeerAETitle>", "1 to 16")),
    (connected("").replace(">P<", "> <"), ("<PeerAETitle>", "1 to 16")),
    (connected("").replace(">P<", ">#{PatientID}<"), ("<PeerAETitle>", "placeholders do not work")),
    (connected("").replace(">h<", ">http://h/<"), ("<Host>", '"http://h/"')),
    (connected("").replace(">h<", "><"), ("<Host>",)),
    (connected("<MaxPdu>-1</MaxPdu>"), ("<MaxPdu>", "-1")),
    (connected("<DimseTimeout>0</DimseTimeout>"), ("<DimseTimeout>", "-1 for none")),
    (connected("<DimseTimeout>-2</DimseTimeout>"), ("<DimseTimeout>", "-2")),
    (connected("<DimseTimeOuts>1</DimseTimeOuts>"), ("DimseTimeOuts", 'did you mean "DimseTimeout"?')),
    (connected('<Tls key="k.pem"/>'), ('"cert"',)),
    (connected('<Tls certs="k.pem"/>'), ('"certs"', 'did you mean "cert"?')),
    ('<Print name="A" calledAE="P" host="h" port="99999"/>', ('attribute "port" of <Print>', "99999")),
    ('<Print name="A" calledAE="P" port="1"/>', ("needs a <Host>",)),
    # Print.
    ('<Print name="A"/>', ("needs a <ConnectionParameters>",)),
    (printing("<PrintMode>Grayscale16</PrintMode>"), ('"Grayscale16"', 'did you mean "Grayscale12"?')),
    (printing("<Resolution>300</Resolution>"), ("<Resolution>", "300x300")),
    (printing("<Resolution>0x300</Resolution>"), ("<Resolution>",)),
    (session("<NumberOfCopies>0</NumberOfCopies>"), ("<NumberOfCopies>",)),
    (session("<PrintPriority>MEDIUM</PrintPriority>"), ('"MEDIUM"', 'did you mean "MED"?')),
    (session("<MediumType>BLUE-FILM</MediumType>"), ("<MediumType>",)),
    (session("<FilmSessionLabel>" + "x" * 65 + "</FilmSessionLabel>"), ("64",)),
    (session("<OwnerId>" + "x" * 17 + "</OwnerId>"), ("16",)),
    (film("<ImageDisplayFormat>STANDARD\\0,1</ImageDisplayFormat>"), ("<ImageDisplayFormat>", "STANDARD\\1,1")),
    (film("<ImageDisplayFormat>STANDARD\\2</ImageDisplayFormat>"), ("<ImageDisplayFormat>",)),
    (film("<FilmOrientation>PORTRAI</FilmOrientation>"), ('did you mean "PORTRAIT"?',)),
    (film("<Trim>2</Trim>"), ("YES, NO",)),
    (film("<MinDensity>65536</MinDensity>"), ("65535",)),
    (film("<FilmSize>A4</FilmSize>"), ("FilmSize", 'did you mean "FilmSizeId"?')),
    (image("<Polarity>INVERSE</Polarity>"), ('did you mean "REVERSE"?',)),
    (image("<RequestedImageSize>wide</RequestedImageSize>"), ('"wide"',)),
    # Sequences and tags.
    ('<SetSequence name="A"/>', ('needs the attribute "tag"',)),
    (sequence("", 'vr="LO"'), ('"LO"', "SQ")),
    (sequence("").replace("0032,1064", "PatientID"), ("PatientID (0010,0020) is no sequence",)),
    (sequence("").replace("0032,1064", "ProcedureCodeSequens"), ('did you mean "ProcedureCodeSequence"?',)),
    (item('<DcmTag tag="0028,0010">1</DcmTag>'), ("Rows (0028,0010) cannot be set",)),
    (item('<DcmTag tag="0002,0010">1</DcmTag>'), ("group 0002",)),
    (item('<DcmTag tag="PatientsName">x</DcmTag>'), ('did you mean "PatientName"?',)),
    (item('<DcmTag tag="0032,1064">x</DcmTag>'), ("is a sequence and takes no text", "<DcmSequence>")),
    (item('<DcmTag tag="0011,0001" vr="LO">x</DcmTag>'), ("is not a private tag",)),
    (item('<DcmTag tag="0010,FFFE">x</DcmTag>'), ("the dictionary does not know",)),
    (item('<DcmTag tag="0008,0100" vr="XX">x</DcmTag>'), ('"XX"',)),
    (item('<DcmTag tag="0008,0100" value="a">b</DcmTag>'), ("both a value attribute and a text",)),
    (item('<DcmTag tag="0008,0100">#{PatientIDD}</DcmTag>'), ("#{PatientIDD}", 'did you mean "PatientID"?')),
    (item('<DcmTag tag="0008,1111"><DcmSequence tag="0032,1064"/></DcmTag>'), ("0032,1064", "0008,1111")),
    (item('<DcmTag tag="0008,1111">x<DcmSequence/></DcmTag>'), ("something beside it",)),
    (item('<DcmTab tag="0008,0100">x</DcmTab>'), ("<DcmTab>", 'did you mean "DcmTag"?')),
    # Keys of a Query.
    (key("^C(T"), ('"^C(T" is not a regular expression',)),
    (key("CT|!^C(T"), ('"^C(T" is not a regular expression',)),
    (key("CT|"), ("empty alternative",)),
    (key("!"), ("empty alternative",)),
    (key("2026-01-01", 'tag="StudyDate"'), ("<DcmTag>", "neither a DA", "20260101-20260115")),
    (key("20260231", 'tag="StudyDate"'), ("neither a DA",)),
    (key("20260101-20260199", 'tag="StudyDate"'), ("neither a DA",)),
    (key("20260115-20260101", 'tag="StudyDate"'), ("ends before it begins",)),
    (key("!20260115-20260101", 'tag="StudyDate"'), ("ends before it begins",)),
    (key("-", 'tag="StudyDate"'), ("neither a DA",)),
    (key("2500", 'tag="StudyTime"'), ("neither a TM",)),
    (key("one", 'tag="SeriesNumber"'), ("neither a IS",)),
    (key("9-1", 'tag="SeriesNumber"'), ("ends before it begins",)),
    (key("CT", 'tag="Modality" match="here"'), ('"here"', "both, local")),
    (key("CT", 'tag="Modallity"'), ('did you mean "Modality"?',)),
    (keyed(key("x", 'tag="0040,0100"')[6:-7]), ("is a sequence",)),
    (keyed("", 'tag="0040,0100" persists="1"'), ('"persists"', 'did you mean "persist"?')),
    # Parsing.
    (parsing(""), ("needs a <DcmTag>",)),
    (parsing('<DcmTag tag="PatientID">(</DcmTag>'), ("is not a regular expression",)),
    (parsing('<Pattern>(</Pattern><DcmTag tag="PatientID"/>'), ("<Pattern>", "is not a regular expression")),
    (parsing('<DcmTag tag="PatientID"/>'), ("has no expression", "<Pattern>")),
    (parsing('<DcmTag tag="PatientID">abc</DcmTag>'), ("has 0 groups, group 1 is asked for",)),
    (parsing('<Pattern>(a)</Pattern><DcmTag tag="PatientID" group="2"/>'), ("has 1 groups, group 2",)),
    (parsing('<Pattern>(a)</Pattern><DcmTag tag="PatientID" group="1;2"/>'), ('"1;2"', "1,2")),
    (parsing('<Pattern>(a)</Pattern><DcmTag tag="PatientID" group="0"/>'), ('"0"',)),
    (parsing(r'<DcmTag tag="PatientID" replacePattern="\3">(a)</DcmTag>'), ("group 3",)),
    (parsing('<DcmTag tag="PatientID" transform="Upper">(a)</DcmTag>'), ('did you mean "ToUpper"?',)),
    (parsing('<DcmTag tag="PatientID" mandatry="1">(a)</DcmTag>'), ('did you mean "mandatory"?',)),
    (parsing('<DcmTag tag="PixelData">(a)</DcmTag>'), ("cannot be set",)),
    (parsing('<DcmTag tag="PatientID">(a)</DcmTag>', 'matchPolicy="first"'), ('did you mean "firstMatch"?',)),
    (parsing('<Patern>(a)</Patern><DcmTag tag="PatientID">(a)</DcmTag>'), ('did you mean "Pattern"?',)),
    # Pages.
    (trim("<Top>automatic</Top>"), ("<Top>", '"auto"')),
    (trim("<Top>-1</Top>"), ("<Top>", "-1")),
    (trim("<Topp>1</Topp>"), ('did you mean "Top"?',)),
    (rotate("<Angle>45</Angle>"), ("<Angle>", '"45" is not a multiple of 90')),
    (rotate("<Angle>right</Angle>"), ("multiple of 90",)),
    (rotate(""), ("needs a <Angle>",)),
    (resize("<Aspect>kept</Aspect>"), ('did you mean "keep"?',)),
    (resize("").replace(">768<", ">0<"), ("<Height>", "0 is not")),
    ('<Resize name="A"><Width>1</Width></Resize>', ("needs a <Height>",)),
    ('<AddInstance name="A"/>', ("<ImagePath>, or a <Width> and a <Height>",)),
    ('<AddInstance name="A"><Width>1</Width></AddInstance>', ("<ImagePath>, or a <Width> and a <Height>",)),
    (added("<CanvasColor>red</CanvasColor>"), ('"red" is not a colour', "RRGGBB")),
    (added("<InsertionIndex>-2</InsertionIndex>"), ("<InsertionIndex>",)),
    (f'<PrintText name="A">{PLACE}</PrintText>', ("needs a <Text>",)),
    (written("<Color>00F</Color>"), ('"00F" is not a colour',)),
    (written("").replace(">10<", ">101<"), ("<X>", "0 to 100")),
    (written("<Alignment>Left|Right</Alignment>"), ("two things at once",)),
    (written("<Alignment>Centre</Alignment>"), ('did you mean "Center"?',)),
    (written("<FontHeight>-1</FontHeight>"), ("<FontHeight>",)),
    (overlaid("").replace(">10<", ">71<"), ("X and Width are 101 percent",)),
    (overlaid("").replace(">20.5<", ">60.5<"), ("Y and Height are 100.5 percent",)),
    (overlaid("").replace("<X>10</X>", ""), ("needs a <X>",)),
    (overlaid("", 'pages="0"'), ('"0" is not a list of pages',)),
    (overlaid("", 'pages="5-3"'), ('"5-3"',)),
    (overlaid("<AspectRatioMode>KeepAspect</AspectRatioMode>"), ("KeepAspect", "did you mean")),
    (turned("<MinAxisConfidence>1.1</MinAxisConfidence>"), ("<MinAxisConfidence>", "0 to 1")),
    (turned("<MarginBandPercent>50</MarginBandPercent>"), ("0 to 49",)),
    (turned("<UseHints>perhaps</UseHints>"), ('"perhaps" is neither true nor false',)),
    # Jobs, files, programs.
    (merged("<MaxJobs>0</MaxJobs>"), ("<MaxJobs>",)),
    (merged("<Timeout>soon</Timeout>"), ("<Timeout>", "milliseconds")),
    ('<Save name="A"/>', ("needs a <Directory>",)),
    (saved("<Format>DIX</Format>"), ('did you mean "dxi"?',)),
    (saved("<Filename/>"), ("<Filename>", "must not be empty")),
    (saved("", 'dicomdir="often"'), ("auto, always",)),
    ('<Run name="A"/>', ("needs a <Command>",)),
    (run("", 'type="Konsole"'), ('did you mean "Console"?',)),
    (run('<Arguments>-a "b</Arguments>'), ("quote that is not closed",)),
    (run('<Output tag="SOPInstanceUID"/>'), ("cannot be set",)),
    (run('<Output tag="0032,1064"/>'), ("is a sequence",)),
    (run('<Output tag="PatientID" type="Local"/>'), ('did you mean "Global"?',)),
    ('<Notify name="A" type="Email"><Message>m</Message></Notify>', ("needs <To>, <From>, <SmtpHost>",)),
    ('<Notify name="A" type="Webhook"><Message>m</Message><Url>file:///etc</Url></Notify>', ("no address of the web",)),
    (notify(MAIL + "<Password>Prüfung</Password>", 'type="Email"'), ("<Password>", "ASCII")),
    (notify("<Url>https://h</Url><Token>a\nb</Token>", 'type="Webhook"'), ("<Token>", "ASCII")),
    (run("<Input/>"), ('<Input> needs the attribute "tag"',)),
    (notify("").replace(">m<", ">%1<"), ("asks for %1", "gives 0 <Input>")),
    (notify('<Input tag="PatientID"/>'), ("asks for none", "gives 1 <Input>")),
    (notify('<Input tag="PatientID"/>').replace(">m<", ">%2<"), ("asks for %2", "from %1")),
    (notify("", 'mandatory="maybe"'), ("mandatory", "neither true nor false")),
    (notify("").replace("<Message>m</Message>", "<Message/>"), ("<Message>", "must not be empty")),
]


@pytest.mark.parametrize(("xml", "words"), REFUSED, ids=[str(words) for _, words in REFUSED])
def test_what_is_wrong_is_refused_with_the_way_out(xml: str, words: tuple[str, ...]) -> None:
    _, report, _ = load(xml)
    assert len(report.errors) == 1, report.errors
    position, message, suggestion = report.errors[0]
    said = f"{message}; {suggestion}"
    assert all(word in said for word in words), said
    assert position.line == 1
    assert position.column >= 1


@pytest.mark.parametrize(("action", "least"), LEAST.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_each_action_refuses_what_it_does_not_know(action: type[Action], least: str) -> None:
    for attributes, words in (('name="A" nome="B"', 'no attribute "nome"'), ("", 'needs the attribute "name"')):
        _, report, _ = load(least.format(attributes))
        assert [words in message for _, message, _ in report.errors] == [True], action
    _, report, _ = load(least.format('name="A" onError="Retry"'))
    assert ["onError" in message for _, message, _ in report.errors] == [True]


def test_one_run_reports_every_mistake() -> None:
    _, report, _ = load(
        written("<Color>x</Color><FontHeight>x</FontHeight>")
        .replace("<Text>", "<Texte>")
        .replace("</Text>", "</Texte>")
    )
    assert len(report.errors) == 4


class Printing:
    REST = (
        "<BasicFilmSessionAttributes><MediumType>PAPER</MediumType></BasicFilmSessionAttributes>"
        "<BasicImageBoxAttributes><Polarity>REVERSE</Polarity></BasicImageBoxAttributes>"
    )

    def changed(self, inner: str) -> Print:
        base = film("<FilmSizeId>A4</FilmSizeId><Trim>YES</Trim>").replace("</Print>", self.REST + "</Print>")
        node, report, _ = load(base)
        update = Spec("Update", children=(Child(SESSION), Child(FILM_BOX), Child(IMAGE_BOX)))
        changes = canonical(parse(f"<Update>{inner}</Update>".encode(), Path("c")), update, report)
        assert report.errors == []
        return reduce(Print.overridden, changes.children, Print.read(node))


def test_an_update_merges_film_attributes() -> None:
    changed = Printing().changed(
        "<BasicFilmBoxAttributes><Trim>NO</Trim><FilmSizeId/></BasicFilmBoxAttributes>"
        "<BasicFilmSessionAttributes><NumberOfCopies>3</NumberOfCopies></BasicFilmSessionAttributes>"
    )
    assert (changed.film_box.trim, changed.film_box.film_size_id) == ("NO", "A4")
    assert (changed.session.number_of_copies, changed.session.medium_type) == (3, "PAPER")
    assert (changed.image_box.polarity, changed.name, changed.peer.port) == ("REVERSE", "A", 104)


def test_an_update_of_nothing_changes_nothing() -> None:
    assert Printing().changed("").film_box.film_size_id == "A4"


def test_an_action_without_overrides_says_so() -> None:
    node, _, _ = load(rotate("<Angle>90</Angle>"))
    assert Rotate.overriding() == ()
    with pytest.raises(PermanentError, match='"A" cannot be changed by <Rotate>'):
        Rotate.read(node).overridden(node)


def test_older_connection_attributes_yield_to_the_elements() -> None:
    xml = f'<Print name="A" HOST="other" callingAE="ME">{PEER.format("")}</Print>'
    node, report, _ = load(xml)
    action = Print.read(node)
    assert (action.peer.host, action.peer.calling_ae_title) == ("h", "ME")
    assert any('"host" of <Print> has no effect' in message for _, message, _ in report.warnings)


def test_a_connection_without_older_attributes_is_left_alone() -> None:
    report = Report()
    element = Element("Store", Position(1, 1), {"name": "A"})
    connection_dialect(element, report)
    assert (element.attributes, element.children, report.warnings) == ({"name": "A"}, [], [])


class Source:
    """A job with a patient whose ID would be an expression if it were not taken as it is."""

    def moment(self) -> datetime:
        return datetime(2026, 1, 31)

    def fact(self, name: str) -> str:
        return name

    def tag_text(self, tag: int) -> str | None:
        return "A.B|" if tag == 0x00100020 else None

    def fresh_uid(self, place: str) -> str:
        return place


@pytest.mark.parametrize(
    ("text", "matching", "other"),
    [
        ("^(CT|MR)$", "ct", "XCT"),
        ("^#{PatientID}$", "a.b|", "AxB"),
        ("^x#{PatientName}y$", "XY", "xzy"),
        ("!^DEMO", "demo 1", "no demo"),
    ],
)
def test_a_pattern_of_a_key_ignores_case_and_takes_a_job_s_value_as_it_is(text: str, matching: str, other: str) -> None:
    (part,) = KeyText.parse(text).parts
    pattern = part.compile(Source(), "place")
    assert pattern.search(matching)
    assert not pattern.search(other)


DAYS = st.dates(date(1900, 1, 1), date(2199, 12, 31))


@given(DAYS, st.integers(0, 10_000))
def test_every_range_of_dates_is_taken_and_its_reverse_refused(first: date, days: int) -> None:
    last = min(first + timedelta(days=days), date(2199, 12, 31))
    written_range = f"{first:%Y%m%d}-{last:%Y%m%d}"
    errors = [
        load(key(text, 'tag="StudyDate"'))[1].errors for text in (written_range, written_range[8:], written_range[:9])
    ]
    assert errors == [[], [], []]
    if last > first:
        assert load(key(f"{last:%Y%m%d}-{first:%Y%m%d}", 'tag="StudyDate"'))[1].errors


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("StudyTime", "0800-1200"),
        ("StudyTime", "080000.123-"),
        ("AcquisitionDateTime", "20260101-20260115"),
        ("AcquisitionDateTime", "20260101120000-0500"),
        ("AcquisitionDateTime", "20260101120000-0500-20260102120000-0500"),
        ("SeriesNumber", "-5"),
        ("SeriesNumber", "-5-5"),
        ("PatientWeight", "60.5-80"),
        ("StudyDate", "2026*"),
        ("StudyDate", "20260101|20260201-"),
        ("StudyDate", "!#{Date}-"),
    ],
)
def test_values_and_ranges_of_other_representations(tag: str, text: str) -> None:
    assert load(key(text, f'tag="{tag}"'))[1].errors == []


@given(
    st.lists(
        st.text(
            st.characters(exclude_characters="|#<>&\r\n\t", codec="ascii", categories=["L", "N", "P", "S", "Zs"]),
            min_size=1,
        ).filter(lambda text: text == text.strip()),
        min_size=2,
    )
)
def test_arguments_are_split_at_the_bar_and_nothing_else(words: list[str]) -> None:
    joined = "|".join(words)
    node, report, _ = load(run(f"<Arguments>{joined}</Arguments>"))
    assert report.errors == []
    assert [argument.source for argument in Run.read(node).arguments] == words


@pytest.mark.parametrize(
    ("wrap", "inner"), [(keys, '<DcmTag tag="0009,1001"/>'), (item, '<DcmTag tag="0009,1001">x</DcmTag>')]
)
def test_a_private_tag_without_a_representation_warns(wrap: Callable[[str], str], inner: str) -> None:
    _, report, _ = load(wrap(inner))
    assert report.errors == []
    assert ["so it is LO" in message for _, message, _ in report.warnings] == [True]


def test_a_shared_pattern_that_nothing_uses_warns() -> None:
    _, report, _ = load(parsing('<Pattern>(a)</Pattern><DcmTag tag="PatientID">(b)</DcmTag>'))
    assert ["<Pattern> has no effect" in message for _, message, _ in report.warnings] == [True]


def test_a_trim_without_an_edge_warns() -> None:
    _, report, _ = load(trim(""))
    assert ["changes nothing" in message for _, message, _ in report.warnings] == [True]


@pytest.mark.parametrize(
    ("inner", "attributes", "warnings"),
    [
        ("<Filename>IMAGE</Filename>", "", 0),
        ("<Filename>SEVENLT</Filename>", "", 1),
        ("<Filename>lower</Filename>", "", 1),
        ("<Filename>#{PatientID}</Filename>", 'dicomdir="always"', 0),
        ("<Filename>x</Filename><Format>dxi</Format>", "", 1),
        ("<Format>dxi</Format>", 'dicomdir="always"', 1),
    ],
)
def test_a_save_says_when_there_is_no_dicomdir(inner: str, attributes: str, warnings: int) -> None:
    _, report, _ = load(saved(inner, attributes))
    assert report.errors == []
    assert len(report.warnings) == warnings
