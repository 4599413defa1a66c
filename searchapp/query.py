"""What may be searched: queries are checked here, once, for the page, the API and the command line."""

from __future__ import annotations

import unicodedata

from library.errors import RefusedError

MAX_QUERY_BYTES = 10_000


class QueryError(RefusedError):
    """A query that cannot be searched."""


def check_query(query: str) -> str:
    """The query in NFC with single spaces. Raises `QueryError`."""
    if len(query.encode("utf-8", "surrogatepass")) > MAX_QUERY_BYTES:
        raise QueryError("query_too_long", 413, "The query is too long. Use fewer words.")
    if any(unicodedata.category(c) in ("Cc", "Cs") and not c.isspace() for c in query):
        raise QueryError(
            "control_characters", 400, "The query contains characters that cannot be searched. Type it again."
        )
    words = " ".join(unicodedata.normalize("NFC", query).split())
    if not words:
        raise QueryError("empty_query", 400, "The query is empty. Type what you are looking for.")
    return words
