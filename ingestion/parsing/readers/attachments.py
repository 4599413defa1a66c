"""Files in mails, read by the same readers within limits; what is left out is named in the text."""

from __future__ import annotations

import io
import time
from dataclasses import replace

from ingestion.parsing.archives import archive_members
from ingestion.parsing.builder import TextBuilder
from ingestion.parsing.filetypes import BY_EXTENSION, EML, MSG, ZIP, FileType
from ingestion.parsing.sandbox import as_file
from ingestion.parsing.types import ParseError
from ingestion.parsing.uploads import check_upload
from library.errors import UploadError

BY_TYPE = {kind.content_type: kind for kind in BY_EXTENSION.values()}
ENDINGS = {kind: ending for ending, kind in reversed(BY_EXTENSION.items())}
MOST_SECONDS = 30  # for all attachments of a mail
REASONS = {
    "encrypted": "it is protected by a password",
    "corrupt": "it is damaged or incomplete",
    "no_text": "it has no text",
    "too_complex": "it is too large or too deeply nested",
    "type_mismatch": "its content is not what its name says",
    "unsafe_archive": "it unpacks to too much, or lies about its contents",
    "unsafe_xml": "its XML declares entities or a document type",
}


class Attachments:
    """Reads the attachments of a mail, and of the mails in it, into the text of the mail."""

    def __init__(self, builder: TextBuilder, depth: int = 0) -> None:
        self.builder = builder
        self.depth = depth  # of the mail in other mails
        self._count = 0
        self._until = time.monotonic() + MOST_SECONDS

    def may_go_deeper(self, subject: str) -> bool:
        """Whether a mail in this one may be read; else a note says that it was not."""
        if self.depth < self.builder.limits.mail_depth:
            return True
        self._leave_out(subject or "A mail", "it lies too deep in other mails")
        return False

    def add(self, name: str, content_type: str, data: bytes, subject: str) -> None:
        """Add one attachment's text below a heading such as `report.pdf in "Re: order"`."""
        kind = _kind(name, content_type)
        if kind is None or not data:
            return  # pictures and programs: the list of names has them
        limits = self.builder.limits
        place = f'{name or "File"} in "{subject}"' if subject else name or "File"
        self._count += 1
        if self._count > limits.attachments:
            reason = f"only {limits.attachments} attachments of a mail are read" if limits.attachments else ""
            self._leave_out(place, reason or "the attachments take too much time or memory")
        elif len(data) > limits.attachment_bytes:
            self._leave_out(place, f"it is larger than {limits.attachment_bytes >> 20} MB")
        elif time.monotonic() > self._until:
            self._leave_out(place, "the attachments before it took too long")
        elif kind is ZIP:
            self._add_members(place, name, data)
        else:
            self._read(place, kind, data)

    def _add_members(self, place: str, name: str, data: bytes) -> None:
        try:
            for member, content in archive_members(io.BytesIO(data), self.builder.limits):
                self.add(member, "", content(), name)
        except UploadError as error:
            self._leave_out(place, REASONS.get(error.code, "it cannot be read"))

    def _read(self, place: str, kind: FileType, data: bytes) -> None:
        from ingestion.parsing.readers import READERS  # which imports this module

        limits = self.builder.limits
        deeper = self.depth + 1 if kind in {EML, MSG} else self.depth
        if deeper > limits.mail_depth:
            self._leave_out(place, "it lies too deep in other mails")
            return
        own = TextBuilder(
            replace(
                limits,
                characters=limits.characters - self.builder.length,
                attachments=max(limits.attachments - self._count, 0),
                mail_depth=limits.mail_depth - deeper,
            )
        )
        try:
            check_upload("a" + ENDINGS[kind], io.BytesIO(data))
            with as_file(data) as path:
                READERS[kind.content_type](path, own)
            if not own.length:
                raise ParseError("no_text")
        except (ParseError, UploadError) as error:
            if error.code != "no_text" or not kind.content_type.startswith("image/"):  # a logo lacks nothing
                self._leave_out(place, REASONS.get(error.code, "it cannot be read"))
        except (OSError, ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError):
            self._leave_out(place, REASONS["corrupt"])  # as the child says of whole files
        else:
            self.builder.include(own, place)

    def _leave_out(self, place: str, reason: str) -> None:
        self.builder.paragraph(f"[{place} was not read: {reason}.]")
        self.builder.warn(f"{place} was not read: {reason}.")


def _kind(name: str, content_type: str) -> FileType | None:
    ending = "." + name.rpartition(".")[2].lower() if "." in name else ""
    return BY_EXTENSION.get(ending) or BY_TYPE.get(content_type)
