"""What people say of the results."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Feedback(models.Model):
    """One person's judgement of one passage that a search showed them."""

    query_id = models.UUIDField()
    query = models.TextField()
    chunk = models.UUIDField()  # no foreign key: the judgement outlives the passage
    useful = models.BooleanField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "feedback"
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["query_id", "chunk"], name="one_judgement_per_hit")]

    def __str__(self) -> str:
        return f"{'useful' if self.useful else 'not useful'}: {self.query}"
