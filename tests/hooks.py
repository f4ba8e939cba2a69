"""A web server on the loopback interface that keeps what is posted, and answers as it is told."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self, cast

from dicomprinter.demo.listener import LOOPBACK


@dataclass(frozen=True)
class Posted:
    """What came."""

    path: str
    headers: dict[str, str]
    body: Any


class Hook:
    """Takes what is posted; each `(status, headers)` of `answers` is one answer, the last one holds on."""

    def __init__(self, *answers: tuple[int, dict[str, str]]) -> None:
        self.answers = list(answers) or [(204, {})]
        self.posted: list[Posted] = []
        self._server = ThreadingHTTPServer((LOOPBACK, 0), _Handler)
        self._server.hook = self  # type: ignore[attr-defined]
        self.port = self._server.server_port
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


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        hook: Hook = cast("Any", self.server).hook
        body = self.rfile.read(int(self.headers["Content-Length"]))
        hook.posted.append(Posted(self.path, dict(self.headers.items()), json.loads(body)))
        status, headers = hook.answers.pop(0) if len(hook.answers) > 1 else hook.answers[0]
        if status == 0:
            return
        self.send_response(status)
        for name, text in headers.items():
            self.send_header(name, text)
        self.end_headers()
        if status >= 400:
            self.wfile.write(b"no room for Doe^Jane")

    do_GET = do_POST  # noqa: N815 - the library's name

    def log_message(self, *_: object) -> None:
        """Nothing."""
