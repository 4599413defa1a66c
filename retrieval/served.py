"""How the collections that are served are made."""

from __future__ import annotations

from retrieval.encoder import Encoder
from retrieval.encoder.static import StaticEncoder
from retrieval.index.base import CollectionSpec

# Dimensions of a static model that are coded: 32 bytes a passage, and all of nDCG@10 once rescored
# (docs/quality.md). A rotation puts what matters into the first ones (training/rotation.py); other models
# cannot be rotated, so that all of their dimensions are coded.
CODE_DIMENSIONS = 256


def served_spec(encoder: Encoder) -> CollectionSpec:
    """Return how a collection of this encoder's vectors is made."""
    short = isinstance(encoder, StaticEncoder) and encoder.dimensions > CODE_DIMENSIONS
    return CollectionSpec(encoder.dimensions, code_dimensions=CODE_DIMENSIONS if short else None)
