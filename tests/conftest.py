"""Fixtures for SCPs in this process (tests/scp.py) and real programs (tests/peers)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from dicomprinter.demo.pacs import EmbeddedPacs
from tests.peers import program, servers
from tests.scp import StorageScp


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


@pytest.fixture
def no_thread_is_left_behind() -> Iterator[None]:
    """For `usefixtures`: what is tested must end what it started."""
    before = set(threading.enumerate())
    yield
    left = [thread for thread in set(threading.enumerate()) - before if not thread.daemon]
    for thread in left:
        thread.join(5)
    assert not [thread for thread in left if thread.is_alive()]
