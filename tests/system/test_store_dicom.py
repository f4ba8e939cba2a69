"""A DICOM file as a job's content: it goes on as the object that it is, with what the job has changed."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    CTImageStorage,
    EncapsulatedPDFStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
)
from pynetdicom.dsutils import split_dataset

from dicomprinter.demo.worklist import worklist_entry
from dicomprinter.errors import InputError
from dicomprinter.workflow.interpreter import Done, Held
from tests.imaging.pictures import pdf
from tests.peers import servers
from tests.scp import FindScp, Received, StorageScp, closed_port, hanging_up
from tests.system.help import House, perform, set_tag, store
from tests.system.service import connection

Run = Callable[[Any], Any]


def read(name: str) -> bytes:
    found = get_testdata_file(name, download=False)
    assert isinstance(found, str)
    return Path(found).read_bytes()


def original(name: str) -> Dataset:
    found = get_testdata_file(name, read=True, download=False)
    assert isinstance(found, Dataset)
    return found


def sent(house: House, scp: StorageScp, *files: bytes, before: str = "", names: tuple[str, ...] = ()) -> list[Received]:
    program = house.program(before + store("A", scp.port), perform(*names, "A"))
    job = house.job(*files)
    assert house.run(program, job) == Done(), job.reason
    return scp.received


@pytest.mark.parametrize(
    "name",
    ["CT_small.dcm", "MR_small_implicit.dcm", "reportsi.dcm", "rtplan.dcm", "waveform_ecg.dcm", "MR_small_RLE.dcm"],
)
def test_a_file_of_any_class_goes_on_unchanged(house: House, running: Run, name: str) -> None:
    (got,) = sent(house, running(StorageScp()), read(name))
    came = original(name)
    assert (got.sop_class, got.sop_instance) == (came.SOPClassUID, came.SOPInstanceUID)
    assert got.transfer_syntax == came.file_meta.TransferSyntaxUID
    _, offset = split_dataset(house.base / "input-1")
    assert got.data.endswith(read(name)[offset:])


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("CT_small.dcm", ImplicitVRLittleEndian),
        ("MR_small_implicit.dcm", ExplicitVRLittleEndian),
        ("MR_small_bigendian.dcm", ExplicitVRLittleEndian),
        ("MR_small_RLE.dcm", ImplicitVRLittleEndian),
        ("MR_small_jp2klossless.dcm", ExplicitVRLittleEndian),
        ("SC_rgb_rle_2frame.dcm", ExplicitVRLittleEndian),
        ("CT_small.dcm", RLELossless),
    ],
)
def test_a_file_is_transcoded_only_when_the_peer_takes_no_other_way(
    house: House, running: Run, name: str, taken: UID
) -> None:
    came = original(name)
    (kept,) = sent(house, running(StorageScp()), read(name))
    (got,) = sent(house, running(StorageScp(syntaxes=[taken])), read(name))
    assert (got.transfer_syntax, got.sop_instance) == (taken, came.SOPInstanceUID)
    if "bigendian" not in name:
        assert kept.transfer_syntax == came.file_meta.TransferSyntaxUID
    assert np.array_equal(got.dataset.pixel_array, original(name).pixel_array)
    assert str(got.dataset.PatientName) == str(came.PatientName)
    assert "OriginalAttributesSequence" not in got.dataset


def test_a_lossy_file_is_decoded_at_most(house: House, running: Run) -> None:
    scp = running(StorageScp(syntaxes=[ExplicitVRLittleEndian]))
    (got,) = sent(house, scp, read("SC_rgb_jpeg_dcmtk.dcm"))
    assert got.dataset.LossyImageCompression == "01"
    assert got.sop_instance == original("SC_rgb_jpeg_dcmtk.dcm").SOPInstanceUID


def test_a_peer_that_takes_only_what_would_lose_is_refused(house: House, running: Run) -> None:
    scp = running(StorageScp(syntaxes=[JPEGBaseline8Bit]))
    job = house.job(read("CT_small.dcm"))
    outcome = house.run(house.program(store("A", scp.port), perform("A")), job)
    assert isinstance(outcome, Held)
    assert "accepts no presentation context for anything; proposed: CT Image Storage as " in outcome.why
    assert scp.received == []


def test_set_tags_are_written_in_and_earlier_values_kept(house: House, running: Run) -> None:
    actions = set_tag("T", "PatientID", "NEW-1") + set_tag("U", "StudyDescription", "Größe")
    (got,) = sent(house, running(StorageScp()), read("CT_small.dcm"), before=actions, names=("T", "U"))
    came, dataset = original("CT_small.dcm"), got.dataset
    assert (dataset.PatientID, dataset.StudyDescription) == ("NEW-1", "Größe")
    assert (dataset.SOPInstanceUID, dataset.StudyInstanceUID) == (came.SOPInstanceUID, came.StudyInstanceUID)
    assert dataset.SeriesInstanceUID == came.SeriesInstanceUID
    (kept,) = dataset.OriginalAttributesSequence
    assert kept.ModifyingSystem == "dicomprinter"
    (values,) = kept.ModifiedAttributesSequence
    assert values.PatientID == came.PatientID
    assert np.array_equal(dataset.pixel_array, came.pixel_array)


def test_the_job_knows_what_the_file_says(house: House, running: Run) -> None:
    scp, other = running(StorageScp()), running(StorageScp())
    actions = set_tag("T", "PatientComments", "#{PatientID} #{Modality}") + store("A", scp.port)
    actions += store("B", other.port)
    workflow = '<Perform action="T"/><If field="TAG_VALUE" tag="Modality" value="^CT$"><Perform action="A"/></If>'
    workflow += '<If field="TAG_VALUE" tag="Modality" value="^MR$"><Perform action="B"/></If>'
    assert house.run(house.program(actions, workflow), house.job(read("CT_small.dcm"))) == Done()
    assert other.received == []
    assert scp.received[0].dataset.PatientComments == f"{original('CT_small.dcm').PatientID} CT"


def test_a_match_goes_in_but_its_study_uid_only_as_a_request(house: House, running: Run) -> None:
    entry = worklist_entry(
        patient_name="Doe^Jane",
        patient_id="P-7",
        accession_number="A-7",
        description="Thorax",
        start=house.clock.now,
        modality="US",
        study_instance_uid="1.2.3.4.5",
    )
    ris, scp = running(FindScp([entry])), running(StorageScp())
    query = f'<Query name="Q" type="Worklist">{connection(ris.port, "RIS")}<DcmTag tag="PatientID">P-7</DcmTag></Query>'
    (got,) = sent(house, scp, read("CT_small.dcm"), before=query, names=("Q",))
    came, dataset = original("CT_small.dcm"), got.dataset
    assert (str(dataset.PatientName), dataset.AccessionNumber) == ("Doe^Jane", "A-7")
    assert dataset.Modality == "CT"
    assert dataset.StudyInstanceUID == came.StudyInstanceUID
    assert dataset.RequestAttributesSequence[0].StudyInstanceUID == "1.2.3.4.5"
    assert str(dataset.OriginalAttributesSequence[0].ModifiedAttributesSequence[0].PatientName) == str(came.PatientName)


def test_a_pdf_beside_a_file_joins_its_study(house: House, running: Run) -> None:
    document, image = sent(house, running(StorageScp()), read("CT_small.dcm"), pdf())
    came = original("CT_small.dcm")
    assert (image.sop_class, document.sop_class) == (CTImageStorage, EncapsulatedPDFStorage)
    assert document.dataset.StudyInstanceUID == came.StudyInstanceUID
    assert document.dataset.SeriesInstanceUID != came.SeriesInstanceUID
    assert document.dataset.PatientID == came.PatientID
    assert document.dataset.SeriesNumber > 1_000_000
    assert (document.dataset.Modality, "KVP" in document.dataset) == ("DOC", False)


def test_several_files_keep_their_own_values(house: House, running: Run) -> None:
    got = sent(
        house,
        running(StorageScp()),
        read("CT_small.dcm"),
        read("MR_small.dcm"),
        before=set_tag("T", "InstitutionName", "Clinic"),
        names=("T",),
    )
    assert [one.dataset.Modality for one in got] == ["CT", "MR"]
    assert [one.dataset.InstitutionName for one in got] == ["Clinic"] * 2
    assert [one.dataset.PatientID for one in got] == [
        original(name).PatientID for name in ("CT_small.dcm", "MR_small.dcm")
    ]


def test_what_is_set_goes_into_every_file(house: House, running: Run) -> None:
    """Also where the first file has that value already."""
    value = str(original("CT_small.dcm").PatientID)
    got = sent(
        house,
        running(StorageScp()),
        read("CT_small.dcm"),
        read("MR_small.dcm"),
        before=set_tag("T", "PatientID", value),
        names=("T",),
    )
    assert [one.dataset.PatientID for one in got] == [value] * 2


def test_a_query_s_patient_is_not_written_into_the_files_of_several(house: House, running: Run) -> None:
    entry = worklist_entry(
        patient_name="Doe^Jane", patient_id="P-7", accession_number="A-7", description="x", start=house.clock.now
    )
    ris, scp = running(FindScp([entry])), running(StorageScp())
    query = f'<Query name="Q" type="Worklist">{connection(ris.port, "RIS")}<DcmTag tag="PatientID">P-7</DcmTag></Query>'
    job = house.job(read("CT_small.dcm"), read("MR_small.dcm"))
    outcome = house.run(house.program(query + store("A", scp.port), perform("Q", "A")), job)
    assert isinstance(outcome, Held)
    assert "the job holds DICOM files of several patients" in outcome.why
    assert scp.received == []


def without(name: str, *keywords: str, **values: str) -> bytes:
    dataset = original(name)
    for keyword in keywords:
        delattr(dataset, keyword)
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    stream = io.BytesIO()
    dataset.save_as(stream)
    return stream.getvalue()


def test_files_without_uids_of_their_own_do_not_share_those_of_other_patients(house: House, running: Run) -> None:
    bare = ("StudyInstanceUID", "SeriesInstanceUID")
    first, same, other = sent(
        house,
        running(StorageScp()),
        read("CT_small.dcm"),
        without("CT_small.dcm", *bare, SOPInstanceUID="1.2.3.4"),
        without("MR_small.dcm", *bare),
    )
    assert same.dataset.StudyInstanceUID == first.dataset.StudyInstanceUID
    assert other.dataset.StudyInstanceUID != first.dataset.StudyInstanceUID
    assert len({one.dataset.SeriesInstanceUID for one in (first, same, other)}) == 3


def test_a_duplicate_that_we_never_sent_there_is_a_failure(house: House, running: Run) -> None:
    scp = running(StorageScp(always=0x0111))
    actions = store("Away", closed_port()) + store("A", scp.port)
    job = house.job(read("CT_small.dcm"))
    outcome = house.run(house.program(actions, perform("Away", on_error="Ignore") + perform("A")), job)
    assert isinstance(outcome, Held)
    assert "0111" in outcome.why


def test_a_duplicate_after_a_lost_answer_is_stored(house: House, running: Run) -> None:
    lost, scp = running(hanging_up("store")), running(StorageScp(always=0x0111))
    job = house.job(read("CT_small.dcm"))
    with pytest.MonkeyPatch.context() as patch:
        # The archive that lost the answer and the one that has the object are one, at another port.
        patch.setattr("dicomprinter.dicom.network.peer.Peer.__str__", lambda peer: peer.ae_title)
        assert isinstance(house.run(house.program(store("A", lost.port), perform("A")), job), Held)
        assert house.resume(house.program(store("A", scp.port), perform("A")), job.id) == Done()


def test_two_files_of_one_uid(house: House, running: Run) -> None:
    scp = running(StorageScp())
    job = house.job(read("CT_small.dcm"), read("CT_small.dcm"), without("CT_small.dcm", StudyDescription="other"))
    outcome = house.run(house.program(store("A", scp.port), perform("A")), job)
    assert isinstance(outcome, Held)
    assert "another DICOM file of the job has the same SOP Instance UID and other content" in outcome.why
    assert len(scp.received) == 1
    assert "a DICOM file is there twice; it is sent once" in house.messages(job)


def test_what_a_set_tag_changed_between_two_stores_is_sent_again(house: House, running: Run) -> None:
    scp = running(StorageScp())
    actions = store("A", scp.port) + set_tag("T", "StudyDescription", "second")
    assert house.run(house.program(actions, perform("A", "T", "A")), house.job(read("CT_small.dcm"))) == Done()
    first, second = (one.dataset.get("StudyDescription") for one in scp.received)
    assert (first == second, second) == (False, "second")


def test_a_date_that_is_none_in_a_file_is_no_matter_of_the_page_beside_it(house: House, running: Run) -> None:
    document, image = sent(house, running(StorageScp()), without("CT_small.dcm", StudyTime="25"), pdf())
    assert image.dataset.StudyTime == "25"
    assert document.dataset.StudyTime != "25"


def test_a_set_series_uid_is_one_series_s(house: House, running: Run) -> None:
    got = sent(
        house,
        running(StorageScp()),
        read("CT_small.dcm"),
        read("MR_small.dcm"),
        pdf(),
        before=set_tag("T", "SeriesInstanceUID", "1.2.9.9"),
        names=("T",),
    )
    assert len({one.dataset.SeriesInstanceUID for one in got}) == 3


def test_a_second_try_sends_the_rest_with_the_same_uids(house: House, running: Run) -> None:
    scp = running(StorageScp(answers=[0x0000, 0xA700]))
    program = house.program(store("A", scp.port), perform("A"))
    job = house.job(read("CT_small.dcm"), read("MR_small.dcm"))
    assert isinstance(house.run(program, job), Held)
    assert house.resume(program, job.id) == Done()
    assert len(scp.received) == 3
    assert scp.received[1].data == scp.received[2].data


@pytest.mark.parametrize(
    ("name", "syntax"),
    [("ExplVR_LitEndNoMeta.dcm", ExplicitVRLittleEndian), ("rtstruct.dcm", ImplicitVRLittleEndian)],
)
def test_a_file_without_a_preamble_is_taken(house: House, running: Run, name: str, syntax: UID) -> None:
    (got,) = sent(house, running(StorageScp()), read(name))
    assert got.transfer_syntax == syntax
    assert got.data.endswith(read(name))


@pytest.mark.peer("storescp")
def test_an_object_of_a_class_that_nobody_knows_is_the_archives_to_judge(house: House) -> None:
    dataset = original("CT_small.dcm")
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = UID("1.2.826.0.1.3680043.9.1")
    file = house.base / "private.dcm"
    dataset.save_as(file)
    with servers.storescp(house.base / "scp", "-pm") as scp:
        program = house.program(store("A", scp.port, ae_title="STORESCP"), perform("A"))
        assert house.run(program, house.job(file.read_bytes())) == Done()
        (got,) = scp.read()
    assert got.SOPClassUID == "1.2.826.0.1.3680043.9.1"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (read("CT_small.dcm")[:20_000], "(7FE0,0010) is longer than what is left of the file"),
        (read("MR_truncated.dcm"), "(7FE0,0010) is longer than what is left of the file"),
        (read("CT_small.dcm")[:132] + b"\xff" * 300, "damaged"),
    ],
    ids=["half", "truncated", "wrong bytes"],
)
def test_a_damaged_file_does_not_become_a_job(house: House, data: bytes, words: str) -> None:
    with pytest.raises(InputError) as caught:
        house.job(data)
    assert words in str(caught.value)
    assert list(house.spool.jobs.iterdir()) == []


def test_a_decompressed_file_is_what_dcmread_shows(house: House, running: Run) -> None:
    (got,) = sent(house, running(StorageScp(syntaxes=[ExplicitVRLittleEndian])), read("MR_small_jp2klossless.dcm"))
    assert np.array_equal(got.dataset.pixel_array, dcmread(get_testdata_file("MR_small.dcm")).pixel_array)
    assert original("MR_small_jp2klossless.dcm").file_meta.TransferSyntaxUID == JPEG2000Lossless
