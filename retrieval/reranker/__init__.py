"""Scores of (query, passage) pairs by a cross-encoder."""

from retrieval.reranker.card import RerankerCard, load_card
from retrieval.reranker.errors import NotRerankedError
from retrieval.reranker.loading import load_reranker
from retrieval.reranker.model import Reranker

__all__ = ["NotRerankedError", "Reranker", "RerankerCard", "load_card", "load_reranker"]
