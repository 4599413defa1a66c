"""(query, passages) -> scores by a cross-encoder, and the order they make with the first stage."""

from retrieval.reranker.card import RerankerCard, load_card
from retrieval.reranker.combine import combine
from retrieval.reranker.errors import NotRerankedError
from retrieval.reranker.loading import load_reranker
from retrieval.reranker.model import Reranker

__all__ = ["NotRerankedError", "Reranker", "RerankerCard", "combine", "load_card", "load_reranker"]
