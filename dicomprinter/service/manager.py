"""Whoever manages services on this machine: systemd or Windows."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol

from dicomprinter.errors import InputError
from dicomprinter.service.systemd import systemd
from dicomprinter.service.windows import Windows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dicomprinter.service.installation import Installation
    from dicomprinter.service.state import Standing
    from dicomprinter.service.steps import Step


class Manager(Protocol):
    """What `dicomprinter service` asks of it.

    Each call may raise InputError (not installed, not allowed) or PermanentError (it did not work).
    """

    @property
    def writes_units(self) -> bool:
        """Whether what it installs is a unit that can be shown."""

    def standard(self, name: str) -> Installation:
        """What is installed when nothing else is said."""

    def installed(self, name: str) -> Installation | None:
        """What is installed under this name."""

    def our(self, name: str) -> Installation:
        """The same; raises InputError when there is nothing of ours."""

    def place(self, path: Path) -> Path:
        """Where a path of the machine's lies from here."""

    def require_rights(self, verb: str) -> None:
        """Raises InputError when whoever asks may not do it."""

    def installing(self, installation: Installation) -> Iterator[Step]:
        """What has to be done to install it."""

    def what_next(self, installation: Installation, *, is_changed: bool) -> list[str]:
        """What to say after that; `is_changed`: it was installed before."""

    def uninstalling(self, name: str) -> Iterator[Step]:
        """What has to be done to take it away."""

    def start(self, name: str) -> None:
        """Start it and wait until it is ready."""

    def stop(self, name: str) -> None:
        """Stop it and wait until it has stopped."""

    def standing(self, name: str) -> Standing:
        """How it stands."""


def manager(root: Path | None = None) -> Manager:
    """The manager of this machine, or of the one that is being built below `root`.

    Raises:
        InputError: there is none that this program knows.
    """
    if root is not None:
        return systemd(root)
    # Asked for at run time: a checker of types would see one system alone.
    platform = str(sys.platform)
    if platform == "linux":
        return systemd()
    if platform == "win32":
        return Windows.open()
    raise InputError(
        f"services of {platform} are not known to this program",
        remedy="let the system's own manager run `dicomprinter serve --config FILE --base FOLDER --log-dir FOLDER`; "
        "for launchd those are the ProgramArguments of a property list in /Library/LaunchDaemons, with KeepAlive",
    )
