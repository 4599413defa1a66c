"""The straight lines that a page draws, most of them around and in tables."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass, field

import pypdfium2.raw as pdfium

from ingestion.parsing.pdf.frames import Box, Frame

THIN = 3.0  # points; a bar that is no thicker is a line
SHORT = 8.0
MOST_OBJECTS = 20_000
MOST_SEGMENTS = 2_000  # of one path


@dataclass(slots=True)
class Rules:
    """`across`: (v, u0, u1) of each horizontal line; `down`: (u, v0, v1) of each vertical one."""

    across: list[tuple[float, float, float]] = field(default_factory=list)
    down: list[tuple[float, float, float]] = field(default_factory=list)

    def add(self, box: Box) -> None:
        u0, v0, u1, v1 = box
        if v1 - v0 <= THIN and u1 - u0 >= SHORT:
            self.across.append(((v0 + v1) / 2, u0, u1))
        elif u1 - u0 <= THIN and v1 - v0 >= SHORT:
            self.down.append(((u0 + u1) / 2, v0, v1))

    def between(self, v0: float, v1: float, u0: float, u1: float) -> bool:
        """Does a line run between two rows, along most of the way from `u0` to `u1`?"""
        covered = sum(min(b, u1) - max(a, u0) for v, a, b in self.across if v0 < v < v1 and b > u0 and a < u1)
        return covered > 0.6 * (u1 - u0)

    def under(self, v: float, size: float, u0: float, u1: float) -> tuple[float, float]:
        """How far the line under a text reaches to both sides; `u0`, `u1` where there is none."""
        near = sorted((a, b) for place, a, b in self.across if v < place < v + 0.8 * size)
        spans: list[list[float]] = []
        for a, b in near:
            if spans and a <= spans[-1][1] + THIN:
                spans[-1][1] = max(spans[-1][1], b)
            else:
                spans.append([a, b])
        middle = (u0 + u1) / 2
        return next(((a, b) for a, b in spans if a <= middle <= b), (u0, u1))


def rules_of(page: pdfium.FPDF_PAGE, frame: Frame) -> Rules:
    """The lines of a page's paths, the edges of outlined rectangles too."""
    rules = Rules()
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    bounds = [ctypes.c_float() for _ in range(4)]
    for number in range(min(pdfium.FPDFPage_CountObjects(page), MOST_OBJECTS)):
        path = pdfium.FPDFPage_GetObject(page, number)
        if pdfium.FPDFPageObj_GetType(path) != pdfium.FPDF_PAGEOBJ_PATH:
            continue
        pdfium.FPDFPageObj_GetBounds(path, *bounds)
        left, bottom, right, top = (bound.value for bound in bounds)
        box = frame.rectangle((left, bottom, right, top))
        if right - left <= THIN or top - bottom <= THIN:
            rules.add(box)
            continue
        pdfium.FPDFPath_GetDrawMode(path, fill, stroke)
        if not stroke.value:  # an area of colour
            continue
        for (x0, y0), (x1, y1) in _edges(path):
            rules.add(frame.rectangle((x0, y0, x1, y1)))
    return rules


def _edges(path: pdfium.FPDF_PAGEOBJECT) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    """Beginning and end of each straight piece of a path."""
    count = pdfium.FPDFPath_CountSegments(path)
    matrix, x, y = pdfium.FS_MATRIX(), ctypes.c_float(), ctypes.c_float()
    if count > MOST_SEGMENTS or not pdfium.FPDFPageObj_GetMatrix(path, matrix):
        return
    first = last = (0.0, 0.0)
    for number in range(count):
        piece = pdfium.FPDFPath_GetPathSegment(path, number)
        pdfium.FPDFPathSegment_GetPoint(piece, x, y)
        point = (
            matrix.a * x.value + matrix.c * y.value + matrix.e,
            matrix.b * x.value + matrix.d * y.value + matrix.f,
        )
        kind = pdfium.FPDFPathSegment_GetType(piece)
        if kind == pdfium.FPDF_SEGMENT_MOVETO:
            first = point
        elif kind == pdfium.FPDF_SEGMENT_LINETO:
            yield last, point
        last = point
        if pdfium.FPDFPathSegment_GetClose(piece):
            yield last, first
            last = first
