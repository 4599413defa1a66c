"""Learning runs: who asked for one, how far it is, what came of it."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from indexing.models import IndexVersion
from library.models import Library


class LearningRun(models.Model):
    """One time that the encoder was fitted to a library: who asked for it, how far it is, what came of it.

    Only `runs.py` writes these rows. One run works at a time, since each ends by building an index.
    """

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    library = models.ForeignKey(Library, models.CASCADE, related_name="learning_runs")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    progress = models.FloatField(default=0.0)
    chunks = models.PositiveIntegerField(default=0)  # of the library when the run began
    report = models.JSONField(default=dict, blank=True)  # an AdaptReport, once it is done
    index_version = models.ForeignKey(IndexVersion, models.SET_NULL, null=True, blank=True)  # made by it
    error_message = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)  # later than this, its process is gone
    dispatch_at = models.DateTimeField(default=timezone.now)  # when the sweep is to ring for it (again)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["library"],
                condition=Q(state__in=("queued", "running")),
                name="one_learning_run_per_library",
            ),
            models.UniqueConstraint(
                fields=["state"], condition=Q(state="running"), name="one_learning_run_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.library}, {self.created_at:%Y-%m-%d %H:%M} ({self.state})"

    @property
    def is_active(self) -> bool:
        return self.state in (self.State.QUEUED, self.State.RUNNING)
