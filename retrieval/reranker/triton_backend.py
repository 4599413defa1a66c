"""A cross-encoder on an NVIDIA Triton server, by its KServe v2 protocol over HTTP.

`manage.py export_reranker --format triton` writes the model repository that the server serves. Tokens are
made here: the server sees numbers only.
"""

from __future__ import annotations

import threading
from urllib.parse import urlsplit

import numpy as np
from geventhttpclient.response import HTTPParseError
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

from retrieval.reranker.errors import RerankerUnavailableError
from retrieval.reranker.model import Batch
from retrieval.types import FloatArray

MODEL = "reranker"  # its name on the server
# Triton joins the requests of several clients only where their shapes are equal, so there are few of them.
WIDTH = 32
TIMEOUT_S = 5.0  # for one batch; whoever asked has a deadline of its own, and leaves earlier

# What the client and gevent below it raise when a server is away, breaks off or answers something else.
AWAY = (OSError, HTTPParseError, InferenceServerException)


class TritonBackend:
    """Sends a batch at a time, and waits."""

    def __init__(self, url: str) -> None:
        """`url`: http://host:port of the server.

        Raises:
            RerankerUnavailableError: it does not answer, or has no such model.
        """
        address = urlsplit(url)
        self._address, self._tls = address.netloc + address.path.rstrip("/"), address.scheme == "https"
        # A client belongs to the thread that made it: gevent, below it, has an event loop for each.
        self._of_thread = threading.local()
        try:
            config = self._client().get_model_config(MODEL)
        except AWAY as error:
            raise RerankerUnavailableError(f"{url} does not serve the model {MODEL!r}: {error}") from error
        self._inputs = [each["name"] for each in config["input"]]
        self._output = config["output"][0]["name"]
        self._most_pairs = int(config["max_batch_size"])
        on_cpu = any(group["kind"] == "KIND_CPU" for group in config.get("instance_group", ()))
        self.token_budget = 2048 if on_cpu else 16_384

    def forward(self, batch: Batch) -> FloatArray:
        """Raises RerankerUnavailableError: the server does not answer in time, or refuses."""
        columns = {name: _widened(getattr(batch, name)) for name in self._inputs}
        pairs = len(batch.input_ids)
        starts = range(0, pairs, self._most_pairs)
        parts = [
            self._infer({name: rows[i : i + self._most_pairs] for name, rows in columns.items()})
            for i in starts
        ]
        return np.concatenate(parts).astype(np.float32).reshape(pairs)

    def _infer(self, columns: dict[str, np.ndarray]) -> np.ndarray:
        inputs = []
        for name, rows in columns.items():
            inputs.append(InferInput(name, list(rows.shape), "INT64"))
            inputs[-1].set_data_from_numpy(rows)
        try:
            answer = self._client().infer(MODEL, inputs, outputs=[InferRequestedOutput(self._output)])
            scores: np.ndarray | None = answer.as_numpy(self._output)
        except AWAY as error:
            raise RerankerUnavailableError(f"Triton at {self._address}: {error}") from error
        if scores is None:
            raise RerankerUnavailableError(f"Triton at {self._address} gave no {self._output}")
        return scores

    def _client(self) -> InferenceServerClient:
        if not hasattr(self._of_thread, "client"):
            self._of_thread.client = InferenceServerClient(
                self._address, ssl=self._tls, connection_timeout=TIMEOUT_S, network_timeout=TIMEOUT_S
            )
        client: InferenceServerClient = self._of_thread.client
        return client


def _widened(rows: np.ndarray) -> np.ndarray:
    """(pairs, tokens) with columns of zeros up to a multiple of WIDTH; the mask is 0 there, too."""
    return np.pad(rows, ((0, 0), (0, -rows.shape[1] % WIDTH)))
