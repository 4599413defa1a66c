"""What the process of a learning run does: learn, and keep the run's row up to date."""

from __future__ import annotations

import logging
from collections.abc import Callable

from ingestion import engine, learning_runs
from ingestion.learning import NotLearnableError, learn
from ingestion.models import LearningRun
from ingestion.reindex import ReindexError
from retrieval.index.base import IndexUnavailableError
from training.adapt import AdaptReport

logger = logging.getLogger(__name__)


def perform(run: LearningRun, show: Callable[[float], None] = lambda share: None) -> AdaptReport:
    """Learn in this process, and keep the run's row up to date. `show` gets the share done too.

    Raises what `learn` raises, and `LostRunError` where the run was taken for dead; each after writing down
    that it failed.
    """
    write = learning_runs.Progress(run)

    def progress(share: float) -> None:
        show(share)
        write(share)

    try:
        with learning_runs.keep_alive(run):
            report = learn(run.library, progress)
        version = engine.live_version() if report.better else None
    except BaseException as error:
        learning_runs.fail(run.pk, _reason(error))
        raise
    learning_runs.finish(run, report, version)
    return report


def _reason(error: BaseException) -> str:
    match error:
        case NotLearnableError() | ReindexError():
            return str(error)
        case IndexUnavailableError():
            return "The index did not answer. Start it again when search works."
        case Exception() if not isinstance(error, learning_runs.LostRunError):
            logger.exception("A learning run failed by a fault of ours")
            return "Something went wrong on our side. An admin can see it in the log."
    return learning_runs.STOPPED
