"""The UIDs that a Store's declaration names (PS3.6 annex A), by the names of pydicom, whose objects take time to load.

Whatever handles objects takes those of pydicom; they are equal.
"""

from __future__ import annotations

from typing import Final

ImplicitVRLittleEndian: Final = "1.2.840.10008.1.2"
ExplicitVRLittleEndian: Final = "1.2.840.10008.1.2.1"
JPEGBaseline8Bit: Final = "1.2.840.10008.1.2.4.50"
JPEGLosslessSV1: Final = "1.2.840.10008.1.2.4.70"
JPEGLSLossless: Final = "1.2.840.10008.1.2.4.80"
JPEG2000Lossless: Final = "1.2.840.10008.1.2.4.90"
HTJ2KLossless: Final = "1.2.840.10008.1.2.4.201"
RLELossless: Final = "1.2.840.10008.1.2.5"

SecondaryCaptureImageStorage: Final = "1.2.840.10008.5.1.4.1.1.7"
MultiFrameGrayscaleByteSecondaryCaptureImageStorage: Final = "1.2.840.10008.5.1.4.1.1.7.2"
MultiFrameGrayscaleWordSecondaryCaptureImageStorage: Final = "1.2.840.10008.5.1.4.1.1.7.3"
MultiFrameTrueColorSecondaryCaptureImageStorage: Final = "1.2.840.10008.5.1.4.1.1.7.4"
EncapsulatedPDFStorage: Final = "1.2.840.10008.5.1.4.1.1.104.1"
