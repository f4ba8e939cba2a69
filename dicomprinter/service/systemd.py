"""The service under systemd: installed, started, stopped, asked, taken away."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from dicomprinter.config.environment import ENV_FILES
from dicomprinter.errors import InputError, PermanentError
from dicomprinter.service.installation import LOG_FILE, Installation
from dicomprinter.service.state import Standing
from dicomprinter.service.steps import Act, Command, Link, Remove, Run, Step, WriteFile, give_away, run
from dicomprinter.service.unit import installation_of, sysusers_text, tmpfiles_text, unit_text

if TYPE_CHECKING:
    from collections.abc import Iterator

_SYSTEM = Path("/")
_PROPERTIES = (
    "LoadState",
    "ActiveState",
    "SubState",
    "ActiveEnterTimestampMonotonic",
    "MainPID",
    "NRestarts",
    "Result",
    "StatusText",
)
# How `serve` begins what ends it.
_ERROR = "error: "
# What `init` makes in the base directory, and the .env files; folders before what is in them.
_OWN_FILES = ("spool", "spool/incoming", "config", "config/config.xml")
_BY_HAND = "let this machine's own supervisor run `dicomprinter serve --config FILE --base FOLDER --log-dir FOLDER`"


def lets_others_in(folder: Path) -> bool:
    """What is not there cannot be asked; the trial run tells of it."""
    return not folder.is_dir() or bool(folder.stat().st_mode & stat.S_IXOTH)


@dataclass(frozen=True)
class Systemd:
    """The systemd of a machine, or of an image that is being built.

    Args:
        root: where the machine's file system is.
        is_image: whether that machine does not run: then files are written and nothing is run.
        run: runs programs.
        which: finds them.
        user_id: who asks.
        is_open: whether others than its owner may enter a folder.
    """

    root: Path = _SYSTEM
    is_image: bool = False
    run: Run = run
    which: Callable[[str], str | None] = shutil.which
    user_id: int = -1
    writes_units: bool = True
    is_open: Callable[[Path], bool] = lets_others_in

    @property
    def is_running(self) -> bool:
        """Whether systemd runs this machine (sd_booted(3))."""
        return not self.is_image and self.root.joinpath("run", "systemd", "system").is_dir()

    def unit(self, name: str) -> Path:
        """The unit's file."""
        return self._etc("systemd", "system", f"{name}.service")

    def installed(self, name: str) -> Installation | None:
        """What the unit of this name was written from; None when there is none of ours."""
        try:
            return installation_of(self.unit(name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None

    def place(self, path: Path) -> Path:
        """Where a path of the machine's lies from here."""
        return self.root / path.relative_to(path.anchor)

    def require_rights(self, verb: str) -> None:
        """Raises InputError when another than root asks for what only root may do."""
        if not self.is_image and self.user_id != 0:
            words = shlex.join([sys.executable, "-m", "dicomprinter", "service", verb])
            raise InputError(f"only root may {verb} a service", remedy=f"`sudo {words}`")

    # Installing

    def standard(self, name: str) -> Installation:
        """The places that a system's service has on Linux."""
        return Installation(
            name, Path("/etc/dicomprinter/config.xml"), Path("/var/lib/dicomprinter"), Path("/var/log/dicomprinter")
        )

    def installing(self, installation: Installation) -> Iterator[Step]:
        """What has to be done, in order; a step may need those before it to have been done.

        Raises:
            InputError: it cannot work, or a unit of this name is not ours.
        """
        installation.check()
        if not self.is_image and self.which("systemd-sysusers") is None:
            raise InputError("this machine has no systemd", remedy=_BY_HAND)
        if not self.is_image:
            installation.refuse_closed_places(self.is_open)
        unit, name = self.unit(installation.name), installation.name
        if unit.exists() and self.installed(name) is None:
            raise InputError(f"{unit} is not one of ours", remedy="choose another --name")
        users, folders = self._etc("sysusers.d", f"{name}.conf"), self._etc("tmpfiles.d", f"{name}.conf")
        yield WriteFile(users, sysusers_text(installation))
        if not self.is_image:
            yield Command(("systemd-sysusers", str(users)), "the user cannot be made", self.run)
            yield Act(f"look whose the files in {installation.base} are", lambda: self._refuse_others(installation))
        yield WriteFile(folders, tmpfiles_text(installation, self._group(installation.user)))
        if not self.is_image:
            what = f"give what root has made in {installation.base} to {installation.user}"
            yield Act(what, lambda: self._give(installation))
            create = ("systemd-tmpfiles", "--create", str(folders))
            yield Command(create, "the folders cannot be given to the service's user", self.run)
            yield self._trial(installation)
        yield WriteFile(unit, unit_text(installation))
        yield Link(self._wanted(name), f"/etc/systemd/system/{name}.service")
        yield from self._reload()

    def _give(self, installation: Installation) -> str:
        """`init`, an editor and `cp`, run by root, leave files that root alone may read."""
        import pwd  # noqa: PLC0415 - POSIX only

        user = pwd.getpwnam(installation.user)
        names = (*_OWN_FILES, *ENV_FILES)
        given = give_away(self.place(installation.base), names, user.pw_uid, user.pw_gid)
        return f"gave {', '.join(given)} in {installation.base} to {installation.user}" if given else ""

    def _trial(self, installation: Installation) -> Step:
        places = ("check", str(installation.config), "--base", str(installation.base))
        return Command(
            (str(installation.python), "-P", "-m", "dicomprinter", *places),
            f"the user {installation.user} cannot read this program, the configuration or its .env files",
            self.run,
            "install the program where every user may read it (a virtual environment in /opt, say), and give "
            f"{installation.user} the right to read what is named here",
            installation.user,
        )

    def what_next(self, installation: Installation, *, is_changed: bool) -> list[str]:
        """What is left to be done, and by whom."""
        name, log = installation.name, installation.log_dir / LOG_FILE
        lines = []
        if installation.lies_in_a_home:
            lines.append("a part of it lies in a home folder: the unit leaves /home and /root readable, and no more")
        if self.is_image:
            lines.append(f"{self.root}: nothing was run there; users and folders are made when that system starts")
        elif not self.is_running:
            lines.append(
                "no systemd runs here: the service starts when a system with systemd is started from this disk"
            )
        elif is_changed:
            lines.append(f"a service that runs takes this over with `systemctl restart {name}`")
        else:
            lines.append("start it with `dicomprinter service start`; it starts with the machine from now on")
        lines.append(f"it watches {installation.incoming}; its log is {log}, and `journalctl -u {name}`")
        return lines

    def _refuse_others(self, installation: Installation) -> str:
        """A spool in which another has worked would stay closed to the service.

        Raises:
            InputError: it is so, or another service's user works there.
        """
        import pwd  # noqa: PLC0415 - POSIX only

        user_id = pwd.getpwnam(installation.user).pw_uid
        places = [self.place(path) for path in (installation.base / "spool", installation.log_dir)]
        for file in (file for place in places if place.is_dir() for file in place.iterdir()):
            if file.name != installation.incoming.name and file.lstat().st_uid != user_id:
                folders = shlex.join(str(folder) for folder in (installation.base, installation.log_dir))
                raise InputError(
                    f"{file} belongs to another than {installation.user}",
                    cause="another user, or root, has served here",
                    remedy=f"end that one, then `chown -R {installation.user}: {folders}`, or choose another --base",
                )
        return ""

    def uninstalling(self, name: str) -> Iterator[Step]:
        """What has to be done; jobs, logs, configuration and user stay."""
        self.our(name)
        if self.is_running:
            yield Command(("systemctl", "stop", f"{name}.service"), f"{name} cannot be stopped", self.run)
        yield Remove(self._wanted(name))
        yield Remove(self.unit(name))
        yield Remove(self._etc("sysusers.d", f"{name}.conf"))
        yield Remove(self._etc("tmpfiles.d", f"{name}.conf"))
        yield from self._reload()

    def _reload(self) -> Iterator[Step]:
        if self.is_running:
            yield Command(("systemctl", "daemon-reload"), "systemd cannot read its units anew", self.run)

    # Running

    def start(self, name: str) -> None:
        """Start it and wait until it is ready.

        Raises:
            InputError: it is not installed, or no systemd runs.
            PermanentError: it does not start.
        """
        self._control("start", name)

    def stop(self, name: str) -> None:
        """Stop it and wait until it has stopped; as `start`."""
        self._control("stop", name)

    def _control(self, verb: str, name: str) -> None:
        installation = self.our(name)
        if not self.is_running:
            raise InputError(
                "no systemd runs here, so it cannot be asked", remedy=f"`{shlex.join(installation.command)}` serves"
            )
        ended = self.run(("systemctl", verb, f"{name}.service"))
        if ended.returncode:
            raise PermanentError(
                f"systemctl {verb} {name} failed",
                cause=self._what_it_said(name) or " ".join(ended.stderr.split()),
                remedy=f"`journalctl -u {name}` says more, and {installation.log_dir / LOG_FILE}",
            )

    def _what_it_said(self, name: str) -> str:
        """Why the service itself says that it cannot run; systemd knows only that it has ended."""
        said = self.run(("journalctl", "--unit", name, "--output=cat", "--lines=20", "--no-pager")).stdout
        errors = [line for line in said.splitlines() if line.startswith(_ERROR)]
        return errors[-1].removeprefix(_ERROR) if errors else ""

    def standing(self, name: str) -> Standing:
        """How the service stands.

        Raises:
            InputError: it is not installed.
        """
        installation = self.our(name)
        enabled = self._wanted(name).is_symlink()
        if not self.is_running:
            return Standing(installation, "no systemd runs here", is_active=False, starts_by_itself=enabled)
        names = ",".join(_PROPERTIES)
        lines = self.run(("systemctl", "show", f"{name}.service", f"--property={names}")).stdout.splitlines()
        said = dict.fromkeys(_PROPERTIES, "") | dict(line.split("=", 1) for line in lines if "=" in line)
        active = said["ActiveState"] == "active"
        state = f"{said['ActiveState']} ({said['SubState']})"
        if said["Result"] not in ("", "success"):
            state += f", {said['Result']}"
        return Standing(
            installation,
            state,
            is_active=active or said["ActiveState"] == "reloading",
            starts_by_itself=enabled,
            since=_moment(said["ActiveEnterTimestampMonotonic"]) if active else None,
            pid=int(said["MainPID"] or 0) or None,
            restarts=int(said["NRestarts"] or 0),
            # What it said last it said before it ended.
            text=said["StatusText"] if said["MainPID"] not in ("", "0") else "",
        )

    # Parts

    def our(self, name: str) -> Installation:
        """What is installed under this name. Raises InputError when there is nothing of ours."""
        installation = self.installed(name)
        if installation is None:
            raise InputError(
                f"there is no service {name} that this program has installed ({self.unit(name)})",
                remedy="`dicomprinter service install` makes it, --name says which is meant",
            )
        return installation

    def _etc(self, *names: str) -> Path:
        return self.root.joinpath("etc", *names)

    def _wanted(self, name: str) -> Path:
        return self._etc("systemd", "system", "multi-user.target.wants", f"{name}.service")

    def _group(self, user: str) -> str:
        """The user's own group, which has the user's name where systemd-sysusers has made it."""
        if self.is_image:
            return user
        import grp  # noqa: PLC0415 - POSIX only
        import pwd  # noqa: PLC0415

        try:
            return grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name
        except KeyError:
            return user


def systemd(image: Path | None = None) -> Systemd:
    """The systemd of this machine, or of an image, for whoever runs this program."""
    if image is not None:
        return Systemd(image.absolute(), is_image=True, user_id=os.geteuid())
    return Systemd(user_id=os.geteuid())


def _moment(microseconds: str) -> datetime | None:
    """A moment of the monotonic clock as one of the day's."""
    if not microseconds.isdigit() or microseconds == "0":
        return None
    return datetime.now().astimezone() - timedelta(seconds=time.monotonic() - int(microseconds) / 1e6)
