"""The services of docker-compose.yml as it names them: commands, environment, health checks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]


def services(values: Mapping[str, str]) -> dict[str, Any]:
    """The services, with `values` in place of the variables."""
    text = (ROOT / "docker-compose.yml").read_text()
    filled = re.sub(r"\$\{(\w+)(?::[-?]([^}]*))?\}", lambda found: values.get(found[1], found[2] or ""), text)
    return dict(yaml.safe_load(filled.replace("$$", "$"))["services"])


def health_command(service: Mapping[str, Any]) -> list[str]:
    """What its health check runs."""
    kind, *words = service["healthcheck"]["test"]
    return ["sh", "-c", *words] if kind == "CMD-SHELL" else words
