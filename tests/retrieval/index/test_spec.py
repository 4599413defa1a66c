"""How a collection may be made."""

from __future__ import annotations

import pytest

from retrieval.index.base import CollectionSpec


@pytest.mark.parametrize("code_dimensions", [0, 33])
def test_codes_should_be_of_dimensions_that_there_are(code_dimensions: int) -> None:
    with pytest.raises(ValueError, match=f"codes of {code_dimensions} of 32 dimensions"):
        CollectionSpec(32, code_dimensions=code_dimensions)
