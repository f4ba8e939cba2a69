"""What the decoder's child loads: a file pays for its own kind alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.dicom.forwarding import made
from tests.imaging.pictures import pdf

LOADED = """
import sys
from pathlib import Path
import dicomprinter.imaging.child
from dicomprinter.imaging.calls import answer
from dicomprinter.imaging.limits import Limits
request = {"path": sys.argv[1], "index": 0, "dpi": 100, "mode": "RGB"}
for call in sys.argv[2:]:
    message, _ = answer({**request, "call": call}, Limits())
    assert "error" not in message, message
print(" ".join(name for name in ("numpy", "imagecodecs", "pypdfium2", "pydicom") if name in sys.modules))
"""


def loaded(path: Path, *calls: str) -> set[str]:
    command = [sys.executable, "-c", LOADED, str(path), *calls]
    return set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP"])
def test_a_picture_needs_no_pydicom(tmp_path: Path, kind: str) -> None:
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "x", kind)
    found = loaded(tmp_path / "x", "probe", "form", "bitstream", "page")
    assert "pydicom" not in found
    assert {"numpy", "imagecodecs"} <= found


def test_nor_does_a_pdf(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(pdf(1))
    found = loaded(tmp_path / "x", "probe", "form", "page")
    assert "pydicom" not in found
    assert "pypdfium2" in found


def test_a_dicom_file_loads_it(tmp_path: Path) -> None:
    made(tmp_path / "x", np.zeros((1, 8, 8), np.uint8))
    assert "pydicom" in loaded(tmp_path / "x", "probe", "frame")
