"""How much the reranker's scores may count, tried on searches made of pairs that it did not learn."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from retrieval.encoder import Encoder
from retrieval.first_stage import first_stage
from retrieval.index.base import CollectionSpec
from retrieval.index.edge import EdgeIndex
from retrieval.lexical import Lexical, average_length
from retrieval.reranker import Reranker, combine
from retrieval.types import FusedCandidate, Passage, Point
from training.reranker_held_out import shortened
from training.sources import Pair

WEIGHTS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)
PASSAGES = 2000  # of each source in its index, beside the queries' own
QUERIES = 60  # of each source
CANDIDATES = 20  # for each query, as in the product


def calibrate(
    reranker: Reranker,
    encoder: Encoder,
    unseen: Sequence[Sequence[Pair]],
    sources: Sequence[Sequence[Pair]],
) -> float:
    """The weight with the best mean reciprocal rank over the sources, of those that lose on none.

    Args:
        unseen: of each source, the pairs that were held out of training: the queries.
        sources: all pairs; their passages are what is searched.
    """
    table = np.array(
        [_ranks_by_weight(reranker, encoder, *pairs) for pairs in zip(unseen, sources, strict=True)]
    )
    for weight, ranks in zip(WEIGHTS, table.T, strict=True):
        print(f"weight {weight:.2f}: mean reciprocal rank {ranks.mean():.4f}, by source {ranks.round(4)}")
    harmless = (table >= table[:, :1]).all(axis=0)
    return WEIGHTS[int(np.argmax(np.where(harmless, table.mean(0), 0.0)))]


def _ranks_by_weight(
    reranker: Reranker, encoder: Encoder, unseen: Sequence[Pair], source: Sequence[Pair]
) -> list[float]:
    """The mean reciprocal rank of the queries' own passages, for each of WEIGHTS."""
    random_ = random.Random(0)
    own = {shortened(pair.positive): pair.query for pair in unseen}
    asked = random_.sample(list(own), min(QUERIES, len(own)))
    others = {shortened(pair.positive) for pair in source} - set(asked)
    crowd = random_.sample(sorted(others), min(PASSAGES, len(others)))
    passages = [Passage(text) for text in [*asked, *crowd]]
    queries = [own[text] for text in asked]
    found = []
    for number, candidates in enumerate(_search(encoder, passages, queries)):
        texts = [passages[int(candidate.id, 16)].text for candidate in candidates]
        scores = reranker.score([(queries[number], text) for text in texts])
        orders = [combine(candidates, scores, weight) for weight in WEIGHTS]
        found.append([_reciprocal_rank([int(hit.id, 16) for hit in order], number) for order in orders])
    means: list[float] = np.mean(found, axis=0).tolist()
    return means


def _search(
    encoder: Encoder, passages: Sequence[Passage], queries: Sequence[str]
) -> list[list[FusedCandidate]]:
    """The product's candidates for each query. A passage's id is its number, in hexadecimal."""
    lexical = Lexical(average_length=average_length(passages))
    with tempfile.TemporaryDirectory(prefix="quarry-calibrate-") as folder:
        index = EdgeIndex(Path(folder))
        try:
            index.create("passages", CollectionSpec(encoder.dimensions))
            vectors = encoder.encode_passages([passage.full for passage in passages])
            rows = zip(vectors, lexical.passages(passages), strict=True)
            index.upsert(
                "passages",
                [Point(f"{number:032x}", *row, payload={}) for number, row in enumerate(rows)],
            )
            found = [first_stage(index, "passages", encoder, lexical, query) for query in queries]
        finally:
            index.close()
    return [
        [FusedCandidate(hit.id.replace("-", ""), hit.score) for hit in hits[:CANDIDATES]] for hits in found
    ]


def _reciprocal_rank(order: Sequence[int], wanted: int) -> float:
    return 1 / (order.index(wanted) + 1) if wanted in order else 0.0
