from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from pydicom.data import get_testdata_file
from pydicom.uid import JPEGLosslessSV1, JPEGLSLossless

from dicomprinter.dicom.forwarded import decoders
from dicomprinter.dicom.forwarded.original import read_original
from dicomprinter.imaging.dicom_file import decode_frame


def refuse(*_: object) -> object:
    raise RuntimeError("refused")


@pytest.mark.parametrize("name", ["SC_rgb_jpeg_gdcm.dcm", "MR_small_jpeg_ls_lossless.dcm"])
def test_a_frame_that_the_first_decoder_refuses(monkeypatch: pytest.MonkeyPatch, tmp_path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(Path(get_testdata_file(name, download=False)).read_bytes())
    assert read_original(path).transfer_syntax_uid in (JPEGLosslessSV1, JPEGLSLossless)
    wanted = decode_frame(path, 0)
    table = dict.fromkeys(decoders.DECODERS, refuse)
    monkeypatch.setattr(decoders, "DECODERS", MappingProxyType(table))
    found = decode_frame(path, 0)
    assert np.array_equal(found.pixels, wanted.pixels)
    assert found.photometric_interpretation == wanted.photometric_interpretation


def test_the_first_error_is_told_where_both_refuse(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    path = tmp_path / "x.dcm"
    path.write_bytes(Path(get_testdata_file("SC_rgb_jpeg_gdcm.dcm", download=False)).read_bytes())
    layout = read_original(path).pixels
    assert layout is not None
    monkeypatch.setattr(decoders, "DECODERS", MappingProxyType({JPEGLosslessSV1: refuse}))
    with pytest.raises(RuntimeError, match="refused"):
        decoders.decode(b"\xff\xd8\xff\xd9", JPEGLosslessSV1, layout)
