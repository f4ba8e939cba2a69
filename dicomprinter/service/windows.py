"""The service under Windows: installed, started, stopped, asked, taken away, over pywin32 (`dicomprinter[windows]`)."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import platformdirs

from dicomprinter.errors import InputError, PermanentError
from dicomprinter.service.installation import DISPLAY_NAME, LOG_FILE, NAME, Installation
from dicomprinter.service.state import Standing
from dicomprinter.service.steps import Act, Command, Run, Step, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

HOST: Final = "dicomprinter.service.windows_service"
SETTINGS: Final = "Settings"
_DESCRIPTION = "Whatever is dropped into its folder becomes a job that reaches the PACS."
_START_SECONDS, _STOP_SECONDS = 120, 30
_RESTART_MILLISECONDS = 10_000
_A_DAY = 86_400
_QUERY_LIMITED_INFORMATION = 0x1000
# The accounts SYSTEM and Administrators, whatever the language of this Windows is.
_ALL_POWERFUL = ("*S-1-5-18", "*S-1-5-32-544")


def settings_key(name: str) -> str:
    """Where the registry (HKEY_LOCAL_MACHINE) has what a service was installed with."""
    return f"{_service_key(name)}\\Parameters"


def _service_key(name: str) -> str:
    return f"SYSTEM\\CurrentControlSet\\Services\\{name}"


@dataclass(frozen=True)
class Windows:
    """The services of this Windows.

    Args:
        service: pywin32's `win32service`.
        util: its `win32serviceutil`.
        registry: Python's `winreg`.
        error: pywin32's exception.
        run: runs programs.
    """

    service: Any
    util: Any
    registry: Any
    error: type[Exception]
    run: Run = run
    writes_units: bool = False

    @classmethod
    def open(cls) -> Self:
        """Raises InputError when pywin32 is not installed."""
        try:
            service, util, registry, types = (
                importlib.import_module(name) for name in ("win32service", "win32serviceutil", "winreg", "pywintypes")
            )
        except ImportError:
            raise InputError(
                "a service of Windows needs pywin32", remedy="`python -m pip install dicomprinter[windows]`"
            ) from None
        return cls(service, util, registry, types.error)

    # What is there

    def standard(self, name: str) -> Installation:
        """Everything below %PROGRAMDATA%, as an account that Windows makes for the service."""
        base = Path(platformdirs.site_data_dir(NAME, appauthor=False))
        return Installation(name, base / "config" / "config.xml", base, base / "log", _account(name))

    def place(self, path: Path) -> Path:
        """Itself: there is but one machine."""
        return path

    def installed(self, name: str) -> Installation | None:
        """What the registry has of a service of ours."""
        try:
            with self.registry.OpenKey(self.registry.HKEY_LOCAL_MACHINE, settings_key(name)) as key:
                return Installation.from_json(self.registry.QueryValueEx(key, SETTINGS)[0])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def require_rights(self, verb: str) -> None:
        """Raises InputError when whoever asks is no administrator."""
        try:
            self.service.CloseServiceHandle(self.service.OpenSCManager(None, None, self.service.SC_MANAGER_ALL_ACCESS))
        except self.error:
            raise InputError(
                f"only an administrator may {verb} a service", remedy="start the terminal with 'Run as administrator'"
            ) from None

    # Installing

    def installing(self, installation: Installation) -> Iterator[Step]:
        """What has to be done, in order.

        Raises:
            InputError: it cannot work, or a service of this name is not ours.
        """
        name = installation.name
        _refuse_what_has_no_meaning(installation)
        _refuse_python_of_one_user(installation)
        is_there = self._exists(name)
        if is_there and self.installed(name) is None:
            raise InputError(f"the service {name} is not one of ours", remedy="choose another --name")
        is_same = is_there and self.installed(name) == installation
        for folder in (installation.incoming, installation.log_dir):
            yield Act(f"make {folder}", lambda folder=folder: _made(folder))  # type: ignore[misc]
        what = "change" if is_there else "create"
        yield Act(
            f"{what} the service {name}: {subprocess.list2cmdline(_host(name))}, as {installation.user}",
            lambda: "" if is_same else self._write(installation, is_there=is_there),
        )
        # Only now does Windows know the account.
        yield from self._rights(installation)

    def _write(self, installation: Installation, *, is_there: bool) -> str:
        name, (program, *arguments) = installation.name, _host(installation.name)
        write = self.util.ChangeServiceConfig if is_there else self.util.InstallService
        with self._told(f"the service {name} cannot be installed"):
            write(
                None,  # it is hosted by Python itself, so there is no class to be named
                name,
                startType=self.service.SERVICE_AUTO_START,
                userName=installation.user,
                exeName=program,
                displayName=DISPLAY_NAME,
                exeArgs=subprocess.list2cmdline(arguments),
                description=_DESCRIPTION,
                delayedstart=True,
            )
            self._write_recovery(name)
            self._write_registry(installation)
            manager = importlib.import_module("servicemanager")
            importlib.import_module("win32evtlogutil").AddSourceToRegistry(name, manager.__file__, "Application")
        return f"{'changed' if is_there else 'installed'} the service {name}"

    def _write_recovery(self, name: str) -> None:
        """Started anew whenever it ends otherwise than by being stopped."""
        restart = (self.service.SC_ACTION_RESTART, _RESTART_MILLISECONDS)
        actions = {"ResetPeriod": _A_DAY, "RebootMsg": "", "Command": "", "Actions": (restart,) * 3}
        with self._opened(name, self.service.SERVICE_ALL_ACCESS) as handle:
            self.service.ChangeServiceConfig2(handle, self.service.SERVICE_CONFIG_FAILURE_ACTIONS, actions)
            self.service.ChangeServiceConfig2(handle, self.service.SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, True)

    def _write_registry(self, installation: Installation) -> None:
        root, name = self.registry.HKEY_LOCAL_MACHINE, installation.name
        with self.registry.CreateKey(root, settings_key(name)) as key:
            self.registry.SetValueEx(key, SETTINGS, 0, self.registry.REG_SZ, installation.to_json())
        if _is_virtual():
            # A virtual environment's python.exe starts another process, whom Windows would not take for the service.
            # multiprocessing makes the real one work in the environment in this way too.
            with self.registry.CreateKey(root, _service_key(name)) as key:
                launcher = [f"__PYVENV_LAUNCHER__={sys.executable}"]
                self.registry.SetValueEx(key, "Environment", 0, self.registry.REG_MULTI_SZ, launcher)

    def _rights(self, installation: Installation) -> Iterator[Step]:
        """Patients' data is open to the service and to administrators; %PROGRAMDATA% itself is open to all."""
        everything = [f"{who}:(OI)(CI)F" for who in (*_ALL_POWERFUL, installation.user)]
        for folder in (installation.base, installation.log_dir):
            yield self._icacls(folder, "/inheritance:r", "/grant:r", *everything)
        for folder in installation.writable:
            yield self._icacls(folder, "/grant", f"{installation.user}:(OI)(CI)M")
        if not installation.config.is_relative_to(installation.base):
            yield self._icacls(installation.config, "/grant", f"{installation.user}:R")

    def _icacls(self, path: Path, *arguments: str) -> Step:
        command = ("icacls", str(path), *arguments)
        return Command(command, f"the service cannot be given its rights in {path}", self.run)

    def what_next(self, installation: Installation, *, is_changed: bool) -> list[str]:
        """What is left to be done."""
        first = "start it with `dicomprinter service start`; it starts with the machine from now on"
        if is_changed:
            first = "a service that runs takes this over when it is stopped and started"
        log = installation.log_dir / LOG_FILE
        return [first, f"it watches {installation.incoming}; its log is {log}, and the Event Viewer (Application)"]

    def uninstalling(self, name: str) -> Iterator[Step]:
        """What has to be done; jobs, logs and the configuration stay."""
        self.our(name)
        yield Act(f"stop the service {name}", lambda: self._stopped(name))
        yield Act(f"remove the service {name}", lambda: self._removed(name))

    def _removed(self, name: str) -> str:
        with self._told(f"the service {name} cannot be removed"):
            self.util.RemoveService(name)
        return f"removed the service {name}"

    # Running

    def start(self, name: str) -> None:
        """Start it and wait until it is ready; raises InputError or PermanentError."""
        installation = self.our(name)
        log = installation.log_dir / LOG_FILE
        with self._told(f"the service {name} does not start", f"the Event Viewer (Application) says more, and {log}"):
            self.util.StartService(name)
            self.util.WaitForServiceStatus(name, self.service.SERVICE_RUNNING, _START_SECONDS)

    def stop(self, name: str) -> None:
        """Stop it and wait until it has stopped; raises InputError or PermanentError."""
        self.our(name)
        self._stopped(name)

    def _stopped(self, name: str) -> str:
        with self._told(f"the service {name} does not stop"):
            if self.util.QueryServiceStatus(name)[1] == self.service.SERVICE_STOPPED:
                return ""
            self.util.StopService(name)
            self.util.WaitForServiceStatus(name, self.service.SERVICE_STOPPED, _STOP_SECONDS)
        return f"stopped the service {name}"

    def standing(self, name: str) -> Standing:
        """How the service stands; raises InputError when it is not installed."""
        installation = self.our(name)
        with self._told(f"the service {name} cannot be asked"), self._opened(name, self._may_ask()) as handle:
            said = self.service.QueryServiceStatusEx(handle)
            start_type = self.service.QueryServiceConfig(handle)[1]
        pid = said["ProcessId"] or None
        return Standing(
            installation,
            self._words(said["CurrentState"]),
            is_active=said["CurrentState"] == self.service.SERVICE_RUNNING,
            starts_by_itself=start_type == self.service.SERVICE_AUTO_START,
            since=self._started(pid) if pid else None,
            pid=pid,
        )

    def _words(self, state: int) -> str:
        names = ("RUNNING", "STOPPED", "START_PENDING", "STOP_PENDING", "PAUSED")
        words = {getattr(self.service, f"SERVICE_{name}"): name.lower().replace("_", " ") for name in names}
        return str(words.get(state, state))

    def _started(self, pid: int) -> datetime | None:
        """When a process started; None where this user may not know."""
        api, process = importlib.import_module("win32api"), importlib.import_module("win32process")
        try:
            handle = api.OpenProcess(_QUERY_LIMITED_INFORMATION, False, pid)
            try:
                started: datetime = process.GetProcessTimes(handle)["CreationTime"]
            finally:
                api.CloseHandle(handle)
        except self.error:
            return None
        return started.astimezone()

    # Parts

    def _may_ask(self) -> int:
        return int(self.service.SERVICE_QUERY_STATUS | self.service.SERVICE_QUERY_CONFIG)

    def _exists(self, name: str) -> bool:
        try:
            with self._opened(name, self._may_ask()):
                return True
        except self.error:
            return False

    def our(self, name: str) -> Installation:
        """What is installed under this name. Raises InputError when there is nothing of ours."""
        installation = self.installed(name)
        if installation is None or not self._exists(name):
            raise InputError(
                f"there is no service {name} that this program has installed",
                remedy="`dicomprinter service install` makes it, --name says which is meant",
            )
        return installation

    @contextmanager
    def _opened(self, name: str, access: int) -> Iterator[Any]:
        control = self.service.OpenSCManager(None, None, self.service.SC_MANAGER_CONNECT)
        try:
            handle = self.service.OpenService(control, name, access)
            try:
                yield handle
            finally:
                self.service.CloseServiceHandle(handle)
        finally:
            self.service.CloseServiceHandle(control)

    @contextmanager
    def _told(self, what: str, remedy: str = "") -> Iterator[None]:
        """What Windows says, in words of ours."""
        try:
            yield
        except self.error as error:
            raise PermanentError(what, cause=str(getattr(error, "strerror", error)), remedy=remedy) from None


def _account(name: str) -> str:
    """The account that Windows makes for a service by itself; nobody can log on with it."""
    return f"NT SERVICE\\{name}"


def _host(name: str) -> tuple[str, ...]:
    """What Windows starts. A service that only installs itself has no other way to say which one it is."""
    program = str(getattr(sys, "_base_executable", sys.executable))
    return (program, "-P", "-m", HOST, name)


def _is_virtual() -> bool:
    return sys.prefix != sys.base_prefix


def _made(folder: Path) -> str:
    is_there = folder.is_dir()
    folder.mkdir(parents=True, exist_ok=True)
    return "" if is_there else f"made {folder}"


def _refuse_what_has_no_meaning(installation: Installation) -> None:
    if installation.user != _account(installation.name):
        raise InputError(
            "on Windows the service has an account of its own, which needs no password",
            remedy=f"leave --user out: it is {_account(installation.name)}",
        )
    if installation.incoming_group:
        raise InputError(
            "--incoming-group has no meaning on Windows",
            remedy=f"give a group the right to write in {installation.incoming} there",
        )


def _refuse_python_of_one_user(installation: Installation) -> None:
    """What lies in a user's folder is closed to the service's account."""
    users = Path(os.environ.get("PUBLIC", r"C:\Users\Public")).parent
    for place in (Path(sys.prefix), Path(sys.base_prefix), installation.config):
        if place.is_relative_to(users):
            raise InputError(
                f"the service's account cannot read {place}",
                cause="it lies in the folder of one user",
                remedy="install Python for all users, and this program where all may read it, in C:\\Program Files say",
            )
