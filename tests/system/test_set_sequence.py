"""SetSequence: for the job or for each instance, nested, private, and what it refuses."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.uid import UID

from dicomprinter.job.parts import Own, PageRef, Payload
from dicomprinter.workflow.interpreter import Done, Held
from tests.imaging.pictures import pdf
from tests.peers import program, servers
from tests.scp import StorageScp
from tests.system.help import House, perform, png, set_tag, store, tiff
from tests.system.test_store_dicom import original, read

Run = Callable[[Any], Any]
REQUEST = "RequestAttributesSequence"
CODE = "RequestedProcedureCodeSequence"


def sequence(inner: str, attributes: str = "", tag: str = REQUEST, name: str = "S") -> str:
    return f'<SetSequence name="{name}" tag="{tag}" {attributes}>{inner}</SetSequence>'


def item(*inner: str, **tags: str) -> str:
    given = "".join(f'<DcmTag tag="{tag}">{text}</DcmTag>' for tag, text in tags.items())
    return f"<DcmItem>{given}{''.join(inner)}</DcmItem>"


STEP = item(ScheduledProcedureStepID="1", RequestedProcedureID="#{AccessionNumber}")


def sent(house: House, scp: StorageScp, actions: str, *files: bytes, inner: str = "", **tags: str) -> list[Dataset]:
    """What the archive got after the actions S (and T, where there is one)."""
    names = [name for name in "ST" if f'name="{name}"' in actions]
    configured = house.program(actions + store("A", scp.port, inner), perform(*names, "A"))
    job = house.job(*files, **tags)
    assert house.run(configured, job) == Done(), job.reason
    return [one.dataset for one in scp.received]


def test_a_sequence_goes_into_every_object(house: House, running: Run) -> None:
    scp = running(StorageScp())
    got = sent(house, scp, sequence(STEP), png(1), pdf(), AccessionNumber="A1")
    for one in got:
        (step,) = one.RequestAttributesSequence
        assert (step.ScheduledProcedureStepID, step.RequestedProcedureID) == ("1", "A1")
    assert len(got) == 2


def test_sequences_stand_in_items_and_may_be_empty(house: House, running: Run) -> None:
    code = (
        '<DcmSequence tag="ScheduledProtocolCodeSequence">' + item(CodeValue="X1", CodeMeaning="x") + "</DcmSequence>"
    )
    empty = '<DcmSequence tag="ReasonForRequestedProcedureCodeSequence"/>'
    (got,) = sent(house, running(StorageScp()), sequence(item(code, empty) + STEP), png(1))
    first, second = got.RequestAttributesSequence
    assert first.ScheduledProtocolCodeSequence[0].CodeValue == "X1"
    assert list(first.ReasonForRequestedProcedureCodeSequence) == []
    assert second.ScheduledProcedureStepID == "1"


def test_a_sequence_without_items_is_empty(house: House, running: Run) -> None:
    (got,) = sent(house, running(StorageScp()), sequence("", tag="ReferencedStudySequence"), png(1))
    assert list(got.ReferencedStudySequence) == []


def test_a_missing_value_is_left_empty_and_told_once(house: House, running: Run) -> None:
    configured = house.program(
        sequence(STEP + STEP, 'unique="true"') + store("A", running(StorageScp()).port), perform("S")
    )
    job = house.job(tiff(3))
    assert house.run(configured, job) == Done()
    told = [line for line in house.messages(job).splitlines() if "no value for #{AccessionNumber}" in line]
    assert len(told) == 2
    assert told[0].startswith("S: S/RequestAttributesSequence (0040,0275)[1]/RequestedProcedureID (0040,1001): ")


def test_values_are_cleaned_as_a_set_tag_does(house: House, running: Run) -> None:
    long = item(ScheduledProcedureStepDescription="x" * 70)
    (got,) = sent(
        house,
        running(StorageScp()),
        sequence(long.replace("x" * 70, "#{ImageComments}")),
        png(1),
        ImageComments="y" * 70,
    )
    assert got.RequestAttributesSequence[0].ScheduledProcedureStepDescription == "y" * 64


def test_a_value_that_does_not_fit_holds_the_job_and_changes_nothing(house: House, running: Run) -> None:
    study = item(StudyDate="#{ImageComments}")
    configured = house.program(sequence(STEP + study) + store("A", running(StorageScp()).port), perform("S", "A"))
    job = house.job(png(1), ImageComments="Muster")
    outcome = house.run(configured, job)
    assert isinstance(outcome, Held)
    assert "the value of StudyDate (0008,0020) cannot be written" in outcome.why
    assert "Muster" not in outcome.why
    assert REQUEST not in job.dataset


# replace


def test_without_replace_a_sequence_that_is_there_stays(house: House, running: Run) -> None:
    actions = sequence(STEP) + sequence(item(), name="T") + store("A", running(StorageScp()).port)
    job = house.job(png(1))
    outcome = house.run(house.program(actions, perform("S", "T", "A")), job)
    assert isinstance(outcome, Held)
    assert "the job has RequestAttributesSequence (0040,0275) already" in outcome.why
    assert len(job.dataset.RequestAttributesSequence) == 1


def test_with_replace_another_takes_its_place(house: House, running: Run) -> None:
    actions = sequence(STEP) + sequence(item(ScheduledProcedureStepID="2"), 'replace="1"', name="T")
    (got,) = sent(house, running(StorageScp()), actions, png(1))
    assert [step.ScheduledProcedureStepID for step in got.RequestAttributesSequence] == ["2"]


def test_an_empty_sequence_is_none_that_could_be_lost(house: House, running: Run) -> None:
    (got,) = sent(house, running(StorageScp()), sequence("") + sequence(STEP, name="T"), png(1))
    assert len(got.RequestAttributesSequence) == 1


@pytest.mark.parametrize("unique", ["true", "false"])
def test_the_sequence_of_a_forwarded_file_is_there(house: House, running: Run, unique: str) -> None:
    there = sequence(item(), f'unique="{unique}"', tag="OtherPatientIDsSequence")
    job = house.job(read("CT_small.dcm"))
    assert isinstance(house.run(house.program(there, perform("S")), job), Held)
    assert "OtherPatientIDsSequence (0010,1002) already" in str(job.reason)


# unique


def test_each_instance_has_uids_of_its_own(house: House, running: Run) -> None:
    image = item(ReferencedSOPClassUID="1.2.840.10008.5.1.4.1.1.7", ReferencedSOPInstanceUID="#{UID}")
    unique = sequence(image, 'unique="true"', tag="SourceImageSequence")
    got = sent(house, running(StorageScp()), unique, tiff(2), pdf(), inner='<Document as="Both" dpi="36"/>')
    uids = [one.SourceImageSequence[0].ReferencedSOPInstanceUID for one in got]
    assert len(got) == 4
    assert len(set(uids)) == 4
    assert len({one.SeriesInstanceUID for one in got}) == 2


def test_without_unique_all_have_the_same_uid(house: House, running: Run) -> None:
    image = item(ReferencedSOPInstanceUID="#{UID}") * 2
    got = sent(house, running(StorageScp()), sequence(image, tag="SourceImageSequence"), tiff(2))
    uids = [[one.ReferencedSOPInstanceUID for one in each.SourceImageSequence] for each in got]
    assert uids[0] == uids[1]
    assert len(set(uids[0])) == 2


def test_the_last_action_that_says_a_sequence_has_said_it(house: House, running: Run) -> None:
    actions = sequence(item(ReferencedSOPInstanceUID="#{UID}"), 'unique="1"', tag="SourceImageSequence")
    actions += sequence(item(ReferencedSOPInstanceUID="1.2"), 'replace="1"', tag="SourceImageSequence", name="T")
    got = sent(house, running(StorageScp()), actions, tiff(2))
    assert {one.SourceImageSequence[0].ReferencedSOPInstanceUID for one in got} == {"1.2"}


def test_a_tag_that_is_set_for_the_job_holds_for_every_page(house: House, running: Run) -> None:
    scp = running(StorageScp())
    configured = house.program(set_tag("S", "ImageComments", "all") + store("A", scp.port), perform("S", "A"))
    job = house.job(tiff(2))
    own = '{"00204000": {"vr": "LT", "Value": ["own"]}, "00200012": {"vr": "IS", "Value": [7]}}'
    job.payload = replace(job.payload, own=(Own(job.payload.pages[0].name, own),))
    assert house.run(configured, job) == Done()
    first, second = (one.dataset for one in scp.received)
    assert (first.ImageComments, second.ImageComments, first.AcquisitionNumber) == ("all", "all", 7)


def test_a_page_of_a_document_goes_with_it() -> None:
    own = Own(PageRef("payload/1.pdf", 3).name, "{}")
    payload = Payload(documents=("payload/1.pdf",), own=(own,))
    assert payload.with_document("payload/1.pdf", "payload/2.pdf").own == (Own("payload/2.pdf#3", "{}"),)
    assert payload.with_document("payload/1", "payload/2").own == (own,)


# DICOM files


@pytest.mark.parametrize("unique", ["true", "false"])
def test_forwarded_files_get_it_too(house: House, running: Run, unique: str) -> None:
    got = sent(
        house, running(StorageScp()), sequence(STEP, f'unique="{unique}"'), read("CT_small.dcm"), read("MR_small.dcm")
    )
    assert [one.RequestAttributesSequence[0].ScheduledProcedureStepID for one in got] == ["1", "1"]
    assert [one.SOPInstanceUID for one in got] == [
        original("CT_small.dcm").SOPInstanceUID,
        original("MR_small.dcm").SOPInstanceUID,
    ]


# Private tags


PRIVATE = (
    '<SetSequence name="S" tag="0041,1001" unique="{}"><DcmItem>'
    '<DcmTag tag="0043,1001" vr="SH">a</DcmTag>'
    '<DcmTag tag="0045,0010">SITE</DcmTag><DcmTag tag="0045,1002" vr="LO">b</DcmTag>'
    '<DcmSequence tag="0043,1102"><DcmItem><DcmTag tag="0043,1203" vr="UI">#{{UID}}</DcmTag></DcmItem></DcmSequence>'
    "</DcmItem></SetSequence>"
)


@pytest.mark.parametrize("unique", ["true", "false"])
def test_each_item_names_the_creators_of_its_private_tags(house: House, running: Run, unique: str) -> None:
    """PS3.5 7.8.1: an item's private elements are governed by the creators in that item."""
    (got,) = sent(house, running(StorageScp()), PRIVATE.format(unique), png(1))
    (one,) = got[0x00411001].value
    assert got[0x00410010].value == "DICOMPRINTER"
    assert (one[0x00430010].value, one[0x00450010].value) == ("DICOMPRINTER", "SITE")
    assert (one[0x00431001].value, one[0x00451002].value) == ("a", "b")
    assert one[0x00430011].value == "DICOMPRINTER"
    (inner,) = one[0x00431102].value
    assert inner[0x00430012].value == "DICOMPRINTER"
    assert UID(inner[0x00431203].value).is_valid
    assert 0x00430010 not in inner


@pytest.mark.peer("storescp", "dciodvfy", "dcmdump")
def test_real_readers_find_nothing_wrong(house: House) -> None:
    study = item(ReferencedSOPClassUID="1.2.840.10008.3.1.2.3.1", ReferencedSOPInstanceUID="#{UID}")
    actions = (
        sequence(STEP, name="R")
        + sequence(study, tag="ReferencedStudySequence", name="T")
        + PRIVATE.format("true")
        + set_tag("Number", "AccessionNumber", "A1")
    )
    with servers.storescp(house.base / "scp") as scp:
        configured = house.program(
            actions + store("A", scp.port, ae_title="STORESCP"), perform("Number", "R", "T", "S", "A")
        )
        job = house.job(png(1), read("CT_small.dcm"), PatientID="P1")
        assert house.run(configured, job) == Done(), job.reason
        page, forwarded = sorted(scp.files, key=lambda file: file.name.startswith("CT"))
        for file in (page, forwarded):
            dumped = subprocess.run([program("dcmdump"), str(file)], capture_output=True, text=True, check=True)
            assert dumped.stderr == ""
            for words in ("RequestAttributesSequence", "ReferencedStudySequence", "(0041,1001) SQ", "[SITE]"):
                assert words in dumped.stdout
        checked = subprocess.run([program("dciodvfy"), "-new", str(page)], capture_output=True, text=True, check=False)
        assert "Error" not in checked.stderr
        assert checked.returncode == 0
