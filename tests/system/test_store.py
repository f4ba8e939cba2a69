"""What a Store sends: UIDs that name one content, syntaxes that the peer takes, and what it refuses to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import simplejpeg
from pydicom.encaps import generate_frames
from pydicom.uid import (
    UID,
    EncapsulatedPDFStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    RLELossless,
    SecondaryCaptureImageStorage,
)

from dicomprinter.actions.store.action import SYNTAXES
from dicomprinter.job.parts import Payload
from dicomprinter.workflow.interpreter import Done, Held
from tests.imaging.pictures import pdf
from tests.scp import LOSSLESS, Received, StorageScp
from tests.system.help import House, grey, jpeg_of, perform, pixels, png, rgb, set_tag, store, tiff

Run = Callable[[Any], Any]
UIDS = ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID")


def uids(received: Received) -> tuple[str, ...]:
    return tuple(str(received.dataset[name].value) for name in UIDS)


def sent(house: House, actions: str, workflow: str, *scps: StorageScp, files: tuple[bytes, ...], **tags: str):
    """What each archive got of one job that came to its end."""
    program = house.program(actions, workflow)
    assert house.run(program, house.job(*files, **tags)) == Done()
    return [scp.received for scp in scps]


# UIDs


@pytest.mark.parametrize("other", ["", '<Compression type="RLE"/>', '<Compression type="JPEG_Lossless"/>'])
def test_another_lossless_compression_carries_the_same_uids(house: House, running: Run, other: str) -> None:
    first, second = running(StorageScp()), running(StorageScp())
    actions = store("A", first.port, '<Compression type="JPEG_Lossless"/>') + store("B", second.port, other)
    one, two = sent(house, actions, perform("A", "B"), first, second, files=(tiff(2),))
    assert [uids(a) for a in one] == [uids(b) for b in two]
    assert len({uids(a)[0] for a in one}) == 2
    assert len({uids(a)[1:] for a in one}) == 1
    for number, (a, b) in enumerate(zip(one, two, strict=True), start=1):
        assert pixels(a.dataset).tolist() == pixels(b.dataset).tolist() == grey(number).tolist()


@pytest.mark.parametrize(
    "second",
    [
        '<ColorMode mode="Monochrome8"/>',
        '<Compression type="JPEG_Lossy"/>',
        '<Compression type="JPEG_Lossy" quality="50"/>',
    ],
)
def test_other_pixels_are_other_instances_of_another_series(house: House, running: Run, second: str) -> None:
    scp = running(StorageScp())
    actions = store("A", scp.port, '<ColorMode mode="RGB"/>') + store("B", scp.port, second)
    ((one, two),) = sent(house, actions, perform("A", "B"), scp, files=(png(),))
    assert one.dataset.SOPInstanceUID != two.dataset.SOPInstanceUID
    assert one.dataset.SeriesInstanceUID != two.dataset.SeriesInstanceUID
    assert one.dataset.StudyInstanceUID == two.dataset.StudyInstanceUID


def test_two_lossy_qualities_are_two_contents(house: House, running: Run) -> None:
    scp = running(StorageScp())
    lossy = '<Compression type="JPEG_Lossy" quality="{}"/>'
    actions = store("A", scp.port, lossy.format(90)) + store("B", scp.port, lossy.format(30))
    ((one, two),) = sent(house, actions, perform("A", "B"), scp, files=(png(),))
    assert len({one.dataset.SOPInstanceUID, two.dataset.SOPInstanceUID}) == 2
    assert len({one.dataset.SeriesInstanceUID, two.dataset.SeriesInstanceUID}) == 2


def test_a_set_tag_between_two_stores_makes_new_instances_and_a_new_series(house: House, running: Run) -> None:
    scp = running(StorageScp())
    actions = store("A", scp.port) + set_tag("Tag", "InstitutionName", "Clinic") + store("B", scp.port)
    received = sent(house, actions, perform("A", "Tag", "B"), scp, files=(png(), pdf()))[0]
    before, after = received[:2], received[2:]
    assert len(after) == 2
    assert not {one.dataset.SOPInstanceUID for one in before} & {one.dataset.SOPInstanceUID for one in after}
    assert len({one.dataset.SeriesInstanceUID for one in received}) == 4
    assert len({one.dataset.StudyInstanceUID for one in received}) == 1


def test_the_same_store_twice_sends_once(house: House, running: Run) -> None:
    scp = running(StorageScp())
    sent(house, store("A", scp.port), perform("A", "A"), scp, files=(tiff(3),))
    assert (len(scp.received), scp.associations) == (3, 1)


def test_the_study_of_the_dataset_is_kept(house: House, running: Run) -> None:
    scp = running(StorageScp())
    sent(house, store("A", scp.port), perform("A"), scp, files=(png(), pdf()), StudyInstanceUID="1.2.3.4")
    assert [one.dataset.StudyInstanceUID for one in scp.received] == ["1.2.3.4"] * 2


def test_a_set_study_uid_is_taken(house: House, running: Run) -> None:
    scp = running(StorageScp())
    actions = set_tag("Tag", "StudyInstanceUID", "1.2.3.5") + store("A", scp.port)
    sent(house, actions, perform("Tag", "A"), scp, files=(png(),))
    assert scp.received[0].dataset.StudyInstanceUID == "1.2.3.5"


def test_two_jobs_share_nothing(house: House, running: Run) -> None:
    scp = running(StorageScp())
    program = house.program(store("A", scp.port), perform("A"))
    for _ in range(2):
        house.run(program, house.job(png()))
    one, two = (uids(received) for received in scp.received)
    assert not set(one) & set(two)


# Series and instances


@pytest.mark.parametrize(
    ("files", "tags", "expected"),
    [
        ((tiff(2), pdf(), pdf(2)), {}, [(1, 1), (1, 2), (2, 1), (2, 2)]),
        ((pdf(), pdf(2)), {}, [(1, 1), (1, 2)]),
        ((png(), pdf()), {"SeriesNumber": "40"}, [(40, 1), (41, 1)]),
        ((pdf(),), {"SeriesNumber": "40"}, [(40, 1)]),
    ],
)
def test_series_and_instance_numbers(
    house: House, running: Run, files: tuple[bytes, ...], tags: dict[str, str], expected: list[tuple[int, int]]
) -> None:
    scp = running(StorageScp())
    sent(house, store("A", scp.port), perform("A"), scp, files=files, **tags)
    objects = [one.dataset for one in scp.received]
    assert [(one.SeriesNumber, one.InstanceNumber) for one in objects] == expected
    assert len({one.SeriesInstanceUID for one in objects}) == len({series for series, _ in expected})
    assert len({one.SOPInstanceUID for one in objects}) == len(objects)
    assert len({one.StudyInstanceUID for one in objects}) == 1


def test_images_and_pdfs_are_what_went_in(house: House, running: Run) -> None:
    scp = running(StorageScp())
    sent(house, store("A", scp.port), perform("A"), scp, files=(png(5), png(6, colour=True), pdf(2)))
    page, colour, document = scp.received
    assert [one.sop_class for one in scp.received] == [SecondaryCaptureImageStorage] * 2 + [EncapsulatedPDFStorage]
    assert pixels(page.dataset).tolist() == grey(5).tolist()
    assert pixels(colour.dataset)[..., 0].tolist() == grey(6).tolist()
    length = document.dataset.EncapsulatedDocumentLength
    assert document.dataset.EncapsulatedDocument[:length] == pdf(2)


@pytest.mark.parametrize(
    ("actions", "workflow", "expected"),
    [("", (), ["OT", "DOC"]), (set_tag("Tag", "Modality", "ECG"), ("Tag",), ["ECG", "ECG"])],
    ids=["unsaid", "SetTag"],
)
def test_the_modality_of_a_pdf(
    house: House, running: Run, actions: str, workflow: tuple[str, ...], expected: list[str]
) -> None:
    scp = running(StorageScp())
    sent(house, actions + store("A", scp.port), perform(*workflow, "A"), scp, files=(png(), pdf()))
    assert [one.dataset.Modality for one in scp.received] == expected


def test_the_modality_that_the_worklist_names_is_not_that_of_a_pdf(house: House, running: Run) -> None:
    scp = running(StorageScp())
    job = house.job(png(), pdf())
    # As a Query leaves it: the value is there, and the configuration has not set it.
    job.dataset.Modality = "US"
    house.run(house.program(store("A", scp.port), perform("A")), job)
    assert [one.dataset.Modality for one in scp.received] == ["US", "DOC"]


# Transfer syntaxes


@pytest.mark.parametrize("taken", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
@pytest.mark.parametrize("compression", ["", "RLE", "JPEG_Lossless"])
def test_a_peer_that_takes_one_uncompressed_syntax(house: House, running: Run, taken: str, compression: str) -> None:
    scp = running(StorageScp(syntaxes=[taken]))
    inner = f'<Compression type="{compression}"/>' if compression else ""
    job = house.job(png(3, colour=True), pdf())
    assert house.run(house.program(store("A", scp.port, inner), perform("A")), job) == Done()
    page, document = scp.received
    assert {one.transfer_syntax for one in scp.received} == {taken}
    assert pixels(page.dataset)[..., 0].tolist() == grey(3).tolist()
    assert document.dataset.EncapsulatedDocument[: len(pdf())] == pdf()
    said = f"A: PACS@127.0.0.1:{scp.port} does not take "
    wished = {"RLE": RLELossless, "JPEG_Lossless": JPEGLosslessSV1, "": ExplicitVRLittleEndian}[compression]
    fell_back = taken != wished
    assert (f"{said}{wished.name}; sent as {taken.name}" in house.messages(job)) is fell_back


@pytest.mark.parametrize("taken", LOSSLESS)
@pytest.mark.parametrize("compression", ["", "JPEG_Lossless", "JPEG_Lossy"])
def test_a_peer_that_takes_one_lossless_compression(house: House, running: Run, taken: UID, compression: str) -> None:
    scp = running(StorageScp(syntaxes=[taken]))
    inner = f'<Compression type="{compression}"/>' if compression else ""
    job = house.job(png(3, colour=True))
    assert house.run(house.program(store("A", scp.port, inner), perform("A")), job) == Done()
    (page,) = scp.received
    assert page.transfer_syntax == taken
    wanted = grey(3)
    if compression == "JPEG_Lossy":
        wanted = simplejpeg.decode_jpeg(jpeg_of(rgb(3)), "RGB")[..., 0]
    assert pixels(page.dataset)[..., 0].tolist() == wanted.tolist()
    wished = UID(SYNTAXES[compression]) if compression else ExplicitVRLittleEndian
    fell_back = f"does not take {wished.name}; sent as {taken.name}" in house.messages(job)
    assert fell_back is (wished != taken)


@pytest.mark.parametrize("taken", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
def test_a_lossy_store_without_a_lossy_context_sends_what_jpeg_left(house: House, running: Run, taken: UID) -> None:
    jpeg_scp, scp = running(StorageScp()), running(StorageScp(syntaxes=[taken]))
    lossy = '<Compression type="JPEG_Lossy" quality="70"/>'
    actions = store("J", jpeg_scp.port, lossy) + store("A", scp.port, lossy)
    compressed, native = sent(house, actions, perform("J", "A"), jpeg_scp, scp, files=(png(3, colour=True), png(4)))
    for one, other in zip(compressed, native, strict=True):
        assert uids(one) == uids(other)
        stream = next(generate_frames(one.dataset.PixelData, number_of_frames=1))
        space = "RGB" if one.dataset.SamplesPerPixel == 3 else "GRAY"
        assert np.squeeze(simplejpeg.decode_jpeg(stream, space)).tolist() == pixels(other.dataset).tolist()
        assert other.dataset.PhotometricInterpretation == ("RGB" if space == "RGB" else "MONOCHROME2")
        for name in ("LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod"):
            assert one.dataset[name].value == other.dataset[name].value


def test_a_peer_that_takes_nothing_of_it_says_what_was_proposed_and_accepted(house: House, running: Run) -> None:
    scp = running(StorageScp(sop_classes=[EncapsulatedPDFStorage]))
    job = house.job(png(), pdf())
    program = house.program(store("A", scp.port, '<Compression type="JPEG_Lossy"/>'), perform("A"))
    assert isinstance(house.run(program, job), Held)
    assert job.reason is not None
    for part in (
        "accepts no presentation context for Secondary Capture Image Storage",
        f"proposed: Secondary Capture Image Storage as {JPEGBaseline8Bit.name}, {ExplicitVRLittleEndian.name}",
        f"accepted: Encapsulated PDF Storage as {ExplicitVRLittleEndian.name}",
        "SOP class not supported",
        "choose another Compression",
    ):
        assert part in job.reason
    # What can go goes.
    assert [one.sop_class for one in scp.received] == [EncapsulatedPDFStorage]


def test_a_peer_that_knows_no_pdf_gets_the_pages(house: House, running: Run) -> None:
    scp = running(StorageScp(sop_classes=[SecondaryCaptureImageStorage]))
    job = house.job(png(), pdf())
    assert isinstance(house.run(house.program(store("A", scp.port), perform("A")), job), Held)
    assert "accepts no presentation context for Encapsulated PDF Storage" in (job.reason or "")
    assert [one.sop_class for one in scp.received] == [SecondaryCaptureImageStorage]


# What is refused


def test_an_empty_job_has_nothing_to_send(house: House, running: Run) -> None:
    scp = running(StorageScp())
    job = house.job(png())
    job.payload = Payload()
    assert isinstance(house.run(house.program(store("A", scp.port), perform("A")), job), Held)
    assert "A has nothing to send; the job has neither a page, a PDF nor a DICOM file" in (job.reason or "")
    assert scp.associations == 0
