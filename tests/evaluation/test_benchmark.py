from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from evaluation.benchmarks import encode, rerank, rerank_load, search
from evaluation.benchmarks.report import Row, compared
from evaluation.benchmarks.texts import passages, queries
from tests.support.models import static_model


def test_texts_should_be_the_same_at_every_call() -> None:
    assert passages(3) == passages(3)
    assert len(set(passages(3))) == 3
    assert all(180 <= len(text.split()) < 240 for text in passages(20))
    assert all(len(query.split()) == 6 for query in queries(20))


def test_ratio_should_be_to_the_reference_in_the_same_unit() -> None:
    rows = [Row("ours", 30.0, "chunks/s"), Row("theirs", 10.0, "chunks/s"), Row("recall", 0.9, "share")]
    ours, theirs, recall = compared(rows, "theirs")
    assert (ours.ratio_to, ours.ratio) == ("theirs", 3.0)
    assert theirs.ratio is recall.ratio is None
    assert compared(rows[:1], "theirs") == rows[:1]


@pytest.mark.filterwarnings("ignore")
def test_encode_benchmark_should_write_json(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ENCODER = str(static_model(tmp_path / "model"))
    monkeypatch.setattr(encode, "PASSAGES", 20)
    monkeypatch.setattr(encode, "TRANSFORMER_PASSAGES", 1)
    file = tmp_path / "report.json"
    call_command("benchmark", "encode", "--json", str(file), stdout=StringIO())
    report = json.loads(file.read_text())
    assert report["benchmark"] == "encode"
    assert report["machine"]["cores"] >= 1
    assert [row["name"] for row in report["rows"][:2]] == ["Quarry, cold", "Quarry, warm"]
    assert set(report["rows"][0]) == {"name", "value", "unit", "ratio_to", "ratio"}
    assert all(row["value"] > 0 for row in report["rows"])


def test_search_benchmark_should_measure_each_leg(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ENCODER, settings.DIMENSIONS = str(static_model(tmp_path / "model")), 12
    monkeypatch.setattr(search, "PASSAGES", 200)
    monkeypatch.setattr(search, "QUERIES", 5)
    out = StringIO()
    call_command("benchmark", "search", stdout=out)
    for name in ("one bit, rescored", "exact float16", "BM25", "FTS5", "both legs", "recall@10"):
        assert name in out.getvalue()


def test_absent_model_should_be_named(tmp_path: Path, settings: Any) -> None:
    settings.ENCODER = str(tmp_path)
    with pytest.raises(CommandError, match="holds no model"):
        call_command("benchmark", "encode")


@pytest.mark.filterwarnings("ignore")
def test_rerank_benchmark_should_compare_each_figure_with_its_reference(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small = {
        "RERANKED": 2,
        "QUERIES": 1,
        "REPEATS": 1,
        "CALLERS": 2,
        "REQUESTS": 1,
        "PER_REQUEST": 1,
        "PAIRS": 2,
    }
    for name, value in small.items():
        monkeypatch.setattr(rerank, name, value)
    monkeypatch.setattr(rerank, "chunks", lambda: passages(2))
    for name, count in {"SEARCHES": 1, "USERS": 2, "ROUNDS": 1, "READS_S": 0}.items():
        monkeypatch.setattr(rerank_load, name, count)
    out = StringIO()
    call_command("benchmark", "rerank", stdout=out)
    ours, reference, *others = out.getvalue().splitlines()
    assert ours.startswith("Quarry") and f"x {rerank.REFERENCE}" in ours
    assert reference.startswith(rerank.REFERENCE)
    assert [line.split(":")[0].split(", ")[-1] for line in others if "first 5 in time" in line] == [
        "alone",
        "a third of the speed",
        "2 users at once",
    ]
    for name in (f"x {rerank.FULL}", "x padded to 512", "x one caller", "x 2 times the wait"):
        assert any(name in line for line in others)
    assert "rows of a GPU are left out" in capsys.readouterr().out
