"""A socket such as systemd's, in this process."""

from __future__ import annotations

import secrets
import socket
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.waiting import PATIENCE


class NotifySocket:
    """Takes what a service says; `.address` is for `NOTIFY_SOCKET`."""

    def __init__(self, folder: Path, *, abstract: bool = False) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.settimeout(PATIENCE)
        name = f"dicomprinter-{secrets.token_hex(8)}"
        self.address = f"@{name}" if abstract else str(folder / "notify")
        self._socket.bind("\0" + name if abstract else self.address)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def receive(self, timeout: float = PATIENCE) -> dict[str, str]:
        """The next message; raises TimeoutError."""
        self._socket.settimeout(timeout)
        lines = self._socket.recv(4096).decode("utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines)

    def wait_for(self, name: str) -> dict[str, str]:
        """The next message that says it; those before are passed over."""
        while True:
            said = self.receive()
            if name in said:
                return said

    def is_silent(self) -> bool:
        """Whether nothing has come."""
        try:
            self.receive(0.001)
        except TimeoutError:
            return True
        return False
