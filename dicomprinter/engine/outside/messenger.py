"""Delivers messages: into the event stream always, then to a desktop, a mailbox or an address of the web."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dicomprinter.actions.messages import Desktop, Email
from dicomprinter.engine.outside.desktop import show

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from dicomprinter.actions.messages import Notice
    from dicomprinter.actions.programs import Programs
    from dicomprinter.engine.events import Events


@dataclass(frozen=True)
class RealMessenger:
    """Delivers messages.

    Args:
        events: the event stream.
        programs: what shows a message on a desktop is a program.
        clock: the local time.
    """

    events: Events
    programs: Programs
    clock: Callable[[], datetime]

    def deliver(self, notice: Notice) -> str:
        """As `actions.messages.Messenger` says."""
        self.events.add(
            {
                "time": self.clock().isoformat(timespec="milliseconds"),
                "id": notice.id,
                "kind": "notify",
                "job": notice.job,
                "action": notice.action,
                "channel": type(notice.channel).__name__.lower(),
                "message": notice.message,
                "private": notice.text,
            }
        )
        if isinstance(notice.channel, Desktop):
            return show(notice, notice.channel, self.programs)
        if isinstance(notice.channel, Email):
            from dicomprinter.engine.outside.mail import send_mail  # noqa: PLC0415 - only a mail pays for it

            return send_mail(notice, notice.channel)
        from dicomprinter.engine.outside.webhook import post  # noqa: PLC0415 - only a webhook pays for it

        return post(notice, notice.channel, self.clock())


class DryMessenger:
    """Delivers nothing."""

    def deliver(self, notice: Notice) -> str:
        """As `actions.messages.Messenger` says."""
        match notice.channel:
            case Desktop():
                where = "it would be shown on the desktop"
            case Email() as mail:
                where = f"it would be mailed to {_count(len(mail.to))} by {mail.host}:{mail.port}"
            case webhook:
                where = f"it would be posted to {webhook.server}"
        return f"a dry run: {where}"


def _count(number: int) -> str:
    return "1 address" if number == 1 else f"{number} addresses"
