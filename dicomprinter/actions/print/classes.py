"""The SOP classes of printing, by their UIDs (PS3.4 H.3 and H.4)."""

from __future__ import annotations

from typing import Final

GRAYSCALE_META: Final = "1.2.840.10008.5.1.1.9"
COLOUR_META: Final = "1.2.840.10008.5.1.1.18"

FILM_SESSION: Final = "1.2.840.10008.5.1.1.1"
FILM_BOX: Final = "1.2.840.10008.5.1.1.2"
GRAYSCALE_IMAGE_BOX: Final = "1.2.840.10008.5.1.1.4"
COLOUR_IMAGE_BOX: Final = "1.2.840.10008.5.1.1.4.1"
ANNOTATION_BOX: Final = "1.2.840.10008.5.1.1.15"
PRINTER: Final = "1.2.840.10008.5.1.1.16"
PRESENTATION_LUT: Final = "1.2.840.10008.5.1.1.23"

THE_PRINTER: Final = "1.2.840.10008.5.1.1.17"
"""The instance that every printer has (PS3.4 H.4.6)."""
