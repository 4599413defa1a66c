"""What the model thread did, as plain values: whoever serves metrics reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from retrieval.reranker.requests import Share


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
    def of(cls, batch: Sequence[Share], started: float, finished: float) -> BatchReport:
        """`started` and `finished` are readings of `time.monotonic()`."""
        lengths = np.array([len(window.ids) for share in batch for window in share.windows])
        return cls(
            pairs=len(lengths),
            callers=len(batch),
            tokens=int(lengths.sum()),
            padded_tokens=len(lengths) * int(lengths.max()),
            queue_seconds=started - min(share.request.submitted for share in batch),
            model_seconds=finished - started,
        )


class Metrics(Protocol):
    """Hears what happens; called in the model thread and in callers' threads, and must be quick."""

    def batch(self, report: BatchReport) -> None:
        """The model ran."""

    def refused(self, reason: str) -> None:
        """A request ends without scores: the reason of its `NotRerankedError`."""


@dataclass(slots=True)
class Counters:
    """Keeps everything, for benchmarks and tests."""

    batches: list[BatchReport] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    def batch(self, report: BatchReport) -> None:
        self.batches.append(report)

    def refused(self, reason: str) -> None:
        self.refusals.append(reason)
