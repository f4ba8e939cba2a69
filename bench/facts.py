"""The machine and the versions: without them a figure says nothing."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import dicomprinter

_LIBRARIES: Final = (
    "dicomprinter-jpeg", "imagecodecs", "lxml", "numpy", "pillow", "pydicom", "pyjpegls", "pynetdicom", "pypdf",
    "pypdfium2", "simplejpeg",
)  # fmt: skip
_PROGRAMS: Final = {
    "dcmtk": ("/usr/bin/storescu", "--version"),
    "orthanc": ("/usr/sbin/Orthanc", "--version"),
    "netpbm": ("/usr/bin/pngtopnm", "--version"),
}


def facts() -> dict[str, Any]:
    """Date, processor, cores, memory, system, Python, libraries and programs."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "dicomprinter": dicomprinter.__version__,
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_mb": _memory_mb(),
        "system": _system(),
        "load_before": list(os.getloadavg()) if hasattr(os, "getloadavg") else None,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "libraries": {name: _library(name) for name in _LIBRARIES},
        "programs": {name: _program(command) for name, command in _PROGRAMS.items()},
    }


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor()
    found = re.search(r"^model name\s*: (.*)$", text, re.MULTILINE)
    return found[1] if found else platform.machine()


def _memory_mb() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    except (AttributeError, ValueError, OSError):
        return None


def _system() -> str:
    try:
        return f"{platform.freedesktop_os_release()['PRETTY_NAME']}, {platform.release()}"
    except (OSError, KeyError):
        return platform.platform()


def _library(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _program(command: tuple[str, ...]) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)  # noqa: S603 - constants
    except OSError:
        return None
    lines = (done.stdout or done.stderr).strip().splitlines()
    return lines[0].strip("$ ") if lines else None
