"""The benchmark of quantizations, on a tiny model and set."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from research import quantization
from research.quantization import code_bytes, measure_set
from research.quantization_report import Row, section
from retrieval.index.base import CollectionSpec, Quantization
from retrieval.index.edge import EdgeIndex
from retrieval.types import Point
from tests.support.index_points import identity, terms
from tests.training.support import corpus, write_tiny_model

POINTS = 2000
PAGE_BYTES = 4096


@pytest.mark.parametrize("kind", get_args(Quantization))
@pytest.mark.parametrize("dimensions", [64, 160])
def test_code_bytes_should_be_what_the_engine_writes(
    tmp_path: Path, kind: Quantization, dimensions: int
) -> None:
    vectors = np.random.default_rng(0).normal(size=(POINTS, dimensions)).astype(np.float32)
    with contextlib.closing(EdgeIndex(tmp_path)) as index:
        index.create("docs", CollectionSpec(dimensions, kind))
        index.upsert("docs", [Point(identity(n), row, terms(), {}) for n, row in enumerate(vectors)])
    (file,) = tmp_path.glob("**/quantized_data/chunk_0.mmap")
    written = file.stat().st_blocks * 512  # the file is sparse
    assert 0 <= written - POINTS * code_bytes(kind, dimensions) < PAGE_BYTES


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    """Two sets of 60 documents, whose queries are words of the documents that they look for."""
    folder = tmp_path_factory.mktemp("sets")
    texts = [document[0].text for document in corpus(60)]
    for name in ("first", "second"):
        (folder / name / "qrels").mkdir(parents=True)
        _write_lines(folder / name / "corpus.jsonl", texts)
        _write_lines(folder / name / "queries.jsonl", [" ".join(text.split()[:6]) for text in texts[:10]])
        judged = "".join(f"{number}\t{number}\t1\n" for number in range(10))
        (folder / name / "qrels" / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quantization, "ENCODER", write_tiny_model(folder / "encoder"))
        patch.setattr(quantization, "DIMENSIONS", (64, 32))
        return [row for name in ("first", "second") for row in measure_set(folder / name, learn=False)]


def _write_lines(path: Path, texts: list[str]) -> None:
    lines = [json.dumps({"_id": str(number), "text": text}) for number, text in enumerate(texts)]
    path.write_text("\n".join(lines))


def test_every_quantization_should_be_measured_at_every_dimension(rows: list[Row]) -> None:
    rotated = {(row.kind, row.dimensions) for row in rows if row.rotated}
    expected = {(kind, dims) for kind in ("float", *get_args(Quantization)) for dims in (64, 32)}
    assert rotated == expected | {(f"{kind} of 64", 32) for kind in quantization.SHORT_CODES}
    assert {(row.kind, row.rotated) for row in rows} > {("float", False), ("binary", False)}


def test_rotation_should_keep_floats_of_all_dimensions_and_rescoring_should_bring_codes_near(
    rows: list[Row],
) -> None:
    first = {
        (row.kind, row.rotated, row.search): row.ndcg
        for row in rows
        if row.dataset == "first" and row.dimensions == 64
    }
    assert first["float", True, "float"] == pytest.approx(first["float", False, "float"], abs=0.02)
    assert first["binary", True, "codes"] < first["float", True, "float"]
    assert first["binary", True, "3x of 100"] == pytest.approx(first["float", True, "float"], abs=0.02)


def test_section_should_give_shares_of_floats_and_answer_the_targets(rows: list[Row]) -> None:
    markdown = section(rows, queries=10, adapted=False)
    assert "| float, cut only | 64 | 256 | 100.0% |" in markdown
    assert "At least 99.5%" in markdown
    assert "2 sets (the\nfirst 10 judged queries of each): first, second." in markdown


def test_section_should_say_which_codes_reach_a_target() -> None:
    def row(kind: str, search: str, ndcg: float, size: int, rotated: bool = True) -> Row:
        return Row("set", 9, kind, rotated, 256, search, size, ndcg, 1.0)

    searches = ("codes", "1x", "2x", "3x", "5x", "1x of 100", "3x of 100")
    rows = [row("float", "float", 0.5, 1024, rotated=False)]
    rows += [row("binary-query8", search, 0.498, 32) for search in searches]
    rows += [row("turbo-1", search, 0.40, 40) for search in searches]
    markdown = section(rows, queries=10, adapted=False)
    assert "- `3x`: `binary-query8` at 256 dimensions (32 bytes, 99.6%)." in markdown
    assert "codes alone:** `binary-query8` at 256 dimensions (32 bytes, 99.6%)." in markdown
    rows = [row("float", "float", 0.5, 1024, rotated=False)]
    rows += [row("turbo-1", search, 0.40, 24) for search in searches]
    markdown = section(rows, queries=10, adapted=False)
    assert "- `3x`: none; the best is `turbo-1` at 256 dimensions (24 bytes), with 80.0%." in markdown
