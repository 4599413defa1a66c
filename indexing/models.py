"""Index versions: which model, dimensions and parameters filled a collection of the index."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class IndexVersion(models.Model):
    """One collection in the index: which model, dimensions and parameters filled it."""

    class State(models.TextChoices):
        BUILDING = "building"
        LIVE = "live"
        RETIRED = "retired"

    collection = models.CharField(max_length=80, unique=True)
    model = models.CharField(max_length=500)  # as the setting named it
    learned = models.CharField(max_length=500, blank=True)  # what learning made of it; empty: nothing yet
    encoder = models.CharField(max_length=500)  # one of these, or its rotation for this version
    dimensions = models.PositiveIntegerField()
    quantization = models.CharField(max_length=20)
    code_dimensions = models.PositiveIntegerField(null=True, blank=True)  # null: all
    chunk_words = models.PositiveIntegerField()
    average_length = models.FloatField()  # of a passage, in BM25 terms
    languages = models.JSONField(default=list)  # that passages are stemmed by, ISO 639-1
    # {library id: {"passages": n, fields of FusionWeights}}; libraries that are not there have the defaults
    fusion = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.BUILDING)
    created_at = models.DateTimeField(auto_now_add=True)
    activated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["state"], condition=Q(state="live"), name="one_live_index")
        ]

    def __str__(self) -> str:
        return f"{self.collection} ({self.state})"
