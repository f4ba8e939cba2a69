"""What a single page, document or DICOM file has of its own goes into its object, and its series stays one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.uid import EncapsulatedPDFStorage

from dicomprinter.actions.objects.own import give_own
from dicomprinter.job.job import Job
from dicomprinter.job.parts import Own
from dicomprinter.workflow.interpreter import Done, Held
from tests.imaging.pictures import pdf
from tests.scp import StorageScp
from tests.system.help import House, perform, png, store, tiff
from tests.system.test_store_dicom import read

Run = Callable[[Any], Any]
MULTIFRAME = 'multiframe="true"'


def give(job: Job, name: str, **values: str) -> None:
    """Attributes for a single page or file of a job."""
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    give_own(job, {name: dataset})


def sent(house: House, scp: StorageScp, job: Job, *, attributes: str = "", inner: str = "") -> list[Dataset]:
    """What the archive got."""
    program = house.program(store("A", scp.port, inner, attributes=attributes), perform("A"))
    assert house.run(program, job) == Done(), job.reason
    return [one.dataset for one in scp.received]


def test_each_object_has_its_own_attributes_over_the_jobs(house: House, running: Run) -> None:
    scp = running(StorageScp())
    job = house.job(tiff(2), pdf(), ImageComments="of the job", PatientID="P1")
    give(job, job.payload.pages[1].name, ImageComments="of the second", AcquisitionNumber="2")
    give(job, job.payload.documents[0], ImageComments="of the document")
    got = sent(house, scp, job)
    assert [one.get("ImageComments") for one in got] == ["of the job", "of the second", "of the document"]
    assert ["AcquisitionNumber" in one for one in got] == [False, True, False]
    assert {one.PatientID for one in got} == {"P1"}


def test_what_is_a_pages_own_makes_another_instance_of_the_same_series(house: House, running: Run) -> None:
    scp = running(StorageScp(answers=[0x0000, 0xA700]))
    program = house.program(store("A", scp.port), perform("A"))
    job = house.job(tiff(2))
    give(job, job.payload.pages[1].name, ImageComments="one")
    assert isinstance(house.run(program, job), Held)
    give(job, job.payload.pages[1].name, ImageComments="two")
    job.folder.save(job)
    assert house.resume(program, job.id) == Done()
    first, failed, second = (one.dataset for one in scp.received)
    assert len({one.SeriesInstanceUID for one in (first, failed, second)}) == 1
    assert len({one.SOPInstanceUID for one in (first, failed, second)}) == 3
    assert (failed.ImageComments, second.ImageComments) == ("one", "two")
    assert (failed.InstanceNumber, second.InstanceNumber) == (2, 2)


def test_an_unchanged_page_keeps_its_uid_over_a_second_try(house: House, running: Run) -> None:
    scp = running(StorageScp(answers=[0xA700]))
    program = house.program(store("A", scp.port), perform("A"))
    job = house.job(png(1))
    give(job, job.payload.pages[0].name, ImageComments="own")
    assert isinstance(house.run(program, job), Held)
    assert house.resume(program, job.id) == Done()
    first, again = (one.dataset for one in scp.received)
    assert (first.SOPInstanceUID, first.ImageComments) == (again.SOPInstanceUID, "own")


def test_the_pages_of_a_document_have_the_documents_own(house: House, running: Run) -> None:
    job = house.job(pdf(), png(1))
    give(job, job.payload.documents[0], ImageComments="of the document")
    got = sent(house, running(StorageScp()), job, inner='<Document as="Both" dpi="36"/>')
    assert [(one.SOPClassUID.name, one.get("ImageComments")) for one in got] == [
        ("Secondary Capture Image Storage", None),
        ("Secondary Capture Image Storage", "of the document"),
        (EncapsulatedPDFStorage.name, "of the document"),
    ]


@pytest.mark.parametrize("others", ["alike", "another"])
def test_a_multi_frame_object_has_what_its_first_page_has(house: House, running: Run, others: str) -> None:
    job = house.job(tiff(3))
    for page, text in zip(job.payload.pages, ("alike", "alike", others), strict=True):
        give(job, page.name, ImageComments=text)
    (got,) = sent(house, running(StorageScp()), job, attributes=MULTIFRAME)
    assert (got.NumberOfFrames, got.ImageComments) == (3, "alike")
    told = "have different values of ImageComments (0020,4000); it has those of the first page" in house.messages(job)
    assert told == (others == "another")


def test_a_multi_frame_object_of_which_a_later_page_has_more_says_so(house: House, running: Run) -> None:
    job = house.job(tiff(2))
    give(job, job.payload.pages[1].name, ImageComments="of the second")
    (got,) = sent(house, running(StorageScp()), job, attributes=MULTIFRAME)
    assert "ImageComments" not in got
    assert "different values of ImageComments" in house.messages(job)


def test_a_dicom_file_has_its_own_over_the_jobs_changes(house: House, running: Run) -> None:
    job = house.job(read("CT_small.dcm"), read("MR_small.dcm"))
    give(job, job.payload.objects[1], ImageComments="of the MR", Modality="OT")
    got = sent(house, running(StorageScp()), job)
    assert sorted((one.Modality, one.ImageComments) for one in got) == [("CT", "Uncompressed"), ("OT", "of the MR")]
    kept = next(one for one in got if one.Modality == "OT").OriginalAttributesSequence[0]
    assert kept.ModifiedAttributesSequence[0].Modality == "MR"


def test_attributes_that_are_damaged_hold_the_job(house: House, running: Run) -> None:
    job = house.job(png(1))
    job.payload = replace(job.payload, own=(Own(job.payload.pages[0].name, '{"00100020": 7}'),))
    outcome = house.run(house.program(store("A", running(StorageScp()).port), perform("A")), job)
    assert isinstance(outcome, Held)
    assert "the attributes of a single page or file of the job cannot be read" in outcome.why
