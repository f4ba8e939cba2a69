"""Windows' job objects: what a program starts belongs to its job, and ends with it. Over ctypes."""

from __future__ import annotations

import sys

if sys.platform == "win32":
    import ctypes
    import subprocess
    from ctypes import wintypes
    from typing import Final

    SUSPENDED: Final = 0x4
    _EXTENDED_LIMITS: Final = 9
    _KILL_ON_CLOSE: Final = 0x2000

    _KERNEL = ctypes.WinDLL("kernel32", use_last_error=True)
    _KERNEL.CreateJobObjectW.restype = wintypes.HANDLE
    _KERNEL.CreateJobObjectW.argtypes = (ctypes.c_void_p, wintypes.LPCWSTR)
    _KERNEL.SetInformationJobObject.argtypes = (wintypes.HANDLE, ctypes.c_int, ctypes.c_void_p, wintypes.DWORD)
    _KERNEL.AssignProcessToJobObject.argtypes = (wintypes.HANDLE, wintypes.HANDLE)
    _KERNEL.TerminateJobObject.argtypes = (wintypes.HANDLE, wintypes.UINT)
    _KERNEL.CloseHandle.argtypes = (wintypes.HANDLE,)
    _NT = ctypes.WinDLL("ntdll")
    _NT.NtResumeProcess.argtypes = (wintypes.HANDLE,)

    class _Basic(ctypes.Structure):
        _fields_ = (
            ("PerProcessUserTimeLimit", ctypes.c_int64),
            ("PerJobUserTimeLimit", ctypes.c_int64),
            ("LimitFlags", wintypes.DWORD),
            ("MinimumWorkingSetSize", ctypes.c_size_t),
            ("MaximumWorkingSetSize", ctypes.c_size_t),
            ("ActiveProcessLimit", wintypes.DWORD),
            ("Affinity", ctypes.c_size_t),
            ("PriorityClass", wintypes.DWORD),
            ("SchedulingClass", wintypes.DWORD),
        )

    class _Extended(ctypes.Structure):
        _fields_ = (
            ("BasicLimitInformation", _Basic),
            ("IoInfo", ctypes.c_uint64 * 6),
            ("ProcessMemoryLimit", ctypes.c_size_t),
            ("JobMemoryLimit", ctypes.c_size_t),
            ("PeakProcessMemoryUsed", ctypes.c_size_t),
            ("PeakJobMemoryUsed", ctypes.c_size_t),
        )

    class JobObject:
        """One for each program; Windows kills what is in it when this process ends, however that comes."""

        def __init__(self) -> None:
            self._handle = _KERNEL.CreateJobObjectW(None, None)
            limits = _Extended()
            limits.BasicLimitInformation.LimitFlags = _KILL_ON_CLOSE
            _KERNEL.SetInformationJobObject(self._handle, _EXTENDED_LIMITS, ctypes.byref(limits), ctypes.sizeof(limits))

        def take(self, process: subprocess.Popen[bytes]) -> None:
            """Take in a process that was started suspended, and let it run, whatever becomes of the job object."""
            handle = int(process._handle)  # type: ignore[attr-defined]  # noqa: SLF001 - Popen has no other way to it
            _KERNEL.AssignProcessToJobObject(self._handle, handle)
            _NT.NtResumeProcess(handle)

        def kill(self) -> None:
            """End all that is in it."""
            _KERNEL.TerminateJobObject(self._handle, 1)

        def close(self) -> None:
            """Let go of it."""
            _KERNEL.CloseHandle(self._handle)

    def session() -> int:
        """The session of Windows that this process belongs to; services are in 0."""
        found = wintypes.DWORD()
        _KERNEL.ProcessIdToSessionId(wintypes.DWORD(_KERNEL.GetCurrentProcessId()), ctypes.byref(found))
        return found.value
