"""Grey values: Modality LUT, VOI LUT or window, and what black is (PS3.4 N.2.1, PS3.3 C.11.1 and C.11.2).

Every step is a function of a single value. Cells of 8 or 16 bits have so few that they are computed once for each value
that a cell can have; of wider ones some rows at a time. The film's bits come out of the window itself, in one rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_windowing

from dicomprinter.dicom.page import Pixels
from dicomprinter.imaging.rendering.lut import lut_of

if TYPE_CHECKING:
    from dicomprinter.imaging.rendering.cells import Cells

_ANGIOGRAPHY: Final = frozenset({"1.2.840.10008.5.1.4.1.1.12.1", "1.2.840.10008.5.1.4.1.1.12.2"})
_FUNCTIONS: Final = ("LINEAR", "LINEAR_EXACT", "SIGMOID")

Step = Callable[[Pixels], Pixels]


@dataclass(frozen=True)
class Grey:
    """How the values of a frame become grey.

    Args:
        said: the object's attributes of this frame.
        is_big: whether its bytes are big endian.
        is_inverted: whether the smallest value is white (MONOCHROME1).
        bits: of the result, 8 or 12; 0 is black.
        note: takes what the job's history should tell.
    """

    said: Dataset
    is_big: bool
    is_inverted: bool
    bits: int
    note: Callable[[str], object]

    @property
    def _top(self) -> int:
        return (1 << self.bits) - 1

    def of(self, cells: Cells) -> Pixels:
        """The frame in grey.

        Raises:
            ValueError: a lookup table is none.
        """
        # Slopes of 1e300 are no reason to say anything but what comes of it.
        with np.errstate(all="ignore"):
            voi = self._voi(cells)
            return cells.mapped(lambda stored: self._out(voi(self._modality(stored))))

    def _out(self, grey: Pixels) -> Pixels:
        """Values from 0 to the top, rounded half up, in as few bytes as they need."""
        rounded = np.floor(np.clip(np.nan_to_num(grey), 0, self._top) + 0.5)
        whole = rounded.astype(np.uint8 if self.bits == 8 else np.uint16)
        result: Pixels = self._top - whole if self.is_inverted else whole
        return result

    def _modality(self, stored: Pixels) -> Pixels:
        """What the stored values mean; of angiography, its table leads away from what is to be seen (C.8.7.1.1.2)."""
        if self.said.get("ModalityLUTSequence"):
            is_for_sums = self.said.get("PixelIntensityRelationship") in ("LOG", "DISP")
            if is_for_sums and self.said.get("SOPClassUID") in _ANGIOGRAPHY:
                return stored
            return self._table("ModalityLUTSequence")[0](stored)
        slope, intercept = _first(self.said, "RescaleSlope"), _first(self.said, "RescaleIntercept")
        return stored * slope + intercept if slope and intercept is not None else stored

    def _voi(self, cells: Cells) -> Step:
        """From what the values mean to 0 to the top."""
        if self.said.get("VOILUTSequence"):
            look, top = self._table("VOILUTSequence")
            return lambda meant: look(meant) * (self._top / top)
        window = self._window()
        if window is not None:
            return lambda meant: apply_windowing(meant, window)
        low, high = self._range(cells)
        return lambda meant: (meant - low) * (self._top / (high - low))

    def _window(self) -> Dataset | None:
        """The first window, as one whose result has the film's bits."""
        centre, width = _first(self.said, "WindowCenter"), _first(self.said, "WindowWidth")
        if centre is None and width is None:
            return None
        function = str(self.said.get("VOILUTFunction") or "LINEAR").upper()
        if function not in _FUNCTIONS:
            self.note("the VOI LUT Function of the image is unknown: LINEAR was taken")
            function = "LINEAR"
        if centre is None or width is None or width <= 0 or (width < 1 and function == "LINEAR"):
            self.note("the window of the image is none that can be used: the range of its values was taken")
            return None
        window = Dataset()
        # A number that has more digits than a DS may have is none of its business.
        window.add_new("WindowCenter", "FD", centre)
        window.add_new("WindowWidth", "FD", width)
        window.VOILUTFunction = function
        window.PhotometricInterpretation, window.PixelRepresentation, window.BitsStored = "MONOCHROME2", 0, self.bits
        return window

    def _range(self, cells: Cells) -> tuple[float, float]:
        """The smallest and the largest value of the frame, without what only fills it up (PS3.3 C.7.5.1.1.2)."""
        stored = cells.present()
        padding = [_first(self.said, name) for name in ("PixelPaddingValue", "PixelPaddingRangeLimit")]
        ends = [value for value in padding if value is not None]
        if ends and padding[0] is not None:
            rest = stored[(stored < min(ends)) | (stored > max(ends))]
            stored = rest if rest.size else stored
        meant = np.nan_to_num(self._modality(stored))
        low, high = float(meant.min()), float(meant.max())
        if low < high:
            return low, high
        # Of one value alone: black, white or grey as it would be among all that there may be.
        every = np.nan_to_num(self._modality(cells.limits()))
        low, high = float(every.min()), float(every.max())
        return (low, high) if low < high else (low, low + 1)

    def _table(self, keyword: str) -> tuple[Step, int]:
        lut = lut_of(self.said[keyword][0], "LUTDescriptor", "LUTData", is_big=self.is_big)
        return lut.of, lut.top


def _first(said: Dataset, keyword: str) -> float | None:
    value = said.get(keyword)
    if isinstance(value, str | bytes) or value is None:
        return None
    try:
        return float(value if isinstance(value, int | float) else value[0])
    except (IndexError, TypeError, ValueError):
        return None
