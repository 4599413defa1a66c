from __future__ import annotations

import json
import math
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from evaluation.file_questions import Place, Question, QuestionsError, measure, read_questions, score
from retrieval.ranking import STAGES
from tests.factories import People, ready_document
from tests.support.models import static_model


@pytest.fixture
def small_engine(settings: Any, tmp_path: Path) -> None:
    settings.ENCODER, settings.DIMENSIONS = str(static_model(tmp_path / "encoder")), 12
    settings.RERANK_BACKEND = "off"


def write(folder: Path, *rows: Any) -> Path:
    path = folder / "questions.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


DOG = {"question": "Where do  dogs bark?", "file": ["dog.txt"], "pages": [2], "answer": None, "lang": "en"}


def test_questions_should_be_read_as_they_are_written(tmp_path: Path) -> None:
    path = write(tmp_path, DOG, {"question": "고양이?", "file": ["a.md", "b.md"], "pages": None})
    assert read_questions(path) == [
        Question("Where do dogs bark?", ["dog.txt"], [2], "en"),
        Question("고양이?", ["a.md", "b.md"], [], ""),
    ]
    assert len(read_questions(path, 1)) == 1


@pytest.mark.parametrize(
    "row",
    [
        {},
        [],
        {**DOG, "file": "dog.txt"},
        {**DOG, "file": []},
        {**DOG, "question": ""},
        {**DOG, "pages": ["2"]},
    ],
)
def test_a_wrong_line_should_be_named(tmp_path: Path, row: Any) -> None:
    with pytest.raises(QuestionsError, match="line 2"):
        read_questions(write(tmp_path, DOG, row))


def test_questions_should_be_needed(tmp_path: Path) -> None:
    with pytest.raises(QuestionsError, match="no questions"):
        read_questions(write(tmp_path))
    with pytest.raises(QuestionsError, match="cannot be read"):
        read_questions(tmp_path / "absent.jsonl")


def test_a_file_should_count_by_its_best_passage_and_a_page_by_the_first_right_one() -> None:
    question = Question("?", ["right.pdf"], [7], "en")
    found = [Place("other.pdf", 7), Place("right.pdf", 1), Place("other.pdf", 8), Place("right.pdf", 8)]
    assert score(question, found) == {
        "doc@1": 0.0,
        "doc@3": 1.0,
        "page@10": 1.0,
        "mrr": 1 / 4,
        "ndcg@10": pytest.approx(1 / math.log2(3)),
    }


def test_any_right_file_should_do_where_pages_are_not_known() -> None:
    question = Question("?", ["a.md", "b.md"], [], "en")
    found = score(question, [Place("b.md", None), Place("b.md", None), Place("a.md", 3)])
    assert math.isnan(found.pop("page@10"))
    assert found == {"doc@1": 1.0, "doc@3": 1.0, "mrr": 1.0, "ndcg@10": pytest.approx(1.0)}


def test_nothing_found_should_score_nothing() -> None:
    found = score(Question("?", ["a.md"], [1], "en"), [])
    assert found == dict.fromkeys(("doc@1", "doc@3", "page@10", "mrr", "ndcg@10"), 0.0)


@pytest.mark.usefixtures("small_engine")
def test_every_served_stage_should_be_measured(people: People) -> None:
    ready_document(people.library, "The dog barks on the road.", "dog.txt")
    ready_document(people.library, "Cats sleep on the mat.", "cat.txt")
    questions = [Question("dogs bark", ["dog.txt"], [], "en"), Question("cats", ["cat.txt"], [], "ko")]
    runs = {run.name: run for run in measure(people.owner, questions)}
    assert list(runs) == ["lexical", "dense", "fused", *STAGES, "first", "reranked"]
    assert all(run.p50_ms > 0 for run in runs.values())
    lexical, fused = runs["lexical"], runs["fused"]
    assert (lexical.metrics["mrr"], lexical.metrics["doc@1"]) == (1, 1)
    assert set(lexical.languages) == {"en", "ko"}
    assert runs["first"].metrics == runs["reranked"].metrics
    assert fused.difference and fused.difference.before == "lexical"
    assert fused.difference.mrr == fused.metrics["mrr"] - lexical.metrics["mrr"]


@pytest.mark.usefixtures("small_engine")
def test_command_should_print_a_table_and_write_json(people: People, tmp_path: Path) -> None:
    """The files are in the library already, so that no worker is needed here."""
    folder, report, out = tmp_path / "set", tmp_path / "report.json", StringIO()
    (folder / "files").mkdir(parents=True)
    write(folder, DOG)
    ready_document(people.library, "The dog barks on the road.", "dog.txt")
    call_command("evaluate_files", folder, "--json", str(report), stdout=out)
    values = json.loads(report.read_text())
    assert (values["dataset"], values["documents"], values["queries"]) == ("set", 1, 1)
    assert (values["adapted"], values["reranker"]) == (False, None)
    assert [run["name"] for run in values["runs"]][:3] == ["lexical", "dense", "fused"]
    assert set(values["runs"][0]) == {
        *("name", "doc@1", "doc@3", "page@10", "mrr", "ndcg@10", "p50_ms", "languages")
    }
    assert "doc@1" in out.getvalue()


def test_dimensions_should_be_refused_for_files(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    with pytest.raises(CommandError, match="--dims goes with"):
        call_command("evaluate", tmp_path, "--dims", "64", stdout=StringIO())
