"""The real service under orders: started by torture.launch, told where to end, asked which calls it made."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.links import ROOT
from tests.system.service import Service
from tests.waiting import PATIENCE, wait_until
from torture.points import Point


class Died(Exception):  # noqa: N818 - it is what was wanted
    """The process ended where it was told to."""


class Tortured(Service):
    """A service whose calls are under orders.

    Args:
        base: the base directory.
        config: the text of the configuration.
        peers: the archives' ports, and their names.
        options: more for the command line.
        environment: more for the process.
        screens: the folder for what it says; else the base directory.
    """

    def __init__(
        self,
        base: Path,
        config: str,
        peers: Mapping[int, str],
        *options: str,
        environment: Mapping[str, str] | None = None,
        screens: Path | None = None,
    ) -> None:
        super().__init__(base, config, *options)
        self.base = base.resolve()
        self.screens = screens or self.base
        self.kept = base / "kept"
        self.trace: Path | None = None
        self.died_at = ""
        self._peers = dict(peers)
        self._environment = dict(environment or {})
        self._orders: socket.socket | None = None
        self._unread = b""

    def start(self, *, wait: bool = True, arm: Point | None = None, faults: list[dict[str, Any]] | None = None) -> None:
        """Start it, perhaps to end at a point of its start already.

        Raises:
            Died: it did.
        """
        self.starts += 1
        self.died_at = ""
        # What a start says is short to read.
        self._screen = self.screens / f"screen-{self.starts}.log"
        ours, theirs = socket.socketpair()
        settings = {
            "base": str(self.base),
            "descriptor": theirs.fileno(),
            "peers": self._peers,
            "trace": str(self.trace) if self.trace else None,
            "arm": arm.to_json() if arm else None,
            "faults": faults or [],
        }
        self._close_orders()
        self._orders, self._unread = ours, b""
        command = [sys.executable, "-m", "torture.launch", "serve", "--base", str(self.base), "-v", *self.options]
        with self._screen.open("ab") as screen:
            self._process = subprocess.Popen(  # noqa: S603 - this program itself
                command,
                stdin=subprocess.DEVNULL,
                stdout=screen,
                stderr=screen,
                cwd=ROOT,
                pass_fds=[theirs.fileno()],
                env={
                    **os.environ,
                    **self._environment,
                    "TMPDIR": str(self.temporary),
                    "TORTURE": json.dumps(settings),
                },
            )
        theirs.close()
        if wait:
            wait_until(lambda: self.is_dead() or "ready:" in self.said, "the service is ready", 2 * PATIENCE)
            if self.is_dead():
                raise Died(self.died_at)

    def is_dead(self) -> bool:
        """Whether it ended where it was told to; anything else that ends it is a fault.

        Raises:
            RuntimeError: it ended otherwise.
        """
        if self.died_at:
            if self._process:
                self._process.wait()
            return True
        code = self._process.poll() if self._process else 0
        if code is None:
            return False
        if code != -signal.SIGKILL:
            raise RuntimeError(f"the service has ended with {code}")
        while answer := self._answer(1):
            self.died_at = answer.get("died", self.died_at)
        if not self.died_at:
            raise RuntimeError("the service was killed by somebody else")
        return True

    def processes(self) -> list[int]:
        """The service that runs, and its children."""
        if self._process is None or self._process.poll() is not None:
            return []
        number = self._process.pid
        children = Path(f"/proc/{number}/task/{number}/children").parent.glob("../*/children")
        return [number, *(int(child) for file in children for child in file.read_text("ascii").split())]

    def kill(self) -> None:
        """As kill -9 does, at once."""
        super().kill()
        self._close_orders()

    def arm(self, point: Point | None) -> None:
        """From now on count calls, and end at this point."""
        self._ask({"arm": point.to_json() if point else None})

    def calls(self) -> list[str]:
        """The calls since then, in order."""
        found: list[str] = self._ask({"calls": True})["calls"]
        return found

    def faults(self, *faults: dict[str, Any]) -> int:
        """From now on let calls fail, as torture.launch has it; how many have failed so until now."""
        met: int = self._ask({"faults": list(faults)})["met"]
        return met

    def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        answer = {}
        if self._orders is not None:
            self._orders.sendall(json.dumps(order).encode() + b"\n")
            answer = self._answer(PATIENCE)
        if "died" in answer:
            # It came to its point while it was asked.
            self.died_at = answer["died"]
        if not answer or self.died_at:
            raise RuntimeError("the service does not answer")
        return answer

    def _answer(self, seconds: float) -> dict[str, Any]:
        """The next answer; empty when none comes."""
        if self._orders is None:
            return {}
        end = time.monotonic() + seconds
        while b"\n" not in self._unread:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self._orders], [], [], left)[0]:
                return {}
            data = self._orders.recv(1 << 20)
            if not data:
                return {}
            self._unread += data
        line, self._unread = self._unread.split(b"\n", 1)
        found: dict[str, Any] = json.loads(line)
        return found

    def _close_orders(self) -> None:
        if self._orders is not None:
            self._orders.close()
            self._orders = None
