"""Text of pictures by OCR: RapidOCR for English, Chinese and Japanese, Tesseract for all others.

Both are optional. RapidOCR brings its models in its package; Tesseract needs the data of each language.
"""

from __future__ import annotations

import importlib.util
import io
import shutil
import subprocess
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from PIL.Image import Image

PATH = "/usr/local/bin:/usr/bin:/bin"
RAPID = frozenset({"en", "zh", "ja"})
TESSERACT = {
    "ar": "ara", "cs": "ces", "da": "dan", "de": "deu", "el": "ell", "en": "eng", "es": "spa", "fi": "fin",
    "fr": "fra", "he": "heb", "hi": "hin", "hu": "hun", "it": "ita", "ja": "jpn", "ko": "kor", "nl": "nld",
    "no": "nor", "pl": "pol", "pt": "por", "ru": "rus", "sv": "swe", "th": "tha", "tr": "tur", "uk": "ukr",
    "vi": "vie", "zh": "chi_sim",
}  # fmt: skip
ONE_COLUMN = "4"  # Tesseract's own division of pages loses most of Korean ones; ours follows
MOST_PIXELS = 40_000_000
SKEWS = [step / 4 for step in range(-20, 21)]  # degrees
SMALL = 900  # pixels on the longer side, enough to see a skew


class OcrWord(NamedTuple):
    """A word or a line, its rectangle in pixels of the straightened picture, and how sure OCR is (0 to 1)."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    confidence: float


@lru_cache(maxsize=1)
def installed() -> bool:
    """Can pictures be read here at all?"""
    return bool(importlib.util.find_spec("PIL")) and bool(
        importlib.util.find_spec("rapidocr") or shutil.which("tesseract", path=PATH)
    )


def engine(languages: Sequence[str]) -> str:
    """Which of "rapidocr" and "tesseract" reads these languages (ISO 639-1) here; '' where neither does."""
    if not languages or not importlib.util.find_spec("PIL"):
        return ""
    if set(languages) <= RAPID and importlib.util.find_spec("rapidocr"):
        return "rapidocr"
    codes = {TESSERACT.get(language, "") for language in languages}
    return "tesseract" if codes <= _tesseract_languages() else ""


def recognise(picture: Image, languages: Sequence[str]) -> tuple[Image, list[OcrWord]]:
    """The picture set straight and in grey, and its words in reading order."""
    from PIL.Image import Resampling

    image = picture.convert("L")
    if image.width * image.height > MOST_PIXELS:
        image.thumbnail((int(MOST_PIXELS**0.5), int(MOST_PIXELS**0.5)))
    if skew := _skew(image):
        image = image.rotate(skew, resample=Resampling.BICUBIC, fillcolor=255)
    read = _rapid if engine(languages) == "rapidocr" else _tesseract
    return image, read(image, languages)


def _skew(image: Image) -> float:
    """Degrees to turn by until the rows of ink are sharpest."""
    import numpy as np
    from PIL import ImageOps

    small = ImageOps.invert(image)
    small.thumbnail((SMALL, SMALL))

    def sharpness(angle: float) -> float:
        rows = np.asarray(small.rotate(angle), dtype=np.float64).sum(axis=1)
        return float(np.square(np.diff(rows)).sum())

    best = max(SKEWS, key=sharpness)
    return best if sharpness(best) > 1.1 * sharpness(0.0) else 0.0


@lru_cache(maxsize=1)
def _tesseract_languages() -> frozenset[str]:
    program = shutil.which("tesseract", path=PATH)
    if not program:
        return frozenset()
    listed = subprocess.run([program, "--list-langs"], capture_output=True, text=True, timeout=20).stdout
    return frozenset(listed.split())


def _tesseract(image: Image, languages: Sequence[str]) -> list[OcrWord]:
    """Run Tesseract by pipes alone: the process that reads documents may write no file."""
    data = io.BytesIO()
    image.save(data, "PPM")
    codes = "+".join(TESSERACT[language] for language in languages)
    run = subprocess.run(
        ["tesseract", "stdin", "stdout", "-l", codes, "--psm", ONE_COLUMN, "--dpi", "300", "tsv"],
        input=data.getvalue(),
        capture_output=True,
        env={"PATH": PATH, "OMP_THREAD_LIMIT": "1"},
        check=True,
    )
    rows = (line.split("\t") for line in run.stdout.decode("utf-8", "replace").splitlines()[1:])
    words = [row for row in rows if len(row) == 12 and row[11].strip() and float(row[10]) >= 0]
    lines: dict[tuple[str, ...], list[list[str]]] = {}
    for word in words:
        lines.setdefault(tuple(word[1:5]), []).append(word)
    found = []
    for line in lines.values():
        top = min(int(word[7]) for word in line)
        bottom = max(int(word[7]) + int(word[9]) for word in line)
        for word in line:
            left, width = int(word[6]), int(word[8])
            found.append(OcrWord(word[11], left, top, left + width, bottom, float(word[10]) / 100))
    return found


@lru_cache(maxsize=1)
def _rapid_engine() -> Any:
    import logging

    from rapidocr import RapidOCR

    logging.getLogger("RapidOCR").setLevel(logging.ERROR)
    return RapidOCR()


def _rapid(image: Image, languages: Sequence[str]) -> list[OcrWord]:
    import numpy as np

    result = _rapid_engine()(np.asarray(image.convert("RGB")))
    if result.txts is None:
        return []
    return [
        OcrWord(text, min(xs), min(ys), max(xs), max(ys), float(score))
        for text, box, score in zip(result.txts, result.boxes, result.scores, strict=True)
        for xs, ys in [([float(p[0]) for p in box], [float(p[1]) for p in box])]
    ]
