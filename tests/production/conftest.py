"""The image's tree and production made of it, once for the tests that use them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.image import Image, build
from tests.support.production import Production, production, remove, take_rights
from tests.support.servers import ROOT


@pytest.fixture(scope="session")
def image() -> Iterator[Image]:
    folder = Path(tempfile.mkdtemp(prefix="quarry-image-"))
    folder.chmod(0o755)  # it is for another user
    made = build(ROOT, folder)
    take_rights(made)
    yield made
    remove(made)


@pytest.fixture(scope="module")
def stack(image: Image) -> Iterator[Production]:
    with tempfile.TemporaryDirectory(prefix="quarry-stack-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with production(folder, image) as made:
            yield made
