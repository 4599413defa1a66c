"""Coordinates: from a page's own space to the page as people see it, and to how its text runs."""

from __future__ import annotations

from dataclasses import dataclass

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Frame:
    """A page turned clockwise by `turn` degrees, its origin at the top left, in points.

    `box` is the visible part of the page (left, bottom, right, top) in the page's own space, which need not
    start at 0, 0. The page's /Rotate gives the displayed page; 90, 180 or 270 more give the frame in which
    sideways text is upright.
    """

    box: Box
    turn: int

    @property
    def size(self) -> tuple[float, float]:
        left, bottom, right, top = self.box
        width, height = right - left, top - bottom
        return (height, width) if self.turn in (90, 270) else (width, height)

    def point(self, x: float, y: float) -> tuple[float, float]:
        left, bottom, right, top = self.box
        if self.turn == 0:
            return x - left, top - y
        if self.turn == 90:
            return y - bottom, x - left
        if self.turn == 180:
            return right - x, y - bottom
        return top - y, right - x

    def origin(self, u: float, v: float) -> tuple[float, float]:
        """Undo `point`."""
        left, bottom, right, top = self.box
        if self.turn == 0:
            return u + left, top - v
        if self.turn == 90:
            return v + left, u + bottom
        if self.turn == 180:
            return right - u, v + bottom
        return right - v, top - u

    def rectangle(self, box: Box) -> Box:
        """A rectangle of the page's own space: left, top, right, bottom."""
        (u0, v0), (u1, v1) = self.point(box[0], box[1]), self.point(box[2], box[3])
        return min(u0, u1), min(v0, v1), max(u0, u1), max(v0, v1)

    def turned(self, quarters: int) -> Frame:
        return Frame(self.box, (self.turn + 90 * quarters) % 360)

    def fractions(self, box: Box, shown: Frame) -> Box:
        """A rectangle of this frame as fractions (0 to 1) of the page as `shown`."""
        (x0, y0), (x1, y1) = self.origin(box[0], box[1]), self.origin(box[2], box[3])
        left, top, right, bottom = shown.rectangle((x0, y0, x1, y1))
        width, height = shown.size
        return _clip(left / width), _clip(top / height), _clip(right / width), _clip(bottom / height)


def _clip(value: float) -> float:
    return min(max(value, 0.0), 1.0)
