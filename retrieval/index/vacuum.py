"""Gives back the space of deleted points: `python vacuum.py SHARD_FOLDER`, run before a shard is served.

The engine marks deleted points and keeps their vectors until its optimizer rewrites the segment, and that
holds the interpreter lock from start to end. So a child process does it, before this process opens the shard.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import qdrant_edge as qdrant

_WORTH_POINTS = 10_000
_WORTH_FRACTION = 0.3  # above the engine's own threshold of 0.2, below which it does nothing
_TIMEOUT_SECONDS = 60.0
_VERSION_BYTES = 8

log = logging.getLogger(__name__)


def is_worth_it(shard: Path, points: int) -> bool:
    """Whether a good part of the shard's slots, of which `points` are live, belongs to deleted points.

    The engine does not tell how many slots it holds, but each one has a version in its segment's file.
    """
    slots = sum(
        file.stat().st_size // _VERSION_BYTES for file in shard.glob("segments/*/*id_tracker.versions")
    )
    deleted = slots - points
    return deleted > _WORTH_POINTS and deleted > _WORTH_FRACTION * slots


def run(shard: Path) -> None:
    """Vacuum a shard that no process has open. One that fails or is cut short leaves the shard as it was."""
    try:
        subprocess.run([sys.executable, __file__, str(shard)], check=True, timeout=_TIMEOUT_SECONDS)
    except (subprocess.SubprocessError, OSError) as error:
        log.warning("index vacuum of %s did not finish: %s", shard, error)


def main(folder: str) -> None:
    shard = qdrant.EdgeShard.load(folder)
    shard.optimize()
    shard.flush()
    shard.close()


if __name__ == "__main__":
    main(sys.argv[1])
