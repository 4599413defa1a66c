"""Which document a passage is from: one that speaks of the query in many places is the likelier one."""

from __future__ import annotations

import math
from collections.abc import Sequence

from retrieval.types import Candidate

DEPTH = 300  # lexical candidates that are looked at
# How much a document counts beside the two legs, whose weights add up to 1. Chosen on five sets of files
# (docs/decisions/0006-documents.md).
WEIGHT = 0.6


def document_scores(lexical: Sequence[Candidate]) -> dict[str, float]:
    """Return for each document of these candidates the root mean square of its passages' scores.

    Passages that are not among the candidates count as 0, so that a long document is not the better one for
    its length, and squares let a few good passages outweigh many poor ones.
    """
    squares: dict[str, float] = {}
    passages: dict[str, int] = {}
    for candidate in lexical:
        if document := candidate.document:
            squares[document] = squares.get(document, 0.0) + candidate.score**2
            passages[document] = candidate.passages
    return {document: math.sqrt(total / max(passages[document], 1)) for document, total in squares.items()}


def document_weight(lexical: Sequence[Candidate]) -> float:
    """Return `WEIGHT`, less the share of documents among the candidates.

    Where each candidate is from a document of its own, its document says nothing that its passage does not.
    """
    documents = {candidate.document for candidate in lexical}
    return WEIGHT * (1 - len(documents) / len(lexical)) if lexical else 0.0
