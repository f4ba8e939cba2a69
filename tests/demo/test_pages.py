from __future__ import annotations

from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from PIL import Image

from dicomprinter.demo.pages import Patient, report_pdf, scanned_page


def test_the_report_names_its_patient_as_text(tmp_path: Path) -> None:
    report_pdf(tmp_path / "report.pdf", Patient(family_name="Müller", patient_id="M-1", accession_number="A1"))
    with pypdfium2.PdfDocument(tmp_path / "report.pdf") as pdf:
        texts = [page.get_textpage().get_text_range() for page in pdf]
    assert len(texts) == 2
    for text in texts:
        assert "Müller, Erika" in text
        assert "Patient ID: M-1" in text
        assert "Accession number: A1" in text
    report_pdf(tmp_path / "one.pdf", ecg=False)
    with pypdfium2.PdfDocument(tmp_path / "one.pdf") as pdf:
        assert len(pdf) == 1


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_the_scan_is_an_a4_page_with_grain(tmp_path: Path, mode: str) -> None:
    scanned_page(tmp_path / "scan.png", mode=mode)
    with Image.open(tmp_path / "scan.png") as page:
        assert (page.mode, page.size) == (mode, (2480, 3508))
        assert page.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        pixels = np.asarray(page)
    assert pixels.min() < 60
    assert len(np.unique(pixels)) > 100


def test_no_other_mode(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="CMYK"):
        scanned_page(tmp_path / "scan.png", mode="CMYK")
