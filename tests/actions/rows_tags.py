"""Rows for what names DICOM tags: SetSequence, the two parsing actions, and a Query's keys."""

from __future__ import annotations

import regex

from dicomprinter.actions.query.keys import KeyPart, KeyText
from dicomprinter.config.placeholders import Template
from dicomprinter.dicom.tags import Tag
from tests.actions.row import Row

CODE = '<DcmTag tag="0008,0100">C</DcmTag>'
PERFORMED = 0x00081111
EXACT = int(regex.compile("(a)", regex.V0).flags)
IGNORING = int(regex.compile("(a)", regex.V0 | regex.IGNORECASE).flags)


def text(source: str) -> Template:
    return Template.parse(source)


def sequence(inner: str, attributes: str = "") -> str:
    return f'<SetSequence name="A" tag="0032,1064" {attributes}>{inner}</SetSequence>'


def item(inner: str) -> str:
    return sequence(f"<DcmItem>{inner}</DcmItem>")


ITEM = "sequence.items.0"
NESTED = f"{ITEM}.sequences.0"

SET_SEQUENCE = [
    Row("SetSequence@tag", sequence(""), "sequence.tag", Tag(0x00321064)),
    Row("SetSequence@vr", sequence("", 'vr="sq"'), "sequence.tag", Tag(0x00321064)),
    Row("SetSequence@tagName", sequence("", 'tagName="N"'), "sequence.name", "N"),
    Row("SetSequence@replace", sequence("", 'replace="on"'), "replace", True),
    Row("SetSequence@replace", sequence("", 'replace="0"'), "replace", False),
    Row("SetSequence@unique", sequence("", 'unique="1"'), "unique", True),
    Row("SetSequence@unique", sequence("", 'unique="false"'), "unique", False),
    Row("SetSequence@type", sequence("", 'type="Global"'), "unique", False, ('attribute "type" of <SetSequence>',)),
    Row("SetSequence/DcmItem", sequence("<DcmItem/><DcmItem/>"), "sequence.items.#", 2),
    Row("SetSequence/DcmItem", sequence(CODE + CODE), "sequence.items.#", 1, ("put a <DcmItem> around",)),
    Row("DcmItem/DcmTag", item(CODE), f"{ITEM}.tags.0.text", text("C")),
    Row(
        "DcmItem/DcmTag",
        item('<DcmTag tag="0008,0100">\n #{PatientID} </DcmTag>'),
        f"{ITEM}.tags.0.text",
        text("#{PatientID}"),
    ),
    Row("DcmItem/DcmTag", item('<DcmTag tag="0008,0100" value=" C "/>'), f"{ITEM}.tags.0.text", text("C")),
    Row(
        "DcmItem/DcmTag",
        item('<DcmElement tag="0008,0100">C</DcmElement>'),
        f"{ITEM}.tags.0.text",
        text("C"),
        ("today it is <DcmTag>",),
    ),
    Row("DcmTag@tag", item('<DcmTag tag="(8,100)">C</DcmTag>'), f"{ITEM}.tags.0.tag", Tag(0x00080100)),
    Row("DcmTag@tag", item('<DcmTag tag="codevalue"/>'), f"{ITEM}.tags.0.tag", Tag(0x00080100)),
    Row("DcmTag@tag", item('<DcmTag tag="0009,1001">C</DcmTag>'), f"{ITEM}.tags.0.vr", "LO", ("so it is LO",)),
    Row("DcmTag@vr", item('<DcmTag tag="0009,1001" vr="sh">C</DcmTag>'), f"{ITEM}.tags.0.vr", "SH"),
    Row("DcmTag@vr", item('<DcmTag tag="0008,0100" vr="LO">C</DcmTag>'), f"{ITEM}.tags.0.vr", "SH", ("is SH, not LO",)),
    Row("DcmTag@tagName", item('<DcmTag tag="0009,1001" vr="SH" tagName="N"/>'), f"{ITEM}.tags.0.name", "N"),
    Row(
        "DcmItem/DcmSequence",
        item(f'<DcmSequence tag="0008,1111"><DcmItem>{CODE}</DcmItem></DcmSequence>'),
        f"{NESTED}.items.0.tags.0.text",
        text("C"),
    ),
    Row(
        "DcmItem/DcmSequence",
        item(f'<DcmTag tag="0008,1111"><DcmSequence>{CODE}</DcmSequence></DcmTag>'),
        f"{NESTED}.items.0.tags.0.text",
        text("C"),
        ('today it is <DcmSequence tag="0008,1111">', "put a <DcmItem>"),
    ),
    Row("DcmSequence/DcmItem", item('<DcmSequence tag="0008,1111"><DcmItem/></DcmSequence>'), f"{NESTED}.items.#", 1),
    Row("DcmSequence@tag", item('<DcmSequence tag="0008,1111"/>'), f"{NESTED}.tag", Tag(PERFORMED)),
    Row("DcmSequence@vr", item('<DcmSequence tag="0009,1002" vr="SQ"/>'), f"{NESTED}.tag", Tag(0x00091002)),
    Row("DcmSequence@tagName", item('<DcmSequence tag="0009,1002" tagName="N"/>'), f"{NESTED}.name", "N"),
]


def parsing(kind: str) -> list[Row]:
    def action(inner: str, attributes: str = "") -> str:
        return f'<{kind} name="A" {attributes}>{inner}</{kind}>'

    def tag(attributes: str, expression: str = "(.)", defaults: str = "") -> str:
        return action(f'<DcmTag tag="PatientID" {attributes}>{expression}</DcmTag>', defaults)

    def seed(name: str, attributes: str) -> str:
        return action(f"<Pattern>(A)(B)(C)</Pattern><DcmTag tag='{name}' {attributes}/>")

    first = "expressions.0"
    return [
        Row(
            f"{kind}@defaultReplacePattern",
            tag("", defaults=r'defaultReplacePattern="P\1"'),
            f"{first}.replacement",
            text(r"P\1"),
        ),
        Row(
            f"{kind}@defaultTransformation",
            tag("", defaults='defaultTransformation="toupper"'),
            f"{first}.transform",
            "ToUpper",
        ),
        Row(
            f"{kind}@defaultCaseSensitive",
            tag("", "(a)", 'defaultCaseSensitive="false"'),
            f"{first}.pattern.flags",
            IGNORING,
        ),
        Row(f"{kind}@matchPolicy", tag("", defaults='matchPolicy="FirstMatch"'), "first_match", True),
        Row(f"no {kind}@matchPolicy", tag(""), "first_match", False),
        Row(
            f"{kind}@mandatory",
            tag("", defaults='mandatory="true"'),
            f"{first}.mandatory",
            False,
            ('attribute "mandatory"',),
        ),
        Row(f"{kind}/DcmTag", tag(""), f"{first}.pattern.pattern", "(.)"),
        Row(f"{kind}/DcmTag", action('<DcmElement tag="PatientID">(.)</DcmElement>'), "expressions.#", 1, ("older",)),
        Row(f"{kind}/DcmTag", tag("", "(?s)a(.)"), f"{first}.whole_text", True),
        Row(f"{kind}/DcmTag", tag("", r"(?&lt;!HRI )ID\s*(\d++)"), f"{first}.whole_text", False),
        Row(f"{kind}/Pattern", seed("PatientID", ""), f"{first}.pattern.pattern", "(A)(B)(C)"),
        Row("DcmTag@tag", tag(""), f"{first}.tag", Tag(0x00100020)),
        Row("DcmTag@tag", tag("").replace("PatientID", "0009,1001"), f"{first}.vr", "LO"),
        Row("DcmTag@group", seed("PatientID", 'group="2"'), f"{first}.replacement", text(r"\2")),
        Row("DcmTag@group", seed("PatientID", 'group="1, 2"'), f"{first}.replacement", text(r"\1^\2")),
        Row("DcmTag@group", seed("0010,0010", 'group="1,2"'), f"{first}.replacement", text(r"\2^\1")),
        Row("DcmTag@group", seed("0010,0010", 'group="1,2,3"'), f"{first}.replacement", text(r"\3^\1^\2")),
        Row("DcmTag@group", seed("0010,0010", 'group="2,1"'), f"{first}.replacement", text(r"\2^\1")),
        Row("DcmTag@mandatory", tag('mandatory="1"'), f"{first}.mandatory", True),
        Row("DcmTag@mandatory", tag('mandatory="0"'), f"{first}.mandatory", False),
        Row("DcmTag@replacePattern", tag(r'replacePattern="X\1"'), f"{first}.replacement", text(r"X\1")),
        Row(
            "DcmTag@replacePattern",
            seed("PatientID", r'group="1" replacePattern="\2"'),
            f"{first}.replacement",
            text(r"\2"),
            ("no effect beside replacePattern",),
        ),
        Row(
            "DcmTag@transform",
            tag('transform="None"', defaults='defaultTransformation="ToLower"'),
            f"{first}.transform",
            "None",
        ),
        Row("DcmTag@caseSensitive", tag('caseSensitive="no"', "(a)"), f"{first}.pattern.flags", IGNORING),
        Row(
            "DcmTag@caseSensitive",
            tag('caseSensitive="true"', "(a)", 'defaultCaseSensitive="0"'),
            f"{first}.pattern.flags",
            EXACT,
        ),
        Row("DcmTag@allowEmpty", tag('allowEmpty="yes"'), f"{first}.allow_empty", True),
        Row("no DcmTag@allowEmpty", tag(""), f"{first}.allow_empty", False),
    ]


def keys(inner: str) -> str:
    return f"<Keys>{inner}</Keys>"


def key(source: str, attributes: str = 'tag="0008,0060"') -> str:
    return keys(f"<DcmTag {attributes}>{source}</DcmTag>")


def parts(*cells: tuple[str, bool, bool]) -> tuple[KeyPart, ...]:
    return tuple(KeyPart(text(source), excluded, pattern) for source, excluded, pattern in cells)


def keyed(inner: str, attributes: str = 'tag="0040,0100"') -> str:
    return keys(f"<DcmSequence {attributes}>{inner}</DcmSequence>")


KEY = "keys.0"
START = '<DcmTag tag="0040,0002">20260101-20260115</DcmTag>'
KEYS = [
    Row("Keys/DcmTag", key("CT"), f"{KEY}.text", KeyText(text("CT"), parts(("CT", False, False)))),
    Row("Keys/DcmTag", key(""), f"{KEY}.text", KeyText(text(""), ())),
    Row("Keys/DcmTag", key("", 'tag="Modality" value="CT"'), f"{KEY}.text.template", text("CT")),
    Row("Keys/DcmTag", key("!CR|!OT"), f"{KEY}.text.parts", parts(("CR", True, False), ("OT", True, False))),
    Row("Keys/DcmTag", key("CT|MR*"), f"{KEY}.text.parts", parts(("CT", False, False), ("MR*", False, False))),
    Row("Keys/DcmTag", key("^(CT|MR)$"), f"{KEY}.text.parts", parts(("^(CT|MR)$", False, True))),
    Row("Keys/DcmTag", key("!^C|D|!^E"), f"{KEY}.text.parts", parts(("^C|D", True, True), ("^E", True, True))),
    Row("Keys/DcmTag", key("CT"), f"{KEY}.text.is_pattern", False),
    Row("Keys/DcmTag", key("^CT"), f"{KEY}.text.is_pattern", True),
    Row("Keys/DcmTag", key("-20260131", 'tag="StudyDate"'), f"{KEY}.vr", "DA"),
    Row(
        "Keys/DcmTag",
        key("!#{Date,-7,7}", 'tag="StudyDate"'),
        f"{KEY}.text.parts",
        parts(("#{Date,-7,7}", True, False)),
    ),
    Row(
        "Keys/DcmTag",
        keys('<DcmElement tag="Modality">CT</DcmElement>'),
        f"{KEY}.text.template",
        text("CT"),
        ("older",),
    ),
    Row("DcmTag@tag", key(""), f"{KEY}.tag", Tag(0x00080060)),
    Row("DcmTag@tag", key("", 'tag="0008,1111"'), f"{KEY}.vr", "SQ"),
    Row("DcmTag@vr", key("", 'tag="0009,1001" vr="SH"'), f"{KEY}.vr", "SH"),
    Row("DcmTag@tagName", key("", 'tag="0009,1001" vr="SH" tagName="N"'), f"{KEY}.name", "N"),
    Row("DcmTag@match", key("CT", 'tag="Modality" match="LOCAL"'), f"{KEY}.local", True),
    Row("DcmTag@match", key("CT", 'tag="Modality" match="both"'), f"{KEY}.local", False),
    Row("Keys/DcmSequence", keyed(""), "sequences.0.tag", Tag(0x00400100)),
    Row(
        "Keys/DcmSequence",
        keys(f'<DcmTag tag="0040,0100"><DcmSequence>{START}</DcmSequence></DcmTag>'),
        "sequences.0.items.0.keys.0.text.template",
        text("20260101-20260115"),
        ("alone", "put a <DcmItem>"),
    ),
    Row("DcmSequence@tag", keyed(""), "sequences.0.tag", Tag(0x00400100)),
    Row("DcmSequence@vr", keyed("", 'tag="0040,0100" vr="SQ"'), "sequences.0.tag", Tag(0x00400100)),
    Row("DcmSequence@tagName", keyed("", 'tag="0009,1001" tagName="N"'), "sequences.0.name", "N"),
    Row("DcmSequence@persist", keyed("", 'tag="0040,0100" persist="true"'), "sequences.0.persist", True),
    Row("no DcmSequence@persist", keyed(""), "sequences.0.persist", False),
    Row("DcmSequence/DcmItem", keyed("<DcmItem/><DcmItem/>"), "sequences.0.items.#", 2),
    Row("DcmItem/DcmTag", keyed(f"<DcmItem>{START}</DcmItem>"), "sequences.0.items.0.keys.0.vr", "DA"),
    Row(
        "DcmItem/DcmSequence",
        keyed('<DcmItem><DcmSequence tag="0040,0008"/></DcmItem>'),
        "sequences.0.items.0.sequences.0.tag",
        Tag(0x00400008),
    ),
]

OCR = '<ParseJobTextFile name="A" {}><DcmTag tag="PatientID">(.)</DcmTag></ParseJobTextFile>'
READING = [
    Row("ParseJobTextFile@ocr", OCR.format('ocr="yes"'), "ocr", True),
    Row("no ParseJobTextFile@ocr", OCR.format(""), "ocr", False),
    Row("ParseJobTextFile@ocrLanguage", OCR.format('ocrLanguage="deu+eng"'), "language", "deu+eng"),
    Row("no ParseJobTextFile@ocrLanguage", OCR.format(""), "language", "eng"),
]

ROWS = [*SET_SEQUENCE, *parsing("ParseJobFileName"), *parsing("ParseJobTextFile"), *READING, *KEYS]
