"""What drawings are made of: SVG as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

INK = "#1b1f24"


def sheet(width: float, height: float, parts: Iterable[str], ground: str = "#ffffff", style: str = "") -> str:
    """With a ground of its own, so that it reads in the light and in the dark."""
    size = f'width="{width:g}" height="{height:g}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {width:g} {height:g}">'
    styled = [f"<style>{style}</style>"] if style else []
    return "\n".join([head, *styled, f'<rect {size} rx="12" fill="{ground}"/>', *parts, "</svg>", ""])


def text(x: float, y: float, words: str, size: float = 18, colour: str = INK, anchor: str = "middle") -> str:
    font = f'font-family="sans-serif" font-size="{size:g}" text-anchor="{anchor}"'
    return f'<text x="{x:.0f}" y="{y:.0f}" {font} fill="{colour}">{words}</text>'


def line(points: Sequence[tuple[float, float]], colour: str, width: float) -> str:
    at = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    look = f'stroke="{colour}" stroke-width="{width:g}" stroke-linecap="round" stroke-linejoin="round"'
    return f'<polyline points="{at}" fill="none" {look}/>'


def dot(x: float, y: float, radius: float, colour: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{colour}"/>'


def rect(x: float, y: float, width: float, height: float, fill: str, more: str = "") -> str:
    at = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect {at} fill="{fill}"{more and " " + more}/>'


def polygon(corners: Sequence[tuple[float, float]], fill: str, more: str = "") -> str:
    at = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    return f'<polygon points="{at}" fill="{fill}"{more and " " + more}/>'
