"""ONNX Runtime on CPU: INT8 or FP32 files, without torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime

from retrieval.processors import usable_processors
from retrieval.reranker.model import Batch
from retrieval.types import FloatArray

TOKENS_OF_A_THREAD = 256
MOST_THREADS = 16


class OnnxBackend:
    """An exported cross-encoder on as many threads as this process may use."""

    def __init__(self, file: Path) -> None:
        threads = min(usable_processors(), MOST_THREADS)
        # Small batches waste little on padding, and what a layer makes of them stays in the cores' caches.
        self.token_budget = TOKENS_OF_A_THREAD * threads
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Between requests the threads sleep: the web server has better uses for the cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # ONNX Runtime's joint kernel for adding and normalizing runs on one thread: 8 % of the shipped network's time.
        self._session = onnxruntime.InferenceSession(
            file, options, providers=["CPUExecutionProvider"], disabled_optimizers=["SkipLayerNormFusion"]
        )
        self._inputs = [each.name for each in self._session.get_inputs()]
        self._output = self._session.get_outputs()[0].name

    def forward(self, batch: Batch) -> FloatArray:
        arrays = {name: getattr(batch, name) for name in self._inputs}
        (logits,) = self._session.run([self._output], arrays)
        return np.asarray(logits, dtype=np.float32).reshape(len(batch.input_ids))
