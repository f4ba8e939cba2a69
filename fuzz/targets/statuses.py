"""What a peer may put into its answer's status: every number has a meaning, a cause and a way out."""

from __future__ import annotations

from collections.abc import Iterator

from dicomprinter.dicom.status import Kind, echo_status, find_status, store_status
from fuzz.target import Target


def _run(data: bytes) -> None:
    code = int.from_bytes(data[:4], "big")
    for look_up in (store_status, find_status, echo_status):
        status = look_up(code)
        assert status.code == code
        assert status.meaning
        assert str(status)
        if status.kind is not Kind.SUCCESS:
            assert status.remedy


def _seeds() -> Iterator[bytes]:
    for code in (0, 0x0107, 0x0122, 0xA700, 0xA900, 0xB000, 0xC000, 0xFE00, 0xFF00):
        yield code.to_bytes(4, "big")


TARGET = Target(run=_run, seeds=_seeds, executions=250_000, structured=1_000, longest=4)
