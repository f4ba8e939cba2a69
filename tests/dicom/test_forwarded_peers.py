"""Forwarded objects as other programs see them: the same pixels before and after, and no new fault."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from dicomprinter.dicom.forwarded.original import read_original
from dicomprinter.dicom.forwarded.syntaxes import syntaxes
from tests.dicom.forwarding import go, sample
from tests.peers import program

pytestmark = pytest.mark.peer("dciodvfy", "dcmcjpeg", "dcmcjpls", "dcmcrle", "dcmconv", "dcmdump", "gdcmconv")
NATIVE = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
COMPRESSED_BY_DCMTK = {
    "JPEG lossless": ("dcmcjpeg", "+e1"),
    "JPEG lossless, any predictor": ("dcmcjpeg", "+el"),
    "JPEG-LS": ("dcmcjpls", "+el"),
    "JPEG-LS in fragments": ("dcmcjpls", "+fs", "1"),
    "RLE": ("dcmcrle",),
    "RLE in fragments": ("dcmcrle", "+fs", "1"),
}
# GDCM crashes over rows of three pixels.
COMPRESSED_BY = {
    **COMPRESSED_BY_DCMTK,
    "JPEG 2000": ("gdcmconv", "--j2k"),
    "JPEG-LS of GDCM": ("gdcmconv", "--jpegls"),
    "JPEG of GDCM": ("gdcmconv", "--jpeg"),
    "RLE of GDCM": ("gdcmconv", "--rle"),
}
DECOMPRESSED_BY = {
    RLELossless: ("dcmdrle",),
    JPEGLosslessSV1: ("dcmdjpeg",),
    JPEGLSLossless: ("dcmdjpls",),
    JPEG2000Lossless: ("gdcmconv", "--raw"),
}


def run(name: str, *arguments: object) -> str:
    done = subprocess.run(
        [program(name), *map(str, arguments)], capture_output=True, text=True, errors="replace", check=False
    )
    assert done.returncode == 0 or name == "dciodvfy", done.stderr
    return done.stdout + done.stderr


def errors(path: Path) -> set[str]:
    return {line for line in run("dciodvfy", "-new", path).splitlines() if line.startswith("Error")}


def pixels(path: Path) -> bytes:
    """What another program makes of the file as Explicit VR Little Endian."""
    plain = path.with_suffix(".plain")
    run("dcmconv", "+te", path, plain)
    return bytes(pydicom.dcmread(plain).PixelData)


@pytest.mark.parametrize(
    ("name", "how"),
    [
        *((name, how) for name in ("CT_small", "examples_rgb_color") for how in COMPRESSED_BY),
        *((name, how) for name in ("examples_palette", "SC_rgb_small_odd") for how in COMPRESSED_BY_DCMTK),
    ],
)
def test_what_others_compressed(name: str, how: str, tmp_path: Path) -> None:
    tool, *options = COMPRESSED_BY[how]
    coded, out = tmp_path / "coded.dcm", tmp_path / "out.dcm"
    run(tool, *options, sample(name), coded)
    go(coded, out, ExplicitVRLittleEndian)
    assert pixels(out) == pixels(sample(name))
    assert errors(out) <= errors(coded) | errors(sample(name))


@pytest.mark.parametrize("options", [("+eb",), ("+ee",), ("+eb", "+cy", "+s2"), ("+eb", "+cr")])
def test_what_others_compressed_with_loss(options: tuple[str, ...], tmp_path: Path) -> None:
    coded, out, reference = tmp_path / "coded.dcm", tmp_path / "out.dcm", tmp_path / "reference.dcm"
    run("dcmcjpeg", *options, sample("examples_rgb_color"), coded)
    run("dcmdjpeg", "+cp", coded, reference)
    go(coded, out, ExplicitVRLittleEndian)
    ours, theirs = pydicom.dcmread(out), pydicom.dcmread(reference)
    assert ours.PhotometricInterpretation == theirs.PhotometricInterpretation == "RGB"
    differences = np.abs(
        np.frombuffer(ours.PixelData, np.uint8).astype(int) - np.frombuffer(theirs.PixelData, np.uint8).astype(int)
    )
    assert differences.mean() < 1.5  # another upsampling of the chroma
    assert ours.LossyImageCompression == "01"
    assert errors(out) <= errors(coded)


@pytest.mark.parametrize("syntax", DECOMPRESSED_BY)
@pytest.mark.parametrize("name", ["examples_rgb_color", "SC_rgb_small_odd", "MR_small", "examples_overlay"])
def test_what_others_decompress(name: str, syntax: str, tmp_path: Path) -> None:
    if syntax not in syntaxes(read_original(sample(name))):
        assert name == "MR_small"  # signed: byte planes only
        return
    out, plain = tmp_path / "out.dcm", tmp_path / "plain.dcm"
    go(sample(name), out, syntax)
    tool, *options = DECOMPRESSED_BY[syntax]
    run(tool, *options, out, plain)
    assert pixels(plain) == pixels(sample(name))
    assert errors(out) <= errors(sample(name))


@pytest.mark.parametrize(
    "name",
    [
        "CT_small",
        "MR_small_bigendian",
        "rtplan",
        "rtdose",
        "test-SR",
        "waveform_ecg",
        "chrJapMulti",
        "examples_overlay",
    ],
)
@pytest.mark.parametrize("target", NATIVE)
def test_changes_make_no_new_fault(name: str, target: str, tmp_path: Path) -> None:
    changes = Dataset()
    changes.PatientName, changes.AccessionNumber, changes.StudyInstanceUID = "Müller^Käthe", "A1", "1.2.3.4"
    out = tmp_path / "out.dcm"
    go(sample(name), out, target, changes)
    dump = run("dcmdump", "+U8", out)
    assert "Müller^Käthe" in dump
    assert not [line for line in dump.splitlines() if line.startswith(("E:", "W:"))]
    assert errors(out) <= errors(sample(name))


def test_implicit_and_explicit_are_those_of_others(tmp_path: Path) -> None:
    for name, ours, option in (("rtplan", ExplicitVRLittleEndian, "+te"), ("CT_small", ImplicitVRLittleEndian, "+ti")):
        out, reference = tmp_path / "out.dcm", tmp_path / "reference.dcm"
        go(sample(name), out, ours)
        run("dcmconv", option, sample(name), reference)
        assert pydicom.dcmread(out) == pydicom.dcmread(reference)
