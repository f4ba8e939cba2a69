"""ICC profiles made byte by byte (ICC.1:2010), so that what they ask for is known without a colour engine."""

from __future__ import annotations

import struct

# Media white of every profile, and the illuminant of the connection space: D50 (ICC.1 7.2.16).
D50 = (0.9642, 1.0, 0.8249)
# The primaries of Display P3 and of sRGB as seen under D50, as their profiles give them.
P3_PRIMARIES = ((0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407))
SRGB_PRIMARIES = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.7141))


def rgb_profile(
    gamma: float = 2.2, primaries: tuple[tuple[float, float, float], ...] = SRGB_PRIMARIES, name: str = "test"
) -> bytes:
    """A display of three primaries and one curve (ICC.1 8.4.3)."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    tags = {b"wtpt": _xyz(D50), b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
    tags |= dict(zip((b"rXYZ", b"gXYZ", b"bXYZ"), map(_xyz, primaries), strict=True))
    return _profile(b"mntr", b"RGB ", b"XYZ ", name, tags)


def cmyk_profile(corners: dict[tuple[int, int, int, int], tuple[float, float, float]]) -> bytes:
    """A printer whose colours lie linearly between the 16 corners of full and no ink (ICC.1 10.10, lut8Type).

    Args:
        corners: L*, a*, b* under D50 of every combination of inks, each 0 or 1 in the order C, M, Y, K.
    """
    identity = bytes(range(256))
    grid = b""
    for place in range(16):
        inks = tuple(place >> shift & 1 for shift in (3, 2, 1, 0))
        lightness, a, b = corners[(inks[0], inks[1], inks[2], inks[3])]
        grid += bytes([round(lightness * 255 / 100), round(a) + 128, round(b) + 128])
    matrix = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + matrix + identity * 4 + grid + identity * 3
    return _profile(b"prtr", b"CMYK", b"Lab ", "test", {b"wtpt": _xyz(D50), b"A2B0": table})


def _xyz(values: tuple[float, float, float]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in values))


def _profile(device: bytes, space: bytes, connection: bytes, name: str, tags: dict[bytes, bytes]) -> bytes:
    text = name.encode("ascii") + b"\0"
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(8 + 3 + 67),
        b"cprt": b"text" + bytes(4) + b"none\0",
        **tags,
    }
    directory, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for tag, content in tags.items():
        directory += tag + struct.pack(">II", start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    header = struct.pack(">I4sI4s4s4s", start + len(body), b"none", 0x02400000, device, space, connection)
    header += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    header += struct.pack(">3i", *(round(value * 65536) for value in D50))
    return header.ljust(128, b"\0") + directory + body
