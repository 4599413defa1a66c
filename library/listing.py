"""The documents of a library as the page lists them, and their progress."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, QuerySet
from django.http import QueryDict
from django.utils.http import urlencode

from library.forms import DocumentFilter
from library.models import PENDING, Document, Library, Status

PAGE_SIZE = 25
LAST_POLLED = 100  # rows that one poll asks about; there are no more on a page

# What the page calls the states, and which of them each name joins.
TABS: Mapping[str, tuple[Status, ...]] = {
    "": tuple(Status),
    "pending": PENDING,
    "ready": (Status.READY,),
    "failed": (Status.FAILED, Status.QUARANTINED),
}


@dataclass(frozen=True, slots=True)
class Tab:
    label: str
    count: int
    querystring: str
    selected: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a library's documents, the newest first, with the tabs that narrow it."""

    documents: Page[Document]
    tabs: Sequence[Tab]
    narrowed: Mapping[str, str]

    @property
    def pending(self) -> list[Document]:
        return [document for document in self.documents if document.is_pending]

    @property
    def waits(self) -> bool:
        """Whether any document of the tabs is pending, on this page of the list or another."""
        return any(tab.count for tab in self.tabs if tab.label == "pending")

    @property
    def page_range(self) -> Iterator[int | str]:
        return self.documents.paginator.get_elided_page_range(
            self.documents.number, on_each_side=2, on_ends=1
        )

    @property
    def querystring(self) -> str:
        """Query string of this list, without the page's number."""
        return urlencode(self.narrowed)


def list_documents(library: Library, query: QueryDict) -> Listing:
    narrowed = DocumentFilter(query).values()
    documents = library.documents.defer("metadata")
    if name := narrowed.get("name"):
        documents = documents.filter(Q(name__icontains=name) | Q(title__icontains=name))
    shown = documents.filter(status__in=TABS[narrowed.get("status", "")])
    return Listing(
        Paginator(shown, PAGE_SIZE).get_page(query.get("page")), tabs(documents, narrowed), narrowed
    )


def tabs(documents: QuerySet[Document], narrowed: Mapping[str, str]) -> list[Tab]:
    rows = documents.order_by().values_list("status").annotate(count=Count("pk"))
    counts: dict[str, int] = dict(rows)
    return [
        Tab(
            label=status or "all",
            count=sum(counts.get(s, 0) for s in states),
            querystring=urlencode({k: v for k, v in {**narrowed, "status": status}.items() if v}),
            selected=status == narrowed.get("status", ""),
        )
        for status, states in TABS.items()
    ]


def polled(library: Library, ids: Sequence[str]) -> list[Document]:
    """Those of the named documents that are still there; names that are none are left out."""
    known = []
    for pk in ids[:LAST_POLLED]:
        try:
            known.append(UUID(pk))
        except ValueError:
            continue
    return list(library.documents.filter(pk__in=known))
