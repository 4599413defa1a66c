"""Keys by which programs name an upload."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from library.models import Document


class IdempotencyKey(models.Model):
    """A key by which a program names one upload, so that sending it again does not do it again."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    key = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)  # of the content that came with it first; of library and archive
    document = models.ForeignKey(Document, models.CASCADE, null=True)  # null: an archive of several
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="one_upload_per_key")]

    def __str__(self) -> str:
        return f"{self.key} of {self.user}"
