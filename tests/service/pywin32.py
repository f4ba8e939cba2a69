"""Stands for pywin32 and winreg where there is no Windows: the same names and signatures, and a small Windows behind.

It is as strict as the real one where a mistake would be easy: handles have to be open, of the right kind and with the
right to do what is asked; an unknown argument is refused; what is not there raises pywin32's own error.
"""
# ruff: noqa: C901, N802, N803, PLR0917 - the names and signatures are pywin32's

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import ModuleType, TracebackType
from typing import Any, Self

DOES_NOT_EXIST, ACCESS_DENIED, EXISTS, NOT_ACTIVE, ALREADY_RUNS, TIMED_OUT = 1060, 5, 1073, 1062, 1056, 1053
_TEXTS = {
    DOES_NOT_EXIST: "The specified service does not exist as an installed service.",
    ACCESS_DENIED: "Access is denied.",
    EXISTS: "The specified service already exists.",
    NOT_ACTIVE: "The service has not been started.",
    ALREADY_RUNS: "An instance of the service is already running.",
    TIMED_OUT: "The service did not respond to the start or control request in a timely fashion.",
}
STOPPED, START_PENDING, STOP_PENDING, RUNNING = 1, 2, 3, 4
QUERY_CONFIG, QUERY_STATUS, ALL_ACCESS, CONNECT, MANAGER_ALL = 0x1, 0x4, 0xF01FF, 0x1, 0xF003F


class Win32Error(Exception):
    """pywintypes.error."""

    def __init__(self, winerror: int, funcname: str) -> None:
        super().__init__(winerror, funcname, _TEXTS[winerror])
        self.winerror, self.funcname, self.strerror = winerror, funcname, _TEXTS[winerror]


@dataclass
class Handle:
    """Of the service control manager, or of a service."""

    service: str | None
    access: int
    is_open: bool = True


@dataclass
class FakeWindows:
    """What this Windows knows. `modules` are to be put into `sys.modules`."""

    is_administrator: bool = True
    starts: bool = True
    services: dict[str, dict[str, Any]] = field(default_factory=dict)
    registry: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: list[tuple[str, str]] = field(default_factory=list)
    statuses: list[tuple[int, ...]] = field(default_factory=list)
    handles: list[Handle] = field(default_factory=list)
    hosted: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        built = (
            _module("pywintypes", error=Win32Error),
            _module("winreg", **_winreg(self)),
            _module("win32service", **_win32service(self)),
            _module("win32serviceutil", **_win32serviceutil(self)),
            _module("servicemanager", **_servicemanager(self)),
            _module("win32evtlogutil", **_win32evtlogutil(self)),
            _module("win32api", **_win32api(self)),
            _module("win32process", **_win32process(self)),
        )
        self.modules = {module.__name__: module for module in built}

    @property
    def open_handles(self) -> list[Handle]:
        return [handle for handle in self.handles if handle.is_open]

    def handle(self, service: str | None, access: int) -> Handle:
        self.handles.append(Handle(service, access))
        return self.handles[-1]

    def of(self, handle: Handle, access: int, function: str) -> dict[str, Any]:
        """The service behind a handle."""
        assert isinstance(handle, Handle)
        assert handle.is_open, f"{function}: the handle is closed"
        assert handle.service is not None, f"{function}: not the handle of a service"
        if handle.access & access != access:
            raise Win32Error(ACCESS_DENIED, function)
        return self.named(handle.service, function)

    def named(self, name: str, function: str) -> dict[str, Any]:
        if name not in self.services:
            raise Win32Error(DOES_NOT_EXIST, function)
        return self.services[name]

    def administrators_only(self, function: str) -> None:
        if not self.is_administrator:
            raise Win32Error(ACCESS_DENIED, function)


def _module(name: str, **members: Any) -> ModuleType:
    module = ModuleType(name)
    module.__file__ = f"C:\\Python\\Lib\\site-packages\\{name}.pyd"
    vars(module).update(members)
    return module


def _winreg(windows: FakeWindows) -> dict[str, Any]:
    class Key:
        def __init__(self, path: str, *, writable: bool) -> None:
            self.path, self.writable = path, writable

        def __enter__(self) -> Self:
            return self

        def __exit__(
            self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
        ) -> None:
            self.path = ""

    def open_key(key: str, sub_key: str, reserved: int = 0, access: int = 0x20019) -> Key:
        assert key == "HKLM"
        if sub_key not in windows.registry:
            raise FileNotFoundError(2, "The system cannot find the file specified")
        return Key(sub_key, writable=False)

    def create_key(key: str, sub_key: str, /) -> Key:
        assert key == "HKLM"
        if not windows.is_administrator:
            raise PermissionError(5, "Access is denied")
        windows.registry.setdefault(sub_key, {})
        return Key(sub_key, writable=True)

    def set_value(key: Key, value_name: str, reserved: Any, kind: int, value: Any, /) -> None:
        assert key.path
        assert key.writable
        assert isinstance(value, str if kind == 1 else list)
        windows.registry[key.path][value_name] = value

    def query_value(key: Key, name: str, /) -> tuple[Any, int]:
        assert key.path
        value = windows.registry[key.path].get(name)
        if value is None:
            raise FileNotFoundError(2, "The system cannot find the file specified")
        return value, 1

    return {
        "HKEY_LOCAL_MACHINE": "HKLM",
        "REG_SZ": 1,
        "REG_MULTI_SZ": 7,
        "OpenKey": open_key,
        "CreateKey": create_key,
        "SetValueEx": set_value,
        "QueryValueEx": query_value,
    }


def _win32service(windows: FakeWindows) -> dict[str, Any]:
    def open_manager(machine: str | None, database: str | None, access: int, /) -> Handle:
        assert (machine, database) == (None, None)
        if access != CONNECT:
            windows.administrators_only("OpenSCManager")
        return windows.handle(None, access)

    def open_service(manager: Handle, name: str, access: int, /) -> Handle:
        assert manager.is_open
        assert manager.service is None
        windows.named(name, "OpenService")
        if access & ~(QUERY_CONFIG | QUERY_STATUS):
            windows.administrators_only("OpenService")
        return windows.handle(name, access)

    def close(handle: Handle, /) -> None:
        assert handle.is_open, "the handle is closed already"
        handle.is_open = False

    def change_config(handle: Handle, level: int, info: Any, /) -> None:
        service = windows.of(handle, ALL_ACCESS, "ChangeServiceConfig2")
        if level == 2:
            assert set(info) == {"ResetPeriod", "RebootMsg", "Command", "Actions"}
            assert all(len(action) == 2 for action in info["Actions"])
        else:
            assert level == 4
            assert isinstance(info, bool)
        service[{2: "actions", 4: "on_every_failure"}[level]] = info

    def query_config(handle: Handle, /) -> tuple[Any, ...]:
        service = windows.of(handle, QUERY_CONFIG, "QueryServiceConfig")
        account = service["userName"]
        return 16, service["startType"], 1, service["command"], "", 0, (), account, service["displayName"]

    def query_status(handle: Handle, /) -> dict[str, int]:
        service = windows.of(handle, QUERY_STATUS, "QueryServiceStatusEx")
        names = ("ServiceType", "ControlsAccepted", "Win32ExitCode", "ServiceSpecificExitCode", "CheckPoint")
        numbers = dict.fromkeys((*names, "WaitHint", "ServiceFlags"), 0)
        return {**numbers, "CurrentState": service["state"], "ProcessId": service["pid"]}

    return {
        "SERVICE_STOPPED": STOPPED,
        "SERVICE_START_PENDING": START_PENDING,
        "SERVICE_STOP_PENDING": STOP_PENDING,
        "SERVICE_RUNNING": RUNNING,
        "SERVICE_PAUSED": 7,
        "SERVICE_AUTO_START": 2,
        "SERVICE_ALL_ACCESS": ALL_ACCESS,
        "SERVICE_QUERY_STATUS": QUERY_STATUS,
        "SERVICE_QUERY_CONFIG": QUERY_CONFIG,
        "SC_MANAGER_ALL_ACCESS": MANAGER_ALL,
        "SC_MANAGER_CONNECT": CONNECT,
        "SC_ACTION_RESTART": 1,
        "SERVICE_CONFIG_FAILURE_ACTIONS": 2,
        "SERVICE_CONFIG_FAILURE_ACTIONS_FLAG": 4,
        "OpenSCManager": open_manager,
        "OpenService": open_service,
        "CloseServiceHandle": close,
        "ChangeServiceConfig2": change_config,
        "QueryServiceConfig": query_config,
        "QueryServiceStatusEx": query_status,
        "SetServiceStatus": lambda handle, status, /: windows.statuses.append(status),
    }


def _win32serviceutil(windows: FakeWindows) -> dict[str, Any]:
    def install(
        pythonClassString: str | None,
        serviceName: str,
        displayName: str,
        startType: int | None = None,
        errorControl: int | None = None,
        bRunInteractive: int = 0,
        serviceDeps: Any = None,
        userName: str | None = None,
        password: str | None = None,
        exeName: str | None = None,
        perfMonIni: str | None = None,
        perfMonDll: str | None = None,
        exeArgs: str | None = None,
        description: str | None = None,
        delayedstart: bool | None = None,
    ) -> None:
        windows.administrators_only("OpenSCManager")
        if serviceName in windows.services:
            raise Win32Error(EXISTS, "CreateService")
        windows.services[serviceName] = {
            "state": STOPPED,
            "pid": 0,
            "displayName": displayName,
            "startType": startType,
            "userName": userName,
            "password": password,
            "command": f'"{exeName}" {exeArgs}',
            "description": description,
            "delayedstart": delayedstart,
            "class": pythonClassString,
        }

    def change(
        pythonClassString: str | None,
        serviceName: str,
        startType: int | None = None,
        errorControl: int | None = None,
        bRunInteractive: int = 0,
        serviceDeps: Any = None,
        userName: str | None = None,
        password: str | None = None,
        exeName: str | None = None,
        displayName: str | None = None,
        perfMonIni: str | None = None,
        perfMonDll: str | None = None,
        exeArgs: str | None = None,
        description: str | None = None,
        delayedstart: bool | None = None,
    ) -> None:
        windows.administrators_only("OpenSCManager")
        found = windows.named(serviceName, "OpenService")
        found.update(displayName=displayName, userName=userName, command=f'"{exeName}" {exeArgs}')

    def remove(serviceName: str) -> None:
        windows.administrators_only("OpenSCManager")
        windows.named(serviceName, "OpenService")
        del windows.services[serviceName]
        begin = f"SYSTEM\\CurrentControlSet\\Services\\{serviceName}"
        for path in [path for path in windows.registry if path == begin or path.startswith(begin + "\\")]:
            del windows.registry[path]

    def start(serviceName: str, args: Any = None, machine: str | None = None) -> None:
        windows.administrators_only("OpenService")
        found = windows.named(serviceName, "OpenService")
        if found["state"] != STOPPED:
            raise Win32Error(ALREADY_RUNS, "StartService")
        found.update(state=RUNNING if windows.starts else START_PENDING, pid=4711)

    def stop(serviceName: str, machine: str | None = None) -> None:
        windows.administrators_only("OpenService")
        found = windows.named(serviceName, "OpenService")
        if found["state"] == STOPPED:
            raise Win32Error(NOT_ACTIVE, "ControlService")
        found.update(state=STOPPED, pid=0)

    def status(serviceName: str, machine: str | None = None) -> tuple[int, ...]:
        return 16, windows.named(serviceName, "OpenService")["state"], 1, 0, 0, 0, 0

    def wait(serviceName: str, status: int, waitSecs: int, machine: str | None = None) -> None:
        if windows.named(serviceName, "OpenService")["state"] != status:
            raise Win32Error(TIMED_OUT, "QueryServiceStatus")

    class ServiceFramework:
        def __init__(self, args: Any) -> None:
            windows.hosted.append(self)

        def ReportServiceStatus(
            self, serviceStatus: int, waitHint: int = 5000, win32ExitCode: int = 0, svcExitCode: int = 0
        ) -> None:
            windows.statuses.append((serviceStatus, waitHint))

    return {
        "InstallService": install,
        "ChangeServiceConfig": change,
        "RemoveService": remove,
        "StartService": start,
        "StopService": stop,
        "QueryServiceStatus": status,
        "WaitForServiceStatus": wait,
        "ServiceFramework": ServiceFramework,
    }


def _servicemanager(windows: FakeWindows) -> dict[str, Any]:
    def initialize(source: str | None = None, file: str | None = None, /) -> None:
        windows.events.append(("initialize", str(source)))

    def prepare(klass: Any, /) -> None:
        windows.events.append(("prepare", klass.__name__))

    return {
        "LogInfoMsg": lambda message, /: windows.events.append(("info", message)),
        "LogErrorMsg": lambda message, /: windows.events.append(("error", message)),
        "Initialize": initialize,
        "PrepareToHostSingle": prepare,
        "StartServiceCtrlDispatcher": lambda: windows.events.append(("dispatch", "")),
    }


def _win32evtlogutil(windows: FakeWindows) -> dict[str, Any]:
    def add_source(
        appName: str,
        msgDLL: str | None = None,
        eventLogType: str = "Application",
        eventLogFlags: int | None = None,
        categoryDLL: str | None = None,
        categoryCount: int = 0,
    ) -> None:
        windows.administrators_only("RegCreateKey")
        windows.registry[f"EventLog\\{eventLogType}\\{appName}"] = {"EventMessageFile": msgDLL}

    return {"AddSourceToRegistry": add_source}


def _win32api(windows: FakeWindows) -> dict[str, Any]:
    def open_process(access: int, inherit: bool, pid: int, /) -> int:
        windows.administrators_only("OpenProcess")
        return pid

    return {"OpenProcess": open_process, "CloseHandle": lambda handle, /: None}


def _win32process(windows: FakeWindows) -> dict[str, Any]:
    return {"GetProcessTimes": lambda handle, /: {"CreationTime": datetime(2026, 1, 31, 9, 15, tzinfo=UTC)}}
