"""kill -9 at any moment loses nothing and doubles nothing."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import sys
import threading
import time
from collections import defaultdict
from datetime import datetime
from pathlib import Path

import pytest
from watchdog.events import FileClosedEvent

from dicomprinter.demo.worklist import EmbeddedWorklist, worklist_entry
from dicomprinter.engine.spool import Spool
from dicomprinter.engine.tools import local_now
from dicomprinter.errors import TransientError
from dicomprinter.imaging.decoder import Decoder
from dicomprinter.intake.accept import Intake
from dicomprinter.intake.incoming import Incoming
from dicomprinter.job.folder import JobFolder
from dicomprinter.job.job import Job
from tests.killed import Killed, die
from tests.scp import StorageScp
from tests.system.help import grey, perform, png, set_tag, store
from tests.system.service import Service, configuration, connection
from tests.waiting import PATIENCE

JOBS = 200
KILLS = 20
# It bounds a hang: a machine with other things to do takes long for 200 jobs.
SLOW = 10 * PATIENCE


def worklist(count: int) -> EmbeddedWorklist:
    now = datetime.now()
    return EmbeddedWorklist(
        [
            worklist_entry(
                patient_name=f"Patient^{number:03}",
                patient_id=f"P{number:03}",
                accession_number=f"A{number:03}",
                description="Report",
                start=now,
            )
            for number in range(count)
        ]
    )


def query(port: int) -> str:
    return (
        f'<Query name="Find" type="Worklist">{connection(port, "WORKLIST")}'
        '<DcmTag tag="PatientID">#{PatientID}</DcmTag></Query>'
    )


def drop_all(service: Service, order: list[int]) -> None:
    """Half are renamed in, half written where they are, a dozen at a time being written in turns."""
    written = []
    for number in order:
        sidecar = {"title": f"page {number}", "tags": {"PatientID": f"P{number:03}"}}
        if number % 2:
            service.drop(f"{number:03}.png", png(number), sidecar)
            continue
        target = service.incoming / f"{number:03}.png"
        service.rename_in(target.with_name(target.name + ".json"), json.dumps(sidecar).encode())
        stream = target.open("wb")
        stream.write(png(number)[:50])
        stream.flush()
        written.append((stream, png(number)[50:]))
        if len(written) == 12:
            finish(written)
    finish(written)


def finish(written: list) -> None:
    for stream, rest in written:
        stream.write(rest)
        stream.close()
    written.clear()


def test_200_jobs_and_20_kills(tmp_path: Path) -> None:
    seed = int(os.environ.get("DICOMPRINTER_TEST_SEED") or random.randrange(1 << 32))
    sys.stdout.write(f"to repeat it: DICOMPRINTER_TEST_SEED={seed}\n")
    chance = random.Random(seed)
    order = chance.sample(range(JOBS), JOBS)
    with StorageScp() as archive, worklist(JOBS) as ris:
        actions = query(ris.port) + set_tag("Set", "InstitutionName", "Clinic") + store("Send", archive.port)
        service = Service(tmp_path / "base", configuration(actions, perform("Find", "Set", "Send")))
        with service:
            dropper = threading.Thread(target=drop_all, args=(service, order))
            dropper.start()
            busy = 0
            try:
                for _ in range(KILLS):
                    # Some hit the start itself, when the kill before is being recovered from.
                    time.sleep(chance.uniform(0.05, 1.1))
                    service.kill()
                    busy += bool(service.job_ids() or any(service.incoming.iterdir()))
                    ready = service.said.count("ready:")
                    service.start(wait=False)
            finally:
                dropper.join()
            service.wait_for(lambda: service.said.count("ready:") > ready, "the last one started is ready")
            service.wait_for(lambda: len(service.ledger()) >= JOBS and not service.leftovers(), "all is done", SLOW)
            assert service.stop() == 0
        received = list(archive.received)
    sys.stdout.write(f"{busy} of {KILLS} kills hit work, {len(received)} objects came for {JOBS} pages\n")

    uids, contents, patients = defaultdict(set), defaultdict(set), defaultdict(set)
    for one in received:
        page = hashlib.sha256(one.dataset.PixelData).hexdigest()
        uids[page].add(one.sop_instance)
        contents[one.sop_instance].add(one.data)
        patients[page].add((one.dataset.PatientID, str(one.dataset.PatientName), one.dataset.InstitutionName))
    expected = {
        hashlib.sha256(grey(number).tobytes()).hexdigest(): {(f"P{number:03}", f"Patient^{number:03}", "Clinic")}
        for number in range(JOBS)
    }
    assert patients == expected
    assert [found for found in uids.values() if len(found) > 1] == []
    assert [uid for uid, found in contents.items() if len(found) > 1] == []
    assert {line["outcome"] for line in service.ledger()} == {"done"}
    assert len({line["job"] for line in service.ledger()}) == JOBS
    assert service.leftovers() == []
    assert [path for path in service.temporary.rglob("*") if path.is_file()] == []
    assert busy > KILLS // 2, "the kills came too late to prove anything"


class Moves:
    """Counts what the intake does to the spool, and ends the process before or after one of these."""

    NAMES = ("mkdir", "rename", "replace", "unlink")

    def __init__(self, patch: pytest.MonkeyPatch, kill_at: int = 0, *, before: bool = False) -> None:
        self.count = 0
        self.done: list[str] = []
        self._kill_at, self._before = kill_at, before
        for name in self.NAMES:
            patch.setattr(Path, name, self._counted(name, getattr(Path, name)))
        patch.setattr(shutil, "rmtree", self._counted("rmtree", shutil.rmtree))

    def _counted(self, name, original):
        def call(path, *arguments, **options):
            self.count += 1
            mine, self_before = self.count == self._kill_at, self._before
            self.done.append(f"{name} {Path(path).name}")
            if mine and self_before:
                raise Killed
            result = original(path, *arguments, **options)
            if mine:
                raise Killed
            return result

        return call


class Reception:
    """A spool and its watched folder, looked at by hand."""

    def __init__(self, base: Path, decoder: Decoder) -> None:
        self.spool = Spool.open(base)
        self.intake = Intake(self.spool, decoder, local_now)
        self.jobs: list[Job] = []
        self._incoming = Incoming(self.spool.incoming, self.intake, self.jobs.append, lambda: 3600)

    def look(self) -> None:
        for file in self.spool.incoming.iterdir():
            self._incoming.on_any_event(FileClosedEvent(str(file)))
        self._incoming.look()

    def recover(self) -> None:
        self.jobs += self.intake.recover()

    def put(self, **files: bytes) -> None:
        for name, data in files.items():
            (self.spool.incoming / name.replace("_", ".")).write_bytes(data)


SIDECAR = json.dumps({"title": "Brief", "tags": {"PatientID": "4711"}}).encode()


def kill_everywhere(tmp_path: Path, decoder: Decoder, monkeypatch: pytest.MonkeyPatch, **files: bytes):
    """Take the files in, killed at each of the moves in turn; then start again, and give back what there is."""
    with monkeypatch.context() as patch:
        whole = Reception(tmp_path / "whole", decoder)
        whole.put(**files)
        moves = Moves(patch)
        whole.look()
    assert moves.count > 5, moves.done
    whole.spool.close()
    for kill_at in range(1, moves.count + 1):
        for before in (True, False):
            reception = Reception(tmp_path / f"{kill_at}-{before}", decoder)
            reception.put(**files)
            with monkeypatch.context() as patch:
                Moves(patch, kill_at, before=before)
                with pytest.raises(Killed):
                    reception.look()
            reception.spool.close()
            again = Reception(tmp_path / f"{kill_at}-{before}", decoder)
            again.recover()
            again.look()
            yield f"killed {'before' if before else 'after'} {moves.done[kill_at - 1]}", again.spool
            again.spool.close()


def test_a_file_killed_on_its_way_in_is_one_whole_job(
    tmp_path: Path, decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"a_png": png(7), "a_txt": b"Befund", "a_png_json": SIDECAR}
    for where, spool in kill_everywhere(tmp_path, decoder, monkeypatch, **files):
        (job_id,) = spool.job_ids()
        job = spool.load(job_id)
        assert (job.facts.name, job.dataset.PatientID) == ("Brief", "4711"), where
        assert [job.path(page.file).read_bytes() for page in job.payload.pages] == [png(7)], where
        assert [job.path(name).read_bytes() for name in job.payload.texts] == [b"Befund"], where
        assert names(spool.jobs) == [job_id], where
        assert names(spool.incoming) + names(spool.rejected) == [], where


def test_a_file_killed_on_its_way_out_is_rejected_once(
    tmp_path: Path, decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"a_png": png(7)[:60], "a_png_json": SIDECAR}
    for where, spool in kill_everywhere(tmp_path, decoder, monkeypatch, **files):
        assert names(spool.jobs) + names(spool.incoming) == [], where
        rejected = [file for file in spool.rejected.iterdir() if not file.name.endswith(".reason.txt")]
        assert sorted(file.read_bytes() for file in rejected) == sorted(files.values()), where
        for file in rejected:
            assert (file.parent / f"{file.name}.reason.txt").read_text("utf-8").strip(), where


def test_a_new_file_of_the_same_name_is_another_job(
    tmp_path: Path, decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scanner calls every page scan.png: the next one comes while the service is down."""
    reception = Reception(tmp_path, decoder)
    reception.put(scan_png=png(1))
    with monkeypatch.context() as patch:
        patch.setattr(JobFolder, "complete_arrival", die)
        with pytest.raises(Killed):
            reception.look()
    reception.put(scan_png=png(2))
    reception.recover()
    reception.look()
    pages = [job.path(page.file).read_bytes() for job in reception.jobs for page in job.payload.pages]
    assert sorted(pages) == sorted([png(1), png(2)])


def test_a_damaged_arrival_does_not_keep_the_others_out(tmp_path: Path, decoder: Decoder) -> None:
    reception = Reception(tmp_path, decoder)
    for name, text in {".new-1": "{", ".new-2": '{"facts": {}, "files": [], "tags": {}}', ".new-3": "[]"}.items():
        folder = JobFolder.create(reception.spool.jobs / name)
        (folder.path / "arrival.json").write_text(text, encoding="utf-8")
    reception.put(a_png=png(1))
    reception.recover()
    reception.look()
    assert len(reception.jobs) == 1


def test_the_sidecar_that_a_listing_missed_is_found(
    tmp_path: Path, decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that is being filled may be listed with a page and without the sidecar that came before it."""
    reception = Reception(tmp_path, decoder)
    reception.put(a_png=png(1), a_png_json=SIDECAR)
    with monkeypatch.context() as patch:
        patch.setattr("dicomprinter.intake.incoming._files", lambda folder: iter([folder / "a.png"]))
        reception.look()
    (job,) = reception.jobs
    assert (job.facts.name, job.dataset.PatientID) == ("Brief", "4711")
    assert names(reception.spool.incoming) == []


@pytest.mark.parametrize(
    "failing", ["dicomprinter.intake.accept._move", "dicomprinter.job.folder.JobFolder.secure_payload"]
)
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), TransientError("later"), KeyError("x")])
def test_a_disk_that_fails_on_the_way_in_loses_nothing(
    tmp_path: Path, decoder: Decoder, monkeypatch: pytest.MonkeyPatch, failing: str, error: Exception
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("dicomprinter.intake.incoming._RETRY_SECONDS", 0)
    reception = Reception(tmp_path, decoder)
    reception.put(a_png=png(1), a_png_json=SIDECAR)
    with monkeypatch.context() as patch:
        patch.setattr(failing, fail)
        reception.look()
        assert reception.jobs == []
        reception.look()
    reception.look()
    (job,) = reception.jobs
    assert (job.facts.name, job.dataset.PatientID) == ("Brief", "4711")
    assert names(reception.spool.incoming) == []
    assert names(reception.spool.jobs) == [job.id]


def test_a_text_whose_page_has_gone_ahead_is_no_job_of_its_own(
    tmp_path: Path, decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk fails between the page and the text beside it, and is well again before that is gone on with."""
    rename = Path.rename

    def fail(path: Path, target: Path) -> Path:
        if path.suffix == ".txt":
            raise OSError(28, "No space left on device")
        return rename(path, target)

    reception = Reception(tmp_path, decoder)
    # A text alone would have to lie still for some seconds.
    reception._incoming._complete.quiet = 0
    reception.put(a_png=png(1), a_txt=b"Befund", a_png_json=SIDECAR)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", fail)
        reception.look()
    for _ in range(3):
        reception.look()
    assert reception.jobs == []
    assert names(reception.spool.rejected) == []
    reception._incoming._recover_at = 0.0
    reception.look()
    (job,) = reception.jobs
    assert (len(job.payload.pages), len(job.payload.texts), job.facts.name) == (1, 1, "Brief")
    assert names(reception.spool.incoming) == []


def test_the_folder_of_a_rejected_file_that_the_disk_kept_goes_later(
    tmp_path: Path, decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dicomprinter.intake.incoming._RETRY_SECONDS", 0)
    reception = Reception(tmp_path, decoder)
    reception.put(a_png=png(7)[:60])
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)
        reception.look()
    assert len(names(reception.spool.jobs)) == 1
    reception.look()
    assert names(reception.spool.jobs) == []
    assert len(names(reception.spool.rejected)) == 2


def names(folder: Path) -> list[str]:
    """Everything in a folder, hidden or not."""
    return [path.name for path in folder.iterdir()]
