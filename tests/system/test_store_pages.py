"""What a Store makes of pages beyond one object a page: multi-frame, a PDF's pages, a JPEG as it came, every syntax."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simplejpeg
from PIL import Image
from pydicom.encaps import generate_frames
from pydicom.uid import (
    UID,
    EncapsulatedPDFStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
)

from dicomprinter.actions.objects import planning
from dicomprinter.actions.store.action import SYNTAXES
from dicomprinter.dicom.page import Form
from dicomprinter.errors import PermanentError
from dicomprinter.imaging.decoder import Decoder
from dicomprinter.workflow.interpreter import Done, Held
from tests.imaging.pictures import chunk, pdf
from tests.scp import LOSSLESS, Received, StorageScp
from tests.system.help import House, grey, jpeg_of, perform, pixels, png, rgb, set_tag, store, tiff

Run = Callable[[Any], Any]
MULTIFRAME = 'multiframe="true"'


def sent(house: House, scp: StorageScp, *files: bytes, inner: str = "", attributes: str = "") -> list[Received]:
    """What the archive got of one job that came to its end."""
    program = house.program(store("A", scp.port, inner, attributes=attributes), perform("A"))
    job = house.job(*files)
    assert house.run(program, job) == Done(), job.reason
    return scp.received


def deep(number: int) -> bytes:
    """A page of 16 bit grey."""
    stream = io.BytesIO()
    Image.fromarray(grey(number).astype(np.uint16) * 257).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize("compression", ["JPEG_LS", "JPEG_2000", "HTJ2K", "JPEG_Lossless", "RLE"])
def test_every_lossless_compression_keeps_every_pixel(house: House, running: Run, compression: str) -> None:
    got = sent(house, running(StorageScp()), png(7), png(8, colour=True), inner=f'<Compression type="{compression}"/>')
    assert {one.transfer_syntax for one in got} == {SYNTAXES[compression]}
    assert pixels(got[0].dataset).tolist() == grey(7).tolist()
    assert pixels(got[1].dataset).tolist() == rgb(8).tolist()
    assert all("LossyImageCompression" not in one.dataset for one in got)


# Multi-frame


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, *LOSSLESS])
def test_pages_of_one_form_are_one_object(house: House, running: Run, syntax: UID) -> None:
    (got,) = sent(house, running(StorageScp(syntaxes=[syntax])), tiff(3), attributes=MULTIFRAME)
    dataset = got.dataset
    assert got.sop_class == MultiFrameGrayscaleByteSecondaryCaptureImageStorage
    assert (dataset.NumberOfFrames, dataset.FrameIncrementPointer) == (3, 0x00182001)
    assert list(dataset.PageNumberVector) == [1, 2, 3]
    assert pixels(dataset).tolist() == [grey(number).tolist() for number in (1, 2, 3)]
    assert (dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType) == (0, 1, "US")
    assert (dataset.PresentationLUTShape, dataset.BurnedInAnnotation) == ("IDENTITY", "YES")


def test_pages_of_several_forms_are_several_objects_in_their_order(house: House, running: Run) -> None:
    got = sent(
        house, running(StorageScp()), png(1), png(2), png(3, colour=True), deep(4), png(5), attributes=MULTIFRAME
    )
    assert [one.sop_class for one in got] == [
        MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
        MultiFrameTrueColorSecondaryCaptureImageStorage,
        MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
        MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    ]
    assert [(one.dataset.NumberOfFrames, one.dataset.InstanceNumber) for one in got] == [(2, 1), (1, 2), (1, 3), (1, 4)]
    assert len({one.dataset.SeriesInstanceUID for one in got}) == 1
    assert len({one.dataset.SOPInstanceUID for one in got}) == 4
    assert got[1].dataset.PlanarConfiguration == 0
    assert "RescaleSlope" not in got[1].dataset
    assert pixels(got[2].dataset).tolist() == (grey(4).astype(np.uint16) * 257).tolist()


def test_a_lossy_multi_frame_object_of_deep_pages_holds_bytes(house: House, running: Run) -> None:
    (got,) = sent(
        house, running(StorageScp()), deep(1), deep(2), inner='<Compression type="JPEG_Lossy"/>', attributes=MULTIFRAME
    )
    assert got.sop_class == MultiFrameGrayscaleByteSecondaryCaptureImageStorage
    assert (got.dataset.BitsAllocated, got.dataset.BitsStored, got.dataset.NumberOfFrames) == (8, 8, 2)
    frames = list(generate_frames(got.dataset.PixelData, number_of_frames=2))
    ratio = sum(12 * 8 * 2 / len(frame) for frame in frames) / 2
    # A stream of odd length is padded in its fragment.
    assert float(got.dataset.LossyImageCompressionRatio) == pytest.approx(ratio, rel=0.01)


def test_what_does_not_fit_in_one_object_is_split(house: House, running: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "_LARGEST_PIXEL_DATA", 2 * 96 + 95)
    got = sent(house, running(StorageScp()), tiff(5), attributes=MULTIFRAME)
    assert [int(one.dataset.NumberOfFrames) for one in got] == [2, 2, 1]
    numbers = [frame for one in got for frame in pixels(one.dataset).reshape(-1, 8, 12).tolist()]
    assert numbers == [grey(number).tolist() for number in range(1, 6)]


def test_a_second_try_sends_multi_frame_objects_with_the_same_uids(house: House, running: Run) -> None:
    scp = running(StorageScp(answers=[0x0000, 0xA700]))
    program = house.program(store("A", scp.port, attributes=MULTIFRAME), perform("A"))
    job = house.job(png(1), png(2, colour=True))
    assert isinstance(house.run(program, job), Held)
    assert house.resume(program, job.id) == Done()
    first, second, again = (str(one.dataset.SOPInstanceUID) for one in scp.received)
    assert (first != second, second == again) == (True, True)


def test_an_object_of_one_frame_has_nothing_to_count(house: House, running: Run) -> None:
    """PS3.3 C.7.6.6: these are there when there is more than one frame."""
    (got,) = sent(house, running(StorageScp()), png(1), attributes=MULTIFRAME)
    assert got.dataset.NumberOfFrames == 1
    assert "FrameIncrementPointer" not in got.dataset
    assert "PageNumberVector" not in got.dataset


def test_fax_pixels_keep_their_ratio_in_a_multi_frame_object(house: House, running: Run) -> None:
    stream = io.BytesIO()
    pages = [Image.fromarray(grey(number)) for number in (1, 2)]
    pages[0].save(stream, "TIFF", save_all=True, append_images=pages[1:], dpi=(204, 98))
    (got,) = sent(house, running(StorageScp()), stream.getvalue(), attributes=MULTIFRAME)
    assert list(got.dataset.PixelAspectRatio) == [102, 49]
    assert "NominalScannedPixelSpacing" not in got.dataset


def broken() -> bytes:
    """A PNG whose chunks are right and whose pixels are none."""
    data, pixels = png(3), b"no deflate stream"
    start = data.index(b"IDAT") - 4
    end = data.index(b"IEND") - 4
    return data[:start] + chunk(b"IDAT", pixels) + data[end:]


@pytest.mark.parametrize("attributes", ["", MULTIFRAME])
def test_a_page_that_cannot_be_decoded_does_not_keep_the_others(house: House, running: Run, attributes: str) -> None:
    scp = running(StorageScp())
    job = house.job(png(1, colour=True), broken(), pdf())
    outcome = house.run(house.program(store("A", scp.port, attributes=attributes), perform("A")), job)
    assert isinstance(outcome, Held)
    assert "1 of 3 objects were not stored: " in outcome.why
    assert "Secondary Capture Image Storage 2: page 1 of the file cannot be decoded" in outcome.why
    assert len(scp.received) == 2


def test_a_form_that_cannot_be_told_does_not_keep_the_others(
    house: House, running: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = Decoder.form

    def refusing(decoder: Decoder, path: Path, *args: Any, **named: Any) -> Form:
        if path.name.startswith("0002"):
            raise PermanentError("the file is too large")
        return form(decoder, path, *args, **named)

    monkeypatch.setattr(Decoder, "form", refusing)
    scp = running(StorageScp())
    job = house.job(png(1), png(2), png(3), pdf())
    outcome = house.run(house.program(store("A", scp.port, attributes=MULTIFRAME), perform("A")), job)
    assert isinstance(outcome, Held)
    assert "1 of 4 objects were not stored: " in outcome.why
    assert "the file is too large" in outcome.why
    assert [one.sop_class for one in scp.received] == [
        MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
        MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
        EncapsulatedPDFStorage,
    ]


def test_what_was_built_does_not_stay(house: House, running: Run) -> None:
    scp = running(StorageScp(answers=[0xA700]))
    job = house.job(tiff(2))
    outcome = house.run(house.program(store("A", scp.port, attributes=MULTIFRAME), perform("A")), job)
    assert isinstance(outcome, Held)
    assert not (job.folder.path / "work").exists()


# A PDF's pages


@pytest.mark.parametrize(("kind", "classes"), [("Images", 2), ("Both", 3)])
def test_a_pdf_as_images(house: House, running: Run, kind: str, classes: int) -> None:
    got = sent(house, running(StorageScp()), pdf(2), inner=f'<Document as="{kind}" dpi="36"/>')
    assert len(got) == classes
    pages = [one.dataset for one in got if one.sop_class == SecondaryCaptureImageStorage]
    assert [page.InstanceNumber for page in pages] == [1, 2]
    assert {page.SeriesNumber for page in pages} == {1}
    assert all(page.PhotometricInterpretation == "RGB" for page in pages)
    assert [float(value) for value in pages[0].NominalScannedPixelSpacing] == pytest.approx([25.4 / 36] * 2)
    documents = [one.dataset for one in got if one.sop_class == EncapsulatedPDFStorage]
    assert [document.SeriesNumber for document in documents] == ([2] if kind == "Both" else [])


def test_a_pdf_is_what_each_destination_asks_for(house: House, running: Run) -> None:
    as_it_is, as_images = running(StorageScp()), running(StorageScp())
    actions = store("A", as_it_is.port) + store("B", as_images.port, '<Document as="Images" dpi="36"/>')
    job = house.job(pdf(1))
    assert house.run(house.program(actions, perform("A", "B")), job) == Done()
    assert [one.sop_class for one in as_it_is.received] == [EncapsulatedPDFStorage]
    assert [one.sop_class for one in as_images.received] == [SecondaryCaptureImageStorage]
    assert as_it_is.received[0].dataset.StudyInstanceUID == as_images.received[0].dataset.StudyInstanceUID


def test_another_resolution_is_another_content(house: House, running: Run) -> None:
    scp = running(StorageScp())
    actions = store("A", scp.port, '<Document as="Images" dpi="36"/>')
    actions += store("B", scp.port, '<Document as="Images" dpi="72"/>')
    job = house.job(pdf(1))
    assert house.run(house.program(actions, perform("A", "B")), job) == Done()
    one, other = (received.dataset for received in scp.received)
    assert one.SOPInstanceUID != other.SOPInstanceUID
    assert one.SeriesInstanceUID != other.SeriesInstanceUID
    assert other.Rows == pytest.approx(2 * one.Rows, abs=2)


def test_pages_and_a_pdf_form_one_series_of_images(house: House, running: Run) -> None:
    got = sent(house, running(StorageScp()), png(), pdf(2), inner='<Document as="Images" dpi="36"/>')
    assert [one.dataset.InstanceNumber for one in got] == [1, 2, 3]
    assert len({one.dataset.SeriesInstanceUID for one in got}) == 1


# A JPEG as it came

LOSSY = '<Compression type="JPEG_Lossy"/>'


def passed(received: Received) -> bytes:
    return next(generate_frames(received.dataset.PixelData, number_of_frames=1)).rstrip(b"\0")


def test_a_jpeg_that_nothing_changed_goes_in_as_it_came(house: House, running: Run) -> None:
    colour, plain = jpeg_of(rgb(3), 60), simplejpeg.encode_jpeg(grey(4)[:, :, None], 60, "GRAY", "Gray")
    got = sent(house, running(StorageScp()), colour, plain, inner=LOSSY)
    assert [passed(one) for one in got] == [colour.rstrip(b"\0"), plain.rstrip(b"\0")]
    assert {one.transfer_syntax for one in got} == {JPEGBaseline8Bit}
    assert [one.dataset.PhotometricInterpretation for one in got] == ["YBR_FULL_422", "MONOCHROME2"]
    for one in got:
        assert one.dataset.LossyImageCompressionMethod == "ISO_10918_1"
        assert float(one.dataset.LossyImageCompressionRatio) > 0


@pytest.mark.parametrize("mode", ["RGB", "Monochrome8"])
def test_a_jpeg_in_another_colour_mode_is_encoded(house: House, running: Run, mode: str) -> None:
    colour = jpeg_of(rgb(3), 60)
    (got,) = sent(house, running(StorageScp()), colour, inner=LOSSY + f'<ColorMode mode="{mode}"/>')
    assert (passed(got) == colour) is (mode == "RGB")
    assert len(np.atleast_1d(got.dataset.LossyImageCompressionRatio)) == (1 if mode == "RGB" else 2)


@pytest.mark.parametrize("sampling", ["420", "444"])
def test_a_jpeg_of_another_sampling_is_encoded_anew(house: House, running: Run, sampling: str) -> None:
    data = simplejpeg.encode_jpeg(np.ascontiguousarray(rgb(3)), 60, "RGB", sampling)
    (got,) = sent(house, running(StorageScp()), data, inner=LOSSY)
    assert passed(got) != data
    assert got.dataset.PhotometricInterpretation == "YBR_FULL_422"
    assert list(got.dataset.LossyImageCompressionMethod) == ["ISO_10918_1"] * 2


def test_a_jpeg_that_the_peer_does_not_take_is_decoded_once(house: House, running: Run) -> None:
    data = jpeg_of(rgb(3), 60)
    (got,) = sent(house, running(StorageScp(syntaxes=[ExplicitVRLittleEndian])), data, inner=LOSSY)
    assert pixels(got.dataset).tolist() == simplejpeg.decode_jpeg(data, "RGB").tolist()
    assert got.dataset.LossyImageCompressionMethod == "ISO_10918_1"


# A study that is there already


def test_a_study_that_an_archive_knows_gets_a_high_series_number(house: House, running: Run) -> None:
    scp = running(StorageScp())
    job = house.job(png(), pdf())
    job.dataset.StudyInstanceUID = "1.2.3"
    job.flags = type(job.flags)(existing_study="1.2.3")
    assert house.run(house.program(store("A", scp.port), perform("A")), job) == Done()
    image, document = (one.dataset.SeriesNumber for one in scp.received)
    assert 5_000_000 < image < 2**31 - 1
    assert document == image + 1


def test_two_jobs_of_one_study_share_no_series_number(house: House, running: Run) -> None:
    """One that comes a tenth of a second later has other numbers than both series of the first."""
    scp = running(StorageScp())
    program = house.program(store("A", scp.port), perform("A"))
    for _ in range(2):
        job = house.job(png(), pdf())
        job.dataset.StudyInstanceUID = "1.2.3"
        job.flags = type(job.flags)(existing_study="1.2.3")
        assert house.run(program, job) == Done()
        house.clock.forward(seconds=0.1)
    assert len({one.dataset.SeriesNumber for one in scp.received}) == 4


def test_the_last_series_number_has_the_pdf_before_it(house: House, running: Run) -> None:
    scp = running(StorageScp())
    job = house.job(png(), pdf(), SeriesNumber="2147483647")
    assert house.run(house.program(store("A", scp.port), perform("A")), job) == Done()
    assert [one.dataset.SeriesNumber for one in scp.received] == [2147483647, 2147483646]


def test_a_series_number_that_was_set_holds_in_a_known_study(house: House, running: Run) -> None:
    scp = running(StorageScp())
    job = house.job(png())
    job.dataset.StudyInstanceUID = "1.2.3"
    job.flags = type(job.flags)(existing_study="1.2.3")
    program = house.program(set_tag("T", "SeriesNumber", "40") + store("A", scp.port), perform("T", "A"))
    assert house.run(program, job) == Done()
    assert scp.received[0].dataset.SeriesNumber == 40
