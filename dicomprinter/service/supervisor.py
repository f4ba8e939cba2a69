"""Whoever started the service and watches over it: systemd, Windows, or nobody."""

from __future__ import annotations

from typing import Protocol


class Supervisor(Protocol):
    """What a supervisor is told.

    Attributes:
        period: it wants a sign of life at least every so many seconds; None when it wants none.
    """

    period: float | None

    def ready(self, text: str) -> None:
        """The service watches its folder; also after `reloading`."""

    def reloading(self) -> None:
        """The configuration is being loaded anew."""

    def alive(self) -> None:
        """Every part of the service works. Called whenever the service looks round, so rather too often."""

    def lost(self, why: str) -> None:
        """A part of the service has ended or stands still: no sign of life follows."""

    def stopping(self) -> None:
        """The service comes to its end."""


class Nobody:
    """Is told and does nothing: the service was started by hand."""

    period: float | None = None

    def ready(self, text: str) -> None:
        """Nothing."""

    def reloading(self) -> None:
        """Nothing."""

    def alive(self) -> None:
        """Nothing."""

    def lost(self, why: str) -> None:
        """Nothing."""

    def stopping(self) -> None:
        """Nothing."""
