"""Fixtures for SCPs in this process (tests/scp.py) and real programs (tests/peers)."""

from __future__ import annotations

import logging
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from pydicom.config import settings

from dicomprinter.demo.pacs import EmbeddedPacs
from dicomprinter.imaging.decoder import Decoder
from tests.canary import Canary
from tests.peers import program, servers
from tests.scp import StorageScp


def pytest_configure(config: pytest.Config) -> None:
    """Patient data of any test, where none may be, fails it."""
    config.pluginmanager.register(Canary(), "canary")
    # A shell that starts the tests in the background has them ignore it, and with them every program that they start.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # A machine that has other things to do makes no example wrong, nor one that was drawn slowly. The same are drawn
    # each time: a change must not fail by what an earlier one has done. New ones are for `make fuzz`.
    hypothesis.settings.register_profile(
        "patient", deadline=None, derandomize=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
    )
    hypothesis.settings.load_profile("patient")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """`@pytest.mark.peer("storescp")` skips, or fails under CI, where the program is missing."""
    for mark in item.iter_markers("peer"):
        for name in mark.args:
            program(name)


@pytest.fixture
def running() -> Iterator[Callable[[Any], Any]]:
    """Starts any SCP or real program and ends it after the test: `pacs = running(StorageScp(answers=[0xA700]))`."""
    with ExitStack() as stack:
        yield stack.enter_context


@pytest.fixture
def storage_scp() -> Iterator[StorageScp]:
    """Takes everything and keeps it."""
    with StorageScp() as scp:
        yield scp


@pytest.fixture
def pacs(tmp_path: Path) -> Iterator[EmbeddedPacs]:
    """The demonstration's archive, empty."""
    with EmbeddedPacs(tmp_path / "pacs") as archive:
        yield archive


@pytest.fixture
def storescp(tmp_path: Path) -> Iterator[servers.StoreServer]:
    with servers.storescp(tmp_path / "storescp") as server:
        yield server


@pytest.fixture
def dcmqrscp(tmp_path: Path) -> Iterator[servers.ArchiveServer]:
    with servers.dcmqrscp(tmp_path / "dcmqrscp") as server:
        yield server


@pytest.fixture
def orthanc(tmp_path: Path) -> Iterator[servers.Orthanc]:
    with servers.orthanc(tmp_path / "orthanc") as server:
        yield server


@pytest.fixture(scope="session")
def decoder() -> Iterator[Decoder]:
    """One for all: its process takes longer to start than most tests to run."""
    with Decoder() as opened:
        yield opened


@pytest.fixture
def no_socket_is_left_open(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[socket.socket]]:
    """For `usefixtures`: what is tested must close every connection that it opened. All of them, in order."""
    opened: list[socket.socket] = []
    connect = socket.create_connection

    def create_connection(*arguments: Any, **options: Any) -> socket.socket:
        opened.append(connect(*arguments, **options))
        return opened[-1]

    monkeypatch.setattr(socket, "create_connection", create_connection)
    yield opened
    assert [one for one in opened if one.fileno() != -1] == []


@pytest.fixture
def libraries_as_before() -> Iterator[None]:
    """For `usefixtures`: a command silences libraries for its whole process, and here others come after it."""
    loggers = [logging.getLogger(name) for name in ("pydicom", "pynetdicom", "dicomprinter")]
    levels = [logger.level for logger in loggers]
    reading, writing = settings.reading_validation_mode, settings._writing_validation_mode
    yield
    settings.reading_validation_mode, settings._writing_validation_mode = reading, writing
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
