"""The table of a static model, memory-mapped from its safetensors file."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4"}


def load_table(path: Path) -> NDArray[Any]:
    """(tokens, dimensions), float16, float32 or float64: one row for each token id.

    A memory map where the file holds the rows as they are. model2vec's optional `mapping` (token id to row)
    and `weights` (a factor for each token) are folded in.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no safetensors file, or holds no table of floats.
    """
    tensors = _map_tensors(path)
    if "embedding.weight" in tensors:
        return tensors["embedding.weight"]
    if "embeddings" not in tensors:
        raise ValueError(
            f"{path} holds no tensor 'embedding.weight' or 'embeddings', so it is no static model."
        )
    table = tensors["embeddings"]
    if "mapping" in tensors:
        table = table[tensors["mapping"]]
    if "weights" in tensors:
        table = (table * tensors["weights"][:, None].astype(np.float32)).astype(table.dtype)
    return table


def _map_tensors(path: Path) -> dict[str, NDArray[Any]]:
    """The file's tensors by name. Format: 8 bytes of header length, a JSON header, the data."""
    with path.open("rb") as file:
        header_length = int.from_bytes(file.read(8), "little")
        if header_length > path.stat().st_size:
            raise ValueError(f"{path} is not a safetensors file.")
        header = json.loads(file.read(header_length))
    header.pop("__metadata__", None)
    mapped: NDArray[Any] = np.memmap(path, dtype=np.uint8, mode="r", offset=8 + header_length)
    return {name: _view(path, mapped, name, entry) for name, entry in header.items()}


def _view(path: Path, mapped: NDArray[Any], name: str, entry: dict[str, Any]) -> NDArray[Any]:
    if entry["dtype"] not in _DTYPES:
        raise ValueError(
            f"{path}: tensor {name!r} is of type {entry['dtype']}; float16 and float32 can be read."
        )
    start, end = entry["data_offsets"]
    dtype = np.dtype(_DTYPES[entry["dtype"]])
    if end - start != math.prod(entry["shape"]) * dtype.itemsize or end > mapped.size:
        raise ValueError(f"{path} is truncated: tensor {name!r} is not complete.")
    return np.frombuffer(mapped, dtype, math.prod(entry["shape"]), start).reshape(entry["shape"])
