"""Shared fixtures. Every test run has a data folder of its own, and every test that indexes a new index."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Before Django reads its settings. pytest's configuration must not name them: pytest-django would read them
# before this file, and the tests would use the data folder of the checkout.
os.environ["QUARRY_DATA"] = tempfile.mkdtemp(prefix="quarry-test-")
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
atexit.register(shutil.rmtree, os.environ["QUARRY_DATA"], ignore_errors=True)

import django  # noqa: E402
import pytest  # noqa: E402

from tests import factories, groups  # noqa: E402
from tests.groups import (  # noqa: E402, F401
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_ignore_collect,
    pytest_runtest_makereport,
    pytest_unconfigure,
)

django.setup()


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """Commands make this process write files for its user alone; other tests share files with other users."""
    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    from tests.support.chromium import running_chromium

    with running_chromium() as browser:
        yield browser


@pytest.fixture
def shared_data() -> Path:
    """The evaluation sets and documents that the project does not ship."""
    return groups.DATA


@pytest.fixture(autouse=True)
def new_data_folder(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Files and index of one test only, and nothing known of the reranker."""
    from django.core.cache import caches

    from indexing import engine
    from searchapp import breaker, reranking

    monkeypatch.setattr(reranking, "breaker", breaker.Breaker())
    caches["rerank"].clear()

    settings.MEDIA_ROOT = tmp_path / "files"
    settings.INDEX_DIR = tmp_path / "index"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick, and worthless
    engine.close_index()
    yield
    engine.close_index()


@pytest.fixture
def people(db: None) -> factories.People:
    """A library's owner (manager), a colleague (viewer), and an outsider."""
    return factories.people()
