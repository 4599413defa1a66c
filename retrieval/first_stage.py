"""The first stage of a search: encode the query, ask both legs of the index, fuse, and once more."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from retrieval.encoder import Encoder
from retrieval.encoder.static import StaticEncoder
from retrieval.fusion import DEFAULT_WEIGHTS, FusionWeights, fuse
from retrieval.index.base import CollectionSpec, Index
from retrieval.lexical import Lexical
from retrieval.types import Filter, FloatArray, FusedCandidate

# How many candidates each leg gives to the fusion.
DEPTH = 100
# Of how many dimensions the codes of a static model are: 32 bytes a passage, and all of nDCG@10 once rescored
# (docs/quality.md). A rotation puts what matters into the first ones (training/rotation.py); other models
# cannot be rotated, so that all of their dimensions are coded.
CODE_DIMENSIONS = 256
# Feedback: how many of the first candidates the query's vector is moved towards, and how far. A static model
# reads a query as a few words, and these say what else goes with them. Chosen on seven English sets, of which
# the mean rises by 0.001 to 0.004 (docs/decisions/0006-feedback.md).
FEEDBACK_PASSAGES = 3
FEEDBACK_WEIGHT = 0.4


def served_spec(encoder: Encoder) -> CollectionSpec:
    """How a collection of this encoder's vectors is made."""
    short = isinstance(encoder, StaticEncoder) and encoder.dimensions > CODE_DIMENSIONS
    return CollectionSpec(encoder.dimensions, code_dimensions=CODE_DIMENSIONS if short else None)


def first_stage(
    index: Index,
    collection: str,
    encoder: Encoder,
    lexical: Lexical,
    query: str,
    *,
    filter: Filter | None = None,
    limit: int = DEPTH,
    weights: FusionWeights = DEFAULT_WEIGHTS,
) -> list[FusedCandidate]:
    """The candidates of one query, best first: dense (binary codes, rescored) and lexical, fused.

    The dense leg is asked twice, the second time for what is near to the query and to the first candidates
    (pseudo-relevance feedback, Rocchio 1971; on dense vectors: Li et al. 2023, doi:10.1145/3570724). Those
    are hits under `filter`, so that nothing that the reader may not see has any influence.

    Raises:
        IndexUnavailableError: the index does not answer.
    """
    depth = max(DEPTH, limit)
    terms = lexical.query(query)
    sparse = index.search_sparse(collection, terms, limit=depth, filter=filter)
    fused = partial(fuse, lexical=sparse, lexical_weight=weights.lexical(query, len(terms.indices)))
    vector = encoder.encode_queries([query])[0]
    if not vector.any():
        return fused([], limit=limit)
    dense = index.search_dense(collection, vector, limit=depth, filter=filter)
    moved = _towards(index, collection, vector, fused(dense, limit=FEEDBACK_PASSAGES))
    return fused(index.search_dense(collection, moved, limit=depth, filter=filter), limit=limit)


def _towards(
    index: Index, collection: str, vector: FloatArray, first: Sequence[FusedCandidate]
) -> FloatArray:
    """The query's vector, moved towards the mean of the first candidates by their scores; unit length."""
    vectors = index.vectors(collection, [candidate.id for candidate in first])
    mean = np.zeros_like(vector)
    for candidate in first:  # one may have been deleted meanwhile
        mean += candidate.score * vectors.get(candidate.id, np.float32(0))
    moved = vector + FEEDBACK_WEIGHT * mean / max(float(np.linalg.norm(mean)), 1e-9)
    return np.asarray(moved / np.linalg.norm(moved), dtype=np.float32)
