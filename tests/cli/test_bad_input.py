"""Files and names that cannot become a job, or only look as if: through `run`, and dropped before a real service."""

from __future__ import annotations

import io
import json
import os
import struct
import subprocess
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from PIL import Image
from pydicom import dcmread
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas

from tests.cli.conftest import Call
from tests.imaging.pictures import chunk, png
from tests.scp import StorageScp
from tests.system.service import COMMAND, Service, configuration, connection
from tests.waiting import PATIENCE

Refused = Callable[[str, bytes], str]


def noise(side: int = 64) -> bytes:
    stream = io.BytesIO()
    Image.effect_noise((side, side), 90).save(stream, "PNG")
    return stream.getvalue()


def encrypted_pdf() -> bytes:
    stream = io.BytesIO()
    canvas = Canvas(stream, encrypt=StandardEncryption("secret", ownerPassword="owner"))
    canvas.drawString(72, 72, "a report")
    canvas.save()
    return stream.getvalue()


def pdf_without_pages() -> bytes:
    objects = (b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [] /Count 0 >>")
    data, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    start = len(data)
    return data + b"xref\n0 3\n%strailer << /Size 3 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (table, start)


def huge_png() -> bytes:
    """60,000 × 60,000 pixels of 8 bits in the header, and a pixel stream of a few bytes."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"\0" * 1000)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def page(number: int = 0) -> bytes:
    return png(4, 2, 8, 0, [bytes((number, 1, 2, 3)), bytes((4, 5, 6, 7))])


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One for the whole module: what is refused must not keep it from the next."""
    with StorageScp() as archive:
        store = f'<Store name="Send">{connection(archive.port, "PACS")}</Store>'
        base = tmp_path_factory.mktemp("served") / "base"
        with Service(base, configuration(store, '<Perform action="Send"/>')) as running:
            yield running


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "config.xml"
    store = f'<Store name="Send">{connection(104, "PACS")}</Store>'
    file.write_text(configuration(store, '<Perform action="Send"/>'))
    return file


@pytest.fixture
def refused(call: Call, config: Path, tmp_path: Path, service: Service, spools: Callable[[], list[Path]]) -> Refused:
    """`run` ends with 2 and leaves the file; the service moves it to `rejected/` with the same reason beside it."""

    def told(name: str, data: bytes) -> str:
        file = tmp_path / name
        file.write_bytes(data)
        said = call("run", config, file, "--json")
        assert said.code == 2
        assert said.json["error"] == said.err.removeprefix("error: ").rstrip("\n")
        assert file.read_bytes() == data
        assert spools() == []
        before = set(service.rejected.iterdir())
        service.drop(name, data)
        service.wait_for(lambda: len(set(service.rejected.iterdir()) - before) == 2, f"{name} is rejected")
        kept, reason = sorted(set(service.rejected.iterdir()) - before, key=lambda path: len(path.name))
        assert reason.name == f"{kept.name}.reason.txt"
        assert kept.name.endswith(f"-{name}")
        assert kept.read_bytes() == data
        assert f"{file}: {reason.read_text('utf-8').rstrip()}" == said.json["error"]
        inside = sorted(f"rejected/{path.name}" for path in service.rejected.iterdir())
        service.wait_for(lambda: service.leftovers() == inside, "nothing else is left of it")
        assert name not in service.logged
        return reason.read_text("utf-8")

    return told


def test_a_truncated_png(refused: Refused) -> None:
    data = noise()
    assert refused("cut.png", data[: len(data) // 2]).startswith("a damaged PNG; ")


def test_an_image_of_60000_by_60000_pixels(refused: Refused) -> None:
    said = refused("huge.png", huge_png())
    assert said.startswith("the file is too large; 60000 × 60000 pixels; a page may have 300 million")


def test_an_encrypted_pdf(refused: Refused) -> None:
    assert refused("locked.pdf", encrypted_pdf()).startswith("the PDF needs a password; ")


def test_a_pdf_with_no_pages(refused: Refused) -> None:
    assert refused("none.pdf", pdf_without_pages()).startswith("a damaged PDF; it has no pages, or its structure")


def test_an_empty_file(refused: Refused) -> None:
    # The service waits until it has stood still: it may be about to be written.
    assert refused("empty.png", b"").startswith("the file is empty; ")


def test_a_file_of_no_known_kind(refused: Refused) -> None:
    assert refused("x.pdf", b"\x7fELF\x00\x01").startswith("a file that cannot be read; its kind is unknown")


def _is_gone(file: Path, *, meanwhile: Path) -> bool:
    # However long a loaded machine takes: what stands still for two seconds counts as written.
    os.utime(meanwhile)
    return not file.exists()


def test_a_file_that_is_still_being_written(service: Service, tmp_path: Path) -> None:
    data = noise(256)
    target = service.incoming / "slow.png"
    done = len(service.ledger())
    rejected = set(service.rejected.iterdir())
    with target.open("wb") as stream:
        for start in range(0, len(data), len(data) // 4 + 1):
            stream.write(data[start : start + len(data) // 4 + 1])
            stream.flush()
            # The service looks several times a second, and at once when another file comes.
            name = f"between-{start}.png"
            service.drop(name, page(start % 256))
            service.wait_for(partial(_is_gone, service.incoming / name, meanwhile=target), f"{name} is taken")
            assert target.exists()
    service.wait_for(lambda: len(service.ledger()) == done + 5, "every file is stored")
    assert set(service.rejected.iterdir()) == rejected
    assert not target.exists()


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("../../../etc/passwd", "../../../etc/passwd"),
        ("\"quoted\" & 'so' $(id) `id`", "\"quoted\" & 'so' $(id) `id`"),
        ("first\nline\r\nand another", "first line and another"),
        ("Иванов 山田 Müller.pdf", "Иванов 山田 Müller.pdf"),
        ("back\\slash", "back\\slash"),
    ],
    ids=["dots", "quotes", "line breaks", "non-Latin letters", "backslash"],
)
@pytest.mark.parametrize("way", ["option", "sidecar"])
def test_a_title_of_any_kind_is_a_title_and_nothing_else(
    *, call: Call, tmp_path: Path, config: Path, service: Service, title: str, expected: str, way: str
) -> None:
    if way == "option":
        file = tmp_path / "page.png"
        file.write_bytes(page())
        base = tmp_path / "base"
        held = config.with_name("held.xml")
        held.write_text(config.read_text().replace("<Workflow>", "<Workflow><Suspend/>"))
        said = call("run", held, file, "--base", base, "--name", title, "--json")
        assert said.code == 4
        (job,) = call("jobs", "list", "--base", base, "--json").json["jobs"]
        assert job["name"] == expected
        assert Path(job["folder"]) == base / "spool" / "jobs" / said.json["job"]
        assert title not in (base / "log" / "dicomprinter.log").read_text("utf-8")
        return
    done = len(service.ledger())
    service.drop("titled.png", page(), {"title": title, "tags": {"PatientName": "Yamada"}})
    service.wait_for(lambda: len(service.ledger()) == done + 1, "the job is stored")
    assert service.ledger()[-1]["outcome"] == "done"
    assert title.splitlines()[0] not in service.logged
    assert "titled.png" not in service.logged


@pytest.mark.parametrize(
    "name",
    ["..png", "a'b\"c $(id).png", "line\nbreak.png", "Иванов 山田.png", "back\\slash.png", b"caf\xe9.png"],
    ids=["dots", "quotes", "line break", "non-Latin letters", "backslash", "no UTF-8"],
)
def test_a_file_name_of_any_kind(call: Call, config: Path, tmp_path: Path, service: Service, name: str | bytes) -> None:
    text = name if isinstance(name, str) else name.decode("utf-8", "surrogateescape")
    file = tmp_path / text
    file.write_bytes(page())
    out = tmp_path / "out"
    said = call("run", config, file, "--dry-run", "--output-dir", out, "--json")
    assert said.code == 0
    assert file.exists()
    assert dcmread(said.json["instances"][0]["file"]).PatientID == ""
    assert {path.parent for path in out.rglob("*.dcm")} == {out / "Send"}
    if text.startswith("."):
        return  # a hidden file is not taken by the service: its writer is not done with it
    done = len(service.ledger())
    service.drop(text, page())
    service.wait_for(lambda: len(service.ledger()) == done + 1, "the job is stored")
    assert service.ledger()[-1]["outcome"] == "done"


def test_a_name_that_leads_elsewhere_stays_in_rejected(service: Service) -> None:
    before = set(service.rejected.iterdir())
    (service.incoming / "up").mkdir(exist_ok=True)
    service.drop("up/x\\..\\..\\..\\y.png", b"\x00")
    service.wait_for(lambda: len(set(service.rejected.iterdir()) - before) == 2, "it is rejected")
    assert all(path.parent == service.rejected for path in set(service.rejected.iterdir()) - before)
    (service.incoming / "up").rmdir()


def test_a_second_service_on_one_spool(service: Service) -> None:
    logged = service.logged
    second = subprocess.run(
        [*COMMAND, "serve", "--base", str(service.base)], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert second.returncode == 2
    assert second.stdout == ""
    (line,) = second.stderr.splitlines()
    assert line.startswith(f"error: the spool {service.spool} is in use by another process (process ")
    assert line.endswith("stop that one, or choose another --base")
    assert service.logged == logged
    done = len(service.ledger())
    service.drop("after.png", page())
    service.wait_for(lambda: len(service.ledger()) == done + 1, "the first goes on")


def test_a_job_folder_with_a_torn_job_json(call: Call, tmp_path: Path, running: Callable[[object], Service]) -> None:
    with StorageScp(answers=[0xC123]) as archive:
        store = f'<Store name="Send">{connection(archive.port, "PACS")}</Store>'
        service = Service(tmp_path / "base", configuration(store, '<Perform action="Send"/>'))
        with service:
            service.drop("page.png", page(7))
            service.wait_for_state("held")
            assert service.stop() == 0
            (job_id,) = service.job_ids()
            job_file = service.jobs / job_id / "job.json"
            whole = job_file.read_bytes()
            job_file.write_bytes(whole[: len(whole) // 2])
            # Looking at it changes nothing.
            said = call("jobs", "list", "--base", service.base, "--json")
            assert [job["state"] for job in said.json["jobs"]] == ["held"]
            assert job_file.read_bytes() == whole[: len(whole) // 2]
            service.start()
            reason = service.wait_for_state("held")["reason"]
            assert reason.startswith(f"the job folder {job_id} cannot be read; job.json or its dataset is damaged")
            assert job_file.with_name("job.json.damaged").read_bytes() == whole[: len(whole) // 2]
            assert f"{job_id}  the job folder {job_id} cannot be read" in service.logged
            assert json.loads(job_file.read_text())["facts"]["name"] == "page.png"
            assert call("jobs", "resume", job_id, "--base", service.base).code == 0
            first, second = archive.wait_for(2)
            service.wait_for(lambda: len(service.ledger()) == 1, "the job is done")
            service.wait_for(lambda: service.leftovers() == [], "nothing is left")
        assert first.sop_instance == second.sop_instance
