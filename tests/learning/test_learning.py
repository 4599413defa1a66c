from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from config.management.commands.adapt import NICENESS
from indexing import engine
from indexing.models import IndexVersion
from indexing.reindex import reindex
from learning.learn import learn
from library.models import Chunk
from retrieval.ranking.fusion import DEFAULT_WEIGHTS
from searchapp.search import search
from tests.factories import People, ready_document
from tests.support.servers import ROOT
from training.adapt import AdaptReport
from training.static_model import NotStaticError

SUBJECTS = ("pump", "valve", "seal", "motor", "sensor", "gasket", "filter", "nozzle")


def test_a_small_library_should_leave_the_model_as_it_is(people: People) -> None:
    ready_document(people.library)
    live = engine.live_version()
    report = learn(people.library)
    assert not report.better
    assert "too few to learn from" in report.reason
    assert engine.live_version() == live


def fill(library: Any) -> None:
    """Eight manuals of some 40 passages, each of which says twice what it is about."""
    for number in range(8):
        sections = (
            f"# {subject.title()} {number}-{part}\n\nThe {subject} of model {number} part {part} needs care. "
            f"Turn the {subject} by {number * part} degrees and check it weekly. Order {subject} kits by "
            f"code {subject[:2].upper()}{number}{part} from the depot."
            for part in range(5)
            for subject in SUBJECTS
        )
        ready_document(library, "\n\n".join(sections), f"manual-{number}.md")


@pytest.fixture
def learned(people: People, settings: Any, tmp_path: Path) -> AdaptReport:
    settings.DATA_DIR, settings.CHUNK_WORDS = tmp_path, 40
    fill(people.library)
    return learn(people.library)


def test_learning_should_switch_to_the_new_model_if_it_is_better(
    people: People, learned: AdaptReport, tmp_path: Path
) -> None:
    assert learned.better
    assert learned.after[512].ndcg_at_10 > learned.before[512].ndcg_at_10
    assert learned.passages == Chunk.objects.count()
    live = engine.live_version()
    assert live.learned.startswith("models/learned-")
    assert live.encoder.startswith("models/rotated-")
    assert {folder.name for folder in (tmp_path / "models").iterdir()} == {
        Path(live.learned).name,
        Path(live.encoder).name,
    }
    assert search(people.owner, "order a gasket kit", rerank=False).hits


def test_learned_weights_should_hold_for_queries_of_that_library(
    people: People, learned: AdaptReport
) -> None:
    live, mine = engine.live_version(), str(people.library.pk)
    assert engine.weights(live, [mine]) == learned.weights != DEFAULT_WEIGHTS
    assert engine.weights(live, ["another"]) == DEFAULT_WEIGHTS


def test_learning_again_should_begin_from_the_shipped_model_and_leave_no_old_folders(
    people: People, learned: AdaptReport, tmp_path: Path
) -> None:
    again = learn(people.library)
    assert again.before[512] == learned.before[512]
    learn(people.library)
    kept = IndexVersion.objects.values_list("encoder", "learned")
    assert len(kept) == 2  # the live one, and the one before for a rollback
    assert {f"models/{folder.name}" for folder in (tmp_path / "models").iterdir()} == {
        name for names in kept for name in names
    }


def test_reindex_should_keep_what_was_learned_until_the_setting_names_another_model(
    people: People, learned: AdaptReport, settings: Any
) -> None:
    live = engine.live_version()
    successor = reindex()
    assert (successor.learned, successor.fusion) == (live.learned, live.fusion)
    settings.ENCODER = str(settings.BASE_DIR / "models" / "encoder")
    other = reindex()
    assert (other.model, other.learned) == (settings.ENCODER, "")
    assert search(people.owner, "order a gasket kit", rerank=False).hits


def test_an_encoder_that_is_no_static_model_should_be_refused(
    people: People, settings: Any, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    settings.ENCODER = str(tmp_path)
    with pytest.raises(NotStaticError, match=f"{tmp_path} is no static model"):
        learn(people.library)


def test_every_thread_of_a_learning_process_should_give_way() -> None:
    code = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
import django; django.setup()
import numpy as np
from config.management.commands.adapt import NICENESS, give_way
np.ones((600, 600)) @ np.ones((600, 600))
give_way()
threads = [int(name) for name in os.listdir("/proc/self/task")]
print(len(threads), all(os.getpriority(os.PRIO_PROCESS, thread) >= NICENESS for thread in threads))
group = "/proc/self/autogroup"
print(open(group).read() if os.path.exists(group) else f"none nice {NICENESS}")
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=ROOT, start_new_session=True
    )
    count, all_low, *_, group = done.stdout.split()
    assert int(group) >= NICENESS
    assert int(count) > 1 or os.cpu_count() == 1
    assert all_low == "True"
