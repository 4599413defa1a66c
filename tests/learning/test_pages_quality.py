from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from django.utils import timezone

from indexing import engine
from learning.models import LearningRun
from learning.process import kept
from library.models import Chunk, Document, Library
from retrieval.ranking.fusion import FusionWeights
from tests.factories import LEAVE, People, ready_document
from tests.pages import client_of, text_of
from training.adapt import AdaptReport
from training.calibrate import FusionReport
from training.held_out import SHOWN_CHARACTERS, Example
from training.scoring import Quality


def example(passage: str = LEAVE, title: str = "leave") -> Example:
    return Example("days of leave", title, passage[:SHOWN_CHARACTERS], before=9, after=2)


def learned_report(*examples: Example, better: bool = True) -> AdaptReport:
    return AdaptReport(
        better=better,
        reason="nDCG@10 on held-out pairs 0.310, then 0.425.",
        passages=1234,
        training_pairs=2345,
        held_out_pairs=345,
        before={512: Quality(0.31, 0.5), 256: Quality(0.3, 0.5)},
        after={512: Quality(0.425, 0.6), 256: Quality(0.4, 0.6)},
        weights=FusionWeights(spaced=0.47),
        fusion=[FusionReport("spaced", 321, 0.5, 0.47, {0.0: 0.2, 0.5: 0.4, 1.0: 0.3})],
        examples=examples,
    )


def finished(library: Library, report: AdaptReport) -> LearningRun:
    return LearningRun.objects.create(
        library=library, state="done", report=kept(library, report), chunks=1234, finished_at=timezone.now()
    )


def staff(user: Any) -> Any:
    user.is_staff = True
    user.save()
    return client_of(user)


@pytest.fixture
def learned(people: People) -> LearningRun:
    ready_document(people.library)
    return finished(people.library, learned_report(example()))


def test_staff_should_see_what_a_library_of_theirs_learned(people: People, learned: LearningRun) -> None:
    shown = text_of(staff(people.owner).get("/quality/"))
    assert "0.310 → 0.425 nDCG@10 on 345 pseudo-queries" in shown
    assert "The new model went live." in shown
    assert "Words count 47%, from a first guess of 50%, by 321 pseudo-queries." in shown
    assert "Before: 0.300, 0.310. After: 0.400, 0.425. At 256, 512 dimensions." in shown
    assert "9 → to 2 “days of leave”" in shown


def test_every_picture_should_be_well_formed_with_a_text_and_ids_of_its_own(
    people: People, learned: LearningRun
) -> None:
    page = staff(people.owner).get("/quality/").content.decode()
    pictures = [ET.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]
    drawn = [svg for svg in pictures if svg.get("role") == "img"]
    assert len(drawn) == 5  # all libraries' weights, this one's, dimensions, runs, fusion curve
    for svg in drawn:
        named = [part.get("id") for part in svg if part.tag in ("title", "desc")]
        assert (svg.get("aria-labelledby") or "").split() == named
        assert all((part.text or "").strip() for part in svg if part.tag in ("title", "desc"))
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_the_weights_shown_should_be_those_that_answer_queries(people: People, learned: LearningRun) -> None:
    version = engine.live_version()
    weights = {"spaced": 0.33, "cjk": 0.77}
    version.fusion = {str(people.library.pk): {"passages": 1234, "weights": weights}}
    version.save()
    shown = text_of(staff(people.owner).get("/quality/"))
    assert "words 33 percent, meaning 67 percent" in shown
    assert "words 77 percent, meaning 23 percent" in shown


@pytest.mark.parametrize("may_read", [True, False])
def test_staff_should_see_libraries_only_that_they_may_read(
    people: People, learned: LearningRun, may_read: bool
) -> None:
    Document.objects.update(chunk_count=7531)
    version = engine.live_version()
    LearningRun.objects.update(index_version=version)
    weights = {"spaced": 0.13, "cjk": 0.87}
    version.fusion = {str(people.library.pk): {"passages": 1234, "weights": weights}}
    version.save()
    response = staff(people.colleague if may_read else people.outsider).get("/quality/")
    page = response.content.decode()
    told = (
        people.library.name,
        str(people.library.pk),
        "7,531",
        "2,345",
        "0.425",
        "days of leave",
        "words 13%",
    )
    assert [what in page for what in told] == [may_read] * len(told)


def test_the_page_should_not_exist_for_people_who_are_no_staff(people: People, learned: LearningRun) -> None:
    assert client_of(people.owner).get("/quality/").status_code == 404
    assert "Quality" not in text_of(client_of(people.owner).get("/"))


def test_the_page_should_say_where_to_begin_before_anything_is_learned(people: People) -> None:
    ready_document(people.library)
    shown = text_of(staff(people.owner).get("/quality/"))
    assert "Nothing is learned yet" in shown
    assert "Handbook 1 passage, too few to learn from (at least 200)" in shown


@pytest.mark.parametrize(("who", "told"), [("owner", "Learn it now"), ("colleague", "One of its managers")])
def test_the_offer_should_name_who_can_take_it(people: People, who: str, told: str) -> None:
    ready_document(people.library)
    Document.objects.update(chunk_count=200)
    assert told in text_of(staff(getattr(people, who)).get("/quality/"))


def test_a_library_that_taught_too_little_should_say_why_the_model_stayed(people: People) -> None:
    finished(people.library, AdaptReport(False, "80 pairs from 210 passages: too few to learn from.", 210))
    shown = text_of(staff(people.owner).get("/quality/"))
    assert "80 pairs from 210 passages: too few to learn from. The model stayed as it was." in shown


def test_a_model_that_ranked_no_better_should_say_why_it_stayed(people: People) -> None:
    finished(people.library, learned_report(better=False))
    shown = text_of(staff(people.owner).get("/quality/"))
    assert "The model stayed as it was: nDCG@10 on held-out pairs 0.310, then 0.425." in shown


def test_an_example_should_name_the_chunk_of_its_own_document(people: People) -> None:
    long = "The same beginning of both. " * 20
    for name in ("first.txt", "second.txt"):
        ready_document(people.library, f"{long} This ends {name}.", name)
    elsewhere = Library.objects.create(name="Elsewhere")
    ready_document(elsewhere, f"{long} This ends elsewhere.", "second.txt")
    (row,) = kept(people.library, learned_report(example(long, "second")))["examples"]
    chunk = Chunk.objects.get(pk=row["chunk"])
    assert (chunk.document.name, chunk.document.library) == ("second.txt", people.library)


def test_an_example_should_go_with_its_passage(people: People, learned: LearningRun) -> None:
    Chunk.objects.all().delete()
    assert "days of leave" not in text_of(staff(people.owner).get("/quality/"))
