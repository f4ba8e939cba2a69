"""Every fault of the network against every network action: what becomes of the job, and that it arrives once healed."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from dicomprinter.job.folder import JobFolder
from tests.peers import program
from tests.system.service import Service, configuration, connection
from torture.case import POLICIES, Case, Pages
from torture.checks import Check
from torture.faults import FAULTS
from torture.faults.fault import Door, Fault, Phase
from torture.judge import BOOKS, FAILURES, Judge
from torture.peers import Peer, closing
from torture.place import Place
from torture.subjects import SUBJECTS, Subject
from torture.watch import Line, Log, Open, hosts, patient_data, read_job
from torture.work import Work

ITEM: Final = "network"
_ARCHIVE: Final = "Archive"
_WORKERS: Final = 12
# No job goes on by itself before its peer is healed.
_LONG: Final = 3600.0
# While everything is well: a loaded machine, and hundreds of jobs.
_PATIENCE: Final = 600.0
_SHORT_CASES: Final = 40


def network(place: Place) -> list[Check]:
    """All of it once for each onError; in the long form also with large pages and with many."""
    tls = certificate(place)
    pairs = [
        (fault, subject)
        for fault in FAULTS
        for subject in SUBJECTS
        if fault.only in ("", subject.kind)
        and (tls is not None or fault.door is not Door.TLS)
        and place.only in fault.name
    ]
    if not pairs:
        return []
    judge = Judge(ITEM, (*FAILURES, *BOOKS))
    for name, wanted in _rounds(place, pairs):
        if not wanted:
            continue
        cases = [Case(number, *one, tls=tls) for number, one in enumerate(wanted, start=1)]
        place.say(f"  {name}: {len(cases)} jobs")
        run(place.folder / name, cases, judge)
    for complaint in judge.complaints:
        place.say(f"  {complaint}")
    return judge.checks()


Wanted = tuple[Fault, Subject, str, Pages]


def _rounds(place: Place, pairs: Sequence[tuple[Fault, Subject]]) -> Iterator[tuple[str, list[Wanted]]]:
    """Name and cases of each service that is run."""
    if place.short:
        chosen = place.chance("short").sample(pairs, min(_SHORT_CASES, len(pairs)))
        yield "short", [(*pair, POLICIES[at % 3], Pages()) for at, pair in enumerate(chosen)]
        return
    for policy in POLICIES:
        yield f"one page, onError {policy}", [(*pair, policy, Pages()) for pair in pairs]
    sending = [pair for pair in pairs if pair[1].sends and pair[0].phase is not Phase.NEGOTIATION]
    for ill in (1, 3, 5):
        wanted = [(*pair, POLICIES[at % 2], Pages(count=5, ill=ill)) for at, pair in enumerate(sending)]
        yield f"five pages, ill at the {ill}.", wanted
    # 26 MB a page, of which the peer has not read all when it misbehaves.
    breaking = [pair for pair in sending if not pair[0].only and _breaks_off(pair[0])]
    yield "large pages", [(*pair, POLICIES[at % 2], Pages(side=5100)) for at, pair in enumerate(breaking)]


def _breaks_off(fault: Fault) -> bool:
    return any(
        where in fault.name for where in ("in the middle of a PDU of ours", "between command and", "refuses before")
    )


@dataclass
class Town:
    """A service, its archive, and the peers of its cases."""

    base: Path
    cases: Sequence[Case]
    archive: Peer = field(default_factory=Peer)

    def text(self, *, healed: bool) -> str:
        """The configuration, before and after everything is well."""
        archive = f'<Store name="{_ARCHIVE}">{connection(self.archive.port, "ARCHIVE")}</Store>'
        actions = "".join(case.action(healed=healed) for case in self.cases)
        nodes = "".join(case.nodes(_ARCHIVE) for case in self.cases)
        first = f'<Default><Perform action="{_ARCHIVE}"/></Default>'
        workflow = f'<Switch field="CLIENT_HOST_NAME">{nodes}{first}</Switch>'
        return configuration(archive + actions, workflow, suspension=1 if healed else _LONG)


def run(folder: Path, cases: Sequence[Case], judge: Judge) -> None:
    """One service: every job meets its fault, is judged, and arrives once its peer is healed."""
    folder.mkdir(parents=True)
    town = Town(folder / "base", cases)
    options = ("--workers", str(_WORKERS), "--log-format", "json")
    service = Service(town.base, town.text(healed=False), *options)
    with closing([town.archive, *(case.peer for case in cases)]), service:
        before = warmed(service)
        for case in cases:
            case.work.drop(service)
        jobs = _settled(service, cases)
        for case in cases:
            judge.failure(case, jobs.get(case.name, []))
        _heal(service, town, cases)
        service.wait_for(lambda: len(service.ledger()) > len(cases), "every job is done", _PATIENCE)
        service.wait_for(lambda: service.leftovers() == [], "the spool is empty", _PATIENCE)
        for case in cases:
            judge.arrival(case, town.archive)
        judge.leaks(service, before)
        judge.log(patient_data(service))


def warmed(service: Service) -> Open:
    """What is open once one job has gone through, so that what starts late has started."""
    Work(0, "first").drop(service)
    service.wait_for(lambda: len(service.ledger()) == 1 and service.leftovers() == [], "the first job is done")
    return Open.of(service.pid)


def _settled(service: Service, cases: Sequence[Case]) -> dict[str, list[Line]]:
    """Wait until each action has failed, or its job is done; what the log says of each, by the case's name."""
    log = Log(service)
    found: dict[str, list[Line]] = {}
    wanted = {case.name for case in cases}

    def all_have() -> bool:
        jobs = log.jobs()
        if not wanted <= found.keys():
            found.update({host: jobs[job_id] for host, job_id in hosts(service).items() if job_id in jobs})
        return all(_has_settled(case, found.get(case.name, [])) for case in cases)

    try:
        service.wait_for(all_have, "every action has failed, or its job is done", _PATIENCE)
    except TimeoutError as error:
        late = [case.label for case in cases if not _has_settled(case, found.get(case.name, []))]
        raise TimeoutError(f"{error}: {'; '.join(late)}") from None
    return found


def _has_settled(case: Case, lines: Sequence[Line]) -> bool:
    # What becomes of a job is said in the line after the failure, or in the one after that.
    failed = next((at for at, line in enumerate(lines) if line.message.startswith(f"Perform {case.name} failed")), None)
    after = [] if failed is None else lines[failed + 1 : failed + 3]
    is_told = any(line.message.startswith(("held: ", "suspended until", "Perform ", "done")) for line in after)
    return is_told or (bool(lines) and lines[-1].message.startswith("done"))


def _heal(service: Service, town: Town, cases: Sequence[Case]) -> None:
    """Every peer is well; half of the jobs are resumed by an operator, the other suspended ones go on by themselves."""
    for case in cases:
        case.peer.heal()
    count = service.said.count("the configuration was loaded anew")
    service.configure(town.text(healed=True))
    service.wait_for(
        lambda: service.said.count("the configuration was loaded anew") > count, "the healed configuration is there"
    )
    for host, job_id in hosts(service).items():
        job = read_job(service, job_id)
        if job.get("state") == "held" or (job and int(host.rpartition("-")[2]) % 2):
            JobFolder(service.jobs / job_id).write_command({"command": "resume", "token": host})


def certificate(place: Place) -> ssl.SSLContext | None:
    """A certificate of the peers' own; without openssl there is none, and their faults are left out."""
    key, cert = place.folder / "key.pem", place.folder / "cert.pem"
    try:
        openssl = program("openssl")
    except pytest.skip.Exception as missing:
        place.say(f"  left out: peers with TLS: {missing}")
        return None
    command = f"{openssl} req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout {key} -out {cert}"
    subprocess.run(command.split(), check=True, capture_output=True)  # noqa: S603 - our own words
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context
