"""DICOM files as they come in: whole or refused, and their frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import (
    ExplicitVRLittleEndian,
    JPEGLosslessSV1,
    RLELossless,
)
from pynetdicom.sop_class import _STORAGE_CLASSES

from dicomprinter.dicom.codecs import encode
from dicomprinter.errors import InputError, PermanentError
from dicomprinter.imaging.dicom_file import decode_frame, probe_dicom
from dicomprinter.imaging.limits import Limits
from tests.dicom.forwarding import SAMPLES, compressed, made, sample, saved

RANDOM = np.random.default_rng(10)
RGB = RANDOM.integers(0, 256, (2, 6, 4, 3)).astype(np.uint8)


class TestProbe:
    """What is taken, and what is refused with what reason."""

    def test_an_image(self) -> None:
        probe = probe_dicom(sample("rtdose"))
        assert probe.sop_class_uid == "1.2.840.10008.5.1.4.1.1.481.2"
        assert probe.transfer_syntax_uid == "1.2.840.10008.1.2"
        assert probe.frames == 15
        assert Dataset.from_json(probe.attributes).PatientName == "Lastname^Firstname"
        assert "00080016" not in probe.attributes
        assert "7FE00010" not in probe.attributes

    def test_without_pixels(self) -> None:
        assert probe_dicom(sample("test-SR")).frames == 0

    @pytest.mark.parametrize("name", ["CT_small", "MR_small_implicit", "MR_small_bigendian"])
    def test_without_its_beginning(self, name: str, tmp_path: Path) -> None:
        data = sample(name).read_bytes()
        start = 144 + int.from_bytes(data[140:144], "little")
        for number, part in enumerate((data[132:], data[start:])):
            path = tmp_path / str(number)
            path.write_bytes(part)
            assert probe_dicom(path) == probe_dicom(sample(name))

    def test_every_storage_class(self, tmp_path: Path) -> None:
        for uid in _STORAGE_CLASSES.values():
            assert probe_dicom(made(tmp_path / "in.dcm", SOPClassUID=uid)).sop_class_uid == uid

    @pytest.mark.parametrize("uid", ["1.3.12.2.1107.5.9.1", "1.2.840.10008.5.1.4.1.1.9999"])
    def test_a_class_that_the_archive_may_know(self, uid: str, tmp_path: Path) -> None:
        assert probe_dicom(made(tmp_path / "in.dcm", SOPClassUID=uid)).sop_class_uid == uid

    @pytest.mark.parametrize(
        "uid",
        [
            "1.2.840.10008.5.1.4.31",  # a worklist
            "1.2.840.10008.1.3.10",  # a DICOMDIR
            "1.2.840.10008.5.1.1.1",  # a film session
            "1.2.840.10008.1.20.1",  # storage commitment
            "1.2.840.10008.1.1",  # verification
            "1.2.840.10008.1.2.1",  # a transfer syntax
            "1.2.840.10008.5.1.4.31.9",
        ],
    )
    def test_a_class_that_is_never_stored(self, uid: str, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="not accepted") as caught:
            probe_dicom(made(tmp_path / "in.dcm", SOPClassUID=uid))
        assert caught.value.cause
        assert caught.value.remedy

    @pytest.mark.parametrize("path", [SAMPLES / "test_files/dicomdirtests/DICOMDIR", sample("nested_priv_SQ")])
    def test_without_a_class(self, path: Path) -> None:
        with pytest.raises(InputError, match="what kind of object"):
            probe_dicom(path)

    @pytest.mark.parametrize("name", ["MR_truncated", "rtplan_truncated", "no_meta"])
    def test_damaged(self, name: str) -> None:
        with pytest.raises(InputError, match="damaged") as caught:
            probe_dicom(sample(name))
        assert caught.value.remedy

    @pytest.mark.parametrize("name", ["CT_small", "rtplan", "JPEG2000", "test-SR", "SC_rgb_rle_2frame", "image_dfl"])
    @pytest.mark.parametrize("keep", [0.3, 0.6, 0.97])
    def test_cut_off(self, name: str, keep: float, tmp_path: Path) -> None:
        data = sample(name).read_bytes()
        (tmp_path / "in.dcm").write_bytes(data[: int(len(data) * keep)])
        with pytest.raises(InputError):
            probe_dicom(tmp_path / "in.dcm")

    def test_fewer_pixels_than_it_says(self, tmp_path: Path) -> None:
        path = made(tmp_path / "in.dcm", RGB, NumberOfFrames=3)
        with pytest.raises(InputError, match="shorter"):
            probe_dicom(path)

    def test_fewer_frames_than_it_says(self, tmp_path: Path) -> None:
        path = compressed(made(tmp_path / "in.dcm", RGB, NumberOfFrames=3), [b"ab", b"cd"], RLELossless)
        with pytest.raises(InputError, match="fewer frames"):
            probe_dicom(path)

    def test_compressed_pixels_in_a_native_syntax(self, tmp_path: Path) -> None:
        path = compressed(made(tmp_path / "in.dcm", RGB), [b"ab", b"cd"], RLELossless)
        data = path.read_bytes().replace(b"1.2.840.10008.1.2.5\0", ExplicitVRLittleEndian.encode() + b"\0")
        path.write_bytes(data)
        with pytest.raises(InputError, match="damaged"):
            probe_dicom(path)

    def test_empty_missing_and_too_large(self, tmp_path: Path) -> None:
        (tmp_path / "empty").touch()
        with pytest.raises(InputError, match="empty"):
            probe_dicom(tmp_path / "empty")
        with pytest.raises(InputError, match="cannot be read"):
            probe_dicom(tmp_path / "missing")
        with pytest.raises(InputError, match="too large"):
            probe_dicom(sample("CT_small"), Limits(bytes=1000))
        size = sample("image_dfl").stat().st_size
        with pytest.raises(InputError, match="too large") as caught:
            probe_dicom(sample("image_dfl"), Limits(bytes=size))
        assert "inflates" in caught.value.cause

    def test_no_message_holds_a_value(self, tmp_path: Path) -> None:
        data = sample("CT_small").read_bytes()
        (tmp_path / "in.dcm").write_bytes(data[:1200])
        with pytest.raises(InputError) as caught:
            probe_dicom(tmp_path / "in.dcm")
        assert "Compressed" not in f"{caught.value}{caught.value.private}"


class TestFrames:
    """Native pixels, little endian, samples together."""

    @pytest.mark.parametrize("name", ["CT_small", "rtdose", "rtdose_rle", "SC_rgb_rle_16bit_2frame", "MR_small_RLE"])
    def test_as_pydicom_has_them(self, name: str) -> None:
        dataset = pydicom.dcmread(sample(name))
        expected = dataset.pixel_array
        frames = int(dataset.get("NumberOfFrames", 1))
        expected = expected.reshape(frames, *expected.shape[-3 if dataset.SamplesPerPixel > 1 else -2 :])
        for index in range(frames):
            frame = decode_frame(sample(name), index)
            assert (frame.pixels == expected[index]).all()
            assert frame.bits_allocated == dataset.BitsAllocated
            assert len(frame.data) == frame.pixels.nbytes

    @pytest.mark.parametrize(("big", "little"), [("MR_small_expb", "MR_small"), ("rtdose_expb", "rtdose")])
    def test_big_endian(self, big: str, little: str) -> None:
        assert bytes(decode_frame(sample(big), 0).data) == bytes(decode_frame(sample(little), 0).data)

    def test_planes_are_put_together(self, tmp_path: Path) -> None:
        planes = np.ascontiguousarray(np.moveaxis(RGB, 3, 1))
        path = made(tmp_path / "in.dcm", planes.reshape(2, 6, 4, 3), PlanarConfiguration=1)
        dataset = pydicom.dcmread(path)
        dataset.PlanarConfiguration = 1
        saved(dataset, path)
        assert (decode_frame(path, 1).pixels == RGB[1]).all()

    def test_single_bits(self, tmp_path: Path) -> None:
        """Frames of cells of one bit follow each other without padding (PS3.5 8.1.1)."""
        bits = RANDOM.integers(0, 2, (3, 5, 7)).astype(np.uint8)
        path = made(tmp_path / "in.dcm", np.zeros((3, 5, 7), np.uint8))
        dataset = pydicom.dcmread(path)
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 1, 1, 0
        dataset.PixelData = np.packbits(bits.ravel(), bitorder="little").tobytes()
        saved(dataset, path)
        for index in range(3):
            frame = decode_frame(path, index)
            assert (frame.pixels == bits[index]).all()
            assert (frame.bits_allocated, frame.bits_stored) == (8, 1)

    def test_halved_chroma(self) -> None:
        frame = decode_frame(sample("SC_ybr_full_422_uncompressed"), 0)
        dataset = pydicom.dcmread(sample("SC_ybr_full_422_uncompressed"))
        assert frame.photometric_interpretation == "YBR_FULL"
        assert (frame.pixels == pydicom.pixels.pixel_array(dataset, raw=True)).all()

    def test_palettes_stay(self) -> None:
        frame = decode_frame(sample("examples_palette"), 0)
        assert frame.photometric_interpretation == "PALETTE COLOR"
        assert frame.samples == 1

    def test_jpeg_becomes_rgb(self) -> None:
        frame = decode_frame(sample("examples_ybr_color"), 29)
        assert frame.photometric_interpretation == "RGB"
        assert frame.pixels.shape == (240, 320, 3)

    @pytest.mark.parametrize(
        "name", ["SC_rgb_dcmtk_+eb+cr", "SC_rgb_dcmtk_+eb+cy+n1", "SC_rgb_jpeg_gdcm", "SC_rgb_gdcm_KY"]
    )
    def test_the_same_picture_however_it_is_coded(self, name: str) -> None:
        expected = pydicom.dcmread(sample("SC_rgb_rle")).pixel_array.astype(int)
        frame = decode_frame(sample(name), 0)
        assert frame.photometric_interpretation == "RGB"
        assert np.abs(frame.pixels.astype(int) - expected).mean() < 3

    def test_a_codec_that_knows_no_sign(self) -> None:
        """13 bits, signed for the object and unsigned for JPEG 2000: the sign is bit 12."""
        frame = decode_frame(sample("J2K_pixelrep_mismatch"), 0)
        assert frame.is_signed
        assert frame.pixels.min() == -2000
        assert -4096 <= frame.pixels.min() <= frame.pixels.max() < 4096

    @pytest.mark.parametrize("index", [-1, 1, 99])
    def test_no_such_frame(self, index: int) -> None:
        for name in ("CT_small", "MR_small_RLE"):
            with pytest.raises(PermanentError, match="no page"):
                decode_frame(sample(name), index)

    @pytest.mark.parametrize("name", ["test-SR", "JPEG2000-embedded-sequence-delimiter"])
    def test_nothing_to_decode(self, name: str) -> None:
        with pytest.raises(PermanentError):
            decode_frame(sample(name), 0)

    def test_a_frame_beyond_the_limits(self) -> None:
        with pytest.raises(InputError, match="too large"):
            decode_frame(sample("CT_small"), 0, Limits(pixels=100))

    def test_a_file_that_was_replaced(self, tmp_path: Path) -> None:
        """What is known of a file is known of this file only."""
        path = tmp_path / "in.dcm"
        for frame in RGB:
            made(path, frame[None])
            compressed(path, [bytes(encode(frame, 8, JPEGLosslessSV1).data)], JPEGLosslessSV1)
            path.write_bytes(path.read_bytes() + bytes(int(frame[0, 0, 0]) * 2))
            assert (decode_frame(path, 0).pixels == frame).all()

    @pytest.mark.parametrize("place", range(0, 300, 7))
    def test_damaged_streams(self, place: int, tmp_path: Path) -> None:
        data = bytearray(sample("SC_rgb_rle").read_bytes())
        data[-400 + place] ^= 0xFF
        (tmp_path / "in.dcm").write_bytes(data)
        try:
            frame = decode_frame(tmp_path / "in.dcm", 0)
        except PermanentError:
            return
        assert frame.pixels.shape == (100, 100, 3)
