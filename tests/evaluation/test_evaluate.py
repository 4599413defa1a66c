from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import ir_measures
import numpy as np
import pytest
from django.core.management import CommandError, call_command

from evaluation.beir import DatasetError, load_corpus, load_questions
from evaluation.evaluate import NDCG, RECALL, EncoderFor, evaluate
from retrieval.encoder import load_encoder
from retrieval.reranker import Reranker, RerankerCard
from retrieval.reranker.model import Batch
from retrieval.types import FloatArray
from tests.support.models import static_model, tiny_tokenizer, tiny_transformer

DOCUMENTS = [
    {"_id": "d1", "title": "Dogs", "text": "The dog barks at the cat."},
    {"_id": "d2", "title": "", "text": "Cats sleep on the mat."},
    {"_id": "d3", "text": "아인슈타인은 독일에서 태어났다."},
    {"_id": "d4", "title": None, "text": "Nothing of the kind."},
]
QUERIES = [
    {"_id": "q1", "text": "dog"},
    {"_id": "q2", "text": "where do cats sleep"},
    {"_id": "q3", "text": "아인슈타인은 어디에서 태어났나요?"},
    {"_id": "q4", "text": "nobody judged this"},
]
JUDGEMENTS = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\nq2\td2\t1\nq3\td3\t1\n"


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    folder = tmp_path / "tiny"
    (folder / "qrels").mkdir(parents=True)
    for name, rows in (("corpus", DOCUMENTS), ("queries", QUERIES)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "qrels" / "test.tsv").write_text(JUDGEMENTS)
    return folder


@pytest.fixture
def model(tmp_path: Path, settings: Any) -> Path:
    folder = static_model(tmp_path / "model")
    settings.ENCODER, settings.RERANK_BACKEND = str(folder), "off"
    return folder


def test_gain_should_be_linear_as_in_trec_eval() -> None:
    judgements = {"q": {"a": 3, "b": 1}}
    ranking = {"q": {"b": 2.0, "a": 1.0}}
    expected = (1 + 3 / np.log2(3)) / (3 + 1 / np.log2(3))
    assert ir_measures.calc_aggregate([NDCG], judgements, ranking)[NDCG] == pytest.approx(expected)


def test_recall_should_count_the_first_hundred() -> None:
    judgements = {"q": {"d99": 1, "d100": 1}}
    ranking = {"q": {f"d{rank}": -float(rank) for rank in range(150)}}
    assert ir_measures.calc_aggregate([RECALL], judgements, ranking)[RECALL] == 0.5


def test_documents_should_be_read_with_their_titles(dataset: Path) -> None:
    corpus = load_corpus(dataset)
    assert corpus.name == "tiny"
    assert corpus.ids == ["d1", "d2", "d3", "d4"]
    assert [passage.title for passage in corpus.passages] == ["Dogs", "", "", ""]


def test_corpus_should_be_read_without_queries_or_judgements(dataset: Path) -> None:
    (dataset / "queries.jsonl").unlink()
    (dataset / "qrels" / "test.tsv").unlink()
    assert len(load_corpus(dataset).ids) == 4


def test_only_judged_queries_should_be_asked(dataset: Path) -> None:
    questions = load_questions(dataset)
    assert list(questions.queries) == ["q1", "q2", "q3"]
    assert questions.judgements["q1"] == {"d1": 2, "d2": 0}
    assert list(load_questions(dataset, 2).queries) == ["q1", "q2"]


def test_query_without_a_relevant_document_should_be_left_out(dataset: Path) -> None:
    (dataset / "qrels" / "test.tsv").write_text(JUDGEMENTS + "q4\td4\t0\n")
    assert "q4" not in load_questions(dataset).queries


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("corpus.jsonl", None, "BEIR's layout is expected"),
        ("corpus.jsonl", "\n", "holds no documents"),
        ("corpus.jsonl", '{"_id": "d1"', "line 1: not valid JSON"),
        ("corpus.jsonl", '{"_id": 1, "text": "x"}', "line 1: an object with the strings _id and text"),
        ("corpus.jsonl", "[]", "line 1: an object with the strings _id and text"),
        ("corpus.jsonl", b"\xff\xfe", "is not UTF-8"),
        ("queries.jsonl", None, "BEIR's layout is expected"),
        ("queries.jsonl", '{"_id": "q9", "text": "x"}', "No query of"),
        ("qrels/test.tsv", None, "BEIR's layout is expected"),
        ("qrels/test.tsv", "q1\td1\t1\n", "does not begin with the header"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\thigh\n", "line 2"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\n", "line 2"),
    ],
)
def test_malformed_set_should_be_named(
    dataset: Path, model: Path, file: str, content: str | bytes | None, message: str
) -> None:
    path = dataset / file
    path.unlink()
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(CommandError, match=message) as error:
        call_command("evaluate", dataset, stdout=StringIO())
    assert str(path) in str(error.value)


def test_set_that_is_no_folder_should_raise_its_own_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot be read"):
        load_corpus(tmp_path / "absent")


def encoder_for(model: Path) -> EncoderFor:
    return lambda spec: load_encoder(str(model), spec.dimensions)


def test_every_run_should_be_measured_at_every_dimension(dataset: Path, model: Path) -> None:
    runs = list(evaluate(load_corpus(dataset), load_questions(dataset), encoder_for(model), None, [12, 8]))
    assert [(run.name, run.dimensions, run.bytes_per_vector) for run in runs[:6]] == [
        ("dense-float", 12, 48),
        ("dense-binary", 12, 1.5),
        ("dense-binary-rescored", 12, 1.5),
        ("dense-float", 8, 32),
        ("dense-binary", 8, 1),
        ("dense-binary-rescored", 8, 1),
    ]
    assert [(run.name, run.dimensions) for run in runs[6:]] == [("lexical", 0), ("hybrid", 12)]
    lexical = runs[6]
    assert (lexical.ndcg, lexical.recall) == (1, 1)  # every query shares words with its document alone
    assert all(0 <= run.ndcg <= 1 and 0 < run.p50_ms <= run.p95_ms for run in runs)


def test_runs_should_equal_an_exact_ranking_by_numpy(dataset: Path, model: Path) -> None:
    encoder, corpus, questions = load_encoder(str(model)), load_corpus(dataset), load_questions(dataset)
    run = next(iter(evaluate(corpus, questions, encoder_for(model), None, [12])))
    scores = (
        encoder.encode_queries(list(questions.queries.values()))
        @ encoder.encode_passages([passage.full for passage in corpus.passages]).T
    )
    ranking = {
        query: dict(zip(corpus.ids, map(float, row), strict=True))
        for query, row in zip(questions.queries, scores, strict=True)
    }
    assert run.ndcg == pytest.approx(ir_measures.calc_aggregate([NDCG], questions.judgements, ranking)[NDCG])


class Longest:
    """The smallest backend: the more tokens a pair has, the higher its score."""

    token_budget = 1000

    def forward(self, batch: Batch) -> FloatArray:
        return batch.attention_mask.sum(axis=1).astype(np.float32)


def test_reranked_run_should_follow_the_reranker(dataset: Path, model: Path) -> None:
    (dataset / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td4\t1\n")
    reranker = Reranker(RerankerCard("longest", weight=1.0), tiny_tokenizer(), Longest())
    runs = evaluate(load_corpus(dataset), load_questions(dataset), encoder_for(model), reranker, [12])
    hybrid, reranked = list(runs)[-2:]
    assert hybrid.ndcg < 1
    assert (reranked.name, reranked.dimensions, reranked.ndcg) == ("reranked", 12, 1)


def test_command_should_print_a_table_and_write_json(dataset: Path, model: Path, tmp_path: Path) -> None:
    out, file = StringIO(), tmp_path / "report.json"
    call_command("evaluate", dataset, "--dims", "12,4", "--queries", "2", "--json", str(file), stdout=out)
    report = json.loads(file.read_text())
    assert {name: report[name] for name in ("dataset", "documents", "queries", "adapted")} == {
        "dataset": "tiny",
        "documents": 4,
        "queries": 2,
        "adapted": False,
    }
    assert report["encoder"] == {"name": str(model), "dimensions": 12}
    assert report["reranker"] is None
    assert len(report["runs"]) == 8
    assert set(report["runs"][0]) == {
        "name",
        "dimensions",
        "ndcg@10",
        "recall@100",
        "p50_ms",
        "p95_ms",
        "bytes_per_vector",
    }
    assert "dense-binary-rescored" in out.getvalue()


def test_small_corpus_should_leave_the_model_as_it_is(dataset: Path, model: Path, tmp_path: Path) -> None:
    out, file = StringIO(), tmp_path / "report.json"
    call_command("evaluate", dataset, "--adapt", "--json", str(file), stdout=out)
    assert "too few to learn from" in out.getvalue()
    assert json.loads(file.read_text())["adapted"] is False


def test_dimensions_that_the_model_has_not_should_be_refused(dataset: Path, model: Path) -> None:
    out = StringIO()
    with pytest.raises(CommandError, match="--dims 64 is too much: .* has 12 dimensions"):
        call_command("evaluate", dataset, "--dims", "12,64", stdout=out)
    assert not out.getvalue()


def test_dimensions_asked_twice_should_be_measured_once(dataset: Path, model: Path) -> None:
    out = StringIO()
    call_command("evaluate", dataset, "--dims", "8,8", stdout=out)
    assert out.getvalue().count("dense-float") == 1


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore")
def test_learning_with_a_model_that_is_no_table_should_be_refused(dataset: Path, settings: Any) -> None:
    settings.ENCODER = str(tiny_transformer(dataset.parent / "transformer"))
    with pytest.raises(CommandError, match="is no static model"):
        call_command("evaluate", dataset, "--adapt", stdout=StringIO())


@pytest.mark.parametrize(
    "option",
    [("--dims", "a"), ("--dims", "0"), ("--queries", "0"), ("--queries", "-1"), ("--json", "no/such/x.json")],
)
def test_wrong_options_should_be_refused(dataset: Path, option: tuple[str, str]) -> None:
    with pytest.raises(CommandError, match="is no"):
        call_command("evaluate", dataset, *option)
