"""Shared fixtures. Every test run has a data folder of its own, and every test that indexes a new index."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Before Django reads its settings.
os.environ["QUARRY_DATA"] = tempfile.mkdtemp(prefix="quarry-test-")

import pytest  # noqa: E402

from tests import factories  # noqa: E402


@pytest.fixture
def shared_data() -> Path:
    """The evaluation sets and documents that the project does not ship."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("QUARRY_TEST_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"needs the data folder {folder} (QUARRY_TEST_DATA names another)")
    return folder


@pytest.fixture(autouse=True)
def new_data_folder(settings: Any, tmp_path: Path) -> Iterator[None]:
    """Files and index of one test only."""
    from ingestion import engine

    settings.MEDIA_ROOT = tmp_path / "files"
    settings.INDEX_DIR = tmp_path / "index"
    engine.index.cache_clear()
    yield
    if engine.index.cache_info().currsize:
        engine.index().close()
    engine.index.cache_clear()


@pytest.fixture
def people(db: None) -> factories.People:
    """A library's owner (manager), a colleague (viewer), and an outsider."""
    return factories.people()
