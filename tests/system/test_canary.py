"""One patient goes through everything that can happen, and no log, ledger or screen tells of her."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from dicomprinter.errors import MASK
from dicomprinter.job.folder import JobFolder
from tests.canary import CANARY, files_below, leaks
from tests.dicom.forwarding import made
from tests.scp import Answer, FindScp, RawScp, StorageScp, closed_port
from tests.system.help import png
from tests.system.service import COMMAND, Service, configuration, connection
from tests.waiting import PATIENCE

NAME, PATIENT_ID, COMMENT = CANARY["PatientName"], CANARY["PatientID"], "Kanarienvogel Käthe sang"
TITLE: Final = "Kanarienvogel Käthe 4711.png"
JAPANESE: Final = "山田^太郎"

# A site's own action, as a package beside the program: everything about it tells the patient's name.
SITE: Final = """
import logging, threading, warnings
from dicomprinter.actions.base import NAME_ATTRIBUTE, ON_ERROR_ATTRIBUTE, Action, common
from dicomprinter.config.spec import Spec
from dicomprinter.errors import PermanentError

class Freed:
    def __init__(self, name):
        self.name = name
    def __del__(self):
        raise ValueError(self.name)

def fail(name):
    raise ValueError(name)

class Sing(Action):
    spec = Spec("Sing", attributes=(NAME_ATTRIBUTE, ON_ERROR_ATTRIBUTE), doc="fails")

    @classmethod
    def read(cls, node):
        return cls(*common(node))

    def perform(self, job, tools):
        name = str(job.dataset.PatientName)
        if job.facts.host == "missing":
            raise FileNotFoundError(2, "No such file", name)
        if job.facts.host == "private":
            raise PermanentError("she does not sing", private=name)
        warnings.warn(name)
        for logger in ("site", "pydicom", "pynetdicom.acse", "watchdog", "PIL"):
            logging.getLogger(logger).error("of %s", name)
        logging.getLogger("dicomprinter.site").error("%d of %s", name)
        thread = threading.Thread(target=fail, args=(name,), name="song")
        thread.start()
        thread.join()
        Freed(name)
        try:
            fail(name)
        except ValueError:
            {}[name]
"""


def worklist_answer() -> Dataset:
    answer = Dataset()
    for keyword, value in CANARY.items():
        setattr(answer, keyword, value)
    answer.add_new(0x00091001, "LO", "Gefiederfarbe gelb")
    answer.add_new(0x00090010, "LO", "KANARIENZUCHT")
    # No number, so it cannot be read.
    answer[Tag(0x00101030)] = RawDataElement(Tag(0x00101030), "DS", 14, b"Kanarienvogel ", 0, False, True)
    answer.SpecificCharacterSet = "ISO_IR 192"
    step = Dataset()
    step.ScheduledProcedureStepStartDate = f"{datetime.now():%Y%m%d}"
    step.ScheduledPerformingPhysicianName = CANARY["ReferringPhysicianName"]
    step.ScheduledProcedureStepDescription = CANARY["StudyDescription"]
    answer.ScheduledProcedureStepSequence = [step]
    return answer


class Peers:
    """What the service calls."""

    def __init__(self, stack: ExitStack) -> None:
        enter = stack.enter_context
        other = worklist_answer()
        other.PatientID = f"{PATIENT_ID}-2"
        self.worklist = enter(FindScp([worklist_answer()], ae_title="RIS"))
        self.two = enter(FindScp([worklist_answer(), other], ae_title="RIS"))
        self.angry = enter(FindScp(final=0xA700, comment=COMMENT, ae_title="RIS"))
        self.archive = enter(StorageScp(always=Answer(0xB000, COMMENT)))
        self.busy = enter(StorageScp(always=Answer(0xA700, COMMENT)))
        self.broken = enter(StorageScp(always=Answer(0xC000, COMMENT, (0x00100010,))))
        self.rejecting = enter(RawScp(lambda link: link.reject(1, 1, 7)))
        self.nobody = closed_port()


def actions(peers: Peers) -> str:
    def find(name: str, scp: FindScp) -> str:
        keys = '<DcmTag tag="0010,0020">#{PatientID}</DcmTag><DcmTag tag="0010,0010">Kanarienvogel*</DcmTag>'
        wanted = "".join(f'<DcmTag tag="{tag}"/>' for tag in ("0008,0050", "0010,0030", "0010,1030", "0020,000D"))
        return f'<Query name="{name}" type="Worklist">{connection(scp.port, "RIS")}{keys}{wanted}</Query>'

    def store(name: str, port: int, inner: str = "", more: str = "") -> str:
        return f'<Store name="{name}">{connection(port, "PACS", more=more)}{inner}</Store>'

    def set_tag(name: str, tag: str, text: str) -> str:
        return f'<SetTag name="{name}"><DcmTag tag="{tag}">{text}</DcmTag></SetTag>'

    return "".join(
        [
            find("Find", peers.worklist),
            find("FindTwo", peers.two),
            find("FindRefused", peers.angry),
            store("Send", peers.archive.port),
            store("SendBusy", peers.busy.port),
            store("SendBroken", peers.broken.port),
            store("SendRejected", peers.rejecting.port),
            store("SendNowhere", peers.nobody),
            store("SendSecretly", peers.archive.port, more="<Tls/>"),
            store("SendLatin", peers.archive.port, "<CharacterSet>ISO_IR 100</CharacterSet>"),
            set_tag("Describe", "0008,1030", f"{CANARY['StudyDescription']} #{{PatientName}} #{{PatientComments}}"),
            set_tag("Date", "0008,0020", "#{PatientName}"),
            set_tag("Long", "0010,0020", "#{PatientID} " * 20),
            '<Sing name="Sing"/>',
        ]
    )


def perform(*names: str, on_error: str = "Hold") -> str:
    return "".join(f'<Perform action="{name}" onError="{on_error}"/>' for name in names)


# By the host that the sidecar names: hosts may be told.
WAYS: Final = {
    "whole": perform("Find")
    + f'<If field="TAG_VALUE(0010,0020)" value="{PATIENT_ID}"><Statements>{perform("Describe")}</Statements></If>'
    + f'<If field="TAG_VALUE(0010,0010)" value="{NAME.replace("^", ".")}"><Statements/></If>'
    + f'<If field="PRINTED_FILE_NAME" value="{TITLE}"><Statements>{perform("Send")}</Statements></If>',
    "several": perform("FindTwo"),
    "find-refused": perform("FindRefused"),
    "busy": perform("SendBusy", on_error="Suspend"),
    "broken": perform("SendBroken"),
    "ignored": perform("SendBroken", on_error="Ignore"),
    "discarded": perform("SendBroken", on_error="Discard"),
    "rejected": perform("SendRejected"),
    "nowhere": perform("SendNowhere", on_error="Suspend"),
    "secretly": perform("SendSecretly"),
    "latin": perform("SendLatin"),
    "object": perform("Send", "SendBroken"),
    "date": perform("Date"),
    "long": perform("Long"),
    "fault": perform("Sing"),
    "missing": perform("Sing"),
    "private": perform("Sing"),
}
ENDED: Final = {"whole", "several", "ignored", "discarded"}


def config(peers: Peers, *, redact: bool = True, general: str = "") -> str:
    cases = "".join(f'<Case value="{host}">{way}</Case>' for host, way in WAYS.items())
    text = configuration(actions(peers), f'<Switch field="CLIENT_HOST_NAME">{cases}</Switch>', suspension=3600)
    redaction = f"<RedactSensitiveLogValues>{str(redact).lower()}</RedactSensitiveLogValues>"
    return text.replace("<General>", f"<General>{redaction}{general}")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The site's package is found by the programs that a test starts."""
    folder = tmp_path / "site"
    information = folder / "birds-1.0.dist-info"
    information.mkdir(parents=True)
    (folder / "birds.py").write_text(SITE, encoding="utf-8")
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: birds\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[dicomprinter.actions]\nSing = birds:Sing\n")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.delenv("PYTHONWARNINGS", raising=False)


@pytest.fixture
def peers() -> Iterator[Peers]:
    with ExitStack() as stack:
        yield Peers(stack)


def drop_jobs(service: Service) -> None:
    for host in WAYS:
        tags = {"PatientName": JAPANESE if host == "latin" else NAME, "PatientID": PATIENT_ID}
        tags |= {name: CANARY[name] for name in ("PatientBirthDate", "PatientAddress", "OperatorsName")}
        sidecar = {"host": host, "user": "anna", "title": TITLE, "tags": tags}
        if host == "object":
            service.drop(f"Kanarienvogel {host}.dcm", dicom_object(service.base / "object.dcm"), sidecar)
        else:
            service.drop(f"Kanarienvogel {host}.png", png(1), sidecar)


def dicom_object(file: Path) -> bytes:
    """A DICOM file of the patient's."""
    uid = f"{CANARY['StudyInstanceUID']}.1"
    return made(file, np.zeros((1, 4, 4), np.uint8), **CANARY, SOPInstanceUID=uid).read_bytes()


def drop_refused(service: Service) -> int:
    """Files that cannot become jobs, all of a patient's name; how many."""
    sidecars: dict[str, Any] = {
        "key": {NAME: "x"},
        "value": {"copies": NAME},
        "tag": {"tags": {NAME: "x"}},
        "date": {"tags": {"PatientBirthDate": NAME}},
    }
    for what, sidecar in sidecars.items():
        service.drop(f"{NAME} {what}.png", png(1), sidecar)
    garbage = {
        "noise.png": b"\x00Kanarienvogel",
        "torn.pdf": b"%PDF-1.7\nKanarienvogel",
        "text.txt": b"K\xe4the\x00\xff",
    }
    for name, data in garbage.items():
        service.drop(f"{NAME} {name}", data)
    service.rename_in(service.incoming / f"{NAME} json.png.json", b"{Kanarienvogel")
    service.drop(f"{NAME} json.png", png(1))
    service.incoming.joinpath(f"{NAME} link.png").symlink_to(service.base / NAME)
    return len(sidecars) + len(garbage) + 2


def states(service: Service) -> dict[str, str]:
    """The state of each job that is still there, by its host."""
    found = {}
    for job_id in service.job_ids():
        try:
            data = json.loads((service.jobs / job_id / "job.json").read_text("utf-8"))
            found[data["facts"]["host"]] = str(data["state"])
        except (OSError, ValueError):
            # It is on its way in or out.
            found[job_id] = "running"
    return found


def live(service: Service, peers: Peers, *, redact: bool) -> None:
    """Everything that can happen."""
    refused = drop_refused(service)
    drop_jobs(service)
    expected = {host: "held" for host in WAYS if host not in ENDED} | {"busy": "suspended", "nowhere": "suspended"}
    expected |= {"missing": "held"}
    service.wait_for(lambda: states(service) == expected, f"{expected}")
    service.wait_for(lambda: len(list(service.rejected.glob("*.reason.txt"))) >= refused, "the files are rejected")
    histories = {job_id: JobFolder(service.jobs / job_id).history() for job_id in service.job_ids()}
    # The data is there, for those who may read it.
    assert NAME in json.dumps(list(histories.values()), ensure_ascii=False)
    by_host = {json.loads((service.jobs / i / "job.json").read_text("utf-8"))["facts"]["host"]: i for i in histories}
    for command, host in (("resume", "broken"), ("discard", "date"), ("resume", "nowhere")):
        ended = jobs(command, by_host[host], service.base)
        assert ended.returncode == 0
        assert leaks(ended.stderr, CANARY.values()) == []
    service.wait_for(lambda: "date" not in states(service), "the job is discarded")
    service.configure(config(peers, redact=redact, general="<ValidityPeriod>0</ValidityPeriod>"))
    service.wait_for(lambda: not service.job_ids(), "all jobs expire")
    assert service.stop() == 0


def jobs(command: str, job_id: str, base: Path) -> subprocess.CompletedProcess[str]:
    called = [*COMMAND, "jobs", command, job_id, "-v", "--base", str(base)]
    return subprocess.run(called, capture_output=True, text=True, timeout=PATIENCE, check=False)


def told(service: Service) -> dict[str, str]:
    """What the service has written where no patient may be."""
    files = files_below(service.base)
    assert {file.name for file in files} == {"dicomprinter.log", "ledger.jsonl", "screen.log"}
    return {file.name: file.read_bytes().decode("utf-8", "surrogateescape") for file in files}


# Each shows that something happened of which the log must not tell more.
HAPPENED: Final = (
    "one answer is taken",
    "and none is taken",
    "an answer's PatientWeight",
    "If TAG_VALUE(0010,0020)",
    "If PRINTED_FILE_NAME",
    "with B000",
    "answered A700",
    "answered C000",
    "the job has no value for #{PatientComments}",
    "PatientName",
    "StudyDate",
    "an internal fault (KeyError)",
    "the action failed in a way it should not",
    "the thread song ended by a fault",
    "a fault while something was freed",
    "she does not sing",
    "No such file",
    "rejected as",
    "discarded by an operator",
    "operator: resume",
    "expired",
    "the configuration was loaded anew",
)


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("form", ["text", "json"])
def test_nothing_of_the_patient_is_told(tmp_path: Path, peers: Peers, form: str) -> None:
    with Service(tmp_path / "base", config(peers), "--log-format", form) as service:
        live(service, peers, redact=True)
    found = told(service)
    log = found["dicomprinter.log"]
    # Two threads may reach the file and the screen in another order.
    assert sorted(found["screen.log"].splitlines()) == sorted(log.splitlines())
    assert [what for what in HAPPENED if what not in log.replace('\\"', '"')] == []
    values = {*CANARY.values(), JAPANESE, COMMENT, TITLE, "Kanarienvogel", "KANARIENZUCHT", "Gefiederfarbe"}
    assert {name: leaks(text, values) for name, text in found.items()} == {name: [] for name in found}
    # A reader sees that something was there.
    assert "compared with ****" in log
    assert "PatientID (0010,0020)=****" in log
    assert log.count(MASK) > 20
    if form == "json":
        events = [json.loads(line) for line in log.splitlines()]
        # The service and jobs, the Switch, what stands in it, what its actions do, each object.
        assert {1, 2, 3, 4, 5} <= {event["depth"] for event in events}
        statuses = {event["details"].get("status") for event in events if "details" in event}
        assert {"A700", "B000", "C000"} <= statuses


@pytest.mark.unredacted
@pytest.mark.usefixtures("site")
def test_without_redaction_all_of_it_is_told(tmp_path: Path, peers: Peers) -> None:
    with Service(tmp_path / "base", config(peers, redact=False)) as service:
        live(service, peers, redact=False)
    found = told(service)
    assert MASK not in found["dicomprinter.log"]
    for value in (NAME, PATIENT_ID, COMMENT, "KeyError: 'Kanarienvogel^Käthe'", f"compared with {PATIENT_ID}"):
        assert value in found["dicomprinter.log"]
    ledger = [json.loads(line) for line in found["ledger.jsonl"].splitlines()]
    (whole,) = [line for line in ledger if line["host"] == "whole"]
    assert whole["name"] == TITLE
    names = ("PatientName", "PatientID", "AccessionNumber", "StudyInstanceUID")
    assert {name: whole[name] for name in names} == {name: CANARY[name] for name in names}


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_run_in_the_foreground_tells_nothing_on_standard_error(tmp_path: Path, peers: Peers, form: str) -> None:
    file = tmp_path / "config.xml"
    way = WAYS["whole"] + perform("SendBroken")
    file.write_text(configuration(actions(peers).replace('<Sing name="Sing"/>', ""), way), encoding="utf-8")
    page = tmp_path / TITLE
    page.write_bytes(png(1))
    options = ["-v", "--base", tmp_path / "base", "--log-format", form, "--set", f"PatientName={NAME}"]
    command = [*COMMAND, "run", file, page, *options, "--set", f"PatientID={PATIENT_ID}"]
    ended = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert ended.returncode == 3
    assert NAME in ended.stdout
    for text in (ended.stderr, (tmp_path / "base" / "log" / "dicomprinter.log").read_text("utf-8")):
        assert "answered C000" in text
        assert leaks(text, {*CANARY.values(), COMMENT, TITLE, "Kanarienvogel"}) == []
