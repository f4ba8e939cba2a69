"""What a service is installed with, and whether that can work."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass, fields
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Final, Self

from dicomprinter.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAME: Final = "dicomprinter"
LOG_FILE: Final = "dicomprinter.log"
DISPLAY_NAME: Final = "dicomprinter: pages and PDFs to the PACS"
# What Linux itself takes for a user; a unit's name without what systemd gives a meaning of its own.
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,30}")
_SERVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
# Each service has /tmp and /var/tmp of its own, and the others hold no files that stay.
_NO_PLACE = tuple(Path(name) for name in ("/tmp", "/var/tmp", "/dev", "/proc", "/sys", "/run"))  # noqa: S108 - refused
_BETTER_CONFIG: Final = "put it into /etc/dicomprinter, or into the base directory as config/config.xml"
_BETTER_PYTHON: Final = "install the program in a virtual environment that every user may read, in /opt say"
_HOMES = tuple(Path(name) for name in ("/home", "/root"))


@dataclass(frozen=True)
class Installation:
    """An installed service, or one to be.

    Args:
        name: of the service.
        config: the configuration.
        base: the base directory.
        log_dir: where the log goes.
        user: who it runs as.
        incoming_group: who else may drop files, or empty.
        workers: how many jobs run at once.
        writable: folders outside the base directory that actions write to.
        python: the interpreter of the environment in which this program is installed.
    """

    name: str
    config: Path
    base: Path
    log_dir: Path
    user: str = NAME
    incoming_group: str = ""
    workers: int = 4
    writable: tuple[Path, ...] = ()
    python: Path = Path(sys.executable)

    @property
    def incoming(self) -> Path:
        """The watched folder."""
        return self.base / "spool" / "incoming"

    @property
    def command(self) -> tuple[str, ...]:
        """What the service runs. With -P the current directory is no place for modules."""
        places = ("--config", str(self.config), "--base", str(self.base), "--log-dir", str(self.log_dir))
        return (str(self.python), "-P", "-m", "dicomprinter", "serve", *places, "--workers", str(self.workers))

    @property
    def lies_in_a_home(self) -> bool:
        """Whether anything that the service needs is in somebody's home folder."""
        needed = (*self._paths(), Path(sys.prefix), Path(sys.base_prefix), Path(__file__))
        return any(path.is_relative_to(home) for path in needed for home in _HOMES)

    def refuse_closed_places(self, is_open: Callable[[Path], bool]) -> None:
        """The service's user has to get through to the program.

        Args:
            is_open: whether others than its owner may enter a folder.

        Raises:
            InputError: a folder above the interpreter or the program is closed to others.
        """
        for path in (self.python, self.python.resolve(), Path(__file__)):
            closed = next((folder for folder in reversed(path.parents) if not is_open(folder)), None)
            if closed is not None:
                raise InputError(
                    f"the user {self.user} cannot get to {path}",
                    cause=f"{closed} is closed to others than its owner",
                    remedy=_BETTER_PYTHON,
                )

    def check(self) -> None:
        """Raises InputError when a name or a place cannot work on Linux."""
        if not _SERVICE.fullmatch(self.name):
            raise InputError(f'"{self.name}" cannot be the name of a service', remedy="use letters, digits, - and _")
        for name in filter(None, (self.user, self.incoming_group)):
            if not _USER.fullmatch(name):
                raise InputError(f'"{name}" cannot be the name of a user or group', remedy="use a-z, 0-9, - and _")
        if self.user == "root":
            raise InputError("the service is not to run as root", remedy="choose another --user")
        for path in self._paths():
            if not str(path).isprintable():
                raise InputError("the name of a folder holds what cannot be shown", remedy="give it another name")
        for path in (self.base, self.log_dir, *self.writable):
            if no_place := _no_place(path):
                raise InputError(
                    f"{path} is no place for what has to stay",
                    cause=f"the service has no share in {no_place}",
                    remedy="choose a folder such as /var/lib/dicomprinter",
                )
        # The configuration may be a link, and an environment's interpreter is one.
        for path, remedy in ((self.config, _BETTER_CONFIG), (self.python, _BETTER_PYTHON)):
            if no_place := _no_place(path) or _no_place(path.resolve()):
                raise InputError(
                    f"the service cannot see {path}", cause=f"it has no share in {no_place}", remedy=remedy
                )

    def to_json(self) -> str:
        """On one line; `from_json` reads it."""
        return json.dumps({field.name: _plain(getattr(self, field.name)) for field in fields(self)})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What `to_json` wrote. Raises ValueError, KeyError or TypeError."""
        data: dict[str, Any] = json.loads(text)
        paths = {name: Path(data[name]) for name in ("config", "base", "log_dir", "python")}
        return cls(**{**data, **paths, "writable": tuple(Path(path) for path in data["writable"])})

    def _paths(self) -> Iterator[Path]:
        yield from (self.config, self.base, self.log_dir, self.python, *self.writable)


def _no_place(path: Path) -> Path | None:
    """The folder that the service does not see as others do, when the path lies there."""
    return next((place for place in _NO_PLACE if path.is_relative_to(place)), None)


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, PurePath) else value
