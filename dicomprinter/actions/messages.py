"""What tells a person something: the message, and where it goes beside the service's event stream."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Desktop:
    """A notification on the desktop, where there is one; `seconds` that it stays."""

    seconds: float


@dataclass(frozen=True)
class Email:
    """A mail; its `repr`, as that of a Notice, tells nothing of the patient.

    Args:
        to: addresses.
        sender: an address.
        subject: one line.
        tls: `starttls`, `tls` (from the first byte) or `none`.
        user: who logs in; empty: nobody does.
    """

    host: str
    port: int
    tls: str
    to: tuple[str, ...] = field(repr=False)
    sender: str
    subject: str = field(repr=False)
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class Webhook:
    """A JSON object that is posted.

    Args:
        server: whose name may be told.
        url: http or https; what stands behind the server's name may be a secret.
        token: a bearer token; empty: none.
    """

    server: str
    url: str = field(repr=False)
    token: str = field(default="", repr=False)


Channel = Desktop | Email | Webhook


@dataclass(frozen=True)
class Notice:
    """A message about a job.

    Args:
        id: the same when the node is repeated after a crash, so that whoever gets it twice can tell.
        job: the job's id.
        action: the action's name.
        message: the text as the configuration has it, without the patient's values.
        text: the text.
        channel: where it goes.
    """

    id: str
    job: str
    action: str
    message: str
    text: str = field(repr=False)
    channel: Channel


class Messenger(Protocol):
    """Delivers messages; a dry run and tests put their own here."""

    def deliver(self, notice: Notice) -> str:
        """Put a message into the event stream, then send it where it is to go.

        Returns:
            What became of it, for the history; no patient data.

        Raises:
            PermanentError: it was refused.
            TransientError: nobody has taken it now.
        """
