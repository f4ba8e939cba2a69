"""DCMTK's storescp that takes one transfer syntax: what its own log says of the association and of what came."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.uid import (
    UID,
    EncapsulatedPDFStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
    SecondaryCaptureImageStorage,
)

from dicomprinter.workflow.interpreter import Done, Held
from tests.imaging.pictures import pdf
from tests.peers import servers
from tests.system.help import House, perform, png, store

pytestmark = pytest.mark.peer("storescp")

PROFILE = r"""
[[TransferSyntaxes]]
[One]
TransferSyntax1 = {syntax}
[[PresentationContexts]]
[Storage]
PresentationContext1 = {image}\One
PresentationContext2 = {document}\One
[[Profiles]]
[Default]
PresentationContexts = Storage
"""
COMPRESSIONS = {
    "": ExplicitVRLittleEndian,
    "RLE": RLELossless,
    "JPEG_Lossless": JPEGLosslessSV1,
    "JPEG_Lossy": JPEGBaseline8Bit,
    "JPEG_LS": JPEGLSLossless,
    "JPEG_2000": JPEG2000Lossless,
}
TAKEN = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, RLELossless, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless)
# Of UIDs that are a syntax of DCMTK's own list, its log gives the names.
NAMES = {
    ImplicitVRLittleEndian: "LittleEndianImplicit",
    ExplicitVRLittleEndian: "LittleEndianExplicit",
    RLELossless: "RLELossless",
    JPEGLosslessSV1: "JPEGLossless:Non-hierarchical-1stOrderPrediction",
    JPEGLSLossless: "JPEGLSLossless",
    JPEG2000Lossless: "JPEG2000LosslessOnly",
}


def profile(folder: Path, syntax: UID) -> Path:
    file = folder / "profile.cfg"
    file.write_text(
        PROFILE.format(syntax=syntax, image=SecondaryCaptureImageStorage, document=EncapsulatedPDFStorage), "ascii"
    )
    return file


@pytest.mark.parametrize("taken", TAKEN, ids=[NAMES[one] for one in TAKEN])
@pytest.mark.parametrize("compression", COMPRESSIONS, ids=[one or "none" for one in COMPRESSIONS])
def test_storescp_that_takes_one_syntax(house: House, tmp_path: Path, compression: str, taken: UID) -> None:
    config = str(profile(tmp_path, taken))
    inner = f'<Compression type="{compression}"/>' if compression else ""
    with servers.storescp(tmp_path / "scp", "-d", "-xf", config, "Default") as scp:
        job = house.job(png(3, colour=True))
        assert house.run(house.program(store("A", scp.port, inner, ae_title="STORESCP"), perform("A")), job) == Done()
        (stored,) = scp.read()
        log = scp.log.read_text(errors="replace")
    assert stored.file_meta.TransferSyntaxUID == taken
    assert log.count(f"Accepted Transfer Syntax: ={NAMES[taken]}") == 1
    assert log.count("(Accepted)") == 1
    assert log.count("(Transfer Syntaxes Not Supported)") == log.count("Context ID:") // 2 - 1
    wished = COMPRESSIONS[compression]
    assert (f"does not take {wished.name}; sent as {taken.name}" in house.messages(job)) is (wished != taken)


def test_storescp_that_takes_no_image(house: House, tmp_path: Path) -> None:
    config = profile(tmp_path, ExplicitVRLittleEndian)
    config.write_text(config.read_text().replace(SecondaryCaptureImageStorage, "1.2.840.10008.5.1.4.1.1.2"))
    with servers.storescp(tmp_path / "scp", "-d", "-xf", str(config), "Default") as scp:
        job = house.job(png(), pdf())
        outcome = house.run(house.program(store("A", scp.port, ae_title="STORESCP"), perform("A")), job)
        stored = scp.read()
    assert isinstance(outcome, Held)
    assert "accepts no presentation context for Secondary Capture Image Storage" in outcome.why
    assert [one.SOPClassUID for one in stored] == [EncapsulatedPDFStorage]
