"""The report on smaller rerankers."""

from __future__ import annotations

import numpy as np
import pytest

from research.candidates import JudgedSet
from research.compression_report import Row, distillations, tables, verdict
from training.reranker.teach import Taught

pytestmark = pytest.mark.torch


def row(key: str, ms: float | None, ndcg: float | None, *, kind: str = "pruned") -> Row:
    figures = {} if ndcg is None else {"one": ndcg, "two": ndcg + 0.1}
    return Row(key, f"variant {key}", kind, "INT8", 12.34, ms, figures, figures)


SHIPPED = row("int8", 200, 0.5, kind="whole")


def test_verdict_should_name_what_is_faster_and_as_good() -> None:
    rows = [SHIPPED, row("good", 150, 0.4985), row("worse", 100, 0.497), row("slow", 190, 0.6)]
    found = verdict([*rows, row("untrained", 10, None), row("fp16", None, 0.5)])
    assert "variant good (INT8, 150 ms)" in found
    for key in ("worse", "slow", "untrained", "fp16"):
        assert f"variant {key}" not in found


def test_verdict_should_say_that_nothing_wins() -> None:
    assert verdict([SHIPPED, row("worse", 100, 0.3)]).startswith("**No variant has")


def test_tables_should_hold_every_variant_and_leave_out_what_was_not_measured() -> None:
    hybrid = {"one": 0.4, "two": 0.5}
    rows = [SHIPPED, row("untrained", 300, None, kind="reference"), row("fp16", None, 0.5)]
    found = tables(rows, hybrid, queries=7, weight=0.1, threads=2)
    assert "the first 7 judged queries" in found
    assert "has 0.450" in found
    assert "| variant int8 | whole | INT8 | 12.3 | 200 | 0.550 | 0.550 |" in found
    assert "| variant untrained | reference | INT8 | 12.3 | 300 |  |  |" in found
    assert "| variant fp16 | pruned | INT8 | 12.3 |  | 0.550 | 0.550 |" in found
    assert found.count("| variant untrained |") == 1
    assert "### By set, at weight 0.1" in found


def test_distillations_should_say_how_long_and_how_near() -> None:
    taught = Taught(90, 12_345, (0.6122, 0.3872), (0.31, 0.52))
    found = distillations({"4 layers": taught})
    assert "| 4 layers | 90 | 12,345 | 0.612 | 0.387 | 0.310 | 0.520 |" in found


def test_ndcg_should_be_of_the_first_stage_or_of_the_scores() -> None:
    judged = JudgedSet(
        "one",
        documents=3,
        queries={"q": "a question"},
        judgements={"q": {"b": 1}},
        candidates={"q": [("a", 2.0), ("b", 1.0)]},
        texts={"a": "first", "b": "second"},
    )
    assert judged.ndcg(None, 0.5) == pytest.approx(1 / np.log2(3))
    assert judged.ndcg({"q": np.array([0, 1], np.float32)}, 1.0) == 1
    assert judged.ndcg({"q": np.array([0, 1], np.float32)}, 0.1) == pytest.approx(1 / np.log2(3))
