"""What is on the wire for each row of the tables of syntaxes and statuses, by a capture between us and the peer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydicom.uid import (
    UID,
    EncapsulatedPDFStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    SecondaryCaptureImageStorage,
)

from dicomprinter.actions.store.action import SYNTAXES
from dicomprinter.workflow.interpreter import Done, Held
from tests.imaging.pictures import pdf
from tests.relay import Relay, Wire
from tests.scp import LOSSLESS, RawScp, StorageScp, accepting_nothing, rejecting
from tests.system.help import House, perform, png, store, tiff

Run = Callable[[Any], Any]
OTHERS = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, *LOSSLESS)
TAKEN = (JPEGBaseline8Bit, *OTHERS)


def captured(
    house: House, scp: StorageScp | RawScp, *files: bytes, inner: str = ""
) -> tuple[list[Wire], Done | Held, str]:
    """What one job put on the wire, its outcome and its history."""
    with Relay(scp.port) as relay:
        job = house.job(*files)
        outcome = house.run(house.program(store("A", relay.port, inner), perform("A")), job)
        assert isinstance(outcome, Done | Held)
    return relay.wires, outcome, house.messages(job)


# Proposing and falling back


@pytest.mark.parametrize("compression", ["", *SYNTAXES])
def test_each_context_has_one_syntax_and_the_wished_one_is_the_first(
    house: House, running: Run, compression: str
) -> None:
    inner = f'<Compression type="{compression}"/>' if compression else ""
    ((wire,), outcome, _) = captured(house, running(StorageScp()), png(), pdf(), inner=inner)
    assert outcome == Done()
    contexts = list(wire.proposed().values())
    assert all(len(syntaxes) == 1 for _, syntaxes in contexts)
    for sop_class in (SecondaryCaptureImageStorage, EncapsulatedPDFStorage):
        syntaxes = [syntax for found, (syntax,) in contexts if found == sop_class]
        assert syntaxes.count(ImplicitVRLittleEndian) == 1
        wished = (
            ExplicitVRLittleEndian if sop_class == EncapsulatedPDFStorage or not compression else SYNTAXES[compression]
        )
        assert syntaxes[0] == wished
    image, document = wire.stores()
    assert (image[0], document[0]) == (SYNTAXES.get(compression, ExplicitVRLittleEndian), ExplicitVRLittleEndian)


@pytest.mark.parametrize("taken", TAKEN)
@pytest.mark.parametrize("compression", ["", *SYNTAXES])
def test_every_row_of_falling_back(house: House, running: Run, compression: str, taken: UID) -> None:
    """A peer that takes one syntax gets each object in that one, on one association; only JPEG never by itself."""
    inner = f'<Compression type="{compression}"/>' if compression else ""
    ((wire,), outcome, history) = captured(house, running(StorageScp(syntaxes=[taken])), tiff(2), inner=inner)
    wished = UID(SYNTAXES[compression]) if compression else ExplicitVRLittleEndian
    if taken == JPEGBaseline8Bit != wished:
        assert isinstance(outcome, Held)
        assert "accepts no presentation context" in outcome.why
        assert wire.stores() == []
        return
    assert outcome == Done()
    assert [syntax for syntax, _ in wire.stores()] == [taken, taken]
    assert wire.statuses() == [0, 0]
    assert wire.kinds()[0] == 0x01
    assert wire.kinds()[-1] == 0x05
    assert (f"does not take {wished.name}; sent as {taken.name}" in history) is (taken != wished)


def test_a_peer_that_takes_no_context_gets_nothing(house: House, running: Run) -> None:
    ((wire,), outcome, _) = captured(house, running(accepting_nothing()), png())
    assert isinstance(outcome, Held)
    assert wire.accepted() == {}
    assert "proposed: Secondary Capture Image Storage as Explicit VR Little Endian" in outcome.why
    assert "accepted: nothing" in outcome.why
    assert wire.kinds() == [0x01, 0x05]


# Statuses


@pytest.mark.parametrize("status", [0x0000, 0xB000, 0xB006, 0xB007, 0xB123, 0x0107, 0x0116])
def test_a_success_or_a_warning_lets_all_go(house: House, running: Run, status: int) -> None:
    ((wire,), outcome, _) = captured(house, running(StorageScp(always=status)), tiff(3))
    assert (outcome, wire.statuses()) == (Done(), [status] * 3)
    assert wire.kinds()[-1] == 0x05


@pytest.mark.parametrize("status", [0xA700, 0xA7FF, 0x0110, 0x0213])
def test_a_transient_failure_stops_the_store(house: House, running: Run, status: int) -> None:
    ((wire,), outcome, _) = captured(house, running(StorageScp(answers=[0, status])), tiff(4))
    assert isinstance(outcome, Held)
    assert f"{status:04X}" in outcome.why
    assert wire.statuses() == [0, status]


@pytest.mark.parametrize(
    "status",
    [0xA900, 0xA9FF, 0xC000, 0xCFFF, 0x0111, 0x0112, 0x0117, 0x0122, 0x0124, 0x0210, 0x0211, 0x0212, 0x0345],
)
def test_a_permanent_failure_lets_the_rest_go(house: House, running: Run, status: int) -> None:
    ((wire,), outcome, _) = captured(house, running(StorageScp(answers=[0, status])), tiff(4))
    assert isinstance(outcome, Held)
    assert f"{status:04X}" in outcome.why
    assert wire.statuses() == [0, status, 0, 0]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((1, 1, 7), "for good; it does not answer to the called AE title"),
        ((2, 3, 1), "for now; it is congested at the moment"),
    ],
)
def test_a_rejected_association_carries_nothing(
    house: House, running: Run, answer: tuple[int, int, int], words: str
) -> None:
    ((wire,), outcome, _) = captured(house, running(rejecting(*answer)), png())
    assert isinstance(outcome, Held)
    assert wire.kinds() == [0x01]
    assert wire.received[7:10] == bytes(answer)
    assert words in outcome.why
