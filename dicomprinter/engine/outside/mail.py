"""Sends a mail (SMTP, RFC 5321) by the site's own server."""

from __future__ import annotations

import smtplib
import socket
import ssl
from contextlib import suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import localtime
from typing import TYPE_CHECKING, Final

from dicomprinter.errors import PermanentError, TransientError

if TYPE_CHECKING:
    from dicomprinter.actions.messages import Email, Notice

_SECONDS: Final = 20.0


def send_mail(notice: Notice, email: Email) -> str:
    """Send a message as a mail; a repetition has the same Message-ID.

    Raises:
        PermanentError: the server refuses it, its certificate or its sender, or an address is none.
        TransientError: the server cannot be reached, or takes nothing now.
    """
    message = _message(notice, email)
    server = f"{email.host}:{email.port}"
    try:
        connection = _connected(email)
        try:
            refused = connection.send_message(message)
        finally:
            # It has taken the mail or refused it: what it says to a farewell changes nothing.
            with suppress(OSError):
                connection.quit()
            connection.close()
    except smtplib.SMTPRecipientsRefused as error:
        raise _refused(server, [code for code, _ in error.recipients.values()], _said(error)) from None
    except smtplib.SMTPResponseException as error:
        raise _refused(server, [error.smtp_code], _said(error)) from None
    except smtplib.SMTPNotSupportedError:
        raise PermanentError(
            f"the mail server {server} cannot do what the action wants",
            cause="it offers no STARTTLS, no login, or no addresses beyond ASCII",
            remedy="correct <Tls>, <User> or the addresses",
        ) from None
    except ssl.SSLCertVerificationError as error:
        raise PermanentError(
            f"the certificate of the mail server {server} was refused: {error.verify_message}",
            cause="it is another server, or nobody whom this system trusts has signed it",
            remedy="correct <SmtpHost>, or add the signer to the system's certificates",
        ) from None
    except (OSError, smtplib.SMTPException) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        raise TransientError(
            f"the mail server {server} has not taken the mail: {why}",
            cause="it is away, or another port or kind of <Tls> is meant",
            remedy="start it, or correct <SmtpHost>, <SmtpPort> and <Tls>",
        ) from None
    lost = f"; it refused {len(refused)} of {len(email.to)} addresses" if refused else ""
    return f"in the event stream, and mailed by {server}{lost}"


def _message(notice: Notice, email: Email) -> EmailMessage:
    message = EmailMessage(SMTP)
    message["From"] = _address(email.sender)
    message["To"] = tuple(map(_address, email.to))
    message["Subject"] = "".join(filter(str.isprintable, " ".join(email.subject.split())))
    message["Date"] = localtime()
    message["Message-ID"] = f"<{notice.id}@dicomprinter>"
    # Nobody's absence note comes back (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(notice.text + "\n")
    return message


def _address(text: str) -> Address:
    """One address; nothing in it can begin another header or recipient.

    Raises:
        PermanentError: it is none.
    """
    try:
        address = Address(addr_spec=text.strip())
    except (ValueError, IndexError):
        address = Address()
    if not address.username or not address.domain:
        raise PermanentError(
            "an address of the mail is none", remedy="correct <To> or <From>: somebody@hospital.example", private=text
        )
    return address


def _connected(email: Email) -> smtplib.SMTP:
    """A server that may be told the mail."""
    trusted = ssl.create_default_context()
    # Its own way to find a name asks DNS, which may take long.
    name = socket.gethostname() or "localhost"
    connection = (
        smtplib.SMTP_SSL(email.host, email.port, local_hostname=name, timeout=_SECONDS, context=trusted)
        if email.tls == "tls"
        else smtplib.SMTP(email.host, email.port, local_hostname=name, timeout=_SECONDS)
    )
    try:
        if email.tls == "starttls":
            connection.starttls(context=trusted)
        if email.user:
            connection.login(email.user, email.password)
    except BaseException:
        connection.close()
        raise
    return connection


def _refused(server: str, codes: list[int], said: str) -> PermanentError | TransientError:
    """4yz is worth another try, 5yz is not (RFC 5321 4.2.1)."""
    code = max(codes, default=500)
    what = f"the mail server {server} refused the mail with {code}"
    if code < 500:
        return TransientError(what, cause="it takes nothing now", private=said)
    cause = "it does not accept the user or the password" if code == 535 else "an address, or what is sent there"
    return PermanentError(what, cause=cause, remedy="see what it says in the job's history", private=said)


def _said(error: Exception) -> str:
    return " ".join(str(error).split())[:1000]
