"""Two mistakes at once: both are told, and nothing that only follows from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.help import PEER, PRINT, QUERY, STORE, config, problems

WRONG_PORT = PEER.replace("104", "0")
PLACE = "<X>80</X><Y>80</Y><Width>30</Width><Height>30</Height>"


def notify(inner: str, attributes: str = "") -> str:
    return f'<Notify name="A" {attributes}>{inner}</Notify>'


def parsing(inner: str, attributes: str = "") -> str:
    return f'<ParseJobFileName name="A" {attributes}>{inner}</ParseJobFileName>'


def save(inner: str) -> str:
    return f'<Save name="A">{inner}</Save>'


BOTH: list[tuple[str, str, tuple[str, ...]]] = [
    # Actions, workflow, words of each error.
    (f'<Store name="A">{WRONG_PORT}<Compression type="JPEG_Lossy"/><ColorMode mode="Monochrome12"/></Store>', "",
     ("<Port>", "cannot go with Monochrome12")),
    (f'<Query name="A" level="SERIES">{WRONG_PORT}<DcmTag tag="Modalty"/>'
     '<DcmTag tag="StudyInstanceUID">*</DcmTag></Query>', "", ("must be a single value", "Modalty", "<Port>")),
    ('<Query name="A" level="STUDI"/>', "", ("needs <ConnectionParameters>", '"STUDI"')),
    (f'<Query name="A" type="Patient" level="IMAGE" order-by="Foo">{PEER}<DcmTag tag="PatientID">*</DcmTag></Query>',
     "", ("must be a single value", "order-by")),
    (STORE.replace("104", "0").replace("</Conn", '<Tls key="k"/></Conn'), "", ("<Port>", '"cert"')),
    (parsing('<DcmTag tag="Modallity">(.)</DcmTag><DcmTag tag="PatientID">a</DcmTag>'), "",
     ("Modallity", "has 0 groups")),
    (parsing('<Pattern>(</Pattern><DcmTag tag="PatientID"/><DcmTag tag="Modality" group="2">(a)</DcmTag>'), "",
     ("<Pattern>", "group 2")),
    (notify('<Message>%2</Message><Input tag="PatientIDD"/>', 'type="Email"'), "",
     ("needs <To>", "asks for %2", "PatientIDD")),
    ('<Run name="A"><Command/><Output tag="OtherPatientIDsSequence"/><Timeout>0</Timeout></Run>', "",
     ("<Command>", "is a sequence", "<Timeout> 0")),
    (f'<PrintImage name="A"><ImagePath/>{PLACE}</PrintImage>', "", ("X and Width", "Y and Height", "<ImagePath>")),
    (f'<PrintImage name="A"><ImagePath>i</ImagePath>{PLACE}</PrintImage>'.replace("<X>80", "<X>x"), "",
     ("Y and Height", "<X>")),
    ('<AddInstance name="A"><Width>0</Width></AddInstance>', "", ("needs an <ImagePath>", "<Width>")),
    ('<AddInstance name="A"><Width>65535</Width><Height>65535</Height></AddInstance><Rotate name="B"/>', "",
     ("makes a page of", "needs a <Angle>")),
    ('<SetTag name="A"><DcmTag tag="0032,1064">#{Foo}</DcmTag></SetTag>', "", ("is a sequence", "#{Foo}")),
    ('<SetSequence name="A" tag="PatientID"><DcmItem><DcmTag tag="Foo"/></DcmItem></SetSequence>', "",
     ("is no sequence", '"Foo"')),
    (STORE, '<If field="TAG_VALUE" value="("><Perform/></If>',
     ("TAG_VALUE needs a tag", "regular expression", "action")),
    (QUERY + "<Rotate/>", '<Perform action="Find"><Query type="Worklist" level="STUDY"/></Perform>'
     '<Perform action="Find"><Query level="PATIENT"/></Perform>', ("name", "needs a <Angle>", "has no level PATIENT")),
]  # fmt: skip


@pytest.mark.parametrize(("actions", "workflow", "words"), BOTH, ids=[str(words) for _, _, words in BOTH])
def test_every_mistake_is_told_in_one_round(
    tmp_path: Path, actions: str, workflow: str, words: tuple[str, ...]
) -> None:
    said = problems(tmp_path, config(actions, workflow))
    assert len(said) == len(words), said
    assert all(any(word in line for line in said) for word in words), said


ONE: list[tuple[str, str, str]] = [
    # What would only follow is left out: what a check asks for is wrong itself, or its name may be misspelt.
    (notify("<Message>#{Foo} %3</Message>"), "", "#{Foo}"),
    (notify("<Message>${UNSET}</Message>" + '<Input tag="PatientID"/>'), "", "UNSET"),
    (notify('<Message>%1</Message><Inputt tag="PatientID"/>'), "", "<Inputt>"),
    (notify("<Message>m</Message><To>a@b</To>", 'typ="Email"'), "", '"typ"'),
    (notify("<Message>m</Message>", 'type="${UNSET}"'), "", "UNSET"),
    (notify("<Message>m</Message><Url>http://[</Url>", 'type="Webhook"'), "", "<Url>"),
    ('<Query name="A"><ConnectionParametres/></Query>', "", "ConnectionParametres"),
    ('<Query name="A" typ="Manual"/>', "", '"typ"'),
    ('<Query name="A" type="Manuel"/>', "", '"Manuel"'),
    (f'<Query name="A" level="SERIES">{PEER}<DcmTag tag="StudyInstanceUID">CT|</DcmTag></Query>', "",
     "empty alternative"),
    ('<AddInstance name="A"><ImagePat>a</ImagePat></AddInstance>', "", "<ImagePat>"),
    ('<SetTag name="A"><DcmTab tag="PatientID"/></SetTag>', "", "<DcmTab>"),
    (parsing('<Pattren>(.)</Pattren><DcmTag tag="PatientID"/>'), "", "<Pattren>"),
    (parsing('<DcmTag tag="PatientID">a</DcmTag>', r'defaultReplacePattern="#{Foo}"'), "", "#{Foo}"),
    (parsing('<DcmTag tag="PatientID" group="x">a</DcmTag>'), "", '"x"'),
    (save("<Directory>d</Directory><Filenam>toolonganame</Filenam>"), "", "<Filenam>"),
    (notify(
        "<Message>m</Message><To>a@b</To><From>#{Job.User}@b</From><SmtpHost>h</SmtpHost>", 'type="Email"'
    ), "", "placeholders do not work in the sender's address"),
    ('<Trim name="A"><Topp>1</Topp></Trim>', "", "<Topp>"),
    (STORE, '<If field="TAG_VALU" value="("/>', "TAG_VALU"),
    (STORE, '<If field="TAG_VALUE" tga="PatientID" value="x"/>', '"tga"'),
    (STORE, '<If field="EXCEPTION_OCCURRED" tag="Send" value="maybe"/>', "EXCEPTION_OCCURRED"),
    (QUERY + PRINT, '<Perform action="Film"><Query level="PATIENT"/></Perform>', "cannot change"),
    ('<AddInstance name="A"><Width>60000</Width><Height>60000</Height></AddInstance>', "G", "<MaximumPixls>"),
]  # fmt: skip


@pytest.mark.parametrize(("actions", "workflow", "words"), ONE, ids=[words for _, _, words in ONE])
def test_what_only_follows_is_not_told(tmp_path: Path, actions: str, workflow: str, words: str) -> None:
    sections = ""
    if workflow == "G":
        workflow, sections = "", "<General><MaximumPixls>9000000000</MaximumPixls></General>"
    (line,) = problems(tmp_path, config(actions, workflow, sections))
    assert words in line


def test_a_file_of_nothing_but_pages_that_are_too_large_is_told_to_the_most_errors(tmp_path: Path) -> None:
    one = "<AddInstance name='{}'><Width>60000</Width><Height>60000</Height></AddInstance>"
    said = problems(tmp_path, config("".join(one.format(number) for number in range(502))))
    assert len(said) == 501
    assert any("from here on it was not looked at" in line for line in said)


def test_who_performs_an_action_whose_name_is_misspelt_hears_nothing_of_it(tmp_path: Path) -> None:
    said = problems(tmp_path, config(STORE.replace("name=", "nmae="), '<Perform action="Send"/><Perform action="B"/>'))
    assert [line.partition(": ")[2].partition(";")[0] for line in said] == [
        '<Store> has no attribute "nmae"',
        '<Store> needs the attribute "name"',
        'action "B" is not declared',
    ]
