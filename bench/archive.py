"""`python -m bench.archive`: an archive that takes everything and keeps nothing, so quick that it is never waited for.

It says its port on a line, then a line for each object that it has taken: when, in seconds of the monotonic clock, and
the bytes of its data set.
"""

from __future__ import annotations

import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from typing import Final

_ASSOCIATE_RQ, _DATA, _RELEASE_RQ = 0x01, 0x04, 0x05
_RELEASE_RP: Final = bytes((0x06, 0, 0, 0, 0, 4, 0, 0, 0, 0))
_CONTEXT_RQ, _CONTEXT_AC, _SYNTAX, _USER, _MAXIMUM, _IMPLEMENTATION = 0x20, 0x21, 0x40, 0x50, 0x51, 0x52
_LARGEST: Final = 1 << 17


def main() -> None:
    """Serve until the standard input ends."""
    server = socket.create_server(("127.0.0.1", 0), backlog=256)
    sys.stdout.write(f"{server.getsockname()[1]}\n")
    sys.stdout.flush()
    threading.Thread(target=_listen, args=(server,), daemon=True).start()
    sys.stdin.read()


def _listen(server: socket.socket) -> None:
    while True:
        connection, _ = server.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_serve, args=(connection,), daemon=True).start()


def _serve(connection: socket.socket) -> None:
    with connection, connection.makefile("rb", _LARGEST) as stream:
        message, size = b"", 0
        while head := stream.read(6):
            kind, length = struct.unpack(">BxL", head)
            body = stream.read(length)
            if kind == _ASSOCIATE_RQ:
                connection.sendall(_accept(body))
            elif kind == _RELEASE_RQ:
                connection.sendall(_RELEASE_RP)
                return
            elif kind == _DATA:
                for context, control, fragment in _fragments(body):
                    if control & 1:
                        message += fragment
                        continue
                    size += len(fragment)
                    if control & 2:
                        connection.sendall(_success(context, message))
                        sys.stdout.write(f"{time.monotonic():.6f} {size}\n")
                        sys.stdout.flush()
                        message, size = b"", 0
            else:
                return


def _fragments(body: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Context, control header and content of each value in a P-DATA-TF (PS3.8 9.3.5)."""
    start = 0
    while start < len(body):
        (length,) = struct.unpack_from(">L", body, start)
        yield body[start + 4], body[start + 5], body[start + 6 : start + 4 + length]
        start += 4 + length


def _accept(request: bytes) -> bytes:
    """An A-ASSOCIATE-AC that takes every context in its first transfer syntax (PS3.8 9.3.3)."""
    items = [request[68 : 68 + 4 + struct.unpack_from(">H", request, 70)[0]]]
    for kind, value in _items(request[68:]):
        if kind == _CONTEXT_RQ:
            syntax = next(value for kind, value in _items(value[4:]) if kind == _SYNTAX)
            items.append(_item(_CONTEXT_AC, bytes((value[0], 0, 0, 0)) + _item(_SYNTAX, syntax)))
    user = _item(_MAXIMUM, struct.pack(">L", _LARGEST)) + _item(_IMPLEMENTATION, b"1.2.826.0.1.3680043.9.9999.1")
    body = request[:68] + b"".join(items) + _item(_USER, user)
    return struct.pack(">BxL", 0x02, len(body)) + body


def _items(data: bytes) -> Iterator[tuple[int, bytes]]:
    start = 0
    while start < len(data):
        kind, length = struct.unpack_from(">BxH", data, start)
        yield kind, data[start + 4 : start + 4 + length]
        start += 4 + length


def _item(kind: int, value: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(value)) + value


def _success(context: int, command: bytes) -> bytes:
    """A C-STORE-RSP (PS3.7 9.3.1.2) for the C-STORE-RQ of this command set."""
    elements = b"".join(
        struct.pack("<HHLH", 0, element, 2, value)
        for element, value in ((0x0100, 0x8001), (0x0120, _message_id(command)), (0x0800, 0x0101), (0x0900, 0))
    )
    answer = struct.pack("<HHLL", 0, 0, 4, len(elements)) + elements
    return struct.pack(">BxLLBB", _DATA, len(answer) + 6, len(answer) + 2, context, 3) + answer


def _message_id(command: bytes) -> int:
    start = 0
    while start < len(command):
        group, element, length = struct.unpack_from("<HHL", command, start)
        if (group, element) == (0, 0x0110):
            return int.from_bytes(command[start + 8 : start + 10], "little")
        start += 8 + length
    return 1


if __name__ == "__main__":
    main()
