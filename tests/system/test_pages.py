"""Actions that change pages, from the file to what the archive gets."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom.uid import EncapsulatedPDFStorage, JPEGBaseline8Bit

from dicomprinter.job.parts import Own
from dicomprinter.workflow.interpreter import Done, Held
from tests.imaging.pictures import pdf
from tests.scp import Received, StorageScp
from tests.system.help import House, grey, jpeg_of, perform, pixels, png, rgb, store, tiff

Run = Callable[[Any], Any]
ROTATE = '<Rotate name="Turn"><Angle>90</Angle></Rotate>'


def sent(
    house: House, scp: StorageScp, actions: str, names: tuple[str, ...], *files: bytes, inner: str = "", more: str = ""
) -> tuple[list[Received], str]:
    """What the archive got of one job that came to its end, and the history."""
    program = house.program(actions + store("A", scp.port, inner, attributes=more), perform(*names, "A"))
    job = house.job(*files)
    assert house.run(program, job) == Done(), job.reason
    return scp.received, house.messages(job)


def test_pages_are_turned(house: House, running: Run) -> None:
    got, said = sent(house, running(StorageScp()), ROTATE, ("Turn",), png(1), tiff(3), png(9, colour=True))
    wanted = [grey(1), grey(1), grey(2), grey(3), rgb(9)]
    assert [pixels(one.dataset).tolist() for one in got] == [np.rot90(page, -1).tolist() for page in wanted]
    assert "Turn: 5 of 5 pages changed" in said


def test_a_turned_jpeg_tells_what_it_lost_and_is_no_longer_its_own_bitstream(house: House, running: Run) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (16, 32, 3), dtype=np.uint8)
    for names, is_kept in (((), True), (("Turn",), False)):
        scp = running(StorageScp())
        got, _ = sent(house, scp, ROTATE, names, jpeg_of(noise), inner='<Compression type="JPEG_Lossy"/>')
        dataset = got[0].dataset
        assert got[0].transfer_syntax == JPEGBaseline8Bit
        assert (jpeg_of(noise) in dataset.PixelData) == is_kept
        assert dataset.LossyImageCompression == "01"
        # The one it came with, and that of the Store where that encodes it.
        losses = np.atleast_1d(dataset.LossyImageCompressionRatio)
        assert len(losses) == (1 if is_kept else 2)
    got, _ = sent(house, running(StorageScp()), ROTATE, ("Turn",), jpeg_of(noise))
    dataset = got[0].dataset
    assert (dataset.LossyImageCompression, dataset.LossyImageCompressionMethod) == ("01", "ISO_10918_1")
    assert float(dataset.LossyImageCompressionRatio) == pytest.approx(noise.size / len(jpeg_of(noise)), rel=1e-3)


def test_resolutions_change_places(house: House, running: Run) -> None:
    stream = io.BytesIO()
    Image.fromarray(grey(1)).save(stream, "TIFF", dpi=(200, 100))
    got, _ = sent(house, running(StorageScp()), ROTATE, ("Turn",), stream.getvalue())
    assert [float(value) for value in got[0].dataset.NominalScannedPixelSpacing] == pytest.approx([0.127, 0.254])


@pytest.mark.parametrize("more", ["", 'multiframe="true"'])
def test_pages_of_a_pdf_are_turned_where_they_go_as_images(house: House, running: Run, more: str) -> None:
    inner = '<Document as="Both" dpi="72"/>'
    got, said = sent(house, running(StorageScp()), ROTATE, ("Turn",), pdf(2), png(1), inner=inner, more=more)
    sizes = [(one.dataset.Rows, one.dataset.Columns) for one in got if one.sop_class != EncapsulatedPDFStorage]
    assert sizes == ([(12, 8), (72, 144)] if more else [(12, 8), (72, 144), (72, 144)])
    assert [one.dataset.EncapsulatedDocument for one in got if one.sop_class == EncapsulatedPDFStorage] == [pdf(2)]
    assert said.count("A: the PDF goes out unchanged") == 1


@pytest.mark.parametrize(("way", "warned"), [("Pdf", 1), ("Images", 0)])
def test_a_warning_where_it_matters(house: House, running: Run, way: str, warned: int) -> None:
    inner = f'<Document as="{way}" dpi="36"/>'
    _, said = sent(house, running(StorageScp()), ROTATE, ("Turn",), pdf(1), inner=inner)
    assert said.count("goes out unchanged") == warned


def test_a_save_warns_as_a_store_does(house: House, tmp_path: Path) -> None:
    save = f'<Save name="Keep"><Directory>{tmp_path}/kept</Directory></Save>'
    job = house.job(pdf(1))
    assert house.run(house.program(ROTATE + save, perform("Turn", "Keep")), job) == Done()
    assert house.messages(job).count("Keep: the PDF goes out unchanged") == 1


def test_turned_pages_of_a_pdf_have_uids_of_their_own(house: House, running: Run) -> None:
    """A SOP Instance UID names one content."""
    scp = running(StorageScp())
    program = house.program(
        ROTATE + "".join(store(name, scp.port, '<Document as="Images" dpi="36"/>') for name in "ABC"),
        perform("A", "B", "Turn", "C"),
    )
    assert house.run(program, house.job(pdf(1))) == Done()
    first, again, turned = (one.dataset for one in scp.received)
    assert first.SOPInstanceUID == again.SOPInstanceUID != turned.SOPInstanceUID
    assert first.SeriesInstanceUID != turned.SeriesInstanceUID
    assert first.StudyInstanceUID == turned.StudyInstanceUID


def test_a_turn_by_nothing_changes_nothing(house: House, running: Run) -> None:
    none = ROTATE.replace("90", "-360")
    inner = '<Document as="Both" dpi="36"/>'
    got, said = sent(house, running(StorageScp()), none, ("Turn",), png(1), pdf(1), inner=inner)
    assert pixels(got[0].dataset).tolist() == grey(1).tolist()
    assert "Turn: there is nothing to change" in said
    assert "unchanged" not in said


def test_a_page_that_is_damaged_leaves_all_as_they_were(house: House, running: Run) -> None:
    program = house.program(ROTATE + store("A", running(StorageScp()).port), perform("Turn", "A"))
    job = house.job(png(1), png(2))
    before = job.payload
    file = job.path(job.payload.pages[1].file)
    file.write_bytes(file.read_bytes()[:-20])
    outcome = house.run(program, job)
    assert isinstance(outcome, Held)
    assert "a damaged PNG" in outcome.why
    assert house.spool.load(job.id).payload == before


def test_a_second_try_after_a_suspend_turns_once_and_sends_the_same(house: House, running: Run) -> None:
    """What a resumeAction goes back to is done again to the pages as they came, and gives the same objects."""
    scp = running(StorageScp(answers=[0x0000, 0xA700]))
    program = house.program(
        ROTATE + store("A", scp.port),
        perform("Turn")
        + perform("A", on_error="Ignore")
        + '<If field="STORE_SUCCEEDED" tag="A" value="false"><Suspend resumeAction="Turn"/></If>',
    )
    job = house.job(png(1), png(2))
    house.run(program, job)
    files = {file.name for file in (job.folder.path / "payload").iterdir()}
    assert len(files) == 4
    assert house.resume(program, job.id) == Done()
    got = [one.dataset for one in scp.received]
    assert [pixels(one).tolist() for one in got] == [np.rot90(grey(n), -1).tolist() for n in (1, 2, 2)]
    assert got[1].SOPInstanceUID == got[2].SOPInstanceUID


def test_what_a_crash_left_half_done_is_done_again_to_the_same_files(house: House) -> None:
    turn = house.program(ROTATE, perform("Turn")).actions["Turn"]
    job = house.job(png(1), tiff(2))
    turn.perform(job, house.tools)
    payload = job.folder.path / "payload"
    files = sorted(file.name for file in payload.iterdir())
    # Nothing of it was written down; one file is half there, one is not.
    made = [page.file for page in job.payload.pages]
    job.path(made[0]).unlink()
    job.path(made[1]).write_bytes(b"half")
    again = house.spool.load(job.id)
    turn.perform(again, house.tools)
    assert again.payload == job.payload
    assert sorted(file.name for file in payload.iterdir()) == files
    assert house.tools.decoder.page(job.path(made[1]), 0).pixels.tolist() == np.rot90(grey(1), -1).tolist()


OWN = '{"00080008":{"vr":"CS"}}'


def test_what_belongs_to_a_page_stays_with_it(house: House) -> None:
    job = house.job(png(1), png(2))
    job.payload = replace(job.payload, own=(Own(job.payload.pages[1].name, OWN),))
    house.program(ROTATE, perform("Turn")).actions["Turn"].perform(job, house.tools)
    assert job.payload.own == (Own(job.payload.pages[1].name, OWN),)


def test_a_dicom_file_stays_and_the_history_says_so(house: House, running: Run, tmp_path: Path) -> None:
    scp = running(StorageScp())
    sent(house, scp, "", (), png(1))
    scp.received[0].dataset.save_as(tmp_path / "x.dcm", enforce_file_format=True)
    again = running(StorageScp())
    got, said = sent(house, again, ROTATE, ("Turn",), (tmp_path / "x.dcm").read_bytes())
    assert pixels(got[0].dataset).tolist() == grey(1).tolist()
    assert "Turn: the DICOM file stays as it is" in said
