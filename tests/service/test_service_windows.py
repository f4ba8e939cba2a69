"""`dicomprinter service` under Windows, over a stand-in for pywin32. None of it has run on Windows itself."""

from __future__ import annotations

import importlib
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import platformdirs
import pytest

from dicomprinter.service import windows as windows_module
from dicomprinter.service.installation import Installation
from dicomprinter.service.orders import Order
from dicomprinter.service.serve import Service
from tests.scp import StorageScp
from tests.service.pywin32 import RUNNING, START_PENDING, STOP_PENDING, STOPPED, FakeWindows
from tests.service.systemd_help import Call
from tests.system.help import png
from tests.system.service import configuration, connection
from tests.waiting import PATIENCE, wait_until

ACCOUNT = "NT SERVICE\\dicomprinter"
HOST = "dicomprinter.service.windows_service"


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeWindows]:
    fake = FakeWindows()
    for name, module in fake.modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr("dicomprinter.cli.service.manager", lambda root=None: windows_module.Windows.open())
    yield fake
    assert fake.open_handles == []


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch, windows: FakeWindows) -> list[tuple[str, ...]]:
    """What is run beside."""
    commands: list[tuple[str, ...]] = []

    def run(command: Sequence[str], user: str | None = None) -> subprocess.CompletedProcess[str]:
        # Windows knows the account only when there is the service.
        assert windows.services
        commands.append(tuple(command))
        return subprocess.CompletedProcess(command, 0, "", "")

    opened = windows_module.Windows.open()
    found = windows_module.Windows(opened.service, opened.util, opened.registry, opened.error, run)
    monkeypatch.setattr("dicomprinter.cli.service.manager", lambda root=None: found)
    return commands


@pytest.fixture
def program_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`%PROGRAMDATA%\\dicomprinter`, with a configuration."""
    base = tmp_path / "ProgramData" / "dicomprinter"
    (base / "config").mkdir(parents=True)
    store = f'<Store name="Send">{connection(104, "PACS")}</Store>'
    (base / "config" / "config.xml").write_text(configuration(store, '<Perform action="Send" onError="Hold"/>'))
    monkeypatch.setattr(platformdirs, "site_data_dir", lambda name, appauthor: str(base))
    monkeypatch.setenv("PUBLIC", str(tmp_path / "Users" / "Public"))
    return base


# Installing


def test_the_service_is_made_with_an_account_of_its_own_and_started_anew_when_it_fails(
    windows: FakeWindows, ran: list[tuple[str, ...]], program_data: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.prefix", "/venv")
    monkeypatch.setattr("sys.base_prefix", "/python")
    monkeypatch.setattr("sys._base_executable", r"C:\Python\python.exe")
    code, out, err = call("install")
    assert (code, "start it with" in err) == (0, True)
    assert "installed the service dicomprinter" in out
    service = windows.services["dicomprinter"]
    assert service["command"] == rf'"C:\Python\python.exe" -P -m {HOST} dicomprinter'
    assert (service["userName"], service["password"]) == (ACCOUNT, None)
    assert (service["startType"], service["delayedstart"]) == (2, True)
    assert service["actions"]["Actions"] == ((1, 10_000),) * 3
    assert service["on_every_failure"] is True
    key = "SYSTEM\\CurrentControlSet\\Services\\dicomprinter"
    assert windows.registry[key]["Environment"] == [f"__PYVENV_LAUNCHER__={sys.executable}"]
    kept = Installation.from_json(windows.registry[f"{key}\\Parameters"]["Settings"])
    assert (kept.base, kept.log_dir) == (program_data, program_data / "log")
    assert windows.registry["EventLog\\Application\\dicomprinter"]["EventMessageFile"].endswith("servicemanager.pyd")
    assert kept.incoming.is_dir()
    everything = ("*S-1-5-18:(OI)(CI)F", "*S-1-5-32-544:(OI)(CI)F", f"{ACCOUNT}:(OI)(CI)F")
    assert ran == [
        ("icacls", str(folder), "/inheritance:r", "/grant:r", *everything) for folder in (kept.base, kept.log_dir)
    ]


def test_installed_again_only_what_is_said_changes(
    windows: FakeWindows, ran: list[tuple[str, ...]], program_data: Path, call: Call
) -> None:
    call("install")
    assert "is installed as it was before" in call("install")[1]
    code, out, err = call("install", "--workers", "5")
    assert code == 0
    assert "changed the service dicomprinter" in out
    assert "stopped and started" in err
    settings = windows.registry["SYSTEM\\CurrentControlSet\\Services\\dicomprinter\\Parameters"]["Settings"]
    assert json.loads(settings)["workers"] == 5


def test_folders_elsewhere_are_opened_to_the_service_alone(
    windows: FakeWindows, ran: list[tuple[str, ...]], program_data: Path, call: Call, tmp_path: Path
) -> None:
    config = tmp_path / "elsewhere.xml"
    config.write_bytes((program_data / "config" / "config.xml").read_bytes())
    assert call("install", "--config", config, "--writable", tmp_path / "out")[0] == 0
    assert ran[2:] == [
        ("icacls", str(tmp_path / "out"), "/grant", f"{ACCOUNT}:(OI)(CI)M"),
        ("icacls", str(config), "/grant", f"{ACCOUNT}:R"),
    ]


def test_a_dry_run_changes_nothing(
    windows: FakeWindows, ran: list[tuple[str, ...]], program_data: Path, call: Call
) -> None:
    windows.is_administrator = False
    code, out, _ = call("install", "--dry-run")
    assert code == 0
    assert f"create the service dicomprinter: {sys._base_executable}" in out
    assert "run icacls" in out
    assert (windows.services, windows.registry, ran) == ({}, {}, [])
    assert not (program_data / "spool").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--user", "alice"], "leave --user out"),
        (["--incoming-group", "staff"], "--incoming-group has no meaning on Windows"),
    ],
)
def test_what_has_no_meaning_there_is_refused(
    windows: FakeWindows, program_data: Path, call: Call, options: list[str], says: str
) -> None:
    code, _, err = call("install", *options)
    assert code == 2
    assert says in err
    assert windows.services == {}


def test_a_python_of_one_user_is_refused(
    windows: FakeWindows, program_data: Path, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.base_prefix", str(tmp_path / "Users" / "alice" / "AppData" / "Python"))
    code, _, err = call("install")
    assert code == 2
    assert "it lies in the folder of one user; install Python for all users" in err
    assert windows.services == {}


@pytest.mark.parametrize("verb", ["install", "start", "stop", "uninstall"])
def test_only_an_administrator_may_change_anything(
    windows: FakeWindows, ran: list[tuple[str, ...]], program_data: Path, call: Call, verb: str
) -> None:
    call("install")
    before = json.dumps(windows.services, default=str)
    windows.is_administrator = False
    code, _, err = call(verb)
    assert code == 2
    assert "Run as administrator" in err
    assert json.dumps(windows.services, default=str) == before


def test_a_service_of_another_is_left_alone(windows: FakeWindows, program_data: Path, call: Call) -> None:
    windows.services["dicomprinter"] = {"state": STOPPED, "pid": 0}
    code, _, err = call("install")
    assert (code, "is not one of ours" in err) == (2, True)
    for verb in ("start", "stop", "uninstall", "status"):
        code, _, err = call(verb)
        assert (code, "there is no service dicomprinter" in err) == (2, True)
    assert windows.services["dicomprinter"] == {"state": STOPPED, "pid": 0}


def test_without_pywin32_the_extra_is_named(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "win32service", None)
    monkeypatch.setattr("sys.platform", "win32")
    code, _, err = call("install")
    assert code == 2
    assert "pip install dicomprinter[windows]" in err


# Running


def test_start_status_stop_uninstall(
    windows: FakeWindows, ran: list[tuple[str, ...]], program_data: Path, call: Call
) -> None:
    call("install")
    code, out, _ = call("status", "--json")
    said = json.loads(out)
    assert (code, said["state"], said["active"], said["starts_by_itself"]) == (3, "stopped", False, True)
    assert call("start")[:2] == (0, "dicomprinter runs\n")
    code, out, _ = call("status", "--json")
    said = json.loads(out)
    assert (code, said["state"], said["pid"]) == (0, "running", 4711)
    assert said["since"].startswith("2026-01-3")
    windows.is_administrator = False
    assert json.loads(call("status", "--json")[1])["since"] is None
    windows.is_administrator = True
    code, _, err = call("start")
    assert (code, "already running" in err, "Event Viewer" in err) == (3, True, True)
    assert call("stop")[:2] == (0, "dicomprinter has stopped\n")
    assert call("stop")[0] == 0
    call("start")
    code, out, _ = call("uninstall")
    assert code == 0
    assert out.splitlines()[:2] == ["stopped the service dicomprinter", "removed the service dicomprinter"]
    assert "these stay: jobs" in out
    assert windows.services == {}
    assert not any("Services" in path for path in windows.registry)
    assert (program_data / "config" / "config.xml").exists()
    assert call("status")[0] == 2


def test_a_service_that_does_not_come_up_is_told(
    windows: FakeWindows, ran: list[tuple[str, ...]], program_data: Path, call: Call
) -> None:
    call("install")
    windows.starts = False
    code, _, err = call("start")
    assert code == 3
    assert "did not respond" in err
    assert str(program_data / "log" / "dicomprinter.log") in err


# Hosted by Windows


@pytest.fixture
def host(windows: FakeWindows, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.delitem(sys.modules, HOST, raising=False)
    module = importlib.import_module(HOST)
    monkeypatch.delitem(sys.modules, HOST)
    return module


def states(windows: FakeWindows) -> list[int]:
    return [status[0] for status in windows.statuses]


def test_nothing_that_takes_long_is_imported_before_windows_hears_of_it() -> None:
    program = (
        "import sys; from tests.service.pywin32 import FakeWindows; sys.modules.update(FakeWindows().modules);"
        f"import {HOST}; print([name for name in ('pydicom', 'numpy', 'lxml') if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"


def test_windows_is_given_the_class_and_the_process(host: ModuleType, windows: FakeWindows) -> None:
    host.main(["dicomprinter"])
    assert windows.events == [("initialize", "dicomprinter"), ("prepare", "Hosted"), ("dispatch", "")]


@pytest.mark.usefixtures("libraries_as_before")
def test_it_serves_until_windows_stops_it(
    *,
    host: ModuleType,
    windows: FakeWindows,
    ran: list[tuple[str, ...]],
    program_data: Path,
    call: Call,
    storage_scp: StorageScp,
) -> None:
    file = program_data / "config" / "config.xml"
    file.write_text(file.read_text().replace("<Port>104<", f"<Port>{storage_scp.port}<"))
    call("install")
    hosted = host.Hosted(["dicomprinter"])
    # Windows calls it in a thread that is not Python's main one.
    thread = threading.Thread(target=hosted.SvcRun)
    thread.start()
    wait_until(lambda: RUNNING in states(windows), "the service is ready")
    (program_data / "spool" / "incoming" / "page.png").write_bytes(png(1))
    storage_scp.wait_for(1)
    hosted.SvcStop()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert list(dict.fromkeys(states(windows))) == [START_PENDING, RUNNING, STOP_PENDING]
    assert ("info", f"watches {program_data / 'spool' / 'incoming'}") in windows.events
    assert "stopped" in (program_data / "log" / "dicomprinter.log").read_text()


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (None, "the registry does not say what the service dicomprinter was installed with"),
        (ValueError("DOE^JANE"), "a fault of the program"),
    ],
)
def test_a_service_that_fails_ends_with_an_error_and_says_why_without_values(
    host: ModuleType, windows: FakeWindows, monkeypatch: pytest.MonkeyPatch, fault: Exception | None, says: str
) -> None:
    if fault is not None:
        place = Path("/x")
        monkeypatch.setattr(host, "installation", lambda name: Installation(name, place, place, place))

        def fail(self: Service, orders: Any) -> None:
            raise fault

        monkeypatch.setattr(Service, "run", fail)
    # What pywin32 makes of an exception is a failure, after which Windows starts the service anew.
    with pytest.raises(RuntimeError) as caught:
        host.Hosted(["dicomprinter"]).SvcRun()
    assert caught.value.__suppress_context__
    ((kind, text),) = windows.events
    assert kind == "error"
    assert text.startswith(says)
    assert "DOE" not in text
    assert RUNNING not in states(windows)


class Signs:
    """In place of an event: each wait ends by a sign, or because its time is over, as the test has it."""

    def __init__(self) -> None:
        self.come: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self.waited: list[float] = []

    def set(self) -> None:
        self.come.put(True)

    def clear(self) -> None:
        pass

    def wait(self, seconds: float) -> bool:
        self.waited.append(seconds)
        return self.come.get()


def test_a_process_that_never_gives_a_sign_ends_itself(
    host: ModuleType, windows: FakeWindows, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()
    monkeypatch.setattr(host, "_end_this_process", ended.set)
    host.WindowsSupervisor(host.Hosted(["dicomprinter"]), watchdog=0.01).ready("watches")
    assert ended.wait(PATIENCE)


def test_a_process_that_stands_still_ends_itself(
    host: ModuleType, windows: FakeWindows, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()
    monkeypatch.setattr(host, "_end_this_process", ended.set)
    supervisor = host.WindowsSupervisor(host.Hosted(["dicomprinter"]), watchdog=0.5)
    assert supervisor.period < host.WATCHDOG_SECONDS / 2
    supervisor._sign = signs = Signs()
    supervisor.ready("watches")
    for number in range(1, 5):
        supervisor.alive()
        wait_until(lambda number=number: signs.waited == [0.5] * (number + 1), "it waits for the next sign")
    supervisor.lost("the thread worker-0 has ended")
    assert not ended.is_set()
    signs.come.put(False)
    assert ended.wait(PATIENCE)
    assert ("error", "the thread worker-0 has ended; the service is started anew") in windows.events


def test_a_service_that_stops_is_not_ended_from_within(
    host: ModuleType, windows: FakeWindows, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()
    monkeypatch.setattr(host, "_end_this_process", ended.set)
    supervisor = host.WindowsSupervisor(host.Hosted(["dicomprinter"]), watchdog=PATIENCE)
    supervisor.ready("watches")
    supervisor.stopping()
    supervisor._thread.join(PATIENCE)
    assert not supervisor._thread.is_alive()
    assert not ended.is_set()
    assert states(windows) == [RUNNING, STOP_PENDING]


def test_windows_going_down_stops_it_as_well(host: ModuleType, windows: FakeWindows) -> None:
    hosted = host.Hosted(["dicomprinter"])
    hosted.SvcShutdown()
    assert hosted.orders.wait(0) is Order.STOP
    assert states(windows) == [STOP_PENDING]
