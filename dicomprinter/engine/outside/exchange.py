"""Standard input, output and error of a program: never more in memory than wanted, never waited for in vain."""

from __future__ import annotations

import os
import queue
import selectors
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from dicomprinter.engine.outside.process_group import ProcessGroup

_BLOCK: Final = 1 << 16
# As much as a pipe may hold.
_PIPE: Final = 1 << 20
_LOOK_SECONDS: Final = 0.05
_ERRORS: Final = 1 << 16


class TooMuchOutputError(Exception):
    """A program has written more to standard output than it may."""


@dataclass
class Written:
    """What a program has written: standard output up to a limit, of standard error the end."""

    most: int
    output: bytearray = field(default_factory=bytearray, repr=False)
    errors: bytearray = field(default_factory=bytearray, repr=False)

    def add_output(self, block: bytes) -> None:
        """Raises TooMuchOutputError."""
        self.output += block
        if len(self.output) > self.most:
            raise TooMuchOutputError

    def add_errors(self, block: bytes) -> None:
        """The oldest of it goes."""
        self.errors += block
        del self.errors[:-_ERRORS]


def exchange(group: ProcessGroup, data: bytes, written: Written, until: float) -> None:
    """Give a program its input and take what it writes, until it ends.

    What it has written then counts. What is left of its group is killed; nobody is waited for who holds its pipes.

    Args:
        group: the program.
        data: its standard input.
        written: takes what it writes, also when this raises.
        until: on the monotonic clock.

    Raises:
        TimeoutError: it had not ended then.
        TooMuchOutputError: it was at it, beyond the limit.
    """
    if sys.platform == "win32":
        _by_threads(group, data, written, until)
    else:
        _by_selector(group, data, written, until)


def _by_selector(group: ProcessGroup, data: bytes, written: Written, until: float) -> None:
    process = group.process
    stdin, readers = _pipes(process, written)
    rest = memoryview(data)
    with selectors.DefaultSelector() as selector:
        for pipe in (stdin, *readers):
            os.set_blocking(pipe.fileno(), False)
            selector.register(pipe, selectors.EVENT_WRITE if pipe is stdin else selectors.EVENT_READ)
        while process.poll() is None:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            if not selector.get_map():
                # It has closed all of them and goes on.
                with suppress(subprocess.TimeoutExpired):
                    process.wait(left)
                continue
            for key, _ in selector.select(min(left, _LOOK_SECONDS)):
                pipe = cast("IO[bytes]", key.fileobj)
                if pipe is stdin:
                    rest = _write(pipe, rest)
                    is_open = bool(rest)
                else:
                    is_open = _read(pipe, _BLOCK, readers[pipe])
                if not is_open:
                    selector.unregister(pipe)
                    pipe.close()
    group.kill_rest()
    for pipe, take in readers.items():
        if not pipe.closed:
            _read(pipe, _PIPE, take)


def _pipes(
    process: subprocess.Popen[bytes], written: Written
) -> tuple[IO[bytes], dict[IO[bytes], Callable[[bytes], None]]]:
    """Standard input, and what takes the blocks of the two others."""
    output, errors = cast("IO[bytes]", process.stdout), cast("IO[bytes]", process.stderr)
    return cast("IO[bytes]", process.stdin), {output: written.add_output, errors: written.add_errors}


def _write(pipe: IO[bytes], rest: memoryview) -> memoryview:
    """What is left; nothing when nobody reads it any more."""
    try:
        return rest[os.write(pipe.fileno(), rest[:_BLOCK]) :] if rest else rest
    except BlockingIOError:
        return rest
    except BrokenPipeError:
        return rest[:0]


def _read(pipe: IO[bytes], most: int, take: Callable[[bytes], None]) -> bool:
    """Whether more may come."""
    try:
        block = os.read(pipe.fileno(), most)
    except BlockingIOError:
        return True
    take(block)
    return bool(block)


def _by_threads(group: ProcessGroup, data: bytes, written: Written, until: float) -> None:
    """Where pipes cannot be selected."""
    process = group.process
    stdin, readers = _pipes(process, written)
    floods: queue.SimpleQueue[TooMuchOutputError] = queue.SimpleQueue()

    def give() -> None:
        rest = memoryview(data)
        # Nobody reads it any more, or it has been closed here.
        with suppress(OSError, ValueError), stdin:
            while rest:
                rest = rest[stdin.write(rest) :]

    def take_all(pipe: IO[bytes], take: Callable[[bytes], None]) -> None:
        try:
            with suppress(OSError, ValueError):
                while block := os.read(pipe.fileno(), _BLOCK):
                    take(block)
        except TooMuchOutputError as error:
            floods.put(error)

    takers = [threading.Thread(target=take_all, args=pair, daemon=True) for pair in readers.items()]
    threading.Thread(target=give, daemon=True).start()
    for taker in takers:
        taker.start()
    while process.poll() is None:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if not floods.empty():
            raise floods.get()
        with suppress(subprocess.TimeoutExpired):
            process.wait(min(left, _LOOK_SECONDS))
    # Nobody holds the pipes any more.
    group.kill_rest()
    for taker in takers:
        taker.join(min(1.0, max(0.0, until - time.monotonic())))
    if not floods.empty():
        raise floods.get()
