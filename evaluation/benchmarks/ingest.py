"""The document path, stage by stage, over the demo library: what each costs, and all of it together."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from evaluation.benchmarks.report import Row, compared
from ingestion.chunking import chunk
from ingestion.parsing import parse
from ingestion.parsing.uploads import detect
from retrieval.encoder import load_encoder
from retrieval.index.base import CollectionSpec
from retrieval.index.edge import EdgeIndex
from retrieval.lexical import Lexical
from retrieval.types import Passage, Point

DEMO = Path(__file__).resolve().parents[1] / "demo" / "documents"
ROUNDS = 25  # the demo library again and again: about 1,000 documents
REFERENCE = "parse (warm child process)"


def run(model: str, dimensions: int) -> list[Row]:
    """`model`: an encoder's folder or name, cut to `dimensions`. The database is not in these figures."""
    encoder, lexical = load_encoder(model, dimensions), Lexical()
    files = [path for path in sorted(DEMO.iterdir()) if path.is_file()] * ROUNDS
    seconds: dict[str, float] = {}

    @contextmanager
    def stage(name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        seconds[name] = time.perf_counter() - started

    with stage(REFERENCE):
        parsed = [parse(path, detect(path.name).content_type) for path in files]
    with stage("chunk"):
        spans = [span for document in parsed for span in chunk(document)]
    passages = [Passage(text=span.text, heading=span.heading) for span in spans]
    with stage("encode"):
        dense = encoder.encode_passages([passage.full for passage in passages])
    with stage("BM25 vectors"):
        sparse = lexical.passages(passages)
    with tempfile.TemporaryDirectory(prefix="quarry-benchmark-") as folder:
        index = EdgeIndex(Path(folder))
        index.create("benchmark", CollectionSpec(encoder.dimensions))
        rows = zip((str(UUID(int=n)) for n in range(len(passages))), dense, sparse, strict=True)
        points = [Point(*row, payload={}) for row in rows]
        with stage("index"):
            index.upsert("benchmark", points)
        index.close()
    seconds["all stages"] = sum(seconds.values())
    rates = [Row(name, len(files) / spent, "documents/s") for name, spent in seconds.items()]
    return [*compared(rates, REFERENCE), Row("chunks", float(len(spans)), "chunks")]
