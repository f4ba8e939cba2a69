"""JPEG Lossless, Non-Hierarchical, First-Order Prediction (DICOM's 1.2.840.10008.1.2.4.70), written in C."""

from __future__ import annotations

from ._encoder import encode

__all__ = ["encode"]
