"""Invented pages as a practice makes them: a spirometry report as PDF, a letter that went through a scanner."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.colors import Color, black, grey
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

_INK: Final = Color(0.1, 0.25, 0.5)
_GRID: Final = Color(0.95, 0.75, 0.75)
_WIDTH, _HEIGHT = A4

# A4 at 300 dpi, in pixels.
SCAN_SIZE: Final = (2480, 3508)
SCAN_DPI: Final = 300

# (parameter, unit, predicted, measured)
_SPIROMETRY: Final = (
    ("FVC", "l", 4.62, 4.41),
    ("FEV1", "l", 3.71, 2.98),
    ("FEV1/FVC", "%", 80.0, 67.6),
    ("PEF", "l/s", 9.10, 7.25),
    ("MEF75", "l/s", 7.90, 5.62),
    ("MEF50", "l/s", 4.95, 2.71),
    ("MEF25", "l/s", 2.10, 0.98),
)


@dataclass(frozen=True)
class Patient:
    """Whom a page is about; text within Latin-1, which is what the built-in fonts hold."""

    family_name: str = "Muster"
    given_name: str = "Erika"
    patient_id: str = "4711-08"
    birth_date: str = "1964-08-12"
    sex: str = "F"
    accession_number: str = "A20260131"
    study_date: str = "2026-01-31"


def report_pdf(path: Path, patient: Patient = Patient(), *, ecg: bool = True) -> None:
    """Write an A4 report: spirometry with its flow-volume loop, and an ECG as the second page.

    Args:
        path: the PDF to be.
        patient: named in the head of each page, as text that can be found (`Patient ID: …`).
        ecg: whether there is a second page.
    """
    canvas = Canvas(str(path), pagesize=A4, invariant=1)
    canvas.setTitle("Spirometry report")
    canvas.setAuthor("Demo practice")
    _spirometry_page(canvas, patient)
    canvas.showPage()
    if ecg:
        _ecg_page(canvas, patient)
        canvas.showPage()
    canvas.save()


def scanned_page(path: Path, *, mode: str = "L", seed: int = 1) -> None:
    """Write an A4 page at 300 dpi as a scanner sees it: a little askew, grainy, with a shadow at its edge.

    Args:
        path: the image to be; a PNG keeps the resolution and every grey value.
        mode: `L` for 8-bit grey, `RGB` for colour with a blue signature and a red stamp.
        seed: of the grain; the same seed gives the same page.

    Raises:
        ValueError: another mode.
    """
    if mode not in ("L", "RGB"):
        raise ValueError(f"mode {mode} is neither L nor RGB")
    page = Image.new(mode, SCAN_SIZE, _ink(mode, 246, (249, 247, 240)))
    _draw_letter(ImageDraw.Draw(page), mode)
    page = page.rotate(-0.7, Image.Resampling.BILINEAR, fillcolor=_ink(mode, 228, (231, 229, 224)))
    Image.fromarray(_scanner_noise(np.asarray(page), seed)).save(path, dpi=(SCAN_DPI, SCAN_DPI), compress_level=1)


def _head(canvas: Canvas, patient: Patient, title: str) -> None:
    top = _HEIGHT - 20 * mm
    canvas.setFillColor(_INK)
    canvas.setFont("Helvetica-Bold", 18)
    canvas.drawString(20 * mm, top, title)
    canvas.setFont("Helvetica", 9)
    canvas.drawRightString(_WIDTH - 20 * mm, top, "Demo practice, 1 Example Street, 00000 Nowhere")
    canvas.setStrokeColor(_INK)
    canvas.line(20 * mm, top - 3 * mm, _WIDTH - 20 * mm, top - 3 * mm)
    canvas.setFillColor(black)
    left = (
        f"Name: {patient.family_name}, {patient.given_name}",
        f"Patient ID: {patient.patient_id}",
        f"Date of birth: {patient.birth_date}",
    )
    right = (f"Sex: {patient.sex}", f"Accession number: {patient.accession_number}", f"Date: {patient.study_date}")
    canvas.setFont("Helvetica", 11)
    for line, (first, second) in enumerate(zip(left, right, strict=True)):
        canvas.drawString(20 * mm, top - (11 + 6 * line) * mm, first)
        canvas.drawString(115 * mm, top - (11 + 6 * line) * mm, second)


def _spirometry_page(canvas: Canvas, patient: Patient) -> None:
    _head(canvas, patient, "Spirometry")
    top = _HEIGHT - 62 * mm
    columns = (20, 60, 90, 120, 150)
    canvas.setFont("Helvetica-Bold", 10)
    for x, title in zip(columns, ("Parameter", "Unit", "Predicted", "Measured", "% predicted"), strict=True):
        canvas.drawString(x * mm, top, title)
    canvas.setStrokeColor(grey)
    canvas.setLineWidth(0.5)
    canvas.line(20 * mm, top - 2 * mm, 190 * mm, top - 2 * mm)
    canvas.setFont("Helvetica", 10)
    for row, (name, unit, predicted, measured) in enumerate(_SPIROMETRY, start=1):
        y = top - (2 + 6 * row) * mm
        values = (name, unit, f"{predicted:.2f}", f"{measured:.2f}", f"{100 * measured / predicted:.0f}")
        for x, value in zip(columns, values, strict=True):
            canvas.drawString(x * mm, y, value)
        canvas.line(20 * mm, y - 2 * mm, 190 * mm, y - 2 * mm)
    _flow_volume_loop(canvas, 30 * mm, 72 * mm, 120 * mm, 90 * mm)
    canvas.setFillColor(black)
    canvas.setFont("Helvetica", 10)
    for line, text in enumerate(
        (
            "Assessment: mild obstructive ventilatory defect. The vital capacity is within normal limits.",
            "Recommendation: repeat after bronchodilation; follow-up in six months.",
            "Signed electronically; valid without a signature.",
        )
    ):
        canvas.drawString(20 * mm, (48 - 6 * line) * mm, text)


def _flow_volume_loop(canvas: Canvas, left: float, bottom: float, width: float, height: float) -> None:
    """Axes of 0 to 5 l and -6 to 10 l/s; the measured loop beside the predicted one."""

    def place(volume: float, flow: float) -> tuple[float, float]:
        return left + volume / 5 * width, bottom + (flow + 6) / 16 * height

    canvas.setFont("Helvetica", 8)
    canvas.setFillColor(black)
    canvas.setStrokeColor(Color(0.85, 0.85, 0.85))
    for volume in range(6):
        canvas.line(*place(volume, -6), *place(volume, 10))
        canvas.drawCentredString(place(volume, 0)[0], bottom - 4 * mm, f"{volume}")
    for flow in range(-6, 11, 2):
        canvas.line(*place(0, flow), *place(5, flow))
        canvas.drawRightString(left - 2 * mm, place(0, flow)[1] - 1 * mm, f"{flow}")
    canvas.drawString(left + width + 2 * mm, place(0, 0)[1], "Volume [l]")
    canvas.drawString(left, bottom + height + 2 * mm, "Flow [l/s]; measured solid, predicted dashed")
    canvas.setStrokeColor(black)
    canvas.line(*place(0, 0), *place(5, 0))

    steps = [step / 100 for step in range(101)]
    canvas.setDash(3, 2)
    canvas.setStrokeColor(grey)
    _curve(canvas, [place(4.62 * x, _expiration(x, 9.10, 0.85)) for x in steps])
    canvas.setDash()
    canvas.setStrokeColor(_INK)
    canvas.setLineWidth(1.2)
    _curve(canvas, [place(4.41 * x, _expiration(x, 7.25, 2.0)) for x in steps])
    _curve(canvas, [place(4.41 * x, -4.8 * math.sin(math.pi * x) ** 0.8) for x in steps])
    canvas.setLineWidth(0.5)


def _expiration(share: float, peak: float, sag: float) -> float:
    """Flow in l/s after `share` of the volume; a larger sag is the dent of an obstruction."""
    rise = 0.12
    if share < rise:
        return peak * math.sin(math.pi / 2 * share / rise)
    return peak * math.pow((1 - share) / (1 - rise), sag)


def _ecg_page(canvas: Canvas, patient: Patient) -> None:
    _head(canvas, patient, "Resting ECG")
    left, bottom, width, height = 20 * mm, 40 * mm, 170 * mm, 190 * mm
    canvas.setStrokeColor(_GRID)
    for line in range(int(width / mm) + 1):
        canvas.setLineWidth(0.5 if line % 5 == 0 else 0.15)
        canvas.line(left + line * mm, bottom, left + line * mm, bottom + height)
    for line in range(int(height / mm) + 1):
        canvas.setLineWidth(0.5 if line % 5 == 0 else 0.15)
        canvas.line(left, bottom + line * mm, left + width, bottom + line * mm)
    canvas.setStrokeColor(black)
    canvas.setFillColor(black)
    canvas.setLineWidth(0.7)
    leads = {"I": 0.6, "II": 1.0, "III": 0.5, "aVR": -0.8, "aVL": 0.3, "aVF": 0.7, "V2": -0.9, "V5": 1.1}
    for row, (lead, gain) in enumerate(leads.items()):
        base = bottom + height - (18 + 22.5 * row) * mm
        canvas.setFont("Helvetica-Bold", 9)
        canvas.drawString(left + 2 * mm, base + 8 * mm, lead)
        # 25 mm/s and 10 mm/mV, a beat every 0.82 s.
        seconds = [step / 100 for step in range(680)]
        beats = [(left + 25 * second * mm, base + 10 * gain * _heartbeat(second % 0.82) * mm) for second in seconds]
        _curve(canvas, beats[60:])
    canvas.setFont("Helvetica", 9)
    canvas.drawString(left, bottom - 6 * mm, "25 mm/s   10 mm/mV   0.05-150 Hz   sinus rhythm, 73 beats per minute")


def _heartbeat(second: float) -> float:
    """One beat in mV: P, Q, R, S and T as bells of (height, middle, width)."""
    waves = ((0.12, 0.10, 0.022), (-0.10, 0.215, 0.007), (1.0, 0.24, 0.010), (-0.22, 0.268, 0.009), (0.28, 0.45, 0.04))
    return sum(height * math.exp(-(((second - middle) / width) ** 2) / 2) for height, middle, width in waves)


def _curve(canvas: Canvas, points: Iterable[tuple[float, float]]) -> None:
    path = canvas.beginPath()
    move: Callable[[float, float], object] = path.moveTo
    for x, y in points:
        move(x, y)
        move = path.lineTo
    canvas.drawPath(path)


_Ink = int | tuple[int, int, int]

_LETTER: Final = (
    "Dear colleague,",
    "",
    "thank you for referring Mrs Erika Muster, born 12 August 1964, who was seen in our",
    "outpatient clinic on 31 January 2026.",
    "",
    "Diagnosis: mild bronchial obstruction, most likely asthma.",
    "",
    "History: cough for three months, mostly at night, worse in cold air. Never smoked.",
    "No fever, no loss of weight. Birch pollen allergy since childhood.",
    "",
    "Findings: temperature 36.7 °C, blood pressure 128/82 mmHg, pulse 73/min, regular.",
    "Lungs: soft expiratory wheeze on both sides, no crackles. Heart: clear sounds.",
)
_RESULTS: Final = (
    ("Test", "Result", "Reference"),
    ("FEV1", "2.98 l", "3.71 l"),
    ("FEV1/FVC", "67.6 %", "> 70 %"),
    ("FeNO", "48 ppb", "< 25 ppb"),
    ("Eosinophils", "0.52 G/l", "< 0.50 G/l"),
)


def _ink(mode: str, level: int, colour: tuple[int, int, int]) -> _Ink:
    return level if mode == "L" else colour


def _draw_letter(draw: ImageDraw.ImageDraw, mode: str) -> None:
    text = _ink(mode, 38, (35, 36, 44))
    line = _ink(mode, 110, (105, 110, 118))
    # Pillow's own font: no font of the system is needed.
    body, head = ImageFont.load_default(46), ImageFont.load_default(84)
    draw.text((260, 240), "Demo Clinic", font=head, fill=text)
    draw.text((260, 350), "Department of Respiratory Medicine, 2 Example Street, 00000 Nowhere", font=body, fill=line)
    draw.line((260, 430, 2220, 430), fill=line, width=4)
    draw.text((1800, 520), "31 January 2026", font=body, fill=text)
    for number, words in enumerate(_LETTER):
        draw.text((260, 680 + 72 * number), words, font=body, fill=text)
    for row, cells in enumerate(_RESULTS):
        top = 1660 + 92 * row
        for column, cell in enumerate(cells):
            left = 260 + 600 * column
            draw.rectangle((left, top, left + 600, top + 92), outline=line, width=3)
            draw.text((left + 24, top + 20), cell, font=body, fill=text)
    draw.text((260, 2260), "We suggest an inhaled steroid and a control after six weeks.", font=body, fill=text)
    draw.text((260, 2420), "With kind regards,", font=body, fill=text)
    signature = [(280 + 5 * x, 2600 + 60 * math.sin(x / 7) * math.cos(x / 17) + x / 5) for x in range(130)]
    draw.line(signature, fill=_ink(mode, 90, (36, 58, 150)), width=7, joint="curve")
    draw.text((260, 2760), "Dr A. Example", font=body, fill=text)
    stamp = _ink(mode, 125, (180, 48, 52))
    draw.rounded_rectangle((1560, 2500, 2180, 2760), radius=40, outline=stamp, width=9)
    draw.text((1640, 2580), "RECEIVED", font=head, fill=stamp)


def _scanner_noise(page: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    """Grain, and the shadow of the lid at the left edge."""
    random = np.random.default_rng(seed)
    rows, columns = page.shape[:2]
    # One patch of grain, laid again and again: a page of random numbers would take most of the time.
    patch = random.integers(-5, 6, (512, 512), dtype=np.int16)
    grain = np.tile(patch, (rows // 512 + 1, columns // 512 + 1))[:rows, :columns]
    shadow = (60 * np.exp(-np.arange(columns) / 45)).astype(np.int16)
    change = (grain - shadow).reshape(rows, columns, *[1] * (page.ndim - 2))
    noisy: NDArray[np.uint8] = np.clip(page + change, 0, 255).astype(np.uint8)
    return noisy
