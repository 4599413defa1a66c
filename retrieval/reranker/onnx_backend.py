"""ONNX Runtime on CPU: INT8 or FP32 files, without torch."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime

from retrieval.processors import usable_processors
from retrieval.reranker.model import Batch, batches
from retrieval.reranker.windows import IntArray
from retrieval.types import FloatArray

# What a layer makes of so many tokens stays in a core's caches, and wastes little on padding.
TOKENS_OF_A_RUN = 256
# In a batch, at whose end threads wait for each other: a page of chunks is mostly one batch. More would waste
# less, and keep other callers waiting.
RUNS_OF_A_THREAD = 9
MOST_THREADS = 16


class OnnxBackend:
    """An exported cross-encoder on as many threads as this process may use.

    Each thread takes some of a batch's pairs through the whole network: threads that share each of its steps
    wait for each other at every one, and take a fifth longer. Long pairs go alone, short ones in company.
    """

    def __init__(self, file: Path) -> None:
        threads = min(usable_processors(), MOST_THREADS)
        self.token_budget = TOKENS_OF_A_RUN * RUNS_OF_A_THREAD * threads
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        # Adding and normalizing take longer by their joint kernel: 8 % of the shipped network's time.
        self._session = onnxruntime.InferenceSession(
            file, options, providers=["CPUExecutionProvider"], disabled_optimizers=["SkipLayerNormFusion"]
        )
        self._inputs = [each.name for each in self._session.get_inputs()]
        self._output = self._session.get_outputs()[0].name
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="onnx")

    def forward(self, batch: Batch) -> FloatArray:
        lengths = batch.attention_mask.sum(1)
        ascending = np.argsort(lengths, kind="stable")
        runs = [
            ascending[run.start : run.stop] for run in batches(lengths[ascending].tolist(), TOKENS_OF_A_RUN)
        ]
        longest_first = runs[::-1]
        scores = np.empty(len(lengths), np.float32)
        found = self._pool.map(lambda rows: self._run(batch, rows, int(lengths[rows[-1]])), longest_first)
        for rows, own in zip(longest_first, found, strict=True):
            scores[rows] = own
        return scores

    def _run(self, batch: Batch, rows: IntArray, longest: int) -> FloatArray:
        """(rows,)"""
        arrays = {name: getattr(batch, name)[rows, :longest] for name in self._inputs}
        (logits,) = self._session.run([self._output], arrays)
        return np.asarray(logits, dtype=np.float32).reshape(len(rows))
