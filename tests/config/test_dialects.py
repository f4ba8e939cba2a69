"""Both dialects say the same; older forms load with a word about today's spelling."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dicomprinter.actions.base import OnError
from dicomprinter.actions.notify import Notify
from dicomprinter.program import Program, load
from tests.config.help import PEER, PRINT, QUERY, STORE, config, loaded, model, problems, warnings
from tests.links import ROOT

SEED = ROOT / "examples" / "seed.xml"

FIELD = """<?xml version="1.0" encoding="UTF-8"?>
<DicomPrinterConfig>
  <Workflow>
    <Perform onError="hold" action="FindPatient"/>
    <If value="1" field="query_found">
      <Statements>
        <Perform action="SetMetadata"/>
        <Perform action="SendToPrimaryPACS" onError="HOLD"/>
        <Perform action="SendToBackup" onError="ignore"/>
      </Statements>
      <Else/>
    </If>
  </Workflow>
  <ActionsList>
    <Query type="worklist" name="FindPatient">
      <DcmTag tag="PatientID" value="#{PatientID}"/>
      <ConnectionParameters>
        <Port>104</Port>
        <Host>192.168.1.200</Host>
        <MyAeTitle>PRINTER</MyAeTitle>
        <PeerAeTitle>RIS</PeerAeTitle>
      </ConnectionParameters>
    </Query>
    <SetTag name="SetMetadata" tag="StudyDate">#{Date}<DcmTag tag="(8,80)">Medical Center</DcmTag></SetTag>
    <Store name="SendToPrimaryPACS">
      <Compression type="jpeg_lossless"/>
      <ConnectionParameters>
        <PeerAeTitle>PACS_PRIMARY</PeerAeTitle>
        <Host>pacs.hospital.local</Host>
        <Port>11112</Port>
      </ConnectionParameters>
    </Store>
    <Store name="SendToBackup">
      <ConnectionParameters>
        <PeerAeTitle>PACS_BACKUP</PeerAeTitle>
        <MyAeTitle>DICOM_PRINTER</MyAeTitle>
        <Host>backup.hospital.local</Host>
        <Port>11112</Port>
      </ConnectionParameters>
    </Store>
  </ActionsList>
</DicomPrinterConfig>
"""


def seed() -> Program:
    return load(SEED, environment={})


def test_the_seed_in_the_field_dialect_is_the_same(tmp_path: Path) -> None:
    ours = loaded(tmp_path, FIELD)
    assert model(ours) == model(seed())
    assert ours.warnings == seed().warnings == ()


def test_what_differs_is_seen(tmp_path: Path) -> None:
    for one, other in (
        ("11112", "11113"),
        ("jpeg_lossless", "RLE"),
        ('value="1"', 'value="0"'),
        ("Medical Center", "Other"),
        ("<Else/>", "<Else><Discard/></Else>"),
        ('onError="ignore"', ""),
    ):
        assert one in FIELD
        changed = loaded(tmp_path, FIELD.replace(one, other))
        assert model(changed) != model(seed())


PAIRS = [
    # What the seed dialect says, what the field dialect says.
    ('<If field="QUERY_FOUND" value="true"><Perform action="Send"/></If>',
     '<If field="QUERY_FOUND" value="1"><Statements><Perform action="Send"/></Statements></If>'),
    ('<If field="STORE_SUCCEEDED" value="false"/>', '<If field="STORE_SUCCEEDED" value="0"><Statements/><Else/></If>'),
    ('<If field="TAG_VALUE(0010,0020)" value="^P"/>',
     '<If field="TAG_VALUE" tag="PatientID" value="^P"><Statements/></If>'),
    ('<If field="CLIENT_HOST_NAME" value="a" caseSensitive="false"/>',
     '<If field="CLIENT_HOST_NAME" value="a" caseSensitive="0"><Statements/></If>'),
    ('<Switch field="CLIENT_HOST_NAME"><Case value="a"><Discard/></Case><Case value=""><Suspend/></Case></Switch>',
     '<Switch field="CLIENT_HOST_NAME"><Case value="a"><Discard/></Case><Default><Suspend/></Default></Switch>'),
    ('<Switch field="CLIENT_HOST_NAME"><Default><Suspend/></Default><Case value="a"><Discard/></Case></Switch>',
     '<Switch field="CLIENT_HOST_NAME"><Case value="a"><Statements><Discard/></Statements></Case>'
     '<Default><Statements><Suspend/></Statements></Default></Switch>'),
    ("<Suspend/>", '<Suspend maxRetries="-1"/>'),
    ('<Perform action="Find"><Query select="first"/></Perform>',
     '<Perform action="Find"><Query force-assignment="0" select="FIRST"/></Perform>'),
]  # fmt: skip


@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=[theirs[:60] for _, theirs in PAIRS])
def test_a_workflow_in_both_dialects(tmp_path: Path, ours: str, theirs: str) -> None:
    first = loaded(tmp_path, config(STORE + QUERY, ours))
    second = loaded(tmp_path, config(STORE + QUERY, theirs).replace("Actions>", "ActionsList>"))
    assert model(first) == model(second)


def field_peer(title: str) -> str:
    return PEER.replace("PeerAETitle", title)


ACTIONS = [
    ('<SetTag name="A"><DcmTag tag="0010,0020">x</DcmTag></SetTag>', '<SetTag name="A" tag="PatientID">x</SetTag>'),
    ('<SetTag name="A"><DcmTag tag="0010,0020" value="x"/></SetTag>', '<SetTag name="A" tag="PatientID" value="x"/>'),
    ('<SetTag name="A"><DcmTag tag="0009,1001" vr="SH" tagName="N">x</DcmTag></SetTag>',
     '<SetTag name="A" tag="0009,1001" vr="SH" tagName="N">x</SetTag>'),
    (STORE, f'<Store name="Send">{field_peer("PeerAeTitle")}</Store>'),
    (STORE, f'<STORE NAME="Send">{field_peer("peeraetitle")}</STORE>'),
    (f'<Store name="A">{PEER}<ColorMode mode="RGB"/></Store>',
     f'<Store name="A"><Colormode mode="rgb"/>{PEER}</Store>'),
    (f'<Store name="A">{PEER}<Compression type="RLE"/><ColorMode mode="RGB"/></Store>',
     f'<Store name="A"><ColorMode mode="RGB"/><Compression type="rle"/>{PEER}</Store>'),
    (f'<Query name="A" force-assignment="true" show="false">{PEER}</Query>',
     f'<Query name="A" force-assignment="1" show="0">{PEER}</Query>'),
]  # fmt: skip


@pytest.mark.parametrize(("ours", "theirs"), ACTIONS, ids=[theirs[:60] for _, theirs in ACTIONS])
def test_an_action_in_both_dialects(tmp_path: Path, ours: str, theirs: str) -> None:
    first, second = loaded(tmp_path, config(ours)), loaded(tmp_path, config(theirs))
    assert model(first) == model(second)
    assert first.warnings == second.warnings == ()


def test_the_dialects_may_be_mixed_in_one_file(tmp_path: Path) -> None:
    mixed = FIELD.replace("<ActionsList>", "<Actions>").replace("</ActionsList>", "</Actions>")
    mixed = mixed.replace("<MyAeTitle>PRINTER</MyAeTitle>", "<MyAETitle>PRINTER</MyAETitle>")
    mixed = re.sub("</?Statements>|<Else/>", "", mixed)
    assert model(loaded(tmp_path, mixed)) == model(seed())
    assert model(loaded(tmp_path, mixed.replace("DicomPrinterConfig", "DicomPrinter"))) == model(seed())


def test_the_names_of_elements_and_attributes_match_whatever_their_case(tmp_path: Path) -> None:
    def upper(tag: re.Match[str]) -> str:
        return re.sub(r"</?\w+|\s[\w-]+=", lambda name: name[0].upper(), tag[0])

    shouted = re.sub(r"<[^!?][^>]*>", upper, SEED.read_text("utf-8"))
    assert "<CONNECTIONPARAMETERS>" in shouted
    assert model(loaded(tmp_path, shouted)) == model(seed())
    assert model(loaded(tmp_path, shouted.replace("DICOMPRINTER>", "dicomprinterconfig>"))) == model(seed())


def test_the_seed_s_other_examples_load(tmp_path: Path) -> None:
    stores = "".join(
        f'<Store name="{name}">{PEER}{rest}</Store>'
        for name, rest in (
            ("Plain", ""),
            ("Compressed", '<Compression type="JPEG_Lossless"/>'),
            ("Lossy", '<Compression type="JPEG_Lossy"/>'),
            ("GrayscaleRLE", '<Compression type="RLE"/><ColorMode mode="Monochrome8"/>'),
            ("Film", '<ColorMode mode="Monochrome12"/>'),
        )
    )
    workflow = (
        '<Perform action="Plain" onError="Hold"/><If field="STORE_SUCCEEDED" tag="Plain" value="true">'
        '<Perform action="Compressed" onError="Discard"/></If><If field="STORE_SUCCEEDED" tag="Plain" value="false">'
        '<Perform action="Film" onError="Suspend"/></If>'
    )
    assert loaded(tmp_path, config(stores, workflow)).warnings == ()


# Older forms: they load, and each is told once, with today's spelling.

ID = '<DcmTag tag="PatientID">x</DcmTag>'
ITEM = "<DcmItem>{}</DcmItem>"
CODE = '<DcmTag tag="0008,0100">C</DcmTag>'
OLD_PEER = (
    ("calledAE", "P", "<PeerAETitle>P</PeerAETitle>"),
    ("callingAE", "ME", "<MyAETitle>ME</MyAETitle>"),
    ("host", "h", "<Host>h</Host>"),
    ("port", "104", "<Port>104</Port>"),
)


def notify(attributes: str) -> str:
    return f'<Notify name="A" {attributes}><Message>m</Message></Notify>'


OLDER: list[tuple[str, str, str]] = [
    # Actions, workflow, today's spelling or why it has no effect.
    *(
        (
            f'<{kind} name="A" {name}="{value}">' + PEER.replace(today, "") + f"</{kind}>",
            "",
            f"today it is <ConnectionParameters>{today}</ConnectionParameters>",
        )
        for kind in ("Query", "Store", "Print")
        for name, value, today in OLD_PEER
    ),
    (f'<Store name="A" compression="RLE">{PEER}</Store>', "", 'today it is <Compression type="RLE"/>'),
    *(
        (f'<{kind} name="A" onError="{policy}">{inner}</{kind}>', "", f'<Perform action="A" onError="{policy}"/>')
        for kind, inner, policy in (
            ("Store", PEER, "Ignore"),
            ("Query", PEER, "Suspend"),
            ("Print", PEER, "Discard"),
            ("SetTag", ID, "Hold"),
            ("Rotate", "<Angle>90</Angle>", "Hold"),
            ("Notify", "<Message>m</Message>", "Ignore"),
        )
    ),
    (PRINT.replace("</Print>", "<BasicFilmBoxAttributes><FilmSizeID>A4</FilmSizeID></BasicFilmBoxAttributes></Print>"),
     "", "today it is <FilmSizeId>"),
    ('<Notify name="A"/>', "", "<Message>A: #{Job.Name}</Message>"),
    (f'<SetTag name="A" type="Global">{ID}</SetTag>', "", "tags are set in the whole job"),
    (f'<SetTag name="A" replace="1">{ID}</SetTag>', "", "a tag is always replaced"),
    (f'<SetTag name="A" unique="1">{ID}</SetTag>', "", "tags are set in the whole job"),
    ('<SetSequence name="A" tag="0032,1064" type="Global"/>', "", "unique says it"),
    ('<ParseJobFileName name="A" mandatory="1"><DcmTag tag="PatientID">(.)</DcmTag></ParseJobFileName>', "",
     "say it on each <DcmTag>"),
    ('<ParseJobTextFile name="A" mandatory="1"><DcmTag tag="PatientID">(.)</DcmTag></ParseJobTextFile>', "",
     "say it on each <DcmTag>"),
    (notify('type="x"'), "", "a Notify starts no program"),
    (STORE, '<Suspend onError="Hold"/>', "a Suspend cannot fail"),
    *(
        (PRINT.replace("</Print>", f"<{box}><MagnificationFactor>2</MagnificationFactor></{box}></Print>"), "",
         "<MagnificationFactor> has no effect")
        for box in ("BasicFilmBoxAttributes", "BasicImageBoxAttributes")
    ),
    ('<SetTag name="A"><DcmElement tag="PatientID">x</DcmElement></SetTag>', "", "today it is <DcmTag>"),
    (QUERY.replace("</Query>", '<DcmElement tag="PatientID"/></Query>'), "", "today it is <DcmTag>"),
    ('<ParseJobFileName name="A"><DcmElement tag="PatientID">(.)</DcmElement></ParseJobFileName>', "",
     "today it is <DcmTag>"),
    ('<SetSequence name="A" tag="0032,1064">' + ITEM.format(
        f'<DcmTag tag="0008,1111"><DcmSequence>{ITEM.format(CODE)}</DcmSequence></DcmTag>') + "</SetSequence>", "",
     'today it is <DcmSequence tag="0008,1111"> alone'),
    (f'<SetSequence name="A" tag="0032,1064">{CODE}{CODE}</SetSequence>', "", "put a <DcmItem> around"),
    (STORE.replace("</Host>", "</Host><BlockingMode>1</BlockingMode>"), "", "connections here never block the others"),
    (PRINT.replace("</Print>", "<Debug>1</Debug></Print>"), "", "the log says what was sent"),
    ('<Run name="A" resolveHostNameAutomatically="1"><Command>c</Command></Run>', "", "has no effect"),
    ('<Run name="A"><Command>c</Command><LauncherPortNumber>1</LauncherPortNumber></Run>', "", "has no effect"),
    ("<MergeJob name='A'><PdfMergeCommand>q</PdfMergeCommand></MergeJob>", "", "has no effect"),
]  # fmt: skip


@pytest.mark.parametrize(("actions", "workflow", "today"), OLDER, ids=[f"{i}-{o[2]}" for i, o in enumerate(OLDER)])
def test_an_older_form_loads_with_one_word_about_it(tmp_path: Path, actions: str, workflow: str, today: str) -> None:
    (line,) = warnings(tmp_path, config(actions, workflow))
    assert today in line
    assert line.startswith("config.xml:1:")


@pytest.mark.parametrize(("mandatory", "policy"), [("1", "Hold"), ("false", "Ignore")])
def test_a_notify_that_was_mandatory_is_told_what_that_is_today(tmp_path: Path, mandatory: str, policy: str) -> None:
    told = warnings(tmp_path, config(notify(f'mandatory="{mandatory}"')))
    (line,) = [line for line in told if "mandatory" in line]
    assert f'today it is <Perform action="A" onError="{policy}"/>' in line


@pytest.mark.parametrize("element", ["RegistrationKey", "SpoolDirectory"])
def test_a_section_s_older_elements(tmp_path: Path, element: str) -> None:
    (line,) = warnings(tmp_path, config(sections=f"<General><{element}>x</{element}></General>"))
    assert f"<{element}> has no effect here" in line


@pytest.mark.parametrize(
    "element", ["Layout", "LineEndings", "MetadataEncoding", "MetadataInputEncoding", "MetadataOutputFormat"]
)
def test_a_drop_monitor_s_older_elements(tmp_path: Path, element: str) -> None:
    not_watched, line = warnings(tmp_path, config(sections=f"<DropMonitor><{element}>x</{element}></DropMonitor>"))
    assert "<DropMonitor>: this version does not watch its folder; use spool/incoming" in not_watched
    assert f"<{element}> has no effect here" in line


def test_the_policy_of_an_action_is_that_of_a_perform_that_names_none(tmp_path: Path) -> None:
    old = f'<Store name="Send" onError="ignore">{PEER}</Store>'
    assert loaded(tmp_path, config(old)).actions["Send"].on_error is OnError.IGNORE
    assert loaded(tmp_path, config(STORE)).actions["Send"].on_error is None
    (told,) = loaded(tmp_path, config(notify('mandatory="no"'))).actions.values()
    assert isinstance(told, Notify)
    assert told.on_error is OnError.IGNORE


def test_older_attributes_mean_what_today_s_elements_mean(tmp_path: Path) -> None:
    attributes = " ".join(f'{name}="{value}"' for name, value, _ in OLD_PEER)
    today = "".join(element for _, _, element in OLD_PEER)
    old = loaded(tmp_path, config(f'<Store name="Send" {attributes} compression="rle"/>'))
    new = loaded(
        tmp_path,
        config(
            f'<Store name="Send"><ConnectionParameters>{today}</ConnectionParameters><Compression type="RLE"/></Store>'
        ),
    )
    assert model(old) == model(new)
    assert len(old.warnings) == 5


# What is wrong is told in the words of the file itself.

TITLES = "<PeerAeTitle>P</PeerAeTitle><Host>h</Host><Port>104</Port>"
TOLD = [
    # Actions of a file in the field dialect, its workflow, what is said.
    (f"<Store name='A'><ConnectionParameters>{TITLES.replace('>P<', '><')}</ConnectionParameters></Store>", "",
     '<PeerAeTitle>: "" is not an AE title'),
    ("<Store name='A'><ConnectionParameters><Host>h</Host><Port>1</Port></ConnectionParameters></Store>", "",
     "<ConnectionParameters> needs a <PeerAeTitle>"),
    (f"<Store name='A'><ConnectionParameters>{TITLES}<MyAeTitel>A</MyAeTitel></ConnectionParameters></Store>", "",
     'did you mean "MyAeTitle"?'),
    (f"<Store name='A'>{PEER}<Colormode/></Store>", "", '<Colormode> needs the attribute "mode"'),
    (f"<Store name='A'>{PEER}<Colormode mode='x'/></Store>", "", 'attribute "mode" of <Colormode>: "x"'),
    (f"<Store name='A'>{PEER}<Colourmode mode='RGB'/></Store>", "", 'did you mean "Colormode"?'),
    (f"<Store name='A'>{PEER}" + 2 * "<Colormode mode='RGB'/>" + "</Store>", "", "may hold only 1 <Colormode>"),
    (f"<Store name='A' compression='JPG'>{PEER}</Store>", "", 'attribute "compression" of <Store>: "JPG"'),
    ("<Store name='A' calledAE='P' host='h' port='0'/>", "", 'attribute "port" of <Store>: 0 is not a port'),
    ("<SetTag name='A' tag='Foo'>x</SetTag>", "", 'attribute "tag" of <SetTag>: "Foo"'),
    ("<SetTag name='A' tga='PatientID' tag='PatientID'/>", "", '<SetTag> has no attribute "tga"; did you mean "tag"?'),
    ("<SetTag name='A'>x</SetTag>", "", '<SetTag> needs the attribute "tag"'),
    ("<SetTag name='A' tag='PatientID'>#{Foo}</SetTag>", "", '<SetTag>: "#{Foo}"'),
    ("<SetTag name='A' tag='PatientID' value='#{Foo}'/>", "", 'attribute "value" of <SetTag>: "#{Foo}"'),
    ("<ParseJobFileName name='A'><DcmElement tag='PatientID'/></ParseJobFileName>", "",
     "<DcmElement> has no expression"),
    (f"<Query name='A'>{PEER}<DcmElement tag='StudyDate' value='x'/></Query>", "",
     'attribute "value" of <DcmElement>: "x" is neither a DA'),
    (f"<Query name='A' ORDERBY='Foo'>{PEER}</Query>", "", 'attribute "ORDERBY" of <Query>: "Foo"'),
    ("", "<If field='TAG_VALUE(Foo)' value='x'/>", 'attribute "field" of <If>: "Foo" is neither a tag'),
    ("", "<If field='QUERY_FOUND' value='2'><Statements/></If>", 'attribute "value" of <If>: "2" is neither'),
    ("", "<Switch field='CLIENT_HOST_NAME'><Default/><Case value=''/></Switch>", 'may hold only 1 <Case value="">'),
    ("</ActionsList><ActionsList>", "", "<DicomPrinterConfig> may hold only 1 <ActionsList>"),
]  # fmt: skip


def in_the_field(actions: str, workflow: str = "") -> str:
    return config(actions, workflow).replace("Actions>", "ActionsList>").replace("DicomPrinter>", "DicomPrinterConfig>")


@pytest.mark.parametrize(("actions", "workflow", "said"), TOLD, ids=[said for _, _, said in TOLD])
def test_a_mistake_is_told_in_the_words_of_the_file(tmp_path: Path, actions: str, workflow: str, said: str) -> None:
    (line,) = problems(tmp_path, in_the_field(actions, workflow))
    assert said in line


def test_what_a_file_lacks_is_spelled_in_its_dialect(tmp_path: Path) -> None:
    lacks = "config.xml:1:1: <{}> needs a <{}>; what can be done"
    assert lacks.format("DicomPrinterConfig", "ActionsList") in problems(tmp_path, "<DicomPrinterConfig/>")
    assert lacks.format("DicomPrinter", "Actions") in problems(tmp_path, "<DicomPrinter/>")
    (wrong,) = problems(tmp_path, in_the_field("").replace("Workflow>", "Workflov>") + " ")[1:]
    assert '<Workflov> is not known inside <DicomPrinterConfig>; did you mean "Workflow"?' in wrong
    old = warnings(tmp_path, in_the_field("<Store name='A' calledAE='P' host='h' port='1'/>"))
    assert "today it is <ConnectionParameters><PeerAeTitle>P</PeerAeTitle></ConnectionParameters>" in old[0]
