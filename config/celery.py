"""The Celery application. In embedded mode its workers and its beat are threads (`config/embedded.py`)."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from celery import Celery
from celery.backends.asynchronous import Drainer, register_drainer
from celery.signals import after_task_publish, beat_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


@register_drainer("default")
class PromptDrainer(Drainer):  # type: ignore[misc]
    """Celery's looks at the clock once a second, and `get(timeout=0.3)` gives up after 1.0 s."""

    def drain_events_until(self, p: Any, timeout: float | None = None, **kwargs: Any) -> Any:
        return super().drain_events_until(p, timeout=timeout, interval=0.02, **kwargs)


def celery_app(name: str, *, set_as_current: bool = True) -> Celery:
    made = Celery(name, set_as_current=set_as_current)
    made.config_from_object("django.conf:settings", namespace="CELERY")
    made.autodiscover_tasks()
    return made


app = celery_app("quarry")


@beat_init.connect  # type: ignore[untyped-decorator]
def _show_life(**kwargs: Any) -> None:
    """Let a beat of its own process touch a file whenever it has rung, for docker-compose.yml to look at."""
    rung = Path(tempfile.gettempdir(), "quarry-beat")
    after_task_publish.connect(lambda **_: rung.touch(), weak=False)
