"""The service: watches `spool/incoming`, runs the jobs, takes over a changed configuration, ends when it is told to."""

from __future__ import annotations

import logging
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dicomprinter.engine.engine import Engine
from dicomprinter.engine.siblings import merges_of
from dicomprinter.engine.spool import Spool
from dicomprinter.engine.tools import local_now, tools
from dicomprinter.errors import ConfigError, DicomPrinterError
from dicomprinter.imaging.decoder import Decoder
from dicomprinter.intake.accept import Intake
from dicomprinter.intake.incoming import Incoming
from dicomprinter.program import Program, load, with_endpoints
from dicomprinter.service.config_watch import ConfigWatch
from dicomprinter.service.health import find_fault
from dicomprinter.service.log_faults import faults_to_log
from dicomprinter.service.log_form import Form
from dicomprinter.service.logs import Logs
from dicomprinter.service.orders import Order, Orders
from dicomprinter.service.supervisor import Nobody, Supervisor

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LOG = logging.getLogger("dicomprinter.service")
_SETTLING_SECONDS = 0.2
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
        form: how the log is written.
        screen: whether standard error gets the log as well.
        supervisor: is told how the service stands.
    """

    base: Path
    config: Path
    log_dir: Path
    workers: int = 4
    verbose: bool = False
    endpoints: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    form: Form = Form.TEXT
    screen: bool = True
    supervisor: Supervisor = field(default_factory=Nobody)

    def run(self, orders: Orders | None = None) -> None:
        """Serve until a signal ends it, or one of the `orders` of others.

        Raises:
            ConfigError, InputError: the configuration cannot be used.
            SpoolError: the spool belongs to another process, or it or the log cannot be written.
        """
        watch = ConfigWatch(self.config, self.base)
        program = self._load()
        with ExitStack() as stack:
            orders = stack.enter_context(orders or Orders())
            spool = stack.enter_context(Spool.open(self.base))
            logs = stack.enter_context(
                Logs.open(self.log_dir, screen=self.screen, verbose=self.verbose, form=self.form)
            )
            stack.enter_context(faults_to_log())
            logs.adopt(program.general)
            _tell_warnings(program)
            decoder = stack.enter_context(Decoder(program.general.limits, program.general.decoding_seconds))
            decoder.start()
            intake = Intake(spool, decoder, local_now)
            engine = Engine(spool, program, tools(decoder, spool), self.workers)
            incoming = Incoming(spool.incoming, intake, engine.submit, lambda: _interval(engine))
            if merges_of(program):
                # What was being taken in came before what comes now, and a MergeJob takes jobs in that order.
                list(intake.recover())
            engine.start()
            incoming.start()
            _LOG.info("ready: watches %s", spool.incoming)
            running = _Running(engine, incoming, decoder, logs, self.supervisor)
            running.tell_ready()
            self._wait(orders, watch, running)
            _LOG.info("stopping")
            self.supervisor.stopping()
            taken_in, at_rest = incoming.stop(), engine.stop()
            _LOG.info("stopped" if taken_in and at_rest else "stopped; what was not finished is repeated at the start")
            if not (taken_in and at_rest):
                # Threads still use the spool and the decoder: the lock goes with the process, not before.
                stack.pop_all()

    def _load(self) -> Program:
        return with_endpoints(load(self.config, self.base), self.endpoints)

    def _wait(self, orders: Orders, watch: ConfigWatch, running: _Running) -> None:
        while True:
            running.tell_supervisor()
            order = orders.wait(_SETTLING_SECONDS if watch.is_changing else running.longest_wait())
            if order is Order.STOP:
                return
            if order is Order.RELOAD:
                watch.take()
            if order is Order.RELOAD or watch.has_changed():
                running.supervisor.reloading()
                self._reload(running)
                running.tell_ready()

    def _reload(self, running: _Running) -> None:
        try:
            program = self._load()
        except ConfigError as error:
            for problem in error.problems:
                _LOG.error("%s", problem)
            _LOG.error("the configuration is not valid; the one before stays in use")
        except DicomPrinterError as error:
            _LOG.error("%s; the configuration before stays in use", error)
        else:
            running.engine.reload(program)
            running.logs.adopt(program.general)
            running.decoder.adopt(program.general.limits, program.general.decoding_seconds)
            _LOG.info("the configuration was loaded anew")
            _tell_warnings(program)


@dataclass
class _Running:
    """The parts of a service that runs, and what was last told of them."""

    engine: Engine
    incoming: Incoming
    decoder: Decoder
    logs: Logs
    supervisor: Supervisor
    fault: str = ""

    def tell_ready(self) -> None:
        self.supervisor.ready(f"watches {self.incoming.folder}")

    def tell_supervisor(self) -> None:
        """A sign of life if every part works, else once what does not."""
        before, self.fault = self.fault, find_fault(self.engine, self.incoming)
        if self.fault and self.fault != before:
            _LOG.error("%s; if nothing starts the service anew now, do so", self.fault)
            self.supervisor.lost(self.fault)
        elif not self.fault:
            if before:
                self.tell_ready()
            self.supervisor.alive()

    def longest_wait(self) -> float:
        return min(_interval(self.engine), _LONGEST_WAIT, self.supervisor.period or _LONGEST_WAIT)


def _tell_warnings(program: Program) -> None:
    for warning in program.remarks:
        _LOG.warning("%s", warning)


def _interval(engine: Engine) -> float:
    """CheckingInterval in seconds, of the configuration that is in use now."""
    return engine.program.general.checking_interval.total_seconds()
