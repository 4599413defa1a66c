"""A small server of the KServe v2 protocol with Triton's binary tensors, over a model repository.

It holds a request to the model's config.pbtxt as Triton does, and runs the model's ONNX file.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

TYPES = {"TYPE_INT64": ("INT64", np.int64), "TYPE_FP32": ("FP32", np.float32)}
TOKEN = re.compile(r'"([^"]*)"|([\w.\-]+)|([\[\]{}:,])')
SIZE = "Inference-Header-Content-Length"


class RefusedError(Exception):
    """A request that the model's configuration does not allow."""


def parse_pbtxt(text: str) -> dict[str, Any]:
    """The fields of a message in protobuf's text format; those written as lists are lists."""
    tokens = [match.groups() for match in TOKEN.finditer(text)]
    assert "".join(TOKEN.sub("", text).split()) == "", "not protobuf's text format"
    return _message(iter([*tokens, (None, None, "}")]))


def _message(tokens: Iterator[tuple[Any, ...]]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for string, word, mark in tokens:
        if mark == "}":
            return fields
        assert word and string is None, f"a field's name was expected, not {string or mark}"
        fields[word] = _value(tokens, next(tokens))
    raise AssertionError("a message without an end")


def _value(tokens: Iterator[tuple[Any, ...]], token: tuple[Any, ...]) -> Any:
    string, word, mark = token
    if mark == ":":
        return _value(tokens, next(tokens))
    if mark == "{":
        return _message(tokens)
    if mark == "[":
        items = []
        while (token := next(tokens))[2] != "]":
            if token[2] != ",":
                items.append(_value(tokens, token))
        return items
    return string if string is not None else int(word) if word.lstrip("-").isdigit() else word


class Model:
    def __init__(self, folder: Path) -> None:
        self.config = parse_pbtxt((folder / "config.pbtxt").read_text(encoding="utf-8"))
        assert self.config["name"] == folder.name
        assert self.config["backend"] == "onnxruntime"
        self._session = onnxruntime.InferenceSession(folder / "1" / "model.onnx")
        for side, declared in (
            ("input", self._session.get_inputs()),
            ("output", self._session.get_outputs()),
        ):
            assert [each["name"] for each in self.config[side]] == [each.name for each in declared]
        self.shapes: list[tuple[int, ...]] = []

    def infer(self, arrays: dict[str, np.ndarray], output: str) -> np.ndarray:
        self._check(arrays)
        self.shapes.append(next(iter(arrays.values())).shape)
        (scores,) = self._session.run([output], arrays)
        (declared,) = (each for each in self.config["output"] if each["name"] == output)
        assert scores.dtype == TYPES[declared["data_type"]][1]
        assert list(scores.shape[1:]) == declared["dims"]
        return np.asarray(scores)

    def _check(self, arrays: dict[str, np.ndarray]) -> None:
        if set(arrays) != {each["name"] for each in self.config["input"]}:
            raise RefusedError(f"expected other inputs than {sorted(arrays)}")
        for each in self.config["input"]:
            array = arrays[each["name"]]
            if array.dtype != TYPES[each["data_type"]][1]:
                raise RefusedError(f"{each['name']} has type {array.dtype}")
            if array.shape[0] > self.config["max_batch_size"]:
                raise RefusedError(f"batch-size must be <= {self.config['max_batch_size']}")
            dims = array.shape[1:]
            if len(dims) != len(each["dims"]) or any(
                d not in (-1, n) for d, n in zip(each["dims"], dims, strict=True)
            ):
                raise RefusedError(f"{each['name']} has shape {array.shape}")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: TritonServer

    def do_GET(self) -> None:
        found = re.fullmatch(r"/v2/models/([^/]+)/config", self.path)
        model = self.server.models.get(found[1]) if found else None
        self._answer(200, json.dumps(model.config).encode()) if model else self._refuse("unknown model")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.gate.wait(20)
        if self.server.breaks_off:
            self.close_connection = True
            return
        size = int(self.headers[SIZE])
        asked, rest = json.loads(body[:size]), body[size:]
        arrays = {}
        for each in asked["inputs"]:
            length, dtype = each["parameters"]["binary_data_size"], {v[0]: v[1] for v in TYPES.values()}
            arrays[each["name"]] = np.frombuffer(rest[:length], dtype[each["datatype"]]).reshape(
                each["shape"]
            )
            rest = rest[length:]
        (output,) = asked["outputs"]
        try:
            scores = self.server.infer(self.path.split("/")[3], arrays, output["name"])
        except RefusedError as error:
            return self._refuse(str(error))
        tensor = {
            "name": output["name"],
            "datatype": "FP32",
            "shape": list(scores.shape),
            "parameters": {"binary_data_size": scores.nbytes},
        }
        head = json.dumps({"model_name": "reranker", "model_version": "1", "outputs": [tensor]}).encode()
        self._answer(200, head + scores.tobytes(), {SIZE: str(len(head))})

    def _refuse(self, why: str) -> None:
        self._answer(400, json.dumps({"error": why}).encode())

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""


class TritonServer(ThreadingHTTPServer):
    """`gate` holds answers back while it is closed: a server that hangs. `breaks_off`: ends connections."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, repository: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.models = {folder.name: Model(folder) for folder in repository.iterdir()}
        self.breaks_off = False
        self.gate = threading.Event()
        self.gate.set()

    def infer(self, name: str, arrays: dict[str, np.ndarray], output: str) -> np.ndarray:
        if name not in self.models:
            raise RefusedError(f"Request for unknown model: '{name}' is not found")
        return self.models[name].infer(arrays, output)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def triton(repository: Path) -> Iterator[TritonServer]:
    server = TritonServer(repository)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        server.gate.set()
        server.shutdown()
        thread.join()
        server.server_close()
