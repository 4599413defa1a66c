"""What the address of the search page says, and addresses that say a little more or less."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

from searchapp.search import Filters

PAGE_SIZE = 10  # documents
LAST_PAGE = 100


def whole_number(text: str, *, most: int) -> int | None:
    """The number from 1 to `most` that the text names, higher ones cut; None where it names none."""
    digits = text.lstrip("0")
    if not (digits.isascii() and digits.isdigit()):
        return None
    return most if len(digits) > len(str(most)) else min(int(digits), most)


@dataclass(frozen=True, slots=True)
class SearchParams:
    """The query, the selected filters and the page number; every field has a harmless default."""

    q: str = ""
    filters: Filters = field(default_factory=Filters)
    page: int = 1

    @classmethod
    def of(cls, values: QueryDict) -> SearchParams:
        return cls(
            q=values.get("q", "").strip(),
            filters=Filters(**{name: tuple(values.getlist(name)) for name in asdict(Filters())}),
            page=whole_number(values.get("page", ""), most=LAST_PAGE) or 1,
        )

    @property
    def offset(self) -> int:
        return (self.page - 1) * PAGE_SIZE

    @property
    def selected(self) -> list[tuple[str, str]]:
        return [(name, value) for name, values in asdict(self.filters).items() for value in values]

    @property
    def querystring(self) -> str:
        return urlencode(list(self._pairs()))

    @property
    def url(self) -> str:
        return f"{reverse('search')}?{self.querystring}" if self.querystring else reverse("search")

    def at(self, page: int) -> SearchParams:
        return replace(self, page=page)

    def toggled(self, name: str, value: str) -> SearchParams:
        """With the filter value added, or removed where it is selected; on the first page."""
        values: tuple[str, ...] = getattr(self.filters, name)
        changed = tuple(v for v in values if v != value) if value in values else (*values, value)
        return replace(self, filters=replace(self.filters, **{name: changed}), page=1)

    def without_filters(self) -> SearchParams:
        return SearchParams(q=self.q)

    def _pairs(self) -> Iterator[tuple[str, str]]:
        if self.q:
            yield "q", self.q
        yield from self.selected
        if self.page > 1:
            yield "page", str(self.page)
