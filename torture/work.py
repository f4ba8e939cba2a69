"""A job as it is dropped: its pages, whose it is, and which way it goes."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from tests.canary import CANARY
from tests.system.service import Service
from torture.peers import digest


@dataclass(frozen=True)
class Work:
    """A job to be.

    Args:
        number: its own.
        host: which way it goes: the workflow asks for CLIENT_HOST_NAME.
        pages: how many.
        side: rows and columns of each.
    """

    number: int
    host: str
    pages: int = 1
    side: int = 24

    @property
    def patient(self) -> str:
        """Its PatientID."""
        return f"{CANARY['PatientID']}-{self.number}"

    def drop(self, service: Service) -> None:
        """Give it to a service: its pages as a TIFF, and a sidecar."""
        images = [Image.fromarray(self._page(number)) for number in range(1, self.pages + 1)]
        stream = io.BytesIO()
        images[0].save(stream, "TIFF", save_all=True, append_images=images[1:])
        service.drop(f"{self.number:05}.tif", stream.getvalue(), self._sidecar())

    def digests(self) -> dict[int, str]:
        """By instance number, what tells its pages from all others."""
        return {number: digest(self._page(number).tobytes()) for number in range(1, self.pages + 1)}

    def _sidecar(self) -> dict[str, Any]:
        return {
            "title": f"{CANARY['PatientName']} {self.number}",
            "host": self.host,
            "tags": {"PatientName": CANARY["PatientName"], "PatientID": self.patient},
        }

    def _page(self, number: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
        page = np.arange(self.side * self.side, dtype=np.uint32).astype(np.uint8).reshape(self.side, self.side)
        page[0, :4] = list((self.number << 16 | number).to_bytes(4, "big"))
        return page
