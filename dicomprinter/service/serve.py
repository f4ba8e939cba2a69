"""The service: watches `spool/incoming`, runs the jobs, takes over a changed configuration, ends when it is told to."""

from __future__ import annotations

import logging
import queue
import signal
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dicomprinter.engine.engine import Engine
from dicomprinter.engine.spool import Spool
from dicomprinter.engine.tools import local_now, tools
from dicomprinter.errors import ConfigError, DicomPrinterError
from dicomprinter.imaging.decoder import Decoder
from dicomprinter.intake.accept import Intake
from dicomprinter.intake.incoming import Incoming
from dicomprinter.program import Program, load, with_endpoints
from dicomprinter.service.config_watch import ConfigWatch
from dicomprinter.service.logs import Logs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from types import FrameType

_LOG = logging.getLogger("dicomprinter.service")
_SETTLING_SECONDS = 0.2
_STOP, _RELOAD = "stop", "reload"
# Elsewhere than on Linux a signal does not end a wait that has no limit.
_LONGEST_WAIT = 3600.0 if sys.platform == "linux" else 1.0


@dataclass(frozen=True)
class Service:
    """What a service is started with.

    Args:
        base: the base directory.
        config: the configuration.
        log_dir: where the log goes.
        workers: how many jobs run at once.
        verbose: whether DEBUG is logged.
        endpoints: addresses that replace those of the file, by an action's name or an AE title.
    """

    base: Path
    config: Path
    log_dir: Path
    workers: int = 2
    verbose: bool = False
    endpoints: Mapping[str, tuple[str, int]] = field(default_factory=dict)

    def run(self) -> None:
        """Serve until a signal ends it.

        Raises:
            ConfigError, InputError: the configuration cannot be used.
            SpoolError: the spool belongs to another process, or it or the log cannot be written.
        """
        watch = ConfigWatch(self.config, self.base)
        program = self._load()
        with ExitStack() as stack:
            signals = stack.enter_context(_Signals())
            spool = stack.enter_context(Spool.open(self.base))
            logs = stack.enter_context(Logs.open(self.log_dir, screen=True, verbose=self.verbose))
            logs.adopt(program.general)
            _tell_warnings(program)
            decoder = stack.enter_context(Decoder())
            intake = Intake(spool, decoder, local_now)
            engine = Engine(spool, program, tools(decoder), self.workers)
            incoming = Incoming(spool.incoming, intake, engine.submit, lambda: _interval(engine))
            engine.start()
            incoming.start()
            _LOG.info("ready: watches %s", spool.incoming)
            self._wait(signals, watch, engine, logs)
            _LOG.info("stopping")
            taken_in, at_rest = incoming.stop(), engine.stop()
            _LOG.info("stopped" if taken_in and at_rest else "stopped; what was not finished is repeated at the start")
            if not (taken_in and at_rest):
                # Threads still use the spool and the decoder: the lock goes with the process, not before.
                stack.pop_all()

    def _load(self) -> Program:
        return with_endpoints(load(self.config, self.base), self.endpoints)

    def _wait(self, signals: _Signals, watch: ConfigWatch, engine: Engine, logs: Logs) -> None:
        while True:
            wanted = signals.wait(_SETTLING_SECONDS if watch.is_changing else min(_interval(engine), _LONGEST_WAIT))
            if wanted == _STOP:
                return
            if wanted == _RELOAD:
                watch.take()
            if wanted == _RELOAD or watch.has_changed():
                self._reload(engine, logs)

    def _reload(self, engine: Engine, logs: Logs) -> None:
        try:
            program = self._load()
        except ConfigError as error:
            for problem in error.problems:
                _LOG.error("%s", problem)
            _LOG.error("the configuration is not valid; the one before stays in use")
        except DicomPrinterError as error:
            _LOG.error("%s; the configuration before stays in use", error)
        else:
            engine.reload(program)
            logs.adopt(program.general)
            _LOG.info("the configuration was loaded anew")
            _tell_warnings(program)


class _Signals:
    """Signals as a queue, whose `put` may be called inside a handler at any moment."""

    def __init__(self) -> None:
        self._came: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._before: dict[int, Any] = {}

    def __enter__(self) -> _Signals:
        for number, wanted in _handled():
            self._before[number] = signal.signal(number, self._handler(wanted))
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def wait(self, timeout: float) -> str | None:
        """The next that came, or None."""
        try:
            return self._came.get(timeout=timeout)
        except queue.Empty:
            return None

    def _handler(self, wanted: str) -> Callable[[int, FrameType | None], None]:
        def handle(_number: int, _frame: FrameType | None) -> None:
            self._came.put(wanted)

        return handle


def _handled() -> Iterator[tuple[int, str]]:
    # Windows has no SIGHUP; its Ctrl-Break is SIGBREAK.
    names = {"SIGTERM": _STOP, "SIGINT": _STOP, "SIGBREAK": _STOP, "SIGHUP": _RELOAD}
    for name, wanted in names.items():
        number = getattr(signal, name, None)
        if number is not None:
            yield number, wanted


def _tell_warnings(program: Program) -> None:
    for warning in program.warnings:
        _LOG.warning("%s", warning)


def _interval(engine: Engine) -> float:
    """CheckingInterval in seconds, of the configuration that is in use now."""
    return engine.program.general.checking_interval.total_seconds()
