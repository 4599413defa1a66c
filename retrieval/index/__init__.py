"""Where the index is: `open_index` chooses the engine, everything else is `base.Index`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from retrieval.index.base import Index


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """A Qdrant server by `url`, else the embedded engine in `folder`, which writes only while `min_free`
    bytes of its disk are free. The rest concerns servers."""

    folder: Path
    url: str = ""
    api_key: str = ""
    prefer_grpc: bool = False
    timeout: int = 2  # seconds, of a read
    shard_number: int = 1
    replication_factor: int = 1
    write_consistency_factor: int = 1
    min_free: int = 0


def open_index(settings: IndexSettings) -> Index:
    """The engine that the settings ask for. Files and connections are opened at the first call, not here."""
    if not settings.url:
        from retrieval.index.shared import SharedIndex

        return SharedIndex(settings.folder, settings.min_free)
    from retrieval.index.server import ServerIndex

    return ServerIndex(
        settings.url,
        settings.api_key,
        shard_number=settings.shard_number,
        replication_factor=settings.replication_factor,
        write_consistency_factor=settings.write_consistency_factor,
        prefer_grpc=settings.prefer_grpc,
        timeout=settings.timeout,
    )
