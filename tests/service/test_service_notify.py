"""What systemd is told (sd_notify(3))."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from dicomprinter.service.notify import Notifier, supervisor
from dicomprinter.service.supervisor import Nobody
from tests.service.notify_socket import NotifySocket


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NotifySocket]:
    with NotifySocket(tmp_path, abstract=request.param == "abstract") as opened:
        yield opened


def test_each_message_is_one_of_the_protocol(systemd: NotifySocket) -> None:
    notifier = Notifier(systemd.address, watchdog=60, clock=lambda: 12.5)
    notifier.ready("watches /x")
    assert systemd.receive() == {"READY": "1", "STATUS": "watches /x"}
    notifier.reloading()
    said = systemd.receive()
    assert said.pop("STATUS")
    assert said == {"RELOADING": "1", "MONOTONIC_USEC": "12500000"}
    notifier.alive()
    assert systemd.receive() == {"WATCHDOG": "1"}
    notifier.lost("the thread worker-0 has ended")
    assert systemd.receive() == {"STATUS": "the thread worker-0 has ended"}
    notifier.stopping()
    assert systemd.receive()["STOPPING"] == "1"


def test_a_text_cannot_say_more_than_it_is(systemd: NotifySocket) -> None:
    Notifier(systemd.address).lost("a folder\nSTOPPING=1\r\nMAINPID=1\vREADY=1")
    assert list(systemd.receive()) == ["STATUS"]


def test_signs_of_life_are_neither_too_many_nor_too_few(systemd: NotifySocket) -> None:
    now = [1000.0]
    notifier = Notifier(systemd.address, watchdog=60, clock=lambda: now[0])
    assert notifier.period == 30
    sent = []
    # The service looks round at least once a period, mostly more often.
    for step in (0, 1, 13, 1, 29.75, 14.75, 30, 0.125):
        now[0] += step
        notifier.alive()
        if not systemd.is_silent():
            sent.append(now[0])
    assert len(sent) < 8
    assert all(later - earlier < 60 for earlier, later in pairwise(sent))
    assert sent == [1000, 1015, 1044.75, 1089.5]


def test_without_a_watchdog_no_sign_of_life_is_sent(systemd: NotifySocket) -> None:
    notifier = Notifier(systemd.address)
    assert notifier.period is None
    notifier.alive()
    assert systemd.is_silent()


def test_the_environment_says_whom_to_tell_and_is_not_handed_on(systemd: NotifySocket) -> None:
    environment = {
        "NOTIFY_SOCKET": systemd.address,
        "WATCHDOG_USEC": "60000000",
        "WATCHDOG_PID": str(os.getpid()),
        "HOME": "/x",
    }
    found = supervisor(environment)
    assert isinstance(found, Notifier)
    assert found.period == 30
    assert environment == {"HOME": "/x"}
    found.ready("")
    assert systemd.receive()["READY"] == "1"


@pytest.mark.parametrize(
    ("usec", "pid", "period"),
    [
        ("60000000", None, 30),
        ("60000000", "own", 30),
        ("60000000", "1", None),
        ("", None, None),
        ("0", None, None),
        ("soon", None, None),
    ],
)
def test_a_watchdog_that_is_not_for_this_process_gets_nothing(usec: str, pid: str | None, period: float | None) -> None:
    environment = {"NOTIFY_SOCKET": "/run/systemd/notify", "WATCHDOG_USEC": usec}
    if pid is not None:
        environment["WATCHDOG_PID"] = str(os.getpid()) if pid == "own" else pid
    assert supervisor(environment).period == period


@pytest.mark.parametrize("address", ["", "relative/path", "vsock:2:1234"])
def test_without_a_socket_nobody_is_told(address: str) -> None:
    environment = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "60000000"}
    found = supervisor(environment)
    assert isinstance(found, Nobody)
    assert found.period is None
    assert environment == {}


def test_a_socket_that_has_gone_or_takes_nothing_does_not_stop_the_service(tmp_path: Path) -> None:
    Notifier(str(tmp_path / "gone")).ready("")
    with NotifySocket(tmp_path) as full:
        notifier = Notifier(full.address, watchdog=0.0001)
        begin = time.monotonic()
        for _ in range(3):
            notifier.ready("x" * 200_000)
        assert time.monotonic() - begin < 10
