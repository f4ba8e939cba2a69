"""Decoding, rendering, every encoder and TLS work under the restrictions of the unit that `service install` writes."""

from __future__ import annotations

import os
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from dicomprinter.actions.store.action import SYNTAXES
from dicomprinter.service.installation import Installation
from dicomprinter.service.unit import unit_text
from tests.imaging.pictures import pdf
from tests.peers import program
from tests.scp import StorageScp
from tests.service.notify_socket import NotifySocket
from tests.system.help import png
from tests.system.service import COMMAND, configuration, connection
from tests.waiting import PATIENCE, wait_until

CONFINE = Path(__file__).with_name("confine.py")
# Under strace everything takes many times as long.
SLOW = 4 * PATIENCE
# OpenBLAS says where memory would best lie. Refused, it goes on: the first test shows it.
HINTS = {"mbind"}


def groups() -> dict[str, list[str]]:
    """systemd's groups of system calls."""
    command = [program("systemd-analyze"), "syscall-filter", "--no-pager"]
    found: dict[str, list[str]] = {}
    members: list[str] = []
    for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
        name = line.strip()
        if line.startswith("@"):
            members = found.setdefault(name, [])
        elif name and not name.startswith("#"):
            members.append(name)
    return found


def members(name: str, of: dict[str, list[str]]) -> set[str]:
    return {call for member in of[name] for call in members(member, of)} if name.startswith("@") else {name}


def allowed() -> set[str]:
    """The system calls that the unit allows."""
    place = Path("/var/lib/dicomprinter")
    unit = unit_text(Installation("dicomprinter", place, place, place))
    known = groups()
    calls = members("@default", known)
    for line in re.findall("^SystemCallFilter=(.*)$", unit, re.MULTILINE):
        for name in line.removeprefix("~").split():
            calls = calls - members(name, known) if line.startswith("~") else calls | members(name, known)
    # Root gives what it writes to the spool's owner; the service is never root, these tests may be.
    return calls | {"fchown"} if os.geteuid() == 0 else calls


@pytest.fixture(scope="module")
def calls() -> set[str]:
    return allowed()


@contextmanager
def tls_scp(folder: Path) -> Iterator[tuple[StorageScp, Path]]:
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = f"{program('openssl')} req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1".split()
    name = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run([*command, *name], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    with StorageScp(ae_title="SECURE") as scp:
        scp._server.ssl_context = context
        yield scp, cert


def serve_everything(folder: Path, *prefix: str) -> None:
    """A picture and a PDF go through every encoder, and over TLS; started, told of and stopped as by systemd."""
    with ExitStack() as stack:
        scp = stack.enter_context(StorageScp())
        secure, cert = stack.enter_context(tls_scp(folder))
        systemd = stack.enter_context(NotifySocket(folder))
        pages = '<Document as="Images" dpi="72"/>'
        stores = [
            f'<Store name="{name}">{connection(scp.port, "PACS")}<Compression type="{name}"/>{pages}</Store>'
            for name in SYNTAXES
        ]
        tls = connection(secure.port, "SECURE", more=f'<Tls ca="{cert}"/>')
        stores.append(f'<Store name="TLS">{tls}<Document as="Both"/></Store>')
        performs = "".join(f'<Perform action="{name}" onError="Hold"/>' for name in (*SYNTAXES, "TLS"))
        base = folder / "base"
        (base / "config").mkdir(parents=True)
        (base / "config" / "config.xml").write_text(configuration("".join(stores), performs))
        environment = {**os.environ, "NOTIFY_SOCKET": systemd.address, "WATCHDOG_USEC": "60000000"}
        process = stack.enter_context(
            subprocess.Popen([*prefix, *COMMAND, "serve", "--base", str(base)], env=environment, start_new_session=True)
        )
        stack.callback(_kill_all, process.pid)
        assert "READY" in systemd.receive(SLOW)
        for name, data in (("page.png", png(1, colour=True)), ("report.pdf", pdf())):
            (base / "spool" / "incoming" / f".{name}").write_bytes(data)
            (base / "spool" / "incoming" / f".{name}").rename(base / "spool" / "incoming" / name)
        ledger = base / "spool" / "ledger.jsonl"
        wait_until(lambda: ledger.exists() and ledger.read_text().count('"done"') == 2, "both jobs are done", SLOW)
        assert {received.transfer_syntax for received in scp.received} == set(SYNTAXES.values())
        assert len(scp.received) == 2 * len(SYNTAXES)
        assert len(secure.received) == 3
        # Not the process that was started here: strace does not hand a signal on.
        os.kill(int((base / "spool" / ".owner").read_text()), signal.SIGTERM)
        assert process.wait(SLOW) == 0


def _kill_all(group: int) -> None:
    """What strace has started outlives it."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def without_capabilities() -> list[str]:
    """Root loses what the unit takes from its user anyway."""
    setpriv = [program("setpriv"), "--bounding-set=-all", "--inh-caps=-all"]
    return setpriv if os.geteuid() == 0 else []


@pytest.mark.peer("systemd-analyze", "openssl", "setpriv")
def test_everything_works_with_the_units_restrictions(tmp_path: Path, calls: set[str]) -> None:
    names = tmp_path / "allowed"
    names.write_text("\n".join(sorted(calls)))
    serve_everything(tmp_path, *without_capabilities(), sys.executable, str(CONFINE), str(names))


@pytest.mark.peer("systemd-analyze", "setpriv")
@pytest.mark.parametrize(
    "forbidden",
    [
        "import mmap; mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)",
        "import os; os.chroot('/')",
        "import os; os.nice(1)",
        "import os; os.setgroups([])",
        "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    ],
)
def test_the_restrictions_of_that_test_are_real(tmp_path: Path, calls: set[str], forbidden: str) -> None:
    names = tmp_path / "allowed"
    names.write_text("\n".join(sorted(calls)))
    confined = [*without_capabilities(), sys.executable, str(CONFINE), str(names), sys.executable, "-c"]
    assert subprocess.run([*confined, "import socket; socket.socket()"], check=False).returncode == 0
    ended = subprocess.run([*confined, forbidden], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert re.search(r"PermissionError|Address family not supported", ended.stderr)


@pytest.mark.peer("systemd-analyze", "openssl", "strace")
def test_no_system_call_is_made_that_the_unit_forbids(tmp_path: Path, calls: set[str]) -> None:
    strace = program("strace")
    tried = subprocess.run([strace, "-f", "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"nothing can be traced here: {tried.stderr.strip()}")
    log = tmp_path / "calls"
    serve_everything(tmp_path, strace, "-f", "-qq", "-s", "0", "-o", str(log))
    made = set(re.findall(r"^\d+ +([a-z0-9_]+)\(", log.read_text(errors="replace"), re.MULTILINE))
    assert len(made) > 40
    assert sorted(made - calls - HINTS) == []
