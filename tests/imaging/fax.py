"""Fax coding by hand: ITU-T T.4 in one and two dimensions, and T.6. Rows are 1 for black."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

# T.4, tables 2 and 3a: the codes for runs of 0 to 63, then for 64, 128 … 1728.
_WHITE = """
00110101 000111 0111 1000 1011 1100 1110 1111 10011 10100 00111 01000 001000 000011 110100 110101 101010 101011 0100111
0001100 0001000 0010111 0000011 0000100 0101000 0101011 0010011 0100100 0011000 00000010 00000011 00011010 00011011
00010010 00010011 00010100 00010101 00010110 00010111 00101000 00101001 00101010 00101011 00101100 00101101 00000100
00000101 00001010 00001011 01010010 01010011 01010100 01010101 00100100 00100101 01011000 01011001 01011010 01011011
01001010 01001011 00110010 00110011 00110100
11011 10010 010111 0110111 00110110 00110111 01100100 01100101 01101000 01100111 011001100 011001101 011010010
011010011 011010100 011010101 011010110 011010111 011011000 011011001 011011010 011011011 010011000 010011001 010011010
011000 010011011
""".split()  # noqa: SIM905 - as the tables are printed
_BLACK = """
0000110111 010 11 10 011 0011 0010 00011 000101 000100 0000100 0000101 0000111 00000100 00000111 000011000 0000010111
0000011000 0000001000 00001100111 00001101000 00001101100 00000110111 00000101000 00000010111 00000011000 000011001010
000011001011 000011001100 000011001101 000001101000 000001101001 000001101010 000001101011 000011010010 000011010011
000011010100 000011010101 000011010110 000011010111 000001101100 000001101101 000011011010 000011011011 000001010100
000001010101 000001010110 000001010111 000001100100 000001100101 000001010010 000001010011 000000100100 000000110111
000000111000 000000100111 000000101000 000001011000 000001011001 000000101011 000000101100 000001011010 000001100110
000001100111
0000001111 000011001000 000011001001 000001011011 000000110011 000000110100 000000110101 0000001101100 0000001101101
0000001001010 0000001001011 0000001001100 0000001001101 0000001110010 0000001110011 0000001110100 0000001110101
0000001110110 0000001110111 0000001010010 0000001010011 0000001010100 0000001010101 0000001011010 0000001011011
0000001100100 0000001100101
""".split()  # noqa: SIM905 - as the tables are printed
_EOL = "000000000001"
_VERTICAL = {0: "1", 1: "011", 2: "000011", 3: "0000011", -1: "010", -2: "000010", -3: "0000010"}
_PASS, _HORIZONTAL = "0001", "001"


def modified_huffman(rows: np.ndarray) -> bytes:
    """TIFF's compression 2: each row of its own bytes, without ends of line."""
    return b"".join(_packed(_one_dimension(row)) for row in rows)


def group_3(rows: np.ndarray, *, two_dimensions: bool = False, aligned: bool = False) -> bytes:
    """TIFF's compression 3: an end of line before each row; every fourth row in one dimension where there are two."""
    bits = ""
    for number, row in enumerate(rows):
        if aligned:
            bits += "0" * (-(len(bits) + len(_EOL)) % 8)
        bits += _EOL
        if not two_dimensions:
            bits += _one_dimension(row)
        elif number % 4 == 0:
            bits += "1" + _one_dimension(row)
        else:
            bits += "0" + _two_dimensions(row, rows[number - 1])
    return _packed(bits + (_EOL + "1" * two_dimensions) * 6)


def group_4(rows: np.ndarray) -> bytes:
    """TIFF's compression 4."""
    above = np.vstack([np.zeros_like(rows[:1]), rows[:-1]])
    return _packed("".join(_two_dimensions(row, before) for row, before in zip(rows, above, strict=True)) + _EOL * 2)


def reversed_bits(data: bytes) -> bytes:
    """TIFF's fill order 2: the first pixel in the lowest bit."""
    return bytes(int(f"{byte:08b}"[::-1], 2) for byte in data)


def _packed(bits: str) -> bytes:
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[start : start + 8], 2) for start in range(0, len(bits), 8))


def _run(length: int, colour: int) -> str:
    table = _BLACK if colour else _WHITE
    code = ""
    while length >= 64:
        most = min(length, 1728) // 64
        code += table[63 + most]
        length -= most * 64
    return code + table[length]


def _one_dimension(row: np.ndarray) -> str:
    places = [0, *_changes(row), len(row)]
    return "".join(_run(b - a, number % 2) for number, (a, b) in enumerate(pairwise(places)))


def _changes(row: np.ndarray) -> Iterator[int]:
    """Where the colour changes; a row begins after imaginary white."""
    yield from np.flatnonzero(np.diff(row.astype(int), prepend=0)).tolist()


def _two_dimensions(row: np.ndarray, above: np.ndarray) -> str:
    """T.4 4.2.1.3.4, with its names."""
    width = len(row)
    own, others = [*_changes(row), width, width], [*_changes(above)]
    bits, a0, colour = "", -1, 0
    while a0 < width:
        a1 = next(place for place in own if place > a0 and (place == width or row[place] != colour))
        # The first change above, to the right of a0, to the other colour.
        b1 = next((place for place in others if place > a0 and above[place] != colour), width)
        b2 = next((place for place in others if place > b1), width)
        if b2 < a1:
            bits, a0 = bits + _PASS, b2
        elif abs(a1 - b1) <= 3:
            bits, a0, colour = bits + _VERTICAL[a1 - b1], a1, 1 - colour
        else:
            a2 = next(place for place in own if place > a1 or place == width)
            bits += _HORIZONTAL + _run(a1 - max(a0, 0), colour) + _run(a2 - a1, 1 - colour)
            a0 = a2
    return bits
