"""Libraries, documents and their chunks. The database is the truth; the index can be rebuilt from it."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q
from django.utils import timezone


class Role(models.IntegerChoices):
    """What a person may do in a library; each role may do what the ones below it may."""

    VIEWER = 1, "viewer"
    EDITOR = 2, "editor"
    MANAGER = 3, "manager"


class Library(models.Model):
    """A set of documents with one list of people who may read, add to, or manage it.

    Libraries of different people may have one name: a name that is refused would tell that it exists.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "libraries"

    def __str__(self) -> str:
        return self.name


class Access(models.Model):
    """One person's, or one group's, role in a library."""

    library = models.ForeignKey(Library, models.CASCADE, related_name="access")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True)
    group = models.ForeignKey(Group, models.CASCADE, null=True, blank=True)
    role = models.PositiveSmallIntegerField(choices=Role.choices, default=Role.VIEWER)

    class Meta:
        verbose_name_plural = "access"
        constraints = [
            models.CheckConstraint(
                condition=Q(user=None) ^ Q(group=None), name="access_is_for_a_user_or_a_group"
            ),
            models.UniqueConstraint(fields=["library", "user"], name="one_role_per_user"),
            models.UniqueConstraint(fields=["library", "group"], name="one_role_per_group"),
        ]

    def __str__(self) -> str:
        return f"{self.user or self.group}: {self.get_role_display()} of {self.library}"


class Status(models.TextChoices):
    """Where a document is on its path. The last three are ends; a retry starts again."""

    QUEUED = "queued"
    PARSING = "parsing"
    INDEXING = "indexing"
    READY = "ready"
    FAILED = "failed"
    QUARANTINED = "quarantined"


IN_PROGRESS = (Status.PARSING, Status.INDEXING)
PENDING = (Status.QUEUED, *IN_PROGRESS)


def storage_name(document: Document, filename: str) -> str:
    """A generated name, so that nothing of the uploader's choosing reaches the file system."""
    key = uuid.uuid4().hex
    return f"{key[:2]}/{key}"


class Document(models.Model):
    """A stored file and the state of its newest version.

    `version` is the newest accepted version; `active_version` the one that search shows (null until the
    first is ready). Only `documents.py` and `pipeline.py` write these rows.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    library = models.ForeignKey(Library, models.CASCADE, related_name="documents")
    name = models.CharField(max_length=255)
    title = models.CharField(max_length=500, blank=True)
    given_title = models.CharField(max_length=500, blank=True)  # by the uploader; wins over the parsed one
    file = models.FileField(upload_to=storage_name, max_length=100)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    content_type = models.CharField(max_length=127)
    type = models.CharField(max_length=20)  # the short name that people filter by: pdf, docx, ...
    language = models.CharField(max_length=8, blank=True)
    date = models.DateField(null=True, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    tags = models.JSONField(default=list, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(default=timezone.now)

    status = models.CharField(max_length=12, choices=Status.choices, default=Status.QUEUED)
    progress = models.FloatField(default=0.0)
    error_code = models.CharField(max_length=40, blank=True)
    error_message = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=1)
    active_version = models.PositiveIntegerField(null=True, blank=True)
    warnings = models.JSONField(default=list, blank=True)  # of the active version: what reading it lost
    character_count = models.PositiveIntegerField(default=0)
    chunk_count = models.PositiveIntegerField(default=0)

    attempts = models.PositiveSmallIntegerField(default=0)
    lease = models.UUIDField(null=True, blank=True)  # the claim that may write; null when nobody works on it
    lease_until = models.DateTimeField(null=True, blank=True)
    dispatch_at = models.DateTimeField(default=timezone.now)  # when the sweep is to ring for it (again)

    class Meta:
        ordering = ["-updated_at"]
        constraints = [
            models.UniqueConstraint(fields=["library", "name"], name="one_document_per_name"),
            models.UniqueConstraint(fields=["library", "sha256"], name="one_document_per_content"),
        ]
        indexes = [
            models.Index(fields=["status", "dispatch_at"]),
            models.Index(fields=["library", "-updated_at"]),
        ]

    def __str__(self) -> str:
        return self.title or self.name

    @property
    def is_pending(self) -> bool:
        return self.status in PENDING


class DocumentText(models.Model):
    """The extracted text of a document's active version: what the document page shows."""

    document = models.OneToOneField(Document, models.CASCADE, primary_key=True, related_name="parsed")
    text = models.TextField()
    # Offsets count characters of `text`.
    pages = models.JSONField(default=list)  # [[number, start, end], ...]
    headings = models.JSONField(default=list)  # [[level, text, start], ...]
    tables = models.JSONField(default=list)  # [[start, header_end, end], ...]
    # Each line's place in `text` and its rectangle on its page: `parsing.boxes.unpack` reads them.
    lines = models.BinaryField(default=bytes)

    def __str__(self) -> str:
        return f"text of {self.document_id}"


class Chunk(models.Model):
    """A passage of a document's active version. Its id is its point id in the index."""

    id = models.UUIDField(primary_key=True, editable=False)
    document = models.ForeignKey(Document, models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    text = models.TextField()
    start = models.PositiveIntegerField()  # offsets in the document's text, in characters
    end = models.PositiveIntegerField()
    page = models.PositiveIntegerField(null=True, blank=True)
    heading = models.CharField(max_length=1000, blank=True)  # "Chapter > Section"

    class Meta:
        ordering = ["document_id", "number"]
        constraints = [models.UniqueConstraint(fields=["document", "number"], name="one_chunk_per_number")]

    def __str__(self) -> str:
        return f"{self.document_id} #{self.number}"
