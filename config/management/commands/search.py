"""`manage.py search "QUERY"`: the same search() as the page and the API."""

from __future__ import annotations

import json
from typing import Any

from django.core.management import CommandError, CommandParser

from config.management.data import DataCommand, narrowed_to, person_named
from config.warming import warm
from searchapp.query import QueryError
from searchapp.search import Filters, Page, search
from searchapp.serializers import page_as_json


class Command(DataCommand):
    help = "Search, as the page and the API do."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("query")
        parser.add_argument("--library", help="only in this library")
        parser.add_argument("--user", help="what this person may read; by default, everything")
        parser.add_argument("--limit", type=int, default=10)
        parser.add_argument("--no-rerank", action="store_true")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, query: str, **options: Any) -> None:
        user = person_named(options["user"])
        filters = Filters(library=narrowed_to(user, options["library"]))
        rerank = not options["no_rerank"]
        try:
            warm(rerank=rerank)
            page = search(user, query, filters=filters, limit=max(1, options["limit"]), rerank=rerank)
        except QueryError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            answer = page_as_json(page, explain=user.is_superuser)
            self.stdout.write(json.dumps(answer, ensure_ascii=False, indent=1))
        else:
            self._write(page)

    def _write(self, page: Page) -> None:
        for number, hit in enumerate(page.hits, page.offset + 1):
            document = hit.chunk.document
            where = f", page {hit.chunk.page}" if hit.chunk.page else ""
            self.stdout.write(self.style.SUCCESS(f"{number}. {document}") + f"  ({document.name}{where})")
            self.stdout.write("   " + " ".join(hit.snippet.text.split()))
        found = f"{page.total}{'+' if page.more else ''} passages in {page.took_ms:.0f} ms"
        order = "reranked" if page.reranked else ", ".join(["not reranked", *page.degraded])
        self.stdout.write(f"{found}, {order}")
