"""DCMTK's storescp where it can misbehave: jobs fail as they should, and arrive once it is started without that."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from dicomprinter.job.folder import JobFolder
from tests.peers.servers import StoreServer, storescp
from tests.scp import closed_port
from tests.system.service import Service, configuration, connection
from torture.checks import Check
from torture.peers import digest
from torture.place import Place
from torture.watch import hosts, patient_data, read_job
from torture.work import Work

ITEM: Final = "dcmtk"
_PAGES: Final = 3
_PATIENCE: Final = 120.0


@dataclass(frozen=True)
class Manner:
    """How storescp misbehaves: its options, and what the message of the failure has to hold; nothing: it succeeds."""

    name: str
    options: Sequence[str]
    words: str


MANNERS: Final = (
    Manner("refuses", ("--refuse",), "rejected the association for good"),
    Manner("aborts-during", ("--abort-during",), "aborted the association before|closed the connection before"),
    Manner("aborts-after", ("--abort-after",), "aborted the association before|closed the connection before"),
    Manner("sleeps-during", ("--sleep-during", "30"), "no sign of the answer to C-STORE|took no more of"),
    Manner("sleeps-after", ("--sleep-after", "30"), "no sign of the answer to C-STORE"),
    Manner("takes-4096", ("--max-pdu", "4096"), ""),
    Manner("takes-implicit", ("+xi",), ""),
)


def dcmtk(place: Place) -> list[Check]:
    """Every manner at once, each at a port of its own; nothing to check where DCMTK is not installed."""
    works = [Work(number, manner.name, _PAGES) for number, manner in enumerate(MANNERS, start=1)]
    ports = [closed_port() for _ in MANNERS]
    with ExitStack() as healed:
        with ExitStack() as ill:
            try:
                for manner, port in zip(MANNERS, ports, strict=True):
                    ill.enter_context(storescp(place.folder / f"ill-{manner.name}", *manner.options, port=port))
            except pytest.skip.Exception as missing:
                return [Check(ITEM, "storescp", "is tried where it is there", f"left out: {missing}", passed=True)]
            service = Service(place.folder / "base", _text(ports), "--workers", "4")
            healed.enter_context(service)
            for work in works:
                work.drop(service)
            wrong = _failures(service)
        servers = {
            manner.name: healed.enter_context(storescp(place.folder / f"well-{manner.name}", port=port))
            for manner, port in zip(MANNERS, ports, strict=True)
        }
        for job_id in hosts(service).values():
            if read_job(service, job_id).get("state") == "held":
                JobFolder(service.jobs / job_id).write_command({"command": "resume", "token": job_id})
        service.wait_for(lambda: len(service.ledger()) == len(works), "every job is done", _PATIENCE)
        wrong += [text for work in works for text in _books(place.folder, work, servers[work.host])]
        leaked = patient_data(service)
    for text in wrong + leaked:
        place.say(f"  {text}")
    return [
        Check.at_least(
            ITEM, "jobs met by storescp in a bad mood, and done once it was better", len(works), len(service.ledger())
        ),
        Check.none(ITEM, "jobs that failed otherwise than they should, or did not arrive whole once", len(wrong)),
        Check.none(ITEM, "values of patients in logs", len(leaked)),
    ]


def _failures(service: Service) -> list[str]:
    """Wait until each job has failed, or is done; what is wrong with that."""

    def told(manner: Manner) -> str:
        found = re.search(rf"Perform {manner.name}(?: failed: (.*)|: (done))", service.said)
        return (found[1] or found[2]) if found else ""

    service.wait_for(lambda: all(map(told, MANNERS)), "each has failed, or is done", _PATIENCE)
    return [
        f"{manner.name}: {told(manner)}" for manner in MANNERS if not re.search(manner.words or "^done$", told(manner))
    ]


def _books(folder: Path, work: Work, server: StoreServer) -> list[str]:
    """What is wrong with the files of a job, of those that came while storescp was ill and of those after it."""
    before = StoreServer(server.port, folder / f"ill-{work.host}" / "received", server.log)
    came = [*before.read(), *server.read()]
    pixels = {int(one.InstanceNumber): digest(bytes(one.PixelData)) for one in came}
    wrong = [] if pixels == work.digests() else [f"{work.host}: pages {sorted(pixels)} came, or with other pixels"]
    is_several = len({one.SOPInstanceUID for one in came}) != len(work.digests())
    return [*wrong, *([f"{work.host}: a page came under several UIDs"] if is_several else [])]


def _text(ports: Sequence[int]) -> str:
    # Those that answer at once have a time-out that a machine with other things to do keeps as well.
    pairs = [(manner, port, 2 if "sleeps" in manner.name else 60) for manner, port in zip(MANNERS, ports, strict=True)]
    more = "<AssociationTimeout>60</AssociationTimeout><DimseTimeout>{}</DimseTimeout>".format
    actions = "".join(
        f'<Store name="{manner.name}">{connection(port, "STORESCP", more=more(seconds))}</Store>'
        for manner, port, seconds in pairs
    )
    cases = "".join(
        f'<Case value="{one.name}"><Perform action="{one.name}" onError="{"Suspend" if at % 2 else "Hold"}"/></Case>'
        for at, one in enumerate(MANNERS)
    )
    return configuration(actions, f'<Switch field="CLIENT_HOST_NAME">{cases}</Switch>', suspension=1)
