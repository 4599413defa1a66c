"""The Celery application. In embedded mode its workers and its beat are threads (`config/embedded.py`)."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.backends.asynchronous import Drainer, register_drainer

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
