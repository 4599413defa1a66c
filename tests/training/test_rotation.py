from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from retrieval.encoder import load_encoder
from tests.training.support import corpus, write_tiny_model
from training.bags import unit
from training.rotation import MINIMUM_FITTED, fit_rotation, fold_rotation

PASSAGES = [passage for document in corpus(300) for passage in document]


def test_rotation_of_all_dimensions_should_keep_every_cosine(tmp_path: Path) -> None:
    base = write_tiny_model(tmp_path / "base")
    assert fold_rotation(base, PASSAGES, 64, tmp_path / "rotated", learned=True, code_dimensions=16)
    texts = [passage.full for passage in PASSAGES[:20]]
    before, after = (
        load_encoder(folder).encode_passages(texts) for folder in (base, str(tmp_path / "rotated"))
    )
    assert before @ before.T == pytest.approx(after @ after.T, abs=1e-5)
    assert not np.allclose(before, after)


def test_first_dimensions_should_keep_more_of_the_corpus_than_a_cut() -> None:
    vectors = unit(np.random.default_rng(0).normal(size=(500, 32)) * np.linspace(0.2, 2, 32)).astype(
        np.float32
    )
    for kept in (
        vectors @ fit_rotation(vectors, 8),
        (vectors @ fit_rotation(vectors, 32, code_dimensions=8))[:, :8],
    ):
        assert (kept**2).sum() > 1.5 * (vectors[:, :8] ** 2).sum()


def test_coded_dimensions_should_be_near_their_signs() -> None:
    """What ITQ is for: the angle between a vector and its signs gets smaller than on principal axes."""
    vectors = np.random.default_rng(0).normal(size=(500, 32)) * np.geomspace(4, 0.25, 32)
    vectors = unit(vectors.astype(np.float32))

    def near(components: np.ndarray) -> float:  # type: ignore[type-arg]
        return float(np.abs(unit(components)).sum(axis=1).mean())

    turned = vectors @ fit_rotation(vectors, 32, code_dimensions=16)
    assert near(turned[:, :16]) > 1.05 * near(vectors[:, :16])


def test_rotation_should_not_be_folded_where_there_is_too_little_to_fit_to(tmp_path: Path) -> None:
    base = write_tiny_model(tmp_path / "base")
    assert not fold_rotation(base, PASSAGES[: MINIMUM_FITTED - 1], 64, tmp_path / "rotated", learned=True)
    assert not (tmp_path / "rotated").exists()


def test_model_that_is_no_table_should_not_be_turned(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    assert not fold_rotation(str(tmp_path), PASSAGES, 64, tmp_path / "rotated", learned=True)


def test_more_dimensions_than_the_model_has_should_be_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="64 dimensions, so it cannot be cut to 65"):
        fold_rotation(write_tiny_model(tmp_path / "base"), PASSAGES, 65, tmp_path / "rotated", learned=True)
