"""A page of hits as people read it: grouped by document, with the links that narrow and turn it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from django.urls import reverse
from django.utils.http import urlencode

from library.models import Document
from library.templatetags.words import language_name
from searchapp.facets import FACETS, Facet
from searchapp.forms import PAGE_SIZE, SearchParams
from searchapp.search import Hit, Page

FACET_NAMES = {"library": "Library", "type": "Type", "language": "Language", "year": "Year", "tags": "Tag"}

SHOWN_ALSO = 2  # further passages of a document; the rest is one click away


@dataclass(frozen=True, slots=True)
class HitLink:
    hit: Hit
    url: str

    @property
    def place(self) -> str:
        """Where in the document the passage stands, page and headings; its title is said already."""
        chunk = self.hit.chunk
        path = [part for part in chunk.heading.split(" > ") if part and part != chunk.document.title]
        return " › ".join([f"Page {chunk.page}", *path] if chunk.page else path)


@dataclass(frozen=True, slots=True)
class Group:
    """The hits of one document, best first."""

    document: Document
    hits: Sequence[HitLink]

    @property
    def best(self) -> HitLink:
        return self.hits[0]

    @property
    def also(self) -> Sequence[HitLink]:
        return self.hits[1 : 1 + SHOWN_ALSO]

    @property
    def rest(self) -> Sequence[HitLink]:
        return self.hits[1 + SHOWN_ALSO :]


@dataclass(frozen=True, slots=True)
class Choice:
    """A facet value with the address that adds or removes it."""

    key: str  # of the field and the value, for ids in the page: what has the focus keeps it in a swap
    label: str
    count: int | None  # None where nothing that was found has the value
    selected: bool
    url: str


@dataclass(frozen=True, slots=True)
class FacetList:
    name: str
    choices: Sequence[Choice]


@dataclass(frozen=True, slots=True)
class PageLink:
    number: int | None  # None stands for the pages left out
    url: str
    current: bool


class Results:
    """What the templates show of a `Page`."""

    def __init__(self, params: SearchParams, page: Page) -> None:
        self.params = params
        self.page = page

    @property
    def groups(self) -> list[Group]:
        hits: dict[Document, list[HitLink]] = {}
        for hit in self.page.hits:
            hits.setdefault(hit.chunk.document, []).append(HitLink(hit, self._url(hit)))
        return [Group(document, links) for document, links in hits.items()]

    def _url(self, hit: Hit) -> str:
        """The document at the passage; the search goes along, for its words and for the way back."""
        address = reverse("document", args=[hit.chunk.document_id])
        query = f"{urlencode({'chunk': str(hit.chunk.pk)})}&{self.params.querystring}"
        return f"{address}?{query}#passage"

    @property
    def facets(self) -> list[FacetList]:
        lists = (FacetList(FACET_NAMES[name], list(self._choices(name))) for name in FACETS)
        return [facet for facet in lists if facet.choices]

    def _choices(self, name: str) -> Iterator[Choice]:
        for facet in self.page.facets.get(name, ()):
            url = self.params.toggled(name, facet.value).url
            yield Choice(_key(name, facet.value), _label(name, facet), facet.count, facet.selected, url)

    @property
    def selected(self) -> list[Choice]:
        """The filters in force, those without a hit too, so that each can be taken off."""
        facets = {(name, f.value): f for name, values in self.page.facets.items() for f in values}
        return [
            Choice(
                _key(name, value),
                _label(name, facets.get((name, value), Facet(value, "", 0, True))),
                None,
                True,
                self.params.toggled(name, value).url,
            )
            for name, value in self.params.selected
        ]

    @property
    def pages(self) -> list[PageLink]:
        """The first, the last, and those around the current one."""
        last = -(-self.page.documents // PAGE_SIZE)
        if last < 2:
            return []
        now = self.params.page
        near = {1, last, *range(max(1, now - 2), min(last, now + 2) + 1)}
        links: list[PageLink] = []
        for number in sorted(near):
            if links and (links[-1].number or 0) + 1 < number:
                links.append(PageLink(None, "", False))
            links.append(PageLink(number, self.params.at(number).url, number == now))
        return links

    @property
    def first(self) -> str:
        return self.params.at(1).url

    @property
    def previous(self) -> str:
        return self.params.at(self.params.page - 1).url if self.params.page > 1 else ""

    @property
    def next(self) -> str:
        more = self.params.page * PAGE_SIZE < self.page.documents
        return self.params.at(self.params.page + 1).url if more else ""


def _key(name: str, value: str) -> str:
    return f"{name}-{quote(value, safe='')}"


def _label(name: str, facet: Facet) -> str:
    if name == "language":
        return language_name(facet.value)
    if name == "type":
        return facet.value.upper()
    return facet.label or ("another library" if name == "library" else facet.value)
