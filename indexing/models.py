"""Index versions, and the term frequencies of libraries."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from library.models import Library


class TermFrequencies(models.Model):
    """A part of how many passages of a library hold each term: the source of a search's IDF weights.

    The parts of a library add up. Only `frequencies.py` writes them, and it never changes one: it replaces
    several by their sum. They can be counted again from the chunks.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    library = models.ForeignKey(Library, models.CASCADE, related_name="term_frequencies")
    passages = models.IntegerField()  # less than 0 where more were taken out than came in
    languages = models.JSONField()  # {language that they are stemmed by: passages}
    terms = models.PositiveIntegerField()  # distinct ones
    data = models.BinaryField()  # `retrieval.frequencies.Frequencies.to_bytes`

    class Meta:
        verbose_name_plural = "term frequencies"

    def __str__(self) -> str:
        return f"{self.terms} terms of {self.library_id}"


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
    # {library id: usual length of its passages in BM25 terms}; other libraries have the default
    lengths = models.JSONField(default=dict, blank=True)
    # {library id: {"passages": n, fields of FusionWeights}}; libraries that are not there have the defaults
    fusion = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.BUILDING)
    created_at = models.DateTimeField(auto_now_add=True)
    activated_at = models.DateTimeField(null=True, blank=True)
    # While it is built
    progress = models.FloatField(default=0.0)
    lease_until = models.DateTimeField(null=True, blank=True)  # later than this, its builder is gone
    # While it is live: when it was noticed that points are lost, and the share of them (`healing.py`)
    lost_at = models.DateTimeField(null=True, blank=True)
    missing = models.FloatField(default=0.0)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["state"], condition=Q(state="live"), name="one_live_index"),
            models.UniqueConstraint(
                fields=["state"], condition=Q(state="building"), name="one_index_being_built"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.collection} ({self.state})"

    @property
    def answers(self) -> bool:
        """Whether search may use it: of a version that lost some points, the others still answer."""
        return self.missing < 0.5
