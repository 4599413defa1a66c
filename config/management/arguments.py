"""Types of arguments that several commands take."""

from __future__ import annotations

from argparse import ArgumentTypeError
from pathlib import Path


def report_file(text: str) -> Path:
    """A file that can be written: what cannot is refused before minutes of measuring, not after."""
    path = Path(text)
    if path.is_dir():
        raise ArgumentTypeError(f"{text} is no file but a folder")
    if not path.parent.is_dir():
        raise ArgumentTypeError(f"{path.parent} is no folder")
    return path
