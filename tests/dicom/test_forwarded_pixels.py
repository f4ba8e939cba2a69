"""Pixels of forwarded objects: exactly those that came, in whatever syntax the archive takes."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, encapsulate_extended, generate_frames
from pydicom.pixels.decoders.rle import _rle_decode_frame
from pydicom.uid import (
    JPEG2000,
    MPEG2MPML,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from dicomprinter.dicom.codecs import encode
from dicomprinter.dicom.forwarded.original import read_original
from dicomprinter.dicom.forwarded.syntaxes import syntaxes
from dicomprinter.errors import PermanentError
from tests.dicom.forwarding import compressed, go, made, sample, saved

RANDOM = np.random.default_rng(9)
NATIVE = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
GREY = RANDOM.integers(0, 256, (3, 7, 9)).astype(np.uint8)
GREY_16 = RANDOM.integers(0, 1 << 16, (2, 7, 9)).astype(np.uint16)
SIGNED = RANDOM.integers(-(1 << 15), 1 << 15, (2, 7, 9)).astype(np.int16)
RGB = RANDOM.integers(0, 256, (2, 7, 9, 3)).astype(np.uint8)


def native(path: Path) -> np.ndarray:
    """The cells as they stand in a native file."""
    dataset = pydicom.dcmread(path)
    kind = "i" if dataset.PixelRepresentation else "u"
    shape = [int(dataset.get("NumberOfFrames", 1)), dataset.Rows, dataset.Columns]
    if dataset.SamplesPerPixel == 3:
        shape.append(3)
    count = int(np.prod(shape))
    return np.frombuffer(dataset.PixelData, f"<{kind}{dataset.BitsAllocated // 8}", count).reshape(shape)


class TestSyntaxes:
    """What is proposed, the best first."""

    def test_native(self, tmp_path: Path) -> None:
        found = syntaxes(read_original(sample("CT_small")))
        assert found[:2] == NATIVE
        assert RLELossless in found  # 16 bits, signed: only byte planes are certain
        assert JPEGLosslessSV1 not in found
        assert syntaxes(read_original(sample("MR_small_implicit")))[:2] == tuple(reversed(NATIVE))

    def test_plain_pixels_can_be_compressed(self, tmp_path: Path) -> None:
        for pixels in (GREY, GREY_16, RGB):
            found = syntaxes(read_original(made(tmp_path / "in.dcm", pixels)))
            assert {RLELossless, JPEGLosslessSV1, HTJ2KLossless} <= set(found)
            assert JPEGBaseline8Bit not in found

    def test_what_is_not_certain_is_left_out(self, tmp_path: Path) -> None:
        ten = made(tmp_path / "10.dcm", GREY_16 >> 6, BitsStored=10, HighBit=9)
        assert syntaxes(read_original(ten)) == (*NATIVE, RLELossless)
        high = made(tmp_path / "high.dcm", GREY_16, BitsStored=12, HighBit=15)
        assert syntaxes(read_original(high)) == (*NATIVE, RLELossless)
        wide = made(tmp_path / "wide.dcm", RANDOM.integers(0, 9, (1, 4, 4, 3)).astype(np.uint16))
        assert syntaxes(read_original(wide)) == NATIVE
        inverse = made(tmp_path / "ybr.dcm", RGB, PhotometricInterpretation="YBR_FULL")
        assert syntaxes(read_original(inverse)) == (*NATIVE, RLELossless)

    def test_retired_and_deflated(self) -> None:
        assert syntaxes(read_original(sample("MR_small_bigendian")))[:2] == NATIVE
        assert syntaxes(read_original(sample("image_dfl")))[:3] == (DeflatedExplicitVRLittleEndian, *NATIVE)

    def test_lossy_objects_are_not_compressed_again(self) -> None:
        assert syntaxes(read_original(sample("SC_rgb_jpeg_dcmtk"))) == (JPEGBaseline8Bit, *NATIVE)
        assert syntaxes(read_original(sample("JPEGLSNearLossless_16"))) == (JPEGLSNearLossless, *NATIVE)
        assert syntaxes(read_original(sample("JPEG2000"))) == (JPEG2000, *NATIVE)

    def test_lossless_objects_may_be(self) -> None:
        found = syntaxes(read_original(sample("MR_small_jp2klossless")))
        assert found == (JPEG2000Lossless, *NATIVE, RLELossless)

    def test_what_cannot_be_decoded_has_only_its_own(self, tmp_path: Path) -> None:
        video = compressed(made(tmp_path / "in.dcm", RGB), [b"\0\0\1\xb3" * 9] * 2, MPEG2MPML)
        assert syntaxes(read_original(video)) == (MPEG2MPML,)

    @pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.9999", "1.2.840.113619.5.2"])
    def test_a_syntax_that_is_not_in_the_dictionary(self, syntax: str, tmp_path: Path) -> None:
        path = made(tmp_path / "in.dcm", GREY)
        data = path.read_bytes().replace(b"UI\x14\x001.2.840.10008.1.2.1\0", self.named(syntax))
        path.write_bytes(data)
        assert syntaxes(read_original(path)) == (syntax,)
        changes = Dataset()
        changes.PatientName = "Müller"
        go(path, tmp_path / "out.dcm", changes=changes)
        after = pydicom.dcmread(tmp_path / "out.dcm")
        assert after.file_meta.TransferSyntaxUID == syntax
        assert (after.PatientName, after.PixelData) == ("Müller", GREY.tobytes() + bytes(GREY.nbytes % 2))

    def named(self, syntax: str) -> bytes:
        value = syntax.encode() + bytes(len(syntax) % 2)
        return b"UI" + struct.pack("<H", len(value)) + value

    def test_without_pixels(self) -> None:
        assert syntaxes(read_original(sample("test-SR"))) == NATIVE

    def test_a_native_form_that_would_be_too_large(self, tmp_path: Path) -> None:
        path = compressed(made(tmp_path / "in.dcm", GREY), [b"\xff\xd8\xff\0"] * 3, JPEGLosslessSV1)
        dataset = pydicom.dcmread(path)
        dataset.Rows = dataset.Columns = 40_000
        saved(dataset, path, JPEGLosslessSV1)
        found = syntaxes(read_original(path))
        assert found[0] == JPEGLosslessSV1
        assert not set(NATIVE) & set(found)


@pytest.mark.parametrize("target", NATIVE)
@pytest.mark.parametrize("syntax", [RLELossless, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless, HTJ2KLossless])
@pytest.mark.parametrize("pixels", [GREY, GREY_16, SIGNED, RGB], ids=["grey", "grey 16", "signed", "rgb"])
def test_there_and_back(pixels: np.ndarray, syntax: str, target: str, tmp_path: Path) -> None:
    """Frames that were compressed without loss come out as they went in, one after the other."""
    unsigned = pixels.view(np.uint16) if pixels.dtype.kind == "i" else pixels
    bits = pixels.dtype.itemsize * 8
    encoded = [encode(frame, bits, syntax) for frame in unsigned]
    path = made(tmp_path / "in.dcm", pixels, PhotometricInterpretation=encoded[0].photometric_interpretation)
    compressed(path, [bytes(frame.data) for frame in encoded], syntax)
    notes = go(path, tmp_path / "out.dcm", target)
    after = pydicom.dcmread(tmp_path / "out.dcm")
    assert (native(tmp_path / "out.dcm") == pixels).all()
    assert after.PhotometricInterpretation == ("RGB" if pixels.ndim == 4 else "MONOCHROME2")
    assert len(after.PixelData) % 2 == 0
    assert "LossyImageCompression" not in after
    assert "decompressed" in notes[0]


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless, HTJ2KLossless])
@pytest.mark.parametrize("pixels", [GREY, GREY_16, RGB], ids=["grey", "grey 16", "rgb"])
def test_compressed_for_an_archive_that_takes_nothing_else(pixels: np.ndarray, syntax: str, tmp_path: Path) -> None:
    path = made(tmp_path / "in.dcm", pixels)
    notes = go(path, tmp_path / "out.dcm", syntax)
    after = pydicom.dcmread(tmp_path / "out.dcm")
    frames = list(generate_frames(after.PixelData, number_of_frames=len(pixels)))
    for frame, before in zip(frames, pixels, strict=True):
        assert (decode(frame, syntax, before) == before).all()
    assert after["PixelData"].is_undefined_length
    assert "compressed" in notes[0]
    if pixels.ndim == 4:
        expected = encode(pixels[0], 8, syntax).photometric_interpretation
        assert after.PhotometricInterpretation == expected


def decode(frame: bytes, syntax: str, like: np.ndarray) -> np.ndarray:
    if syntax == RLELossless:
        samples, bits = like.shape[2] if like.ndim == 3 else 1, like.dtype.itemsize * 8
        planes = np.frombuffer(_rle_decode_frame(frame, *like.shape[:2], samples, bits, ">"), like.dtype)
        return np.moveaxis(planes.reshape(samples, *like.shape[:2]), 0, 2).reshape(like.shape)
    reader = {JPEGLosslessSV1: "jpeg8_decode", JPEGLSLossless: "jpegls_decode"}.get(syntax, "jpeg2k_decode")
    return getattr(imagecodecs, reader)(frame)


def test_signed_pixels_go_into_byte_planes(tmp_path: Path) -> None:
    go(made(tmp_path / "in.dcm", SIGNED), tmp_path / "rle.dcm", RLELossless)
    go(tmp_path / "rle.dcm", tmp_path / "out.dcm", ExplicitVRLittleEndian)
    assert (native(tmp_path / "out.dcm") == SIGNED).all()


def test_planes_are_put_together_where_the_syntax_wants_it(tmp_path: Path) -> None:
    path = made(tmp_path / "in.dcm", np.ascontiguousarray(np.moveaxis(RGB, 3, 1)).reshape(2, 7, 9, 3))
    dataset = pydicom.dcmread(path)
    dataset.PlanarConfiguration = 1
    saved(dataset, path)
    go(path, tmp_path / "out.dcm", JPEGLosslessSV1)
    after = pydicom.dcmread(tmp_path / "out.dcm")
    frames = generate_frames(after.PixelData, number_of_frames=2)
    assert all((imagecodecs.jpeg8_decode(frame) == rgb).all() for frame, rgb in zip(frames, RGB, strict=True))
    assert after.PlanarConfiguration == 0


def test_overlays_in_unused_bits_are_never_cut_off(tmp_path: Path) -> None:
    path = made(tmp_path / "in.dcm", GREY_16, BitsStored=12, HighBit=11)
    with pytest.raises(PermanentError, match="without loss"):
        go(path, tmp_path / "out.dcm", JPEGLosslessSV1)
    assert not (tmp_path / "out.dcm").exists()
    go(path, tmp_path / "rle.dcm", RLELossless)
    go(tmp_path / "rle.dcm", tmp_path / "out.dcm", ExplicitVRLittleEndian)
    assert (native(tmp_path / "out.dcm") == GREY_16).all()


def test_lossy_pixels_say_so_when_their_syntax_no_longer_does(tmp_path: Path) -> None:
    path = made(tmp_path / "in.dcm", GREY[:1])
    frame = encode(GREY[0], 8, JPEGBaseline8Bit).data
    compressed(path, [bytes(frame)], JPEGBaseline8Bit)
    go(path, tmp_path / "out.dcm", ExplicitVRLittleEndian)
    after = pydicom.dcmread(tmp_path / "out.dcm")
    assert (after.LossyImageCompression, after.LossyImageCompressionMethod) == ("01", "ISO_10918_1")
    assert after.LossyImageCompressionRatio == pytest.approx(GREY[0].nbytes / (len(frame) + 24), rel=0.5)
    assert "OriginalAttributesSequence" not in after


def test_what_is_said_of_losses_stays(tmp_path: Path) -> None:
    go(sample("SC_rgb_jpeg_dcmtk"), tmp_path / "out.dcm", ExplicitVRLittleEndian)
    after, before = pydicom.dcmread(tmp_path / "out.dcm"), pydicom.dcmread(sample("SC_rgb_jpeg_dcmtk"))
    assert before.LossyImageCompression == "01"
    for keyword in ("LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod"):
        assert after.get(keyword) == before.get(keyword)
    assert after.PhotometricInterpretation == "RGB"


class TestFragments:
    """PS3.5 A.4: what belongs to which frame."""

    @pytest.fixture
    def frames(self) -> list[bytes]:
        return [bytes(encode(frame, 8, JPEGLosslessSV1).data) for frame in GREY]

    @pytest.mark.parametrize("table", [True, False])
    def test_several_a_frame(self, frames: list[bytes], table: bool, tmp_path: Path) -> None:
        path = compressed(made(tmp_path / "in.dcm", GREY), frames, JPEGLosslessSV1, fragments=3, table=table)
        go(path, tmp_path / "out.dcm", ExplicitVRLittleEndian)
        assert (native(tmp_path / "out.dcm") == GREY).all()

    def test_a_single_frame_in_several(self, frames: list[bytes], tmp_path: Path) -> None:
        path = made(tmp_path / "in.dcm", GREY[:1])
        go(compressed(path, frames[:1], JPEGLosslessSV1, fragments=4), tmp_path / "out.dcm", ImplicitVRLittleEndian)
        assert (native(tmp_path / "out.dcm") == GREY[:1]).all()

    def test_a_table_that_is_wrong(self, frames: list[bytes], tmp_path: Path) -> None:
        path = compressed(made(tmp_path / "in.dcm", GREY), frames, JPEGLosslessSV1, fragments=2)
        dataset = pydicom.dcmread(path)
        dataset.PixelData = dataset.PixelData[:8] + struct.pack("<3I", 0, 4, 8) + dataset.PixelData[20:]
        saved(dataset, path, JPEGLosslessSV1)
        go(path, tmp_path / "out.dcm", ExplicitVRLittleEndian)
        assert (native(tmp_path / "out.dcm") == GREY).all()

    def test_an_extended_table(self, frames: list[bytes], tmp_path: Path) -> None:
        path = compressed(made(tmp_path / "in.dcm", GREY), frames, JPEGLosslessSV1)
        dataset = pydicom.dcmread(path)
        data, offsets, lengths = encapsulate_extended(frames)
        dataset.PixelData, dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths = data, offsets, lengths
        saved(dataset, path, JPEGLosslessSV1)
        changes = Dataset()
        changes.PatientID = "new"
        go(path, tmp_path / "own.dcm", changes=changes)
        own = pydicom.dcmread(tmp_path / "own.dcm")
        assert (own.PixelData, own.ExtendedOffsetTable, own.PatientID) == (data, offsets, "new")
        go(path, tmp_path / "out.dcm", ExplicitVRLittleEndian)
        after = pydicom.dcmread(tmp_path / "out.dcm")
        assert (native(tmp_path / "out.dcm") == GREY).all()
        assert "ExtendedOffsetTable" not in after
        assert "ExtendedOffsetTableLengths" not in after

    def test_frames_that_nothing_tells_apart(self, tmp_path: Path) -> None:
        path = compressed(made(tmp_path / "in.dcm", GREY), [b"\1\2" * 9] * 3, JPEGLosslessSV1, fragments=2, table=False)
        with pytest.raises(PermanentError, match="frame"):
            go(path, tmp_path / "out.dcm", ExplicitVRLittleEndian)

    def test_a_frame_of_another_size(self, frames: list[bytes], tmp_path: Path) -> None:
        other = bytes(encode(np.zeros((8, 9), np.uint8), 8, JPEGLosslessSV1).data)
        path = compressed(made(tmp_path / "in.dcm", GREY), [*frames[:2], other], JPEGLosslessSV1)
        with pytest.raises(PermanentError, match="decoded"):
            go(path, tmp_path / "out.dcm", ExplicitVRLittleEndian)
        assert not (tmp_path / "out.dcm").exists()


class TestIcons:
    """Compressed icons cannot stand in a native object."""

    def with_icon(self, path: Path, keyword: str) -> Path:
        compressed(made(path, GREY[:1]), [bytes(encode(GREY[0], 8, RLELossless).data)], RLELossless)
        dataset = pydicom.dcmread(path)
        icon = Dataset()
        icon.Rows, icon.Columns, icon.BitsAllocated, icon.SamplesPerPixel = 7, 9, 8, 1
        icon.PixelRepresentation = 0
        icon.add_new("PixelData", "OB", encapsulate([bytes(encode(GREY[0], 8, RLELossless).data)]))
        icon["PixelData"].is_undefined_length = True
        setattr(dataset, keyword, [icon])
        return saved(dataset, path, RLELossless)

    def test_the_icon_is_left_out(self, tmp_path: Path) -> None:
        path = self.with_icon(tmp_path / "in.dcm", "IconImageSequence")
        notes = go(path, tmp_path / "out.dcm", ExplicitVRLittleEndian)
        assert "IconImageSequence" not in pydicom.dcmread(tmp_path / "out.dcm")
        assert any("icon" in note for note in notes)
        assert (native(tmp_path / "out.dcm") == GREY[:1]).all()

    def test_in_its_own_syntax_it_stays(self, tmp_path: Path) -> None:
        path = self.with_icon(tmp_path / "in.dcm", "IconImageSequence")
        changes = Dataset()
        changes.PatientName = "Müller"  # also where all texts are written anew
        go(path, tmp_path / "out.dcm", changes=changes)
        after, before = pydicom.dcmread(tmp_path / "out.dcm"), pydicom.dcmread(path)
        assert after.IconImageSequence == before.IconImageSequence
        assert after.PixelData == before.PixelData

    def test_other_pixels_within_a_sequence(self, tmp_path: Path) -> None:
        path = self.with_icon(tmp_path / "in.dcm", "ReferencedImageSequence")
        with pytest.raises(PermanentError, match="ReferencedImageSequence"):
            go(path, tmp_path / "out.dcm", ExplicitVRLittleEndian)


def test_real_numbers_pass_as_they_are(tmp_path: Path) -> None:
    dataset = pydicom.dcmread(made(tmp_path / "in.dcm"))
    dataset.Rows = dataset.Columns = 2
    dataset.FloatPixelData = struct.pack("<4f", 1, 2, 3, 4)
    saved(dataset, tmp_path / "in.dcm")
    assert syntaxes(read_original(tmp_path / "in.dcm")) == NATIVE
    go(tmp_path / "in.dcm", tmp_path / "out.dcm", ImplicitVRLittleEndian)
    assert pydicom.dcmread(tmp_path / "out.dcm").FloatPixelData == dataset.FloatPixelData


@pytest.mark.parametrize(
    ("name", "like"),
    [
        ("rtdose_expb", "rtdose"),
        ("liver_expb_1frame", "liver_1frame"),
        ("SC_rgb_small_odd_big_endian", "SC_rgb_small_odd"),
    ],
)
def test_big_endian_of_other_depths(name: str, like: str, tmp_path: Path) -> None:
    go(sample(name), tmp_path / "out.dcm", ExplicitVRLittleEndian)
    before = pydicom.dcmread(sample(like))
    assert pydicom.dcmread(tmp_path / "out.dcm").PixelData == before.PixelData


SIZE = 300 << 20
STREAMS = """
import datetime, resource, sys
from pathlib import Path
from pydicom.dataset import Dataset
from dicomprinter.dicom.forwarded.forward import forward
from dicomprinter.dicom.forwarded.original import header, read_original
path, target = Path(sys.argv[1]), Path(sys.argv[2])
changes = Dataset()
changes.PatientName = "M\\u00fcller"
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
header(path)
forward(path, target, transfer_syntax="1.2.840.10008.1.2", changes=changes, moment=datetime.datetime.now(),
        source="x", frame=None)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // (1024 if sys.platform == "darwin" else 1))
"""


def test_a_large_object_takes_no_memory(tmp_path: Path) -> None:
    """Pixels and private bytes of 300 MB, the texts written anew, the coding changed."""
    path, target = tmp_path / "in.dcm", tmp_path / "out.dcm"
    made(path, InstitutionName="x")
    with path.open("r+b") as file:
        for group, number in ((0x0051, 0x1010), (0x7FE0, 0x0010)):
            file.seek(0, 2)
            file.write(struct.pack("<HH2sHI", group, number, b"OB", 0, SIZE // 2))
            file.truncate(file.tell() + SIZE // 2)
    run = subprocess.run([sys.executable, "-c", STREAMS, path, target], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) < 20_000  # kilobytes
    assert target.stat().st_size > SIZE
    target.unlink()
