"""A drawing of curves as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from xml.sax.saxutils import escape

_WIDTH: Final = 900
_HEIGHT: Final = 420
_LEFT: Final = 60
_TOP: Final = 40
_RIGHT: Final = 880
_BOTTOM: Final = 380
_COLOURS: Final = ("#1f5fa8", "#c05a1c", "#3d8a3d")
_STEPS: Final = 5


def draw(title: str, lines: Mapping[str, Sequence[tuple[float, float]]], limits: Mapping[str, float]) -> str:
    """An SVG.

    Args:
        title: its head.
        lines: points (x, y) by name, x rising.
        limits: levels by name, drawn dashed.
    """
    points = [point for line in lines.values() for point in line]
    right = max([x for x, _ in points] + [1])
    top = max([y for _, y in points] + list(limits.values())) * 1.1

    def across(x: float) -> float:
        return _LEFT + (_RIGHT - _LEFT) * x / right

    def up(y: float) -> float:
        return _BOTTOM - (_BOTTOM - _TOP) * y / top

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<text x="{_LEFT}" y="22" font-size="15">{escape(title)}</text>',
        f'<path d="M{_LEFT} {_TOP}V{_BOTTOM}H{_RIGHT}" fill="none" stroke="black"/>',
    ]
    for step in range(_STEPS + 1):
        x, y = right * step / _STEPS, top * step / _STEPS
        parts.append(f'<text x="{across(x):.0f}" y="{_BOTTOM + 18}" text-anchor="middle">{x:.0f}</text>')
        parts.append(f'<text x="{_LEFT - 6}" y="{up(y) + 4:.0f}" text-anchor="end">{y:.0f}</text>')
    for name, level in limits.items():
        parts.append(f'<path d="M{_LEFT} {up(level):.1f}H{_RIGHT}" stroke="gray" stroke-dasharray="5 4"/>')
        label = escape(name)
        parts.append(f'<text x="{_RIGHT}" y="{up(level) - 4:.1f}" text-anchor="end" fill="gray">{label}</text>')
    for colour, line in zip(_COLOURS, lines.values(), strict=False):
        path = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in line)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
    for number, (colour, name) in enumerate(zip(_COLOURS, lines, strict=False)):
        parts.append(f'<text x="{_LEFT + 12}" y="{_BOTTOM - 12 - 16 * number}" fill="{colour}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
