"""How much one file may ask for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds that keep one file from taking the machine; a configuration's General may set each.

    Args:
        pixels: in one page.
        side: rows or columns of one page; 65,535 is what an object can tell (PS3.3 C.7.6.3.1).
        pages: in one file.
        bytes: of one file, and of a deflated data set inflated.
        text: bytes of one text.
    """

    pixels: int = 300_000_000
    side: int = 65_535
    pages: int = 5_000
    bytes: int = 2 << 30
    text: int = 1 << 20

    @property
    def memory(self) -> int:
        """Bytes of address space in which the largest page of the largest file can be decoded.

        That is the program and its libraries, the mapped file, and for each pixel what the costliest format takes:
        8 bytes of RGBA with 16 bits, and 3 of the page.
        """
        return (1 << 30) + self.bytes + 12 * self.pixels

    def excess(self, width: int, height: int) -> tuple[str, str] | None:
        """Why a page of this size is too large, and the element that says so; None when it is not."""
        if max(width, height) > self.side:
            return f"{width} × {height} pixels; a side may have {self.side}", "MaximumSide"
        if width * height > self.pixels:
            most = f"{self.pixels // 1_000_000} million" if self.pixels >= 1_000_000 else str(self.pixels)
            return f"{width} × {height} pixels; a page may have {most}", "MaximumPixels"
        return None
