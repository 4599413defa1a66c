"""`manage.py read FILE`: what Quarry reads of a file, without storing anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from ingestion.reading import read_file


class Command(BaseCommand):
    help = "Print what Quarry reads of a file, or of each file in a .zip archive. Stores nothing."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        if not file.is_file():
            raise CommandError(f"There is no file {file}.")
        try:
            answer = read_file(file)
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        documents = [*answer.get("members", [answer])]
        if answer["error"] and answer not in documents:  # an archive that is unsafe or damaged
            documents.append(answer)
        if options["json"]:
            self.stdout.write(json.dumps(answer, ensure_ascii=False, indent=1))
        else:
            for document in documents:
                self._write(document)
        if any(document["error"] for document in documents):
            raise SystemExit(1)

    def _write(self, document: dict[str, Any]) -> None:
        """One document for people: a line of facts, what was lost, and the text."""
        if error := document["error"]:
            self.stdout.write(self.style.ERROR(f"{document['name']}: {error['code']}: {error['message']}"))
            return
        pages = f"{document['pages']} pages" if document["pages"] else ""
        passages = f"{len(document['passages'])} passages"
        facts = (document["type"], document["language"], document["date"], pages, passages)
        about = ", ".join(fact for fact in facts if fact)
        self.stdout.write(self.style.SUCCESS(f"{document['name']}: {document['title']}") + f"  ({about})")
        for warning in document["warnings"]:
            self.stdout.write(self.style.WARNING(warning))
        if document["text"]:
            self.stdout.write(f"\n{document['text']}\n")
