"""A mail server on the loopback interface that keeps what it gets, and misbehaves on demand."""

from __future__ import annotations

import socketserver
import ssl
import threading
from collections.abc import Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from dicomprinter.demo.listener import LOOPBACK

_OFFERS = "250-here\r\n250-SMTPUTF8\r\n250-8BITMIME{more}\r\n250 OK\r\n"


class Smtp:
    """Takes mails; `answers` are said instead of the usual ones, by the command, `RCPT` by its address."""

    def __init__(self, answers: Mapping[str, str] | None = None, certificate: Path | None = None) -> None:
        self.answers = dict(answers or {})
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.commands: list[str] = []
        self.context: ssl.SSLContext | None = None
        if certificate is not None:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate)
        self._server = socketserver.ThreadingTCPServer((LOOPBACK, 0), _Session)
        self._server.daemon_threads = True
        self._server.desk = self  # type: ignore[attr-defined]
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        desk: Smtp = cast("Any", self.server).desk
        self.say(desk.answers.get("CONNECT", "220 here"))
        is_secret = False
        while line := self.rfile.readline().decode():
            desk.commands.append(line.strip())
            command = line[:4].upper()
            answer = desk.answers.get(line.strip()) or desk.answers.get(command)
            if answer == "":
                return
            if command == "EHLO" and answer is None:
                more = "\r\n250-AUTH PLAIN" if is_secret or desk.context is None else "\r\n250-STARTTLS"
                self.wfile.write(_OFFERS.format(more=more).encode())
            elif command == "STAR" and answer is None and desk.context is not None:
                self.say("220 go on")
                try:
                    self.request = desk.context.wrap_socket(self.request, server_side=True)
                except (ssl.SSLError, OSError):
                    return
                self.setup()
                is_secret = True
            elif command == "DATA" and answer is None:
                self.say("354 go on")
                data = b"".join(iter(self.rfile.readline, b".\r\n"))
                desk.mails.append(cast("EmailMessage", message_from_bytes(data, policy=policy.SMTP)))
                self.say("250 taken")
            else:
                if command == "RCPT" and answer is None:
                    desk.recipients.append(line.split(":", 1)[1].strip())
                self.say(answer or ("235 in" if command == "AUTH" else "221 bye" if command == "QUIT" else "250 ok"))

    def say(self, answer: str) -> None:
        self.wfile.write(f"{answer}\r\n".encode())
