"""The query of a search, analysed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.encoder import Encoder
from retrieval.frequencies import Frequencies, idf, languages_of
from retrieval.lexical import query_terms
from retrieval.ranking.fusion import DEFAULT_WEIGHTS, FusionWeights
from retrieval.types import FloatArray, SparseVector


@dataclass(frozen=True, slots=True)
class Query:
    """What every stage, and the snippet, needs of a query.

    `terms` are weighted by their IDF in the libraries that are searched, and `lexical_weight` is the share of
    the lexical leg against the dense one, 0 to 1.
    """

    text: str
    languages: tuple[str, ...]  # that it may be in, of those that are searched
    words: int  # without stop words
    terms: SparseVector
    vector: FloatArray  # (dimensions,), all 0 without any known token
    lexical_weight: float


def analyse(
    text: str,
    encoder: Encoder,
    searched: Sequence[Frequencies],
    weights: FusionWeights = DEFAULT_WEIGHTS,
) -> Query:
    """Encode a checked query and find its terms, by what is known of the libraries that it searches."""
    found = query_terms(text, languages_of(searched))
    return Query(
        text=text,
        languages=found.languages,
        words=found.words,
        terms=SparseVector(found.ids, idf(found.ids, searched)),
        vector=encoder.encode_queries([text])[0],
        lexical_weight=weights.lexical(text, found.words),
    )
