"""The Celery application. In embedded mode its workers and its beat are threads (`searchapp/embedded.py`)."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "searchapp.settings")


def celery_app(name: str, *, set_as_current: bool = True) -> Celery:
    made = Celery(name, set_as_current=set_as_current)
    made.config_from_object("django.conf:settings", namespace="CELERY")
    made.autodiscover_tasks()
    return made


app = celery_app("quarry")
