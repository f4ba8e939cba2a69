"""What a program of others sees of this process's environment: a service's may hold passwords."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

# Where programs, homes, temporary files and the system are, which language and time zone hold. Windows' programs do
# not start without its own.
_COMMON: Final = (
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP",
    "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "OS", "COMPUTERNAME", "USERNAME", "USERPROFILE",
    "HOMEDRIVE", "HOMEPATH", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "ALLUSERSPROFILE", "PROGRAMFILES",
    "PROGRAMFILES(X86)", "PROGRAMW6432", "COMMONPROGRAMFILES", "COMMONPROGRAMFILES(X86)",
    "NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE",
)  # fmt: skip
_DESKTOP: Final = (
    "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS",
    "XDG_RUNTIME_DIR", "XDG_SESSION_TYPE", "XDG_CURRENT_DESKTOP",
)  # fmt: skip


def environment(passed_on: Iterable[str] = (), *, on_desktop: bool = False) -> dict[str, str]:
    """The variables that a program gets.

    Args:
        passed_on: names of further ones, as the site says.
        on_desktop: those as well that lead to the desktop.
    """
    wanted = {*_COMMON, *(_DESKTOP if on_desktop else ()), *map(_key, passed_on)}
    return {name: text for name, text in os.environ.items() if _key(name) in wanted or name.startswith("LC_")}


def _key(name: str) -> str:
    """Windows does not tell small letters from capital ones."""
    return name.upper() if sys.platform == "win32" else name


def no_desktop() -> str:
    """Why nothing can be shown on an operator's desktop; empty when it can."""
    if sys.platform == "win32":
        from dicomprinter.engine.outside.job_object import session  # noqa: PLC0415 - Windows only

        # Services run in session 0, which nobody sees.
        return "the service runs in no operator's session" if session() == 0 else ""
    if sys.platform == "darwin":
        is_users = Path("/dev/console").stat().st_uid == os.getuid()
        return "" if is_users else "the service is not of the user who sits at this machine"
    is_there = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    return "" if is_there else "neither DISPLAY nor WAYLAND_DISPLAY is set: the service runs in no user's session"
