"""ONNX Runtime on CPU: INT8 or FP32 files, without torch."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime

from retrieval.processors import usable_processors
from retrieval.reranker.model import Batch
from retrieval.reranker.windows import IntArray
from retrieval.types import FloatArray

TOKENS_OF_A_THREAD = 256
MOST_THREADS = 16


class OnnxBackend:
    """An exported cross-encoder on as many threads as this process may use.

    Each thread takes some of a batch's pairs through the whole network: threads that share each of its steps
    wait for each other at every one, and take a fifth longer.
    """

    def __init__(self, file: Path) -> None:
        self._threads = min(usable_processors(), MOST_THREADS)
        # Small batches waste little on padding, and what a layer makes of them stays in the cores' caches.
        self.token_budget = TOKENS_OF_A_THREAD * self._threads
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        # Adding and normalizing take longer by their joint kernel: 8 % of the shipped network's time.
        self._session = onnxruntime.InferenceSession(
            file, options, providers=["CPUExecutionProvider"], disabled_optimizers=["SkipLayerNormFusion"]
        )
        self._inputs = [each.name for each in self._session.get_inputs()]
        self._output = self._session.get_outputs()[0].name
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="onnx")

    def forward(self, batch: Batch) -> FloatArray:
        lengths = batch.attention_mask.sum(1)
        ascending = np.argsort(lengths, kind="stable")
        parts = np.array_split(ascending, min(self._threads, len(ascending)))
        scores = np.empty(len(lengths), np.float32)
        scores[ascending] = np.concatenate(
            list(self._pool.map(lambda rows: self._run(batch, rows, int(lengths[rows[-1]])), parts))
        )
        return scores

    def _run(self, batch: Batch, rows: IntArray, longest: int) -> FloatArray:
        """(rows,)"""
        arrays = {name: getattr(batch, name)[rows, :longest] for name in self._inputs}
        (logits,) = self._session.run([self._output], arrays)
        return np.asarray(logits, dtype=np.float32).reshape(len(rows))
