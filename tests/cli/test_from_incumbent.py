"""`dicomprinter check --from-incumbent`: what a file relies on that is otherwise here."""

from __future__ import annotations

from pathlib import Path

import pytest

from dicomprinter.cli.quirks.differences import DIFFERENCES, Difference, quirks
from dicomprinter.config.xml import parse
from dicomprinter.program import root_spec
from tests.cli.conftest import Call
from tests.config.help import PEER, PRINT, STORE, config
from tests.links import ROOT

TAG = '<SetTag name="T"><DcmTag tag="PatientComments">{}</DcmTag></SetTag>'
PLACE = "<X>1</X><Y>1</Y><Width>5</Width><Height>5</Height>"
IMAGE = "<PrintImage name='I'><ImagePath>{}</ImagePath>" + PLACE + "</PrintImage>"
FILM = f'<Print name="Film">{PEER}<BasicFilmBoxAttributes>{{}}</BasicFilmBoxAttributes></Print>'


def found(document: str) -> list[tuple[str, str]]:
    """What was seen, and what becomes of it here; of a watched folder only what is inside, if anything is."""
    seen = [(quirk.what, quirk.here) for quirk in quirks(parse(document.encode(), Path("c.xml")), root_spec())]
    return [one for one in seen if one[0] != "<DropMonitor>"] or seen


REFUSED, REFUSED_NEAR = "the file is refused", "the file is refused, with the nearest name"
# What is seen, what it is here, the file.
ROWS = [
    ('<Angle>: "45"', REFUSED, config('<Rotate name="R"><Angle>45</Angle></Rotate>')),
    (
        'the attribute "type" of <Query>: "Worklsit" (when unsaid: Study)',
        REFUSED,
        config(f'<Query name="Q" type="Worklsit">{PEER}</Query>'),
    ),
    ('<If field="QUERY_FOUND">: "maybe"', REFUSED, config(workflow='<If field="QUERY_FOUND" value="maybe"/>')),
    (
        '<DcmTag>: "("',
        REFUSED,
        config('<ParseJobFileName name="P"><DcmTag tag="PatientID">(</DcmTag></ParseJobFileName>'),
    ),
    ('<MatchHost>: "0"', "false", config('<MergeJob name="M"><MatchHost>0</MatchHost></MergeJob>')),
    ('<ConvertToPNG>: "off"', "false", config(sections="<DropMonitor><ConvertToPNG>off</ConvertToPNG></DropMonitor>")),
    (
        '<ConvertToPNG>: "maybe"',
        "true, with a warning",
        config(sections="<DropMonitor><ConvertToPNG>maybe</ConvertToPNG></DropMonitor>"),
    ),
    (
        "<DropMonitor>",
        "loads, and its folder is not watched: drop into spool/incoming in the base directory",
        config(sections="<DropMonitor/>"),
    ),
    ("<Sotre> in <Actions>", REFUSED_NEAR, config('<Sotre name="S"/>')),
    ('the attribute "nmae" of <SetTag>', REFUSED_NEAR, config('<SetTag nmae="S"/>')),
    ('<rotate>, which is "Rotate"', "it counts", config('<rotate name="R"><Angle>90</Angle></rotate>')),
    (
        'the attribute "Name" of <Rotate>, which is "name"',
        "it counts",
        config('<Rotate Name="R"><Angle>90</Angle></Rotate>'),
    ),
    ('<Perform>: action="Sned"', REFUSED_NEAR, config(workflow='<Perform action="Sned"/>')),
    ('<Suspend>: resumeAction="Sned"', REFUSED, config(workflow='<Suspend resumeAction="Sned"/>')),
    (
        '<DcmTag>: "of #{PatientID}"',
        "filled in, anywhere and several in one value",
        config(TAG.format("of #{PatientID}")),
    ),
    ('<DcmTag>: "#{PatientIdd}"', REFUSED_NEAR, config(TAG.format("#{PatientIdd}"))),
    ('<Update action="Film">', "for this job alone", config(PRINT, '<Update action="Film"/>')),
    (
        '<Switch field="QUERY_FOUND">',
        "takes every field that an If takes",
        config(workflow='<Switch field="QUERY_FOUND"/>'),
    ),
    (
        "<Resume>",
        "the file is refused, with what to write instead",
        config(workflow='<If field="QUERY_FOUND" value="1"><Resume/></If>'),
    ),
    (
        'field="VALIDATION_FAILED"',
        "the file is refused, with what to write instead",
        config(workflow='<If field="VALIDATION_FAILED" value="1"/>'),
    ),
    (
        'onError="Ignore" on <Store>',
        "the policy of a Perform that names none, with a warning",
        config(f'<Store name="S" onError="Ignore">{PEER}</Store>'),
    ),
    (
        "<Notify> without a <Message>",
        "the text is the action's name and the job's",
        config('<Notify name="N"/>'),
    ),
    (
        "<Illumination>",
        "sent where the printer takes a Presentation LUT, or Annotation Boxes",
        config(FILM.format("<Illumination>2000</Illumination>")),
    ),
    (
        "<MagnificationFactor>",
        "none; a warning of check says why",
        config(FILM.format("<MagnificationFactor>2</MagnificationFactor>")),
    ),
    (
        'the attribute "type" of <SetTag>',
        "none; a warning of check says why",
        config('<SetTag name="T" type="x" tag="PatientID"/>'),
    ),
    (
        '<ImagePath>: "C:\\logo.png"',
        "found on Windows alone",
        config(IMAGE.format("C:\\logo.png")),
    ),
    (
        '<Directory>: "C:\\archive"',
        "the same on Windows; elsewhere it is made below the base directory, and check warns",
        config('<Save name="S"><Directory>C:\\archive</Directory></Save>'),
    ),
    (
        'the attribute "tag" of <SetTag>: "0008,0018"',
        REFUSED,
        config('<SetTag name="T" tag="0008,0018">1.2.3</SetTag>'),
    ),
    (
        '<Directory>: "sub\\x"',
        "an ImagePath begins beside the configuration, a Directory at the base directory",
        config('<Save name="S"><Directory>sub\\x</Directory></Save>'),
    ),
    (
        '<ImagePath>: "logo.png"',
        "an ImagePath begins beside the configuration, a Directory at the base directory",
        config(IMAGE.format("logo.png")),
    ),
    (
        '<Command>: "tools/lookup"',
        "looked for from the configuration's folder; a bare name is what PATH finds",
        config('<Run name="R"><Command>tools/lookup</Command></Run>'),
    ),
]


@pytest.mark.parametrize(("what", "here", "document"), ROWS, ids=lambda value: None)
def test_a_file_that_relies_on_a_difference(what: str, here: str, document: str) -> None:
    assert found(document) == [(what, here)]


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda one: one.construct)
def test_every_difference_is_tried(difference: Difference) -> None:
    assert difference.here in {here for _, here, _ in ROWS}


@pytest.mark.parametrize(
    "document",
    [
        config(),
        config(TAG.format("#{PatientID}")),
        config('<Save name="S"><Directory>/tmp/#{Date}/x</Directory></Save>'),
        config('<Run name="R"><Command>convert</Command><Arguments>-o|x#{OutputFile}</Arguments></Run>'),
        config('<MergeJob name="M"><MatchHost>1</MatchHost><MatchUser>false</MatchUser></MergeJob>'),
        config(workflow='<If field="QUERY_FOUND" value="0"><Perform action="Send"/><Else><Discard/></Else></If>'),
        config(workflow='<Switch field="CLIENT_HOST_NAME"><Case value="x"/></Switch>'),
        config(IMAGE.format("/logo.png")),
        (ROOT / "examples/seed.xml").read_text("utf-8"),
        (ROOT / "examples/field-dialect.xml").read_text("utf-8"),
    ],
    ids=lambda value: None,
)
def test_a_file_that_relies_on_none(document: str) -> None:
    assert [what for what, _ in found(document) if "${" not in what] == []


def test_quirks_are_told_with_their_place_beside_the_errors(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "config.xml"
    file.write_text(config(STORE, '<Perform action="Send"/>\n  <Perform action="Sned"/>'), "utf-8")
    said = call("check", file, "--from-incumbent")
    assert said.code == 2
    assert f'{file}:2:3: action "Sned" is not declared; did you mean "Send"?' in said.err
    assert f'differs: {file}:2:3: <Perform>: action="Sned"; there: the node was passed over' in said.err
    said = call("check", file, "--from-incumbent", "--json")
    (quirk,) = said.json["quirks"]
    assert {**quirk, "file": "", "there": "", "here": ""} == {
        "file": "", "line": 2, "column": 3, "what": '<Perform>: action="Sned"', "there": "", "here": "",
    }  # fmt: skip
    assert quirk["file"] == str(file)
    assert "quirks" not in call("check", file, "--json").json


def test_a_quirk_makes_no_file_invalid(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "config.xml"
    text = config(TAG.format("of #{PatientID}") + STORE, '<Perform action="T"/><Perform action="Send"/>')
    file.write_text(text, "utf-8")
    said = call("check", file, "--from-incumbent", "--strict")
    assert (said.code, said.out) == (0, f"{file}: valid\n")
    assert "differs: " in said.err
    file.write_text(config(STORE, '<Perform action="Send"/>'), "utf-8")
    assert (
        call("check", file, "--from-incumbent").err == f"{file}: nothing in it is known to differ from the incumbent\n"
    )


def test_variables_are_filled_in_first(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config.xml"
    file.write_text(config('<Rotate name="R"><Angle>${ANGLE}</Angle></Rotate>'), "utf-8")
    said = call("check", file, "--from-incumbent")
    assert ('the variable "ANGLE" is not set' in said.err, "differs" in said.err) == (True, False)
    monkeypatch.setenv("ANGLE", "45")
    assert '<Angle>: "45"; there: ' in call("check", file, "--from-incumbent").err


def test_what_is_no_xml_has_its_error_alone(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "config.xml"
    file.write_text("<DicomPrinter>", "utf-8")
    said = call("check", file, "--from-incumbent", "--json")
    assert (said.code, said.json["quirks"]) == (2, [])
    assert "incumbent" not in call("check", file, "--from-incumbent").err
