"""Peers that are called by TLS and break off (PS3.15 B.9 to B.12)."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Callable

from torture.faults.fault import Door, Expected, Fault, Phase, Play, permanent, transient
from torture.peers import Dialogue

_BROKEN = transient("closed the connection before|cannot connect to")


def _after_hello(end: Callable[[Dialogue], object]) -> Play:
    """The ClientHello is read; then something else than a ServerHello."""

    def play(dialogue: Dialogue) -> None:
        dialogue.socket.recv(8192)
        end(dialogue)

    return play


def _saying(data: bytes) -> Play:
    return _after_hello(lambda dialogue: dialogue.send(data))


def _inside(end: Callable[[Dialogue], object]) -> Play:
    """TLS stands; what comes inside it."""

    def play(dialogue: Dialogue) -> None:
        tls = dialogue.peer.tls
        if tls is None:
            raise ValueError("this peer has no certificate")
        with tls.wrap_socket(dialogue.socket, server_side=True) as secured:
            end(Dialogue(secured, dialogue.over, dialogue.peer))

    return play


def _unwrapped(dialogue: Dialogue) -> None:
    """An orderly end of TLS (close_notify) in place of an answer."""
    dialogue.accept()
    dialogue.request()
    if isinstance(dialogue.socket, ssl.SSLSocket):
        dialogue.socket.unwrap()


def _torn(dialogue: Dialogue) -> None:
    """Noise in the place of a record of TLS."""
    dialogue.accept()
    dialogue.request()
    # A socket of TLS cannot be had twice, its file descriptor can.
    with socket.socket(fileno=os.dup(dialogue.socket.fileno())) as plain:
        plain.send(b"\x17\x03\x03\x00\x20" + bytes(32))
    dialogue.wait()


def _after_request(end: Callable[[Dialogue], object]) -> Callable[[Dialogue], None]:
    def play(dialogue: Dialogue) -> None:
        dialogue.accept()
        dialogue.request()
        end(dialogue)

    return play


def _fault(name: str, play: Play, expected: Expected, *, passes: Phase | None = None) -> Fault:
    return Fault(f"TLS: {name}", Phase.NEGOTIATION, play, expected, passes=passes, door=Door.TLS)


SECURED: tuple[Fault, ...] = (
    _fault("closes at once", lambda _: None, _BROKEN),
    _fault("resets at once", Dialogue.reset, _BROKEN),
    _fault("closes in the handshake", _after_hello(lambda _: None), _BROKEN),
    _fault("resets in the handshake", _after_hello(Dialogue.reset), _BROKEN),
    _fault(
        "says nothing",
        Dialogue.wait,
        transient("did not take the connection|no sign of"),
        passes=Phase.NEGOTIATION,
    ),
    _fault("speaks no TLS", _saying(b"\x03\x00\x00\x00\x00\x04\x00\x01\x01\x01"), permanent("no TLS connection")),
    _fault("alerts", _saying(b"\x15\x03\x03\x00\x02\x02\x28"), permanent("no TLS connection")),
    _fault("closes when TLS stands", _inside(lambda _: None), _BROKEN),
    _fault("resets when TLS stands", _inside(Dialogue.reset), _BROKEN),
    _fault("rejects for now", _inside(lambda one: one.reject(2, 3, 1)), transient("rejected the association for now")),
    _fault("closes instead of an answer", _inside(_after_request(lambda _: None)), _BROKEN),
    _fault("resets instead of an answer", _inside(_after_request(Dialogue.reset)), _BROKEN),
    _fault(
        "says nothing instead of an answer",
        _inside(_after_request(Dialogue.wait)),
        transient("no sign of"),
        passes=Phase.EXCHANGE,
    ),
    _fault("ends TLS instead of an answer", _inside(_unwrapped), _BROKEN),
    _fault("breaks a record instead of an answer", _inside(_torn), _BROKEN),
)
