"""Ranking: a query, a scope to search, and the stages between them. Knows no Django.

`query.py` analyses a query, `path.py` composes the stages; each stage has a file.
"""

from retrieval.ranking.path import DEPTH, RERANKED, STAGES, Ranking, Reranking, Scope, find, rank
from retrieval.ranking.query import Query, analyse

__all__ = ["DEPTH", "RERANKED", "STAGES", "Query", "Ranking", "Reranking", "Scope", "analyse", "find", "rank"]
