from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("QUARRY_DATABASE_PATIENCE", "1")  # people wait for what this process does
django = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Django's. It fails on a Content-Type with a parameter in an unknown charset (`a*=nonsense''%41`) before
    anything of ours runs; nobody needs such parameters, so they are taken off."""
    if "*" in (content_type := environ.get("CONTENT_TYPE", "")):
        environ["CONTENT_TYPE"] = content_type.partition(";")[0]
    return django(environ, start_response)
