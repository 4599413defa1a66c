"""The first stage of a search: encode the query, ask both legs of the index, fuse, and look at neighbours."""

from __future__ import annotations

from retrieval.encoder import Encoder
from retrieval.encoder.static import StaticEncoder
from retrieval.fusion import DEFAULT_WEIGHTS, FusionWeights, fuse
from retrieval.index.base import CollectionSpec, Index
from retrieval.lexical import Lexical
from retrieval.neighbours import by_neighbours
from retrieval.types import Filter, FusedCandidate

# How many candidates each leg gives to the fusion.
DEPTH = 100
# Of how many dimensions the codes of a static model are: 32 bytes a passage, and all of nDCG@10 once rescored
# (docs/quality.md). A rotation puts what matters into the first ones (training/rotation.py); other models
# cannot be rotated, so that all of their dimensions are coded.
CODE_DIMENSIONS = 256


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
    """The candidates of one query: dense (binary codes, rescored) and lexical, fused, by their neighbours.

    All are hits under `filter`, so that nothing that the reader may not see has any influence.

    Raises:
        IndexUnavailableError: the index does not answer.
    """
    depth = max(DEPTH, limit)
    terms = lexical.query(query)
    sparse = index.search_sparse(collection, terms, limit=depth, filter=filter)
    vector = encoder.encode_queries([query])[0]
    dense = index.search_dense(collection, vector, limit=depth, filter=filter) if vector.any() else []
    lexical_weight = weights.lexical(query, len(terms.indices))
    fused = fuse(dense, sparse, lexical_weight=lexical_weight, limit=limit)
    vectors = index.vectors(collection, [candidate.id for candidate in fused[:DEPTH]]) if fused else {}
    return by_neighbours(fused, vectors, lexical_weight)
