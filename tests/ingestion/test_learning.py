from __future__ import annotations

from typing import Any

import pytest

from ingestion import engine
from ingestion.learning import NotLearnableError, learn
from ingestion.models import Chunk
from searchapp.search import search
from tests.factories import People, ready_document

SUBJECTS = ("pump", "valve", "seal", "motor", "sensor", "gasket", "filter", "nozzle")


def test_a_small_library_should_leave_the_model_as_it_is(people: People) -> None:
    ready_document(people.library)
    live = engine.live_version()
    report = learn(people.library)
    assert not report.better
    assert "too few to learn from" in report.reason
    assert engine.live_version() == live


def test_learning_should_switch_to_the_new_model_only_if_it_is_better(
    people: People, settings: Any, tmp_path: Any
) -> None:
    settings.DATA_DIR, settings.CHUNK_WORDS = tmp_path, 40
    for number in range(8):
        sections = (
            f"# {subject.title()} {number}-{part}\n\nThe {subject} of model {number} part {part} needs care. "
            f"Turn the {subject} by {number * part} degrees and check it weekly. Order {subject} kits by "
            f"code {subject[:2].upper()}{number}{part} from the depot."
            for part in range(5)
            for subject in SUBJECTS
        )
        ready_document(people.library, "\n\n".join(sections), f"manual-{number}.md")
    live = engine.live_version()
    report = learn(people.library)
    assert report.passages == Chunk.objects.count()
    changed = engine.live_version() != live
    assert changed == report.better == (report.after[512].ndcg_at_10 > report.before[512].ndcg_at_10)
    if changed:
        assert engine.live_version().encoder.startswith("models/learned-")
    assert search(people.owner, "order a gasket kit", rerank=False).hits


def test_an_encoder_that_is_no_static_model_should_be_refused(people: People) -> None:
    live = engine.live_version()
    live.encoder = "someone/transformer"
    live.save()
    with pytest.raises(NotLearnableError, match="someone/transformer"):
        learn(people.library)
