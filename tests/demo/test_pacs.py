from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGBaseline8Bit, JPEGLosslessSV1, RLELossless

from dicomprinter.demo.pacs import PATIENT_ROOT_FIND, STUDY_ROOT_FIND, EmbeddedPacs
from dicomprinter.dicom.network.association import VERIFICATION, Association
from dicomprinter.dicom.network.peer import Peer
from dicomprinter.dicom.status import Kind
from dicomprinter.errors import PermanentError
from tests.waiting import PATIENCE

SC = "1.2.840.10008.5.1.4.1.1.7"
PDF = "1.2.840.10008.5.1.4.1.1.104.1"
SYNTAXES = [ImplicitVRLittleEndian, ExplicitVRLittleEndian, RLELossless, JPEGBaseline8Bit, JPEGLosslessSV1]


def peer(pacs: EmbeddedPacs) -> Peer:
    return Peer(pacs.ae_title, "127.0.0.1", pacs.port, association_timeout=PATIENCE, dimse_timeout=PATIENCE)


def store(pacs: EmbeddedPacs, folder: Path, *, uid: str, study: str, series: str, **values: Any) -> Path:
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = SC
    dataset.SOPInstanceUID = uid
    dataset.StudyInstanceUID = study
    dataset.SeriesInstanceUID = series
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    dataset.PixelData = b"\x00" * 10
    dataset["PixelData"].VR = "OB"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    path = folder / f"{uid}.dcm"
    dataset.save_as(path, enforce_file_format=True)
    with Association.open(peer(pacs), [(SC, [ExplicitVRLittleEndian])]) as association:
        result = association.store(path, sop_class=SC, sop_instance=uid, transfer_syntax=ExplicitVRLittleEndian)
    assert result.status.code == 0
    return path


def find(pacs: EmbeddedPacs, model: str, **keys: Any) -> list[Dataset]:
    identifier = Dataset()
    for keyword, value in keys.items():
        setattr(identifier, keyword, value)
    with Association.open(peer(pacs), [(model, [ExplicitVRLittleEndian])]) as association:
        return list(association.find(model, identifier))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPacs]:
    """Two studies; the first has three objects in two series."""
    folder = tmp_path_factory.mktemp("filled")
    mueller = {"PatientName": "Müller^Jürgen", "PatientID": "M1", "StudyDate": "20260131"}
    doe = {"PatientName": "Doe^John", "PatientID": "D1", "StudyDate": "20260201"}
    with EmbeddedPacs(folder / "pacs") as archive:
        store(archive, folder, uid="1.1.1.1", study="1.1", series="1.1.1", Modality="OT", InstanceNumber=1, **mueller)
        store(archive, folder, uid="1.1.1.2", study="1.1", series="1.1.1", Modality="OT", InstanceNumber=2, **mueller)
        store(archive, folder, uid="1.1.2.1", study="1.1", series="1.1.2", Modality="DOC", InstanceNumber=1, **mueller)
        store(archive, folder, uid="1.2.1.1", study="1.2", series="1.2.1", Modality="OT", InstanceNumber=1, **doe)
        yield archive


def test_everything_that_we_send_is_accepted(pacs: EmbeddedPacs) -> None:
    contexts = [(SC, SYNTAXES), (PDF, SYNTAXES), (VERIFICATION, SYNTAXES[:2]), (STUDY_ROOT_FIND, SYNTAXES[:2])]
    with Association.open(peer(pacs), contexts) as association:
        for sop_class, syntaxes in contexts:
            assert association.accepted(sop_class) == tuple(syntaxes)
        assert association.echo().kind is Kind.SUCCESS


def test_objects_are_kept_as_files_and_known_again(pacs: EmbeddedPacs, tmp_path: Path) -> None:
    sent = store(pacs, tmp_path, uid="1.1.1.1", study="1.1", series="1.1.1", PatientName="Müller")
    (held,) = pacs.wait_for(1)
    assert held.path.parent == pacs.folder
    assert str(held.attributes.PatientName) == "Müller"
    assert held.transfer_syntax == ExplicitVRLittleEndian
    assert held.read().PixelData == b"\x00" * 10
    # Byte for byte behind the file meta information, which is each writer's own.
    assert held.path.read_bytes()[-100:] == sent.read_bytes()[-100:]
    store(pacs, tmp_path, uid="1.1.1.1", study="1.1", series="1.1.1", PatientName="Maier")
    assert [str(instance.attributes.PatientName) for instance in pacs.instances] == ["Maier"]
    with EmbeddedPacs(pacs.folder) as again:
        assert [instance.sop_instance for instance in again.instances] == ["1.1.1.1"]


def test_waiting_for_what_does_not_come(pacs: EmbeddedPacs) -> None:
    with pytest.raises(TimeoutError, match="0 of 1"):
        pacs.wait_for(1, timeout=0.01)


def test_studies_with_their_counts(filled: EmbeddedPacs) -> None:
    keys = {
        "ModalitiesInStudy": "",
        "NumberOfStudyRelatedInstances": "",
        "NumberOfStudyRelatedSeries": "",
        "PatientName": "",
    }
    studies = find(filled, STUDY_ROOT_FIND, QueryRetrieveLevel="STUDY", StudyInstanceUID="", **keys)
    assert [study.StudyInstanceUID for study in studies] == ["1.1", "1.2"]
    assert list(studies[0].ModalitiesInStudy) == ["DOC", "OT"]
    assert (studies[0].NumberOfStudyRelatedSeries, studies[0].NumberOfStudyRelatedInstances) == (2, 3)
    assert str(studies[0].PatientName) == "Müller^Jürgen"
    assert studies[0].RetrieveAETitle == filled.ae_title
    assert "Modality" not in studies[0]


@pytest.mark.parametrize(
    ("keys", "studies"),
    [
        ({"PatientName": "müller*"}, ["1.1"]),
        ({"PatientName": "DOE^JOHN"}, ["1.2"]),
        ({"PatientName": "?oe^John"}, ["1.2"]),
        ({"PatientName": "Doe"}, []),
        ({"StudyDate": "20260201-"}, ["1.2"]),
        ({"StudyDate": "-20260131"}, ["1.1"]),
        ({"StudyDate": "20260101-20261231"}, ["1.1", "1.2"]),
        ({"StudyInstanceUID": ["1.1", "1.2"]}, ["1.1", "1.2"]),
        ({"StudyInstanceUID": "1.2"}, ["1.2"]),
        ({"ModalitiesInStudy": "DOC"}, ["1.1"]),
        ({"PatientID": "m1"}, []),
        ({"AccessionNumber": "A"}, []),
    ],
)
def test_matching(filled: EmbeddedPacs, keys: dict[str, Any], studies: list[str]) -> None:
    found = find(filled, STUDY_ROOT_FIND, **{"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": "", **keys})
    assert [study.StudyInstanceUID for study in found] == studies


def test_the_other_levels(filled: EmbeddedPacs) -> None:
    series = find(
        filled, STUDY_ROOT_FIND, QueryRetrieveLevel="SERIES", StudyInstanceUID="1.1", SeriesInstanceUID="", Modality=""
    )
    assert [(item.SeriesInstanceUID, item.Modality) for item in series] == [("1.1.1", "OT"), ("1.1.2", "DOC")]
    images = find(filled, STUDY_ROOT_FIND, QueryRetrieveLevel="IMAGE", SeriesInstanceUID="1.1.1", InstanceNumber="")
    assert [item.InstanceNumber for item in images] == [1, 2]
    patients = find(filled, PATIENT_ROOT_FIND, QueryRetrieveLevel="PATIENT", PatientID="")
    assert [item.PatientID for item in patients] == ["M1", "D1"]


def test_a_query_without_level(filled: EmbeddedPacs) -> None:
    with pytest.raises(PermanentError, match="A900"):
        find(filled, STUDY_ROOT_FIND, PatientID="")


def test_closing_ends_what_is_open_and_can_be_done_twice(tmp_path: Path) -> None:
    pacs = EmbeddedPacs(tmp_path)
    association = Association.open(peer(pacs), [(VERIFICATION, [ImplicitVRLittleEndian])])
    pacs.close()
    pacs.close()
    with pytest.raises(Exception, match=r"aborted|closed"):
        association.echo()
