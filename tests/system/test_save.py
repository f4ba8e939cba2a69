"""Save: numbered files in a folder outside the spool, and the DICOMDIR beside them."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.fileset import FileSet
from pydicom.uid import ExplicitVRLittleEndian

from dicomprinter.actions.save import archive
from dicomprinter.actions.save.archive import Archive
from dicomprinter.engine.dry_run import kept_below
from dicomprinter.intake.submission import read_sidecar
from dicomprinter.job.folder import JobFolder
from dicomprinter.workflow.interpreter import Done, Held, Suspended
from tests.dicom.forwarding import made
from tests.killed import Killed
from tests.peers import program as peer
from tests.system.engine_help import wait_for
from tests.system.help import House, grey, perform, png, set_tag, tiff


def save(directory: str = "archive", inner: str = "", name: str = "Keep", attributes: str = "") -> str:
    return f'<Save name="{name}" {attributes}><Directory>{directory}</Directory>{inner}</Save>'


def names(folder: Path) -> list[str]:
    """What lies there, without the lock."""
    found = (str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in found if not name.endswith(".dicomprinter.lock"))


def listed(folder: Path) -> list[str]:
    """The File IDs of its DICOMDIR, whose instances are the files' own."""
    found = []
    for one in FileSet(folder / "DICOMDIR"):
        assert dcmread(one.path).SOPInstanceUID == one.SOPInstanceUID
        found.append(str(Path(one.path).relative_to(folder)))
    return sorted(found)


def test_three_jobs_of_five_pages_at_once_by_three_workers(house: House) -> None:
    program = house.program(save(), perform("Keep"))
    jobs = [house.job(tiff(5), title=f"{number}", PatientID=f"P{number}") for number in range(3)]
    engine = house.engine(program, workers=3)
    for job in jobs:
        wait_for(house, job, None)
    assert engine.idle(5)
    folder = house.base / "archive"
    wanted = [f"DP_{number:05}" for number in range(1, 16)]
    assert names(folder) == ["DICOMDIR", *wanted]
    assert listed(folder) == wanted
    pages = [dcmread(folder / name) for name in wanted]
    assert sorted((page.PatientID, page.InstanceNumber) for page in pages) == [
        (f"P{job}", number) for job in range(3) for number in range(1, 6)
    ]
    assert all(page.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian for page in pages)
    assert all(np.array_equal(page.pixel_array, grey(page.InstanceNumber)) for page in pages)


def test_numbers_go_on_in_a_folder_past_its_highest(house: House) -> None:
    folder = house.base / "archive"
    folder.mkdir()
    for name in ("page_000007", "page_999999.x", "PAGE_12", "page_x", "other_1000004"):
        (folder / name).write_bytes(b"")
    program = house.program(save(inner="<Filename>page</Filename>"), perform("Keep"))
    assert isinstance(house.run(program, house.job(tiff(2))), Done)
    assert {"page_1000000", "page_1000001"} < {*names(folder)}
    assert "DICOMDIR" not in names(folder)


def test_every_page_has_its_own_place(house: House) -> None:
    program = house.program(
        save("archive/#{PatientID}", "<Filename>S#{SeriesNumber}/I#{InstanceNumber}</Filename>"), perform("Keep")
    )
    house.run(program, house.job(tiff(2), PatientID="a/b"))
    assert names(house.base / "archive") == ["a_b/S1/I1_000001", "a_b/S1/I2_000001"]


def test_legal_names_beside_the_wished_ones(house: House) -> None:
    program = house.program(
        save(inner="<Filename>#{PatientID}.dcm</Filename>", attributes='dicomdir="always"'), perform("Keep")
    )
    house.run(program, house.job(tiff(2), PatientID="x"))
    folder = house.base / "archive"
    wanted = ["DICOM/IM_00001", "DICOM/IM_00002"]
    assert names(folder) == [*wanted, "DICOMDIR", "x_000001.dcm", "x_000002.dcm"]
    assert listed(folder) == wanted
    if os.name == "posix":
        assert (folder / wanted[0]).samefile(folder / "x_000001.dcm")


def test_a_number_that_has_no_room_in_a_file_id_is_saved_and_not_listed(house: House) -> None:
    folder = house.base / "archive"
    folder.mkdir()
    (folder / "ABCDEF_9").write_bytes(b"")
    program = house.program(save(inner="<Filename>ABCDEF</Filename>"), perform("Keep"))
    job = house.job(png())
    house.run(program, job)
    assert names(folder) == ["ABCDEF_10", "ABCDEF_9"]
    assert "no DICOMDIR lists it" in house.messages(job)


def test_a_dicom_file_is_saved_with_the_jobs_changes_and_an_existing_directory_goes_on(house: House) -> None:
    program = house.program(save() + set_tag("Mark", "InstitutionName", "Clinic"), perform("Mark", "Keep"))
    house.run(program, house.job(png(1), PatientID="P1"))
    file = made(house.base / "in.dcm", grey(2)[None], PatientID="P2", SOPInstanceUID="1.2.3.9")
    house.run(program, house.job(file.read_bytes()))
    folder = house.base / "archive"
    assert listed(folder) == ["DP_00001", "DP_00002"]
    saved = dcmread(folder / "DP_00002")
    assert (saved.SOPInstanceUID, saved.InstitutionName, saved.PatientID) == ("1.2.3.9", "Clinic", "P2")
    assert FileSet(folder / "DICOMDIR").ID == "DICOM_PRINTER_2"


def test_what_a_record_needs_and_the_object_lacks_is_said_to_stand_in(house: House) -> None:
    job = house.job(png())
    house.run(house.program(save(), perform("Keep")), job)
    directory = dcmread(house.base / "archive" / "DICOMDIR")
    patient = directory.DirectoryRecordSequence[0]
    assert patient.PatientID.startswith("NO_ID_")
    assert "the DICOMDIR needs PatientID, StudyID" in house.messages(job)


def test_a_directory_that_is_damaged_is_left_as_it_is_and_told(house: House) -> None:
    folder = house.base / "archive"
    program = house.program(save(), perform("Keep"))
    house.run(program, house.job(png()))
    damaged = (folder / "DICOMDIR").read_bytes()[:-40]
    (folder / "DICOMDIR").write_bytes(damaged)
    job = house.job(png(2))
    outcome = house.run(program, job)
    assert isinstance(outcome, Held)
    assert "the files are saved, but the DICOMDIR in archive is damaged" in outcome.why
    assert (folder / "DICOMDIR").read_bytes() == damaged
    (folder / "DICOMDIR").unlink()
    assert isinstance(house.resume(program, job.id), Done)
    assert names(folder) == ["DICOMDIR", "DP_00001", "DP_00002"]
    assert listed(folder) == ["DP_00002"]


def test_a_page_that_cannot_be_made_does_not_keep_the_others_out(house: House) -> None:
    job = house.job(png(1), png(2))
    (job.folder.path / job.payload.pages[0].file).write_bytes(png(1)[:50])
    outcome = house.run(house.program(save(), perform("Keep")), job)
    assert isinstance(outcome, Held)
    assert "1 of 2 objects were not saved" in outcome.why
    assert names(house.base / "archive") == ["DICOMDIR", "DP_00001"]


def test_a_second_save_of_the_same_objects_saves_nothing_twice(house: House) -> None:
    program = house.program(save() + save("other", name="Other"), perform("Keep", "Keep", "Other"))
    job = house.job(png())
    house.run(program, job)
    assert names(house.base / "archive") == ["DICOMDIR", "DP_00001"]
    assert names(house.base / "other") == ["DICOMDIR", "DP_00001"]
    assert "1 of 1 were saved before" in house.messages(job)


# What goes wrong


@pytest.mark.parametrize(
    ("number", "said"),
    [(errno.ENOSPC, "make room there"), (errno.EDQUOT, "raise the quota"), (errno.EIO, "see whether it is there")],
)
def test_a_full_archive_is_no_fault_of_the_machine(
    number: int, said: str, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second of three files: what is saved stays, nothing half-written does, the policy decides."""
    copies = []

    def full(source: Path, target: Path) -> None:
        copies.append(target)
        shutil.copyfile(source, target)
        if len(copies) == 2:
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr("dicomprinter.actions.save.performing.copy", full)
    program = house.program(save(), perform("Keep", on_error="Suspend"))
    job = house.job(tiff(3))
    outcome = house.run(program, job)
    assert isinstance(outcome, Suspended)
    assert f"the folder archive cannot be written: {os.strerror(number)}; {said}" in outcome.why
    assert names(house.base / "archive") == ["DICOMDIR", "DP_00001"]
    assert isinstance(house.resume(program, job.id), Done)
    assert names(house.base / "archive") == ["DICOMDIR", "DP_00001", "DP_00002", "DP_00003"]
    assert listed(house.base / "archive") == ["DP_00001", "DP_00002", "DP_00003"]


def test_what_is_saved_before_a_failure_that_is_ignored_is_listed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No other try comes; where the DICOMDIR cannot be written either, the history says so."""
    program = house.program(save(), perform("Keep", on_error="Ignore"))
    folder = house.base / "archive"
    copies = []

    def full(source: Path, target: Path) -> None:
        copies.append(target)
        if len(copies) % 2 == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        shutil.copyfile(source, target)

    monkeypatch.setattr("dicomprinter.actions.save.performing.copy", full)
    assert isinstance(house.run(program, house.job(tiff(2))), Done)
    assert listed(folder) == names(folder)[1:] == ["DP_00001"]
    (folder / "DICOMDIR").write_bytes(b"damaged")
    job = house.job(tiff(2))
    assert isinstance(house.run(program, job), Done)
    said = house.messages(job)
    assert "the folder archive cannot be written" in said
    assert "the DICOMDIR does not list what is saved: the files are saved, but the DICOMDIR in archive" in said


def test_a_folder_that_cannot_be_made_is_worth_another_try(house: House) -> None:
    (house.base / "archive").write_text("a file")
    program = house.program(save("archive/#{PatientID}"), perform("Keep", on_error="Suspend"))
    job = house.job(png(), PatientID="SECRET")
    outcome = house.run(program, job)
    assert isinstance(outcome, Suspended)
    assert "the folder archive/#{PatientID} cannot be written" in outcome.why
    (house.base / "archive").unlink()
    assert isinstance(house.resume(program, job.id), Done)


STEPS = (
    (JobFolder, "add_saved"),
    (archive, "sync_file"),
    (archive, "sync_folder"),
    (archive, "_rename_to_new"),
    (archive.os, "link"),
    (archive, "FileLock"),
    (Archive, "fill"),
)


class Mortal:
    """Ends the process before the nth of these calls, or right after it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, nth: int, *, after: bool) -> None:
        self.left = nth
        self.is_over = False
        for place, name in STEPS:
            monkeypatch.setattr(place, name, self.deadly(getattr(place, name), after=after))

    def deadly(self, call: Any, *, after: bool) -> Any:
        def replaced(*arguments: Any, **options: Any) -> Any:
            self.left -= 1
            is_here = self.left == 0
            if is_here and not after:
                raise Killed
            made = call(*arguments, **options)
            if is_here:
                raise Killed
            return made

        return replaced


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("attributes", ["", 'dicomdir="always"'])
def test_an_end_at_any_step_numbers_nothing_twice_and_loses_nothing(after: bool, attributes: str, house: House) -> None:
    filename = "<Filename>p-</Filename>" if attributes else ""
    for nth in range(1, 100):
        folder = house.base / f"archive-{nth}"
        program = house.program(save(folder.name, filename, attributes=attributes), perform("Keep"))
        job = house.job(tiff(2))
        with pytest.MonkeyPatch.context() as patch:
            mortal = Mortal(patch, nth, after=after)
            try:
                house.run(program, job)
            except Killed:
                mortal.is_over = True
        if not mortal.is_over:
            assert nth > 10
            return
        # Somebody else has saved in between.
        other = house.job(png(7))
        assert isinstance(house.run(program, other), Done)
        house.restart()
        assert isinstance(house.run(program, house.spool.load(job.id)), Done)
        wanted = ["DP_00001", "DP_00002", "DP_00003"]
        if attributes:
            wanted = [f"DICOM/IM_0000{number}" for number in (1, 2, 3)]
            assert names(folder) == [*wanted, "DICOMDIR", *(f"p-_00000{number}" for number in (1, 2, 3))]
        else:
            assert names(folder) == ["DICOMDIR", *wanted]
        assert listed(folder) == wanted
        assert len({dcmread(folder / name).SOPInstanceUID for name in wanted}) == 3
    raise AssertionError("it never came to its end")


def test_a_file_system_without_hard_links(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(archive.os, "link", refused)
    program = house.program(save(inner="<Filename>p-</Filename>", attributes='dicomdir="always"'), perform("Keep"))
    assert isinstance(house.run(program, house.job(tiff(2))), Done)
    assert names(house.base / "archive") == [
        "DICOM/IM_00001",
        "DICOM/IM_00002",
        "DICOMDIR",
        "p-_000001",
        "p-_000002",
    ]


# Raw


def test_raw_files_can_be_taken_again(house: House) -> None:
    program = house.program(save(inner="<Format>dxi</Format>"), perform("Keep"))
    job = house.job(tiff(2), b"a text", title="scan.tif", PatientID="4711")
    came = [(job.folder.path / entry["to"]).read_bytes() for entry in job.folder.arrival()["files"]]
    house.run(program, job)
    house.run(program, house.job(png(), title="other"))
    folder = house.base / "archive"
    assert names(folder) == [
        "input-1_000001",
        "input-1_000001.json",
        "input-1_000001.txt",
        "input-1_000002",
        "input-1_000002.json",
    ]
    assert [(folder / name).read_bytes() for name in ("input-1_000001", "input-1_000001.txt")] == came
    again = house.intake.take(
        [folder / "input-1_000001", folder / "input-1_000001.txt"],
        read_sidecar(folder / "input-1_000001.json", "x", "x"),
    )
    assert again is not None
    assert (again.facts.name, again.dataset.PatientID) == ("scan.tif", "4711")
    assert (again.payload.pages, len(again.payload.texts)) == (job.payload.pages, 1)


def test_a_dry_run_writes_below_its_output_folder(tmp_path: Path) -> None:
    outside = kept_below(tmp_path)
    assert outside(Path("/archive/x")) == tmp_path / "archive" / "x"
    assert outside(Path("../../x")) == tmp_path / "x"
    assert outside(Path("C:/x")) == tmp_path / "C" / "x"


@pytest.mark.peer
def test_dcmtk_reads_the_directory(house: House) -> None:
    program = house.program(save(inner="<Filename>A/DP</Filename>"), perform("Keep"))
    house.run(program, house.job(tiff(2), PatientID="Ä", PatientName="Müller^Jörg", StudyID="7"))
    file = house.base / "archive" / "DICOMDIR"
    told = subprocess.run([peer("dcmdump"), "-q", "+U8", file], check=True, capture_output=True).stdout.decode()
    for wanted in ("[DICOM_PRINTER_2]", "[PATIENT]", "[STUDY]", "[SERIES]", "[IMAGE]", r"[A\DP_00002]", "Müller^Jörg"):
        assert wanted in told


def test_a_file_server_without_locks(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise NotImplementedError

    monkeypatch.setattr(archive.FileLock, "acquire", refused)
    job = house.job(png())
    assert isinstance(house.run(house.program(save(), perform("Keep")), job), Done)
    assert listed(house.base / "archive") == ["DP_00001"]
    assert house.messages(job).count("knows no locks") == 1
