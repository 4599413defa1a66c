"""Metrics of reranking: outcomes for searches, and batches of the process that runs the model."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from retrieval.reranker.metrics import BatchReport

# Of searches, by whoever asked for scores; "reranked", "remembered" (no model ran), or why not.
RERANKINGS = Counter("quarry_rerankings", "Searches that asked for reranking, by outcome", ["outcome"])


RERANKER_AWAY = Gauge(
    "quarry_reranker_away",
    "Processes that do not wait for the reranker, since it does not answer",
    multiprocess_mode="livesum",
)


# Of the process that runs the model: this one in embedded mode, else the rerank worker.
RERANK_PAIRS = Histogram(
    "quarry_rerank_batch_pairs", "Pairs in a run of the model", buckets=[2**power for power in range(10)]
)


RERANK_CALLERS = Histogram(
    "quarry_rerank_batch_callers", "Searches in a run of the model", buckets=[2**power for power in range(7)]
)


RERANK_TOKENS = Counter("quarry_rerank_tokens", "Tokens that the model ran, by what they were", ["kind"])


RERANK_QUEUE_SECONDS = Histogram(
    "quarry_rerank_queue_seconds", "Until the model took up the search in a run that waited longest"
)


RERANK_MODEL_SECONDS = Histogram("quarry_rerank_model_seconds", "Of a run of the model")


RERANK_REFUSALS = Counter("quarry_rerank_refusals", "Searches left without scores", ["reason"])


class RerankMetrics:
    """What the model thread reports: padding waste is the share of `padding` among the tokens."""

    def batch(self, report: BatchReport) -> None:
        RERANK_PAIRS.observe(report.pairs)
        RERANK_CALLERS.observe(report.callers)
        RERANK_TOKENS.labels("text").inc(report.tokens)
        RERANK_TOKENS.labels("padding").inc(report.padded_tokens - report.tokens)
        RERANK_QUEUE_SECONDS.observe(report.queue_seconds)
        RERANK_MODEL_SECONDS.observe(report.model_seconds)

    def refused(self, reason: str) -> None:
        RERANK_REFUSALS.labels(reason).inc()
