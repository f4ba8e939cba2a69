"""Rows for SetTag, in both dialects."""

from __future__ import annotations

from dicomprinter.config.placeholders import Template
from dicomprinter.dicom.tags import parse_tag
from tests.actions.row import Row


def text(source: str) -> Template:
    return Template.parse(source)


def several(inner: str, attributes: str = "") -> str:
    return f'<SetTag name="A" {attributes}>{inner}</SetTag>'


def single(attributes: str, inner: str = "") -> str:
    return f'<SetTag name="A" {attributes}>{inner}</SetTag>'


ID = '<DcmTag tag="PatientID">X</DcmTag>'

ROWS = [
    # The seed dialect: children.
    Row("SetTag/DcmTag", several(ID), "tags.0.tag", parse_tag("PatientID")),
    Row("SetTag/DcmTag", several(ID), "tags.0.text", text("X")),
    Row(
        "SetTag/DcmTag", several('<DcmTag tag="PatientID">\n #{Job.Name} </DcmTag>'), "tags.0.text", text("#{Job.Name}")
    ),
    Row("SetTag/DcmTag", several('<DcmTag tag="PatientID" value=" X "/>'), "tags.0.text", text("X")),
    Row("SetTag/DcmTag", several('<DcmTag tag="PatientID"/>'), "tags.0.text", text("")),
    Row("SetTag/DcmTag", several(ID + '<DcmTag tag="0008,0080" value="Y"/>'), "tags.#", 2),
    Row(
        "SetTag/DcmTag", several('<DcmTag tag="0008,0080" value="Y"/>' + ID), "tags.0.tag", parse_tag("InstitutionName")
    ),
    Row("SetTag/DcmTag", several('<DcmElement tag="PatientID">X</DcmElement>'), "tags.#", 1, ("today it is <DcmTag>",)),
    Row("DcmTag@tag", several('<DcmTag tag="(10,20)"/>'), "tags.0.tag", parse_tag("PatientID")),
    Row("DcmTag@tag", several('<DcmTag tag="00100020"/>'), "tags.0.tag", parse_tag("PatientID")),
    Row("DcmTag@tag", several('<DcmTag tag="patientid"/>'), "tags.0.tag", parse_tag("PatientID")),
    Row("DcmTag@vr", several('<DcmTag tag="0009,1001" vr="sh">X</DcmTag>'), "tags.0.vr", "SH"),
    Row("DcmTag@tagName", several('<DcmTag tag="0009,1001" vr="SH" tagName="N"/>'), "tags.0.name", "N"),
    # The field dialect: one tag, on the action itself.
    Row("SetTag/DcmTag", single('tag="PatientID"', "X"), "tags.0.tag", parse_tag("PatientID")),
    Row("SetTag/DcmTag", single('tag="PatientID"', " #{Date} "), "tags.0.text", text("#{Date}")),
    Row("SetTag/DcmTag", single('tag="PatientID" value="X"'), "tags.0.text", text("X")),
    Row("SetTag/DcmTag", single('tag="0010,0020"'), "tags.0.text", text("")),
    Row("SetTag/DcmTag", single('tag="0010,0020"', '<DcmTag tag="0008,0080" value="Y"/>'), "tags.#", 2),
    Row("DcmTag@vr", single('tag="0009,1001" vr="SH"', "X"), "tags.0.vr", "SH"),
    Row("DcmTag@vr", single('tag="0010,0020" VR="SH"', "X"), "tags.0.vr", "LO", ("is LO, not SH",)),
    Row("DcmTag@tag", single('tag="0009,1001"', "X"), "tags.0.vr", "LO", ("so it is LO",)),
    Row("DcmTag@tagName", single('tag="0009,1001" vr="SH" tagname="N"'), "tags.0.name", "N"),
    # Accepted, without effect.
    Row("SetTag@type", several(ID, 'type="Global"'), "tags.#", 1, ('attribute "type" of <SetTag> has no effect',)),
    Row("SetTag@replace", several(ID, 'replace="0"'), "tags.#", 1, ('attribute "replace" of <SetTag> has no effect',)),
    Row("SetTag@unique", several(ID, 'unique="1"'), "tags.#", 1, ('attribute "unique" of <SetTag> has no effect',)),
]
