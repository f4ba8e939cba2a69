"""The notifications of systemd (sd_notify(3)): datagrams to the socket that it names in the environment."""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from dicomprinter.service.supervisor import Nobody, Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

_SOCKET, _WATCHDOG, _WATCHDOG_PID = "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"
_SEND_SECONDS = 1.0


class Notifier:
    """Tells systemd how the service stands.

    A message that cannot be delivered is given up: the service works without it, and a watchdog that hears nothing
    starts it anew.

    Args:
        address: of the socket, as `NOTIFY_SOCKET` has it: a path, or `@` and a name in the abstract name space.
        watchdog: after how many seconds without a sign of life systemd starts the service anew, or None.
        clock: CLOCK_MONOTONIC in seconds.
    """

    def __init__(
        self, address: str, watchdog: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.period = watchdog / 2 if watchdog else None
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._clock = clock
        self._alive_at = float("-inf")
        self._text = ""

    def ready(self, text: str) -> None:
        """`READY=1`, with what `systemctl status` shows."""
        self._text = text
        self._send("READY=1", f"STATUS={text}")

    def reloading(self) -> None:
        """`RELOADING=1`; READY=1 has to follow."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={int(self._clock() * 1e6)}", "STATUS=loads the configuration anew")

    def alive(self) -> None:
        """`WATCHDOG=1`, unless the last one is younger than half a period."""
        now = self._clock()
        if self.period is not None and now - self._alive_at >= self.period / 2:
            self._alive_at = now
            self._send("WATCHDOG=1")

    def lost(self, why: str) -> None:
        """Only the status: that no sign of life follows says the rest."""
        self._send(f"STATUS={why}")

    def stopping(self) -> None:
        """`STOPPING=1`."""
        self._send("STOPPING=1", "STATUS=lets the nodes that run come to their end")

    def _send(self, *lines: str) -> None:
        text = "\n".join(" ".join(line.splitlines()) for line in lines)
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.settimeout(_SEND_SECONDS)
            sender.sendto(text.encode("utf-8", "replace"), self._address)


def supervisor(environment: MutableMapping[str, str]) -> Supervisor:
    """The systemd that has started this process, else nobody.

    The variables are taken out, so that no program that the service starts speaks for it.
    """
    address = environment.pop(_SOCKET, "")
    watchdog = _seconds(environment.pop(_WATCHDOG, ""))
    # The variables may have been meant for a process above this one.
    is_ours = environment.pop(_WATCHDOG_PID, "") in ("", str(os.getpid()))
    if not address.startswith(("/", "@")) or not hasattr(socket, "AF_UNIX"):
        return Nobody()
    return Notifier(address, watchdog if is_ours else None)


def _seconds(microseconds: str) -> float | None:
    return int(microseconds) / 1e6 if microseconds.isascii() and microseconds.isdigit() else None
