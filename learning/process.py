"""What the process of a learning run does: learn, and keep the run's row up to date."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from django.db.models.functions import Left

from indexing import engine
from indexing.reindex import ReindexError
from learning import runs
from learning.learn import learn
from learning.models import LearningRun
from library.models import Chunk, Library
from library.titles import searchable_title
from retrieval.encoder import EncoderUnavailableError
from retrieval.index.base import IndexUnavailableError
from training.adapt import AdaptReport
from training.held_out import SHOWN_CHARACTERS
from training.static_model import NotStaticError

logger = logging.getLogger(__name__)


def perform(run: LearningRun, show: Callable[[float], None] = lambda share: None) -> AdaptReport:
    """Learn in this process, and keep the run's row up to date. `show` gets the share done too.

    Raises what `learn` raises, and `LostRunError` where the run was taken for dead; each after writing down
    that it failed.
    """
    write = runs.Progress(run)

    def progress(share: float) -> None:
        show(share)
        write(share)

    try:
        with runs.keep_alive(run):
            report = learn(run.library, progress)
        version = engine.live_version() if report.better else None
    except BaseException as error:
        runs.fail(run.pk, _reason(error))
        raise
    runs.finish(run, kept(run.library, report), version)
    return report


def kept(library: Library, report: AdaptReport) -> dict[str, Any]:
    """The report as its row keeps it: an example names its chunk, and is shown as long as that is there.

    The database finds the chunks by how they begin; of those that begin alike, the title tells.
    """
    row = asdict(report)
    begins = {example.passage for example in report.examples}
    alike = Chunk.objects.annotate(begin=Left("text", SHOWN_CHARACTERS)).filter(
        document__library=library, begin__in=begins
    )
    ids = {
        (chunk.begin, searchable_title(chunk.document)): str(chunk.pk)
        for chunk in alike.select_related("document").defer("text").iterator()
    }
    row["examples"] = [
        {"query": e.query, "before": e.before, "after": e.after, "chunk": chunk}
        for e in report.examples
        if (chunk := ids.get((e.passage, e.title)))
    ]
    return row


def _reason(error: BaseException) -> str:
    match error:
        case EncoderUnavailableError() | NotStaticError() | ReindexError():
            return str(error)
        case IndexUnavailableError():
            return "The index did not answer. Start it again when search works."
        case Exception() if not isinstance(error, runs.LostRunError):
            logger.exception("A learning run failed by a fault of ours")
            return "Something went wrong on our side. An admin can see it in the log."
    return runs.STOPPED
