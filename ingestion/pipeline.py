"""The document path: claim -> parse -> chunk -> encode -> index -> publish. `run` reads as its steps."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction

from indexing import frequencies
from indexing.engine import index, remove_points, written_versions
from indexing.passages import BATCH
from indexing.points import chunk_id, points
from ingestion.chunking import ChunkSpan, chunk
from ingestion.claims import Claim, claim_document
from ingestion.parsing import ParsedDocument, ParseError, ParserCrashedError
from ingestion.scans import parse_document
from library.models import Chunk, Document, DocumentText, Status
from library.titles import title_of
from retrieval.frequencies import Frequencies, count, merge
from retrieval.index.base import IndexUnavailableError

logger = logging.getLogger(__name__)


def run(document_id: UUID) -> None:
    """Bring one document to an end: `ready`, `failed` or `quarantined`, or `queued` for another attempt.

    1. Claim the row (a second delivery of the message ends here).
    2. Parse in a child process, chunk, encode, and write the points of this version to the index.
    3. In one transaction: its chunks replace the old version's, and the row says `ready`.
    4. Remove the old version's points.
    A crash before 3 leaves points without rows, which no search shows and the next attempt overwrites; a
    crash before 4 leaves old points, which no search shows and the reconciler removes.
    """
    claim = claim_document(document_id)
    if claim is None:
        return
    document = claim.document
    with claim.heartbeat():
        try:
            parsed = parse_document(Path(document.file.path), document.content_type)
            claim.progress(Status.INDEXING, 0.4)
            spans = chunk(parsed, words=settings.CHUNK_WORDS)
            if not spans:
                raise ParseError("no_text", "No text was found. If this is a scan, add a text layer by OCR.")
            _describe(document, parsed, len(spans))
            chunks = _chunks(document, spans)
            written, terms = _index(claim, chunks)
            old_ids = _publish(claim, chunks, parsed, written, terms)
        except ParseError as error:
            claim.fail(error.code, error.message)
        except ParserCrashedError as error:
            claim.try_again("parser_crashed", str(error))
        except IndexUnavailableError:
            logger.warning("The index does not answer; document %s waits.", document_id)
            claim.wait()
        except Exception:
            logger.exception("Document %s failed by a fault of ours", document_id)
            claim.try_again("internal", "Something went wrong on our side. An admin can see it in the log.")
        else:
            remove_points(old_ids)


def _chunks(document: Document, spans: Sequence[ChunkSpan]) -> list[Chunk]:
    return [
        Chunk(
            id=chunk_id(document, span.number),
            document=document,
            number=span.number,
            text=span.text,
            start=span.start,
            end=span.end,
            page=span.page,
            heading=span.heading[:1000],
        )
        for span in spans
    ]


def _describe(document: Document, parsed: ParsedDocument, passages: int) -> None:
    """What the document says of itself; saved when it is published."""
    document.chunk_count = passages
    document.title = title_of(document, parsed.title)
    document.language = parsed.language
    document.date = parsed.date


def _index(claim: Claim, chunks: Sequence[Chunk]) -> tuple[set[str], Frequencies]:
    """Write the points to every version that takes new documents.

    Returns the names of their collections, and the frequencies of the terms.
    """
    versions, counted = written_versions(), []
    for version in versions:
        for start in range(0, len(chunks), BATCH):
            batch = chunks[start : start + BATCH]
            made = points(version, batch)
            index().upsert(version.collection, made)
            if version is versions[0]:  # the terms of a passage are the same in all
                counted.append(count([p.sparse for p in made], [claim.document.language] * len(made)))
            claim.progress(Status.INDEXING, 0.4 + 0.55 * (start + len(batch)) / len(chunks))
    return {version.collection for version in versions}, merge(counted)


def _publish(
    claim: Claim, chunks: Sequence[Chunk], parsed: ParsedDocument, written: set[str], terms: Frequencies
) -> list[str]:
    """Make this version the visible one, in one transaction. Returns the ids of the points that it replaces.

    If the row was deleted or got a newer version meanwhile, nothing changes and this version's own points
    are the ones to remove; if only the claim is lost, another worker writes the same points, so they stay.
    A re-index that began after the points were written gets them too.
    """
    document = claim.document
    with transaction.atomic():
        old = Chunk.objects.filter(document=document)
        old_terms = frequencies.of_chunks(old.select_related("document"))  # by the title of the old version
        published = claim.publish(
            title=document.title,
            language=document.language,
            date=document.date,
            warnings=list(parsed.warnings),
            character_count=len(parsed.text),
            chunk_count=document.chunk_count,
        )
        if not published:
            same_version = Document.objects.filter(pk=document.pk, version=document.version)
            return [] if same_version.exists() else [str(c.pk) for c in chunks]
        for late in (v for v in written_versions() if v.collection not in written):
            for start in range(0, len(chunks), BATCH):
                index().upsert(late.collection, points(late, chunks[start : start + BATCH]))
        frequencies.add(document.library_id, merge([terms, -old_terms]))
        new_ids = {c.pk for c in chunks}
        old_ids = [str(pk) for pk in old.values_list("pk", flat=True) if pk not in new_ids]
        old.delete()
        Chunk.objects.bulk_create(chunks, batch_size=500)
        DocumentText.objects.update_or_create(
            document=document,
            defaults={
                "text": parsed.text,
                "pages": parsed.pages,
                "headings": parsed.headings,
                "tables": parsed.tables,
                "lines": parsed.lines,
            },
        )
    return old_ids
