"""Programs of others, started for actions: no shell, limits of time and output, killed with all that they start."""

from __future__ import annotations

import errno
import os
import re
import shutil
import sys
import threading
import time
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final

from dicomprinter.actions.programs import Ended, last_lines
from dicomprinter.engine.outside.environment import environment, no_desktop
from dicomprinter.engine.outside.exchange import TooMuchOutputError, Written, exchange
from dicomprinter.engine.outside.process_group import ProcessGroup
from dicomprinter.errors import Interrupted, PermanentError, TransientError

if TYPE_CHECKING:
    from dicomprinter.actions.programs import Call

# Other failures to start a program come of the program.
_NO_ROOM: Final = (errno.EAGAIN, errno.ENOMEM)
_OF_THE_MACHINE: Final = (errno.ENOSPC, errno.EIO, errno.EMFILE, errno.ENFILE)
_BATCH: Final = (".bat", ".cmd")
# cmd.exe, which Windows starts for a batch file, reads these as more than text.
_FOR_CMD: Final = re.compile(r'["%!^&|<>()\r\n]')
_CODES: Final = 1 << 32


class RealPrograms:
    """Starts programs. `close` kills those that run: their `run` raises Interrupted, as does each one after that."""

    def __init__(self) -> None:
        self._running: set[ProcessGroup] = set()
        self._changing = threading.Lock()
        self._is_closed = False

    @property
    def desktop(self) -> str:
        """Why a program cannot be shown on an operator's desktop; empty when it can."""
        return no_desktop()

    def run(self, call: Call) -> Ended | None:
        """As `actions.programs.Programs` says."""
        program = call.name
        until = time.monotonic() + call.timeout
        group = self._start(call)
        written = Written(call.most_output)
        try:
            exchange(group, call.data, written, until)
        except TimeoutError:
            raise TransientError(
                f'the program "{program}" was stopped: it had not ended after {call.timeout:g} s',
                cause="it waits for something, or needs longer",
                remedy="give it a longer Timeout, or mend it",
                private=last_lines(bytes(written.errors)),
            ) from None
        except TooMuchOutputError:
            raise PermanentError(
                f'the program "{program}" was stopped: it wrote more than {call.most_output} bytes to standard output',
                cause="it writes more than was asked for, a log say",
                remedy="let it write that to standard error, or to a file",
                private=last_lines(bytes(written.errors)),
            ) from None
        finally:
            self._end(group)
        if self._is_closed:
            raise Interrupted
        return Ended(_code(group.process.returncode), bytes(written.output), bytes(written.errors))

    def close(self) -> None:
        """Kill what runs, and start nothing any more."""
        with self._changing:
            self._is_closed = True
            for group in self._running:
                group.kill()

    def _start(self, call: Call) -> ProcessGroup:
        command = (_found(call.command[0], call.name), *call.command[1:])
        if sys.platform == "win32":
            refuse_for_cmd(command, call.name)
        variables = {**environment(call.passed_on, on_desktop=call.on_desktop), **call.environment}
        with self._changing:
            if self._is_closed:
                raise Interrupted
            try:
                group = ProcessGroup(command, call.folder, variables)
            except (OSError, ValueError) as error:
                raise _not_started(call.name, error) from None
            self._running.add(group)
        return group

    def _end(self, group: ProcessGroup) -> None:
        if group.process.poll() is None:
            group.kill()
        with self._changing:
            self._running.discard(group)
        group.close()


def _found(program: str, name: str) -> str:
    """The program's full path.

    Raises:
        PermanentError: it is not there, or no program.
    """
    path = Path(program)
    if path.name == program:
        found = shutil.which(program)
        if found is None:
            raise PermanentError(
                f'there is no program "{name}"',
                cause="no folder of PATH, as the service has it, holds one of this name",
                remedy="install it, or give its full path in <Command>",
            )
        return str(Path(found).absolute())
    if not path.is_absolute():
        raise PermanentError(
            f'"{name}" is neither the full path of a program nor a name alone',
            cause="a path that is not full depends on where the service was started",
            remedy="give its full path in <Command>, or its name alone if PATH holds it",
        )
    if not path.is_file():
        raise PermanentError(f'there is no program "{name}"', remedy="correct its path in <Command>, or install it")
    if not os.access(path, os.X_OK):
        raise PermanentError(f'"{name}" may not be run', remedy=f"chmod +x {name}, say")
    return program


def refuse_for_cmd(command: tuple[str, ...], name: str) -> None:
    """A value of the job must not become a command of its own where Windows has cmd.exe read it.

    Raises:
        PermanentError: it would.
    """
    is_batch = PurePath(command[0]).suffix.lower() in _BATCH
    if is_batch and any(_FOR_CMD.search(argument) for argument in command[1:]):
        raise PermanentError(
            f'an argument for "{name}" holds a sign that Windows\' cmd.exe takes for its own',
            cause="cmd.exe reads the arguments of a batch file",
            remedy="give such values by <Input>, or start the program itself",
        )


def _not_started(program: str, error: OSError | ValueError) -> Exception:
    if isinstance(error, ValueError):
        # NUL ends a text in every system.
        return PermanentError("an argument or a variable of the program holds the character NUL", remedy="correct it")
    if error.errno in _OF_THE_MACHINE:
        return error
    if error.errno in _NO_ROOM:
        return TransientError(
            f'the program "{program}" was not started: {error.strerror}',
            cause="too many processes run, or the memory is used up",
        )
    causes = {
        errno.ENOEXEC: "it is no program of this system; a script begins with #! and its interpreter",
        errno.ENOENT: "the interpreter that its first line names is missing",
        errno.E2BIG: "its arguments and variables are too long; give values by <Input>",
        errno.EACCES: "it lies on a disk from which nothing may be run",
    }
    return PermanentError(
        f'the program "{program}" cannot be started: {error.strerror or type(error).__name__}',
        cause=causes.get(error.errno or 0, ""),
        remedy="try it from a command line, as the user of the service",
    )


def _code(code: int) -> int:
    """Windows has 32 bits of it: -2 comes as 4294967294."""
    return code - _CODES + 256 if _CODES - 128 <= code < _CODES else code
