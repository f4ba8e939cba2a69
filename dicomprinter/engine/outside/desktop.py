"""A notification on the desktop of the session in which the program runs, if it runs in one."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dicomprinter.actions.programs import Call
from dicomprinter.errors import PermanentError, TransientError

if TYPE_CHECKING:
    from dicomprinter.actions.messages import Desktop, Notice
    from dicomprinter.actions.programs import Programs

_TITLE: Final = "dicomprinter"
_SECONDS: Final = 10.0
# The text comes by the environment and by the list of arguments: it is never part of a program's text.
_TOAST: Final = """
$null = [Windows.UI.Notifications.ToastNotificationManager, Windows.UI.Notifications, ContentType = WindowsRuntime]
$kind = [Windows.UI.Notifications.ToastTemplateType]::ToastText02
$content = [Windows.UI.Notifications.ToastNotificationManager]::GetTemplateContent($kind)
$texts = $content.GetElementsByTagName('text')
$null = $texts.Item(0).AppendChild($content.CreateTextNode($env:DICOMPRINTER_TITLE))
$null = $texts.Item(1).AppendChild($content.CreateTextNode($env:DICOMPRINTER_TEXT))
$toast = [Windows.UI.Notifications.ToastNotification]::new($content)
$toast.ExpirationTime = [DateTimeOffset]::Now.AddSeconds([double]$env:DICOMPRINTER_SECONDS)
$app = '{1AC14E77-02E7-4E5D-B744-2EB1AE5198B7}\\WindowsPowerShell\\v1.0\\powershell.exe'
[Windows.UI.Notifications.ToastNotificationManager]::CreateToastNotifier($app).Show($toast)
"""
_SCRIPT: Final = (
    *("-e", "on run argv"),
    *("-e", "display notification (item 2 of argv) with title (item 1 of argv)"),
    *("-e", "end run"),
)


def show(notice: Notice, desktop: Desktop, programs: Programs) -> str:
    """Show a message; where that cannot be, the event stream has it all the same.

    Returns:
        What became of it; no patient data.
    """
    why_not = _missing(programs)
    if not why_not:
        try:
            ended = programs.run(_call(notice.text, desktop.seconds))
            if ended is not None:
                ended.check("the desktop's notifications")
        except (PermanentError, TransientError) as error:
            why_not = error.what
    return f"in the event stream; not on a desktop: {why_not}" if why_not else "in the event stream, and on the desktop"


def _missing(programs: Programs) -> str:
    """Why there is no desktop to show it on; empty when there may be one."""
    if sys.platform not in ("linux", "darwin", "win32"):
        return "this system's notifications are not known"
    # A service of the user's own has the session's bus, if nothing else.
    if sys.platform == "linux" and os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
        why = ""
    else:
        why = programs.desktop
    if not why and sys.platform == "linux" and shutil.which("notify-send") is None:
        why = "notify-send is not installed (Debian: libnotify-bin)"
    return why


def _call(text: str, seconds: float) -> Call:
    environment: dict[str, str] = {}
    if sys.platform == "win32":
        shell = Path(os.environ.get("SYSTEMROOT", r"C:\Windows"), r"System32\WindowsPowerShell\v1.0\powershell.exe")
        environment = {
            "DICOMPRINTER_TITLE": _TITLE,
            "DICOMPRINTER_TEXT": text,
            "DICOMPRINTER_SECONDS": str(max(seconds, 1.0)),
        }
        command: tuple[str, ...] = (str(shell), "-NoProfile", "-NonInteractive", "-Command", _TOAST)
    elif sys.platform == "darwin":
        command = ("/usr/bin/osascript", *_SCRIPT, _TITLE, text)
    else:
        time = f"--expire-time={int(seconds * 1000)}"
        command = ("notify-send", f"--app-name={_TITLE}", time, "--", _TITLE, body_for_notify_send(text))
    return Call(
        command, Path(tempfile.gettempdir()), _SECONDS, environment=environment, on_desktop=True, shown=command[0]
    )


def body_for_notify_send(text: str) -> str:
    r"""A text that is shown as it is: the body is markup, and notify-send reads `\n` and its like in it itself."""
    return escape(text, quote=False).replace("\\", "\\\\")
