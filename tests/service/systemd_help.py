"""A machine with systemd that is not there: its file system in a folder, its programs only noted."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dicomprinter.service.installation import Installation
from dicomprinter.service.systemd import Systemd
from tests.system.service import connection

Call = Callable[..., tuple[int, str, str]]
STORE = f'<Store name="Send">{connection(104, "PACS")}</Store>'
UNIT = Path("etc/systemd/system/dicomprinter.service")
ENABLED = Path("etc/systemd/system/multi-user.target.wants/dicomprinter.service")
# A user that every Linux has, and who is not root.
NOBODY = "nobody"


@dataclass
class Programs:
    """Stands for the system's programs: keeps what is run, answers as told."""

    answers: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    ran: list[tuple[str, str | None]] = field(default_factory=list)

    def __call__(self, command: Sequence[str], user: str | None = None) -> subprocess.CompletedProcess[str]:
        line = " ".join(command)
        self.ran.append((line, user))
        for begin, (code, out, err) in self.answers.items():
            if line.startswith(begin):
                return subprocess.CompletedProcess(command, code, out, err)
        return subprocess.CompletedProcess(command, 0, "", "")

    @property
    def lines(self) -> list[str]:
        return [line for line, _ in self.ran]


# Where a service can see it, whatever holds the tests.
PYTHON = "/opt/dicomprinter/bin/python"


def standard(system: Systemd, **changes: Any) -> Installation:
    return replace(system.standard("dicomprinter"), **{"user": NOBODY, "python": Path(PYTHON), **changes})


def install(system: Systemd, installation: Installation) -> list[str]:
    return [step.do() for step in system.installing(installation)]
