"""What an installation does, step by step: each can be told before it is done, and says whether it changed anything."""

from __future__ import annotations

import difflib
import errno
import os
import stat
import subprocess
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from dicomprinter.errors import InputError, PermanentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Run = Callable[..., subprocess.CompletedProcess[str]]


def run(command: Sequence[str], user: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program of the system's, as root or as another user with that one's groups, and keep what it says.

    Raises:
        InputError: there is no such program, or this user may not run it.
    """
    try:
        return subprocess.run(  # noqa: S603 - no shell; the words are ours and the administrator's
            list(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            cwd="/" if user else None,
            # What root has in its environment the service will not have.
            env={"PATH": os.environ.get("PATH", os.defpath)},
            user=user,
            group=_group_id(user) if user else None,
            extra_groups=[] if user else None,
        )
    except FileNotFoundError:
        raise InputError(f"there is no {command[0]} on this machine") from None
    except PermissionError:
        raise InputError(f"{command[0]} cannot be run as {user or 'this user'}") from None


def _group_id(user: str) -> int:
    import pwd  # noqa: PLC0415 - POSIX only

    return pwd.getpwnam(user).pw_gid


def give_away(base: Path, names: Iterable[str], user_id: int, group_id: int) -> list[str]:
    """Give files and folders of root's to a user, modes unchanged; what another owns is left.

    No link is followed, hard ones neither: in a folder that is the user's own, they could lead to anything.

    Args:
        base: the folder they are in.
        names: below it, folders before what is in them; what is not there is left out.
        user_id: who gets them.
        group_id: the group that gets them.

    Returns:
        The names of what was given.
    """
    given = []
    for name in names:
        with suppress(FileNotFoundError, NotADirectoryError), ExitStack() as opened:
            place = _opened(opened, str(base), None, os.O_DIRECTORY)
            *folders, last = name.split("/")
            try:
                for folder in folders:
                    place = _opened(opened, folder, place, os.O_DIRECTORY)
                file = _opened(opened, last, place, os.O_NONBLOCK)
            except OSError as error:
                if error.errno == errno.ELOOP:
                    continue
                raise
            found = os.fstat(file)
            is_plain = stat.S_ISDIR(found.st_mode) or (stat.S_ISREG(found.st_mode) and found.st_nlink == 1)
            if found.st_uid == 0 != user_id and is_plain:
                os.fchown(file, user_id, group_id)
                given.append(name)
    return given


def _opened(opened: ExitStack, name: str, place: int | None, flags: int) -> int:
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | flags, dir_fd=place)
    opened.callback(os.close, descriptor)
    return descriptor


class Step(Protocol):
    """Something to be done."""

    def plan(self) -> str:
        """What it would do."""

    def do(self) -> str:
        """Do it; what it changed, or an empty text."""


@dataclass(frozen=True)
class WriteFile:
    """A file of this content, readable by all."""

    file: Path
    text: str

    def plan(self) -> str:
        """Whether the file is there and would change."""
        before = self._before()
        if before is None:
            return f"write {self.file}"
        return f"change {self.file}:\n{self._difference(before)}" if before != self.text else f"leave {self.file}"

    def do(self) -> str:
        """Rename it in, so that nobody reads half of it."""
        before = self._before()
        if before == self.text:
            return ""
        new = self.file.with_name(f".{self.file.name}.new")
        self.file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        new.write_text(self.text, encoding="utf-8")
        new.chmod(0o644)
        new.replace(self.file)
        return f"wrote {self.file}" if before is None else f"changed {self.file}:\n{self._difference(before)}"

    def _before(self) -> str | None:
        try:
            return self.file.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return None

    def _difference(self, before: str) -> str:
        lines = difflib.unified_diff(before.splitlines(), self.text.splitlines(), n=0, lineterm="")
        # The settings say once more what the other lines say.
        passed_over = ("---", "+++", "-Settings=", "+Settings=")
        told = [line for line in lines if line[0] in "+-" and not line.startswith(passed_over)]
        return "\n".join(f"  {line}" for line in told)


@dataclass(frozen=True)
class Link:
    """A symbolic link: what `systemctl enable` makes, in an image and without a running systemd as well."""

    link: Path
    target: str

    def plan(self) -> str:
        """The link and where it leads."""
        return f"leave {self.link}" if self._is_there() else f"link {self.link} to {self.target}"

    def do(self) -> str:
        """Make it; another one of this name goes."""
        if self._is_there():
            return ""
        self.link.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(self.target)
        return f"enabled: {self.link}"

    def _is_there(self) -> bool:
        return self.link.is_symlink() and os.readlink(self.link) == self.target  # noqa: PTH115 - the text itself


@dataclass(frozen=True)
class Remove:
    """A file or link that is to go."""

    file: Path

    def plan(self) -> str:
        """The file."""
        return f"remove {self.file}"

    def do(self) -> str:
        """Remove it, if it is there."""
        if not os.path.lexists(self.file):
            return ""
        self.file.unlink()
        return f"removed {self.file}"


@dataclass(frozen=True)
class Act:
    """Something that this program does itself: what it is, and how. `act` says what it changed, or nothing."""

    what: str
    act: Callable[[], str]

    def plan(self) -> str:
        """What it is."""
        return self.what

    def do(self) -> str:
        """Do it."""
        return self.act()


@dataclass(frozen=True)
class Command:
    """A program of the system's.

    Args:
        command: the program and its arguments.
        what: what failed when it fails.
        remedy: what to do then.
        run: runs it.
        user: who runs it, or root.
    """

    command: tuple[str, ...]
    what: str
    run: Run
    remedy: str = ""
    user: str | None = None

    def plan(self) -> str:
        """The command."""
        return f"run {' '.join(self.command)}{f' as {self.user}' if self.user else ''}"

    def do(self) -> str:
        """Run it; says nothing.

        Raises:
            PermanentError: it failed.
        """
        ended = self.run(self.command, self.user) if self.user else self.run(self.command)
        if ended.returncode:
            said = " | ".join((ended.stderr or ended.stdout).strip().splitlines()[-3:])
            raise PermanentError(
                self.what, cause=said or f"{self.command[0]} ended with {ended.returncode}", remedy=self.remedy
            )
        return ""
