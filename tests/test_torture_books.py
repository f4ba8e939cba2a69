"""The audit of the torture notices every kind of cheating: an honest spool is made, and one thing in it is changed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from tests.canary import CANARY
from torture.archive import Arrived
from torture.audit import Books
from torture.scene import Drop

DONE, WAITS, REFUSED = "20260101T000000000001-aaaaaa", "20260101T000000000002-bbbbbb", "20260101T000000000003-cccccc"
UID, OTHER = "2.25.1", "2.25.2"


@dataclass
class Shelf:
    """An archive as far as the audit looks."""

    name: str
    is_well: bool = True
    objects: list[Arrived] = field(default_factory=list)

    def arrived(self) -> list[Arrived]:
        return self.objects


@dataclass
class Scene:
    books: Books
    a: Shelf
    b: Shelf

    @property
    def spool(self) -> Path:
        return self.books.spool

    @property
    def kept(self) -> Path:
        return self.books.kept / DONE

    @property
    def waiting(self) -> Path:
        return self.spool / "jobs" / WAITS


def write_lines(file: Path, *lines: dict[str, Any]) -> None:
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def change(file: Path, **values: Any) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text("utf-8")), **values}), encoding="utf-8")


def line(message: str, second: int = 0, **more: Any) -> dict[str, Any]:
    return {"time": f"2026-01-01T00:00:{second:02}.000+01:00", "message": message, **more}


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """One job is done and at A and B, one waits for B, which is down; one file was rejected."""
    a, b = Shelf("A@127.0.0.1:1"), Shelf("B@127.0.0.1:2", is_well=False)
    spool, kept = tmp_path / "spool", tmp_path / "kept"
    for folder in (*(spool / name for name in ("incoming", "jobs", "rejected", "expired")), kept, tmp_path / "tmp"):
        folder.mkdir(parents=True)
    wanted = {"A": frozenset({"pixels 1"}), "B": frozenset({"pixels 1"})}
    drops = [
        Drop("page", "page-0001", {"page-0001.png": b"1"}, wanted, "done"),
        Drop("page", "page-0002", {"page-0002.png": b"2"}, {"A": frozenset({"pixels 2"})}, "done"),
        Drop("damaged", "damaged-0003", {"damaged-0003.png": b"3"}, {}, "rejected"),
    ]
    for shelf in (a, b):
        shelf.objects.append(Arrived(UID, "data", "pixels 1", 0))
    for folder, title, waits in ((kept / DONE, "page-0001", False), (spool / "jobs" / WAITS, "page-0002", True)):
        (folder / "payload").mkdir(parents=True)
        job = {
            "facts": {"name": title},
            "serial": 1,
            "state": "suspended" if waits else "running",
            "reason": f"{b.name} refused the connection" if waits else None,
            "wake_at": "2026-01-01T00:00:00+01:00" if waits else None,
            "instances": [] if waits else [{"sop_instance_uid": UID}],
        }
        (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    (spool / "jobs" / WAITS / "payload" / "0001.png").write_bytes(b"2")
    told = [line(f"Send: page stored by {shelf.name}", 1, peer=shelf.name, sop_instance_uid=UID) for shelf in (a, b)]
    write_lines(kept / DONE / "history.jsonl", line("accepted from incoming: 1 page"), *told, line("done", 2))
    sent = [{"peer": shelf.name, "sop_instance_uid": UID, "stored": True} for shelf in (a, b)]
    write_lines(kept / DONE / "sent.jsonl", *sent)
    suspended = line("suspended until 2026: B is down", 1)
    write_lines(spool / "jobs" / WAITS / "history.jsonl", line("accepted from incoming: 1 page"), suspended)
    rejected = spool / "rejected" / f"{REFUSED}-damaged-0003.png"
    rejected.write_bytes(b"3")
    rejected.with_name(rejected.name + ".reason.txt").write_text("damaged", encoding="utf-8")
    write_lines(spool / "ledger.jsonl", {"job": DONE, "outcome": "done", "stored": 2})
    return Scene(Books(spool, kept, tmp_path / "tmp", drops, {"A": a, "B": b}, "a quiet log"), a, b)


def test_honest_books_have_no_faults(scene: Scene) -> None:
    assert scene.books.faults() == []


def lose_an_object(scene: Scene) -> None:
    scene.a.objects.clear()


def swap_pixels(scene: Scene) -> None:
    scene.a.objects[0] = replace(scene.a.objects[0], content="pixels 9")


def second_uid(scene: Scene) -> None:
    scene.a.objects.append(Arrived(OTHER, "data", "pixels 1", 0))


def other_uid_at_b(scene: Scene) -> None:
    scene.b.objects[0] = replace(scene.b.objects[0], uid=OTHER)


def same_uid_other_bytes(scene: Scene) -> None:
    scene.a.objects.append(Arrived(UID, "other data", "pixels 1", 0))


def only_refused(scene: Scene) -> None:
    scene.b.objects[0] = replace(scene.b.objects[0], status=0xA700)


def lose_the_job(scene: Scene) -> None:
    shutil.rmtree(scene.waiting)


def lose_the_payload(scene: Scene) -> None:
    (scene.waiting / "payload" / "0001.png").unlink()


def change_the_payload(scene: Scene) -> None:
    (scene.waiting / "payload" / "0001.png").write_bytes(b"x")


def in_two_places(scene: Scene) -> None:
    (scene.spool / "incoming" / "page-0001.png").write_bytes(b"1")


def false_reason(scene: Scene) -> None:
    change(scene.waiting / "job.json", reason="A@127.0.0.1:1 refused the connection")


def runs_at_rest(scene: Scene) -> None:
    change(scene.waiting / "job.json", state="running")


def no_waking(scene: Scene) -> None:
    change(scene.waiting / "job.json", wake_at=None)


def state_that_history_lacks(scene: Scene) -> None:
    write_lines(scene.waiting / "history.jsonl", line("accepted from incoming: 1 page"))


def ledger_twice(scene: Scene) -> None:
    with (scene.spool / "ledger.jsonl").open("a", encoding="utf-8") as ledger:
        ledger.write(json.dumps({"job": DONE, "outcome": "done", "stored": 2}) + "\n")


def no_ledger(scene: Scene) -> None:
    (scene.spool / "ledger.jsonl").unlink()


def ledger_too_early(scene: Scene) -> None:
    lines = [{"job": job, "outcome": "done", "stored": 2} for job in (DONE, WAITS)]
    write_lines(scene.spool / "ledger.jsonl", *lines)


def wrong_count(scene: Scene) -> None:
    write_lines(scene.spool / "ledger.jsonl", {"job": DONE, "outcome": "done", "stored": 1})


def wrong_outcome(scene: Scene) -> None:
    write_lines(scene.spool / "ledger.jsonl", {"job": DONE, "outcome": "discarded", "stored": 2})


def ledger_of_nobody(scene: Scene) -> None:
    write_lines(
        scene.spool / "ledger.jsonl",
        {"job": DONE, "outcome": "done", "stored": 2},
        {"job": "nobody", "outcome": "done", "stored": 0},
    )


def history_lies(scene: Scene) -> None:
    lie = line("Send: page stored by A@127.0.0.1:1", 1, peer=scene.a.name, sop_instance_uid=OTHER)
    write_lines(scene.waiting / "history.jsonl", line("accepted from incoming"), lie, line("suspended until 2026", 2))


def sent_lies(scene: Scene) -> None:
    write_lines(scene.waiting / "sent.jsonl", {"peer": scene.a.name, "sop_instance_uid": OTHER, "stored": True})


def untold_object(scene: Scene) -> None:
    write_lines(scene.kept / "history.jsonl", line("accepted from incoming"), line("done"))
    (scene.kept / "sent.jsonl").unlink()


def no_beginning(scene: Scene) -> None:
    write_lines(scene.waiting / "history.jsonl", line("suspended until 2026"))


def no_end(scene: Scene) -> None:
    write_lines(scene.kept / "history.jsonl", line("accepted from incoming"))


def times_go_back(scene: Scene) -> None:
    write_lines(scene.waiting / "history.jsonl", line("accepted from incoming", 9), line("suspended until 2026", 1))


def half_made(scene: Scene) -> None:
    (scene.spool / "jobs" / ".new-1").mkdir()


def work_left(scene: Scene) -> None:
    (scene.waiting / "work").mkdir()


def stray_file(scene: Scene) -> None:
    (scene.spool / "stray").write_bytes(b"")


def stray_in_the_job(scene: Scene) -> None:
    (scene.waiting / "job.json.new").write_bytes(b"")


def temporary_file(scene: Scene) -> None:
    (scene.books.temporary / "x").write_bytes(b"")


def no_reject_reason(scene: Scene) -> None:
    next((scene.spool / "rejected").glob("*.reason.txt")).write_text("", encoding="utf-8")


def rejected_wrongly(scene: Scene) -> None:
    next((scene.spool / "rejected").glob("*.png")).write_bytes(b"")


CHEATS: list[Callable[[Scene], None]] = [
    lose_an_object,
    swap_pixels,
    second_uid,
    other_uid_at_b,
    same_uid_other_bytes,
    only_refused,
    lose_the_job,
    lose_the_payload,
    change_the_payload,
    in_two_places,
    false_reason,
    runs_at_rest,
    no_waking,
    state_that_history_lacks,
    ledger_twice,
    no_ledger,
    ledger_too_early,
    wrong_count,
    wrong_outcome,
    ledger_of_nobody,
    history_lies,
    sent_lies,
    untold_object,
    no_beginning,
    no_end,
    times_go_back,
    half_made,
    work_left,
    stray_file,
    stray_in_the_job,
    temporary_file,
    no_reject_reason,
    rejected_wrongly,
]


@pytest.mark.parametrize("cheat", CHEATS, ids=lambda cheat: cheat.__name__)
def test_a_cheat_is_noticed(scene: Scene, cheat: Callable[[Scene], None]) -> None:
    cheat(scene)
    assert scene.books.faults() != []


@pytest.mark.parametrize("said", [CANARY["PatientName"], "Traceback (most recent call last)", "a fault of the engine"])
def test_a_log_that_tells_too_much_is_noticed(scene: Scene, said: str) -> None:
    assert replace(scene.books, said=f"something {said}").faults() != []
