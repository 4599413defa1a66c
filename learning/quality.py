"""What was learned, as the pages show it: of one library, and of all that a person may read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q, Sum, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from indexing import engine
from indexing.models import IndexVersion
from learning import pictures, runs
from learning.models import LearningRun
from library.access import Person, readable_libraries, role_in
from library.models import Chunk, Library, Role

RUNS = 6  # of a library, in its picture
SCRIPTS = {"spaced": "Languages with spaces", "cjk": "Chinese, Japanese", "korean": "Korean"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """nDCG@10 on held-out passages at the largest dimension, before and after."""

    before: float
    after: float
    better: bool


@dataclass(frozen=True, slots=True)
class State:
    """A library's newest run, and whether it should be learned (again)."""

    library: Library
    run: LearningRun | None
    learned: LearningRun | None  # the newest run that came to its end
    chunks: int
    reason: str  # to learn now; empty where there is none
    may_manage: bool

    @property
    def enough(self) -> bool:
        return self.chunks >= runs.WORTH_LEARNING

    @property
    def least(self) -> int:
        return runs.WORTH_LEARNING

    @property
    def active(self) -> bool:
        return self.run is not None and self.run.is_active

    @property
    def offered(self) -> bool:
        return bool(self.reason) and not self.active

    @property
    def verdict(self) -> Verdict | None:
        return verdict(self.learned)


@dataclass(frozen=True, slots=True)
class Example:
    """A pseudo-query whose passage moved."""

    query: str
    before: int
    after: int
    chunk: Chunk

    @property
    def text(self) -> str:
        """The passage's text, without the title that is shown beside it."""
        return self.chunk.text.removeprefix(str(self.chunk.document)).lstrip(" .\n") or self.chunk.text


@dataclass(frozen=True, slots=True)
class Fusion:
    """How the weight of words was chosen for one kind of script."""

    name: str
    weight: float
    prior: float
    queries: int
    picture: pictures.Valley | None


@dataclass(frozen=True, slots=True)
class Learned:
    """A library that was learned, with what there is to draw."""

    state: State
    weights: Sequence[pictures.Share]  # that hold for queries of this library now
    history: pictures.Rows | None
    curves: pictures.Curves | None
    fusion: Sequence[Fusion]
    examples: Sequence[Example]


@dataclass(frozen=True, slots=True)
class Live:
    """The index version that answers queries."""

    version: IndexVersion
    run: LearningRun | None  # that made it, where the person may read its library
    weights: Sequence[pictures.Share]


def state_of(library: Library) -> State:
    known = list(library.learning_runs.defer("report"))
    return _state(library, known, runs.chunk_count(library), may_manage=True)


def _state(library: Library, known: Sequence[LearningRun], chunks: int, *, may_manage: bool) -> State:
    learned = next((run for run in known if run.state == LearningRun.State.DONE), None)
    reason = runs.reason_to_learn(learned, chunks)
    return State(library, known[0] if known else None, learned, chunks, reason, may_manage)


def verdict(run: LearningRun | None) -> Verdict | None:
    """None for a run that had too little to measure."""
    if run is None:
        return None
    before, after = _ndcg(run, "before"), _ndcg(run, "after")
    if not (both := before.keys() & after.keys()):
        return None
    return Verdict(before[max(both)], after[max(both)], bool(run.report.get("better")))


def libraries(user: Person) -> tuple[list[Learned], list[State]]:
    """The libraries that the person may read: those that were learned, and the others."""
    readable = readable_libraries(user).annotate(
        chunks=Coalesce(
            Sum("documents__chunk_count", filter=Q(documents__active_version__isnull=False)), Value(0)
        )
    )
    by_library: dict[Any, list[LearningRun]] = defaultdict(list)
    for run in LearningRun.objects.filter(library__in=readable_libraries(user)):
        by_library[run.library_id].append(run)
    learned, others = [], []
    for library in readable:
        manager = role_in(user, library) == Role.MANAGER
        state = _state(library, by_library[library.pk], library.chunks, may_manage=manager)
        if state.learned:
            learned.append(_learned(state, by_library[library.pk]))
        else:
            others.append(state)
    return learned, others


def _learned(state: State, known: Sequence[LearningRun]) -> Learned:
    assert state.learned
    return Learned(
        state=state,
        weights=_weights(engine.live_version(), [str(state.library.pk)]),
        history=_history(known),
        curves=pictures.curves(_ndcg(state.learned, "before"), _ndcg(state.learned, "after")),
        fusion=list(_fusion(state.learned)),
        examples=_examples(state.learned),
    )


def _ndcg(run: LearningRun, when: str) -> dict[int, float]:
    """nDCG@10 by dimension."""
    return {int(d): float(quality["ndcg_at_10"]) for d, quality in run.report.get(when, {}).items()}


def _history(known: Sequence[LearningRun]) -> pictures.Rows | None:
    """The last runs, the newest first."""
    ended = []
    for run in known:
        if run.finished_at and (ranked := verdict(run)):
            time = f"{timezone.localtime(run.finished_at):%d %b, %H:%M}".lstrip("0")
            ended.append((time, ranked.before, ranked.after, ranked.better))
    return pictures.rows(ended[:RUNS]) if ended else None


def _fusion(run: LearningRun) -> Iterator[Fusion]:
    for row in run.report.get("fusion", ()):
        weight, prior = float(row["weight"]), float(row["prior"])
        curve = {float(w): float(ndcg) for w, ndcg in row["curve"].items()}
        name = SCRIPTS.get(row["script"], row["script"])
        yield Fusion(name, weight, prior, row["queries"], pictures.valley(curve, weight, prior))


def _examples(run: LearningRun) -> list[Example]:
    """Examples whose passages are still there; those that rose most first."""
    rows = {UUID(row["chunk"]): row for row in run.report.get("examples", ())}
    chunks = Chunk.objects.filter(pk__in=rows, document__library=run.library_id).select_related("document")
    found = [
        Example(rows[c.pk]["query"], rows[c.pk]["before"], rows[c.pk]["after"], c) for c in chunks.iterator()
    ]
    return sorted(found, key=lambda example: example.after / example.before)


def live(user: Person) -> Live:
    version = engine.live_version()
    made_by = LearningRun.objects.filter(index_version=version, library__in=readable_libraries(user))
    readable = [str(pk) for pk in readable_libraries(user).values_list("pk", flat=True)]
    return Live(version, made_by.select_related("library").first(), _weights(version, readable))


def _weights(version: IndexVersion, libraries: Sequence[str]) -> list[pictures.Share]:
    """How much words count in a query over these libraries, for each kind of script."""
    fusion = asdict(engine.weights(version, libraries))
    return pictures.shares({name: fusion[script] for script, name in SCRIPTS.items()})
