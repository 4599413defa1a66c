"""What the model thread did, as plain values: whoever serves metrics reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.reranker.requests import Item


@dataclass(frozen=True, slots=True)
class BatchReport:
    """One run of the model."""

    pairs: int
    callers: int
    tokens: int  # without padding
    padded_tokens: int  # with it
    queue_seconds: float  # of the caller in it who waited longest
    model_seconds: float

    @classmethod
    def of(cls, batch: Sequence[Item], started: float, finished: float) -> BatchReport:
        """`started` and `finished` are readings of `time.monotonic()`."""
        lengths = [len(item.pair) for item in batch]
        return cls(
            pairs=len(batch),
            callers=len({id(item.request) for item in batch}),
            tokens=sum(lengths),
            padded_tokens=len(batch) * max(lengths),
            queue_seconds=started - min(item.request.submitted for item in batch),
            model_seconds=finished - started,
        )


@dataclass(slots=True)
class Counters:
    """Sums since the start. Written under the queue's lock or by the model thread, read by anyone."""

    batches: int = 0
    pairs: int = 0
    tokens: int = 0
    padded_tokens: int = 0
    model_seconds: float = 0.0
    shed: int = 0
    expired: int = 0
    failed: int = 0

    def add(self, report: BatchReport) -> None:
        self.batches += 1
        self.pairs += report.pairs
        self.tokens += report.tokens
        self.padded_tokens += report.padded_tokens
        self.model_seconds += report.model_seconds

    @property
    def padding_waste(self) -> float:
        """The share of the model's tokens that were padding, 0 to 1."""
        return 1 - self.tokens / self.padded_tokens if self.padded_tokens else 0.0
