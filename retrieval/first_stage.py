"""The first stage of a search: encode the query, ask both legs of the index, fuse."""

from __future__ import annotations

from retrieval.encoder import Encoder
from retrieval.fusion import DEFAULT_WEIGHTS, FusionWeights, fuse
from retrieval.index.base import Index
from retrieval.lexical import Lexical
from retrieval.types import Filter, FusedCandidate

# How many candidates each leg gives to the fusion.
DEPTH = 100


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

    Raises:
        IndexUnavailableError: the index does not answer.
    """
    depth = max(DEPTH, limit)
    vector = encoder.encode_queries([query])[0]
    dense = index.search_dense(collection, vector, limit=depth, filter=filter) if vector.any() else []
    terms = lexical.query(query)
    sparse = index.search_sparse(collection, terms, limit=depth, filter=filter)
    weight = weights.lexical(query, len(terms.indices))
    return fuse(dense, sparse, lexical_weight=weight, limit=limit)
