"""`manage.py evaluate --judgements`: the live library is asked as it is, and every bad line is named."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from evaluation.judgements import JudgementsError, match, measure, read_judgements
from library.models import Document, Library
from tests.factories import People, document, ready_document

LEAVE = "Every employee has 25 days of paid leave a year. Unused leave ends in March."
TRAVEL = "Book train tickets for business trips through the travel desk. Flights need approval."


@pytest.fixture
def library(people: People, settings: Any) -> Library:
    settings.RERANK_BACKEND = "off"
    ready_document(people.library, LEAVE, "leave.txt")
    ready_document(people.library, TRAVEL, "travel.md")
    ready_document(people.library, "The canteen is open from eleven.", "canteen.txt")
    return people.library


def csv(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "judged.csv"
    path.write_text(text, encoding=encoding)
    return path


def evaluated(path: Path, **options: Any) -> tuple[dict[str, Any], str, str]:
    """The JSON report, what was printed, and what was complained of."""
    out, err, report = StringIO(), StringIO(), path.with_suffix(".json")
    call_command("evaluate", judgements=path, json=report, stdout=out, stderr=err, **options)
    return json.loads(report.read_text()), out.getvalue(), err.getvalue()


def test_report_should_say_how_well_the_live_library_answers(library: Library, tmp_path: Path) -> None:
    path = csv(tmp_path, "query,document\nhow many days of leave,leave.txt\ntrain tickets,travel.md\n")
    report, printed, complaints = evaluated(path, library="Handbook")
    assert (report["library"], report["queries"], report["judgements"]) == ("Handbook", 2, 2)
    (run,) = report["runs"]
    assert (run["name"], run["ndcg@10"], run["recall@100"]) == ("hybrid", 1.0, 1.0)
    assert 0 < run["p50_ms"] <= run["p95_ms"]
    assert "hybrid" in printed
    assert "No reranked run" in complaints


def test_wrong_judgements_should_score_low(library: Library, tmp_path: Path) -> None:
    path = csv(tmp_path, "query,document\ntrain tickets,canteen.txt\n")
    report, *_ = evaluated(path)
    assert report["runs"][0]["ndcg@10"] < 0.7
    assert report["runs"][0]["recall@100"] == 1.0


def test_document_should_rank_by_its_best_passage(people: People, settings: Any) -> None:
    settings.RERANK_BACKEND, settings.CHUNK_WORDS = "off", 20
    ready_document(
        people.library, " ".join([f"Rule {n}: trains, tickets, trips." for n in range(40)]), "a.txt"
    )
    ready_document(people.library, "A cheap ticket for the night ferry to Harwich.", "b.txt")
    path = Path(settings.INDEX_DIR).parent / "j.csv"
    path.write_text("query,document\nticket for a trip by train,b.txt\n")
    measured = measure(people.owner, match(people.owner, read_judgements(path)), rerank=False)
    assert measured.ndcg == pytest.approx(1 / np.log2(3))  # second document, though after many passages


def test_relevance_should_grade_and_zero_should_not_count(library: Library, tmp_path: Path) -> None:
    rows = ["Query, Document, Relevance", "trains,travel.md,0", "trains,leave.txt,2", "leave,leave.txt,1"]
    judged = match(_admin(), read_judgements(csv(tmp_path, "\n".join(rows))))
    assert sorted(judged.judgements) == ["leave", "trains"]
    assert sorted(judged.judgements["trains"].values()) == [0, 2]
    assert measure(_admin(), judged, rerank=False).ndcg < 1


def test_reranked_run_should_follow_where_there_is_a_reranker(
    library: Library, tmp_path: Path, settings: Any
) -> None:
    settings.RERANK_BACKEND = "onnx-int8"
    report, *_ = evaluated(csv(tmp_path, "query,document\nwho books train tickets,travel.md\n"))
    assert [run["name"] for run in report["runs"]] == ["hybrid", "reranked"]
    assert report["runs"][1]["ndcg@10"] == 1.0


def test_names_that_match_no_document_or_several_should_be_told_by_line(
    library: Library, people: People, tmp_path: Path
) -> None:
    other = Library.objects.create(name="Other")
    ready_document(other, "Leave rules of another house.", "leave.txt")
    document(people.library, "Not indexed yet.", "waiting.txt")
    text = (
        'query,document\n"leave\nrules",leave.txt\n\ntrain,travel.md\ntrain,no such.txt\ntrain,waiting.txt\n'
    )
    path = csv(tmp_path, text)
    report, _, complaints = evaluated(path)
    assert [entry["line"] for entry in report["ignored"]] == [2, 6, 7]
    assert "line 2 is ignored: 2 documents are called 'leave.txt'" in complaints
    assert "line 6 is ignored: no document 'no such.txt'" in complaints
    report, *_ = evaluated(path, library="Handbook")
    assert [entry["line"] for entry in report["ignored"]] == [6, 7]


def test_documents_of_a_folder_should_be_found_by_path_or_by_file_name(
    library: Library, people: People, tmp_path: Path
) -> None:
    ready_document(people.library, "Parking is free on Sundays.", "rules/parking.txt")
    ready_document(people.library, "Older leave rules.", "rules/leave.txt")
    names = ("parking.txt", "rules/parking.txt", "leave.txt")
    rows = "".join(f"query {number},{name}\n" for number, name in enumerate(names))
    judged = match(_admin(), read_judgements(csv(tmp_path, f"query,document\n{rows}")))
    assert not judged.ignored
    (by_file,), (by_path,), (exact,) = judged.judgements.values()
    assert by_file == by_path
    assert Document.objects.get(pk=exact).name == "leave.txt"


def test_person_should_be_measured_on_what_they_may_read(
    library: Library, people: People, tmp_path: Path
) -> None:
    path = csv(tmp_path, "query,document\nleave,leave.txt\n")
    assert evaluated(path, user="colleague")[0]["runs"][0]["recall@100"] == 1.0
    with pytest.raises(CommandError, match="can be found. Line 2: no document 'leave.txt' is ready"):
        evaluated(path, user="outsider")
    with pytest.raises(CommandError, match="There is no library Handbook"):
        evaluated(path, user="outsider", library="Handbook")
    with pytest.raises(CommandError, match="There is no user nobody"):
        evaluated(path, user="nobody")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_spreadsheets_with_semicolons_and_a_mark_should_be_read(tmp_path: Path, encoding: str) -> None:
    rows = read_judgements(csv(tmp_path, "query;document\nUrlaub, bezahlt;Urlaub.txt\n", encoding))
    assert [(row.line, row.query, row.document, row.relevance) for row in rows] == [
        (2, "Urlaub, bezahlt", "Urlaub.txt", 1)
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "line 1: the header"),
        ("question,file\na,b\n", "line 1: the header"),
        ("query,document\n", "holds no judgements"),
        ("query,document\na,b\nc\n", "line 3: 2 columns are expected, and there are 1"),
        ("query,document,relevance\na,b,high\n", "line 2: 'high' is no relevance"),
        ("query,document,relevance\na,b,-1\n", "line 2: '-1' is no relevance"),
        ("query,document\na,\n", "line 2: the document's name is missing"),
        ("query,document\n  ,b.txt\n", "line 2: The query is empty"),
        ('query,document\n"a,b.txt\n', "line 2: unexpected end of data"),
    ],
)
def test_malformed_file_should_be_refused_by_line(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(JudgementsError, match=problem):
        read_judgements(csv(tmp_path, text))


def test_unreadable_file_should_be_refused(tmp_path: Path) -> None:
    with pytest.raises(JudgementsError, match="cannot be read"):
        read_judgements(tmp_path / "absent.csv")
    with pytest.raises(JudgementsError, match="not UTF-8"):
        read_judgements(csv(tmp_path, "query,document\ncafé,é.txt\n", "latin-1"))


def test_command_should_want_a_set_or_judgements_but_not_both(tmp_path: Path) -> None:
    for arguments in ([], [str(tmp_path), "--judgements", "file.csv"]):
        with pytest.raises(CommandError, match="either DATASET_DIR or --judgements"):
            call_command("evaluate", *arguments)
    with pytest.raises(CommandError, match="go with DATASET_DIR"):
        call_command("evaluate", "--judgements", "file.csv", "--adapt")


def _admin() -> Any:
    from django.contrib.auth import get_user_model

    return get_user_model()(username="command", is_superuser=True)
