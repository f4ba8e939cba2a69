"""DICOM files in the child: recognised however they are written, their header and their frames over the pipe."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    SecondaryCaptureImageStorage,
)

from dicomprinter.errors import InputError, PermanentError
from dicomprinter.imaging.decoder import Decoder
from dicomprinter.imaging.dicom_file import decode_frame, probe_dicom
from dicomprinter.imaging.limits import Limits
from dicomprinter.imaging.probe import probe, sniff

PIXELS = np.random.default_rng(5).integers(0, 4096, (3, 20, 30), dtype=np.uint16)


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    with Decoder() as opened:
        yield opened


def data_set() -> Dataset:
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.SOPInstanceUID = "1.2.3"
    dataset.StudyInstanceUID = "1.2.4"
    dataset.PatientName = "Größer^Jörg"
    dataset.NumberOfFrames = 3
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = 20, 30, 1
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PixelData = PIXELS.tobytes()
    return dataset


def written(syntax: UID, *, preamble: bool, meta: bool) -> bytes:
    dataset, stream = data_set(), io.BytesIO()
    if syntax == ExplicitVRBigEndian:
        dataset.PixelData = PIXELS.byteswap().tobytes()
    if not meta:
        little, implicit = syntax != ExplicitVRBigEndian, syntax == ImplicitVRLittleEndian
        dcmwrite(stream, dataset, implicit_vr=implicit, little_endian=little, force_encoding=True)
        return stream.getvalue()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dcmwrite(stream, dataset, enforce_file_format=True)
    return stream.getvalue()[0 if preamble else 132 :]


FILES = {
    f"{syntax.name}, {'preamble' if preamble else 'meta' if meta else 'bare'}": written(
        syntax, preamble=preamble, meta=meta
    )
    for syntax in (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian)
    for preamble, meta in ((True, True), (False, True), (False, False))
}


@pytest.mark.parametrize("name", FILES)
def test_recognised_however_it_is_written(decoder: Decoder, name: str, tmp_path: Path) -> None:
    path = tmp_path / "no ending"
    path.write_bytes(FILES[name])
    found = decoder.probe(path)
    assert (found.kind, found.media_type, found.frames) == ("dicom", "application/dicom", 3)
    assert found == probe(path)
    assert found.attributes == probe_dicom(path).attributes
    header = Dataset.from_json(found.attributes)
    assert header.PatientName == "Größer^Jörg"
    assert header.StudyInstanceUID == "1.2.4"
    assert "PixelData" not in header


@pytest.mark.parametrize("name", FILES)
def test_frames_come_over_the_pipe(decoder: Decoder, name: str, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(FILES[name])
    for index in range(3):
        there, here = decoder.frame(path, index), decode_frame(path, index)
        assert (there.pixels == PIXELS[index]).all()
        assert bytes(there.data) == bytes(here.data)
        for field in fields(here):
            assert field.name == "data" or getattr(there, field.name) == getattr(here, field.name)


def test_a_frame_that_is_not_there(decoder: Decoder, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(FILES["Explicit VR Little Endian, preamble"])
    with pytest.raises(PermanentError, match="no page 4"):
        decoder.frame(tmp_path / "x", 3)


def test_it_has_no_pages_of_its_own(decoder: Decoder, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(FILES["Explicit VR Little Endian, preamble"])
    for call in (decoder.page, decoder.form):
        with pytest.raises(PermanentError, match=r"no pages.*application/dicom"):
            call(tmp_path / "x", 0)


@pytest.mark.parametrize("name", FILES)
def test_cut_off_is_refused(decoder: Decoder, name: str, tmp_path: Path) -> None:
    for length in (200, len(FILES[name]) - 1):
        (tmp_path / "x").write_bytes(FILES[name][:length])
        with pytest.raises(InputError, match="DICOM"):
            decoder.probe(tmp_path / "x")


def test_limits_hold_when_a_frame_is_decoded(tmp_path: Path) -> None:
    """A file that is only passed on may be of any size."""
    (tmp_path / "x").write_bytes(FILES["Explicit VR Little Endian, preamble"])
    with Decoder(Limits(pixels=599)) as small:
        assert small.probe(tmp_path / "x").frames == 3
        with pytest.raises(InputError, match="too large"):
            small.frame(tmp_path / "x", 0)
    with Decoder(Limits(bytes=1000)) as small, pytest.raises(InputError, match="too large"):
        small.probe(tmp_path / "x")


def test_a_preamble_in_another_format_changes_nothing() -> None:
    """A file may be TIFF and DICOM at once (PS3.10 7.1)."""
    data = FILES["Explicit VR Little Endian, preamble"]
    for head in (b"II*\0", b"%PDF-1.4", b"BM", b"GIF8"):
        assert sniff(head.ljust(128, b"\0") + data[128:]) == "application/dicom"
