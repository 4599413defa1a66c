"""docker-compose.yml is what Compose understands, for every profile, and every service is held in bounds."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.compose import services
from tests.support.servers import ROOT, program

VALUES = {"POSTGRES_PASSWORD": "a", "REDIS_PASSWORD": "b", "QUARRY_QDRANT_API_KEY": "c"}
ALL = services(VALUES)
STOCK = {"migrate"}  # ends by itself
pytestmark = pytest.mark.servers


def compose() -> list[str]:
    """The command of Compose: Docker's plug-in, or the program of that name. Neither needs an engine."""
    if shutil.which("docker"):
        done = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
        if done.returncode == 0:
            return ["docker", "compose"]
    return [program("docker-compose")]


@pytest.mark.parametrize("profile", ["", "gpu", "triton"])
def test_compose_should_accept_every_profile(tmp_path: Path, profile: str) -> None:
    for name in ("docker-compose.yml", "Dockerfile"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in VALUES.items()))
    flags = ["--profile", profile] if profile else []
    env = {name: value for name, value in os.environ.items() if name not in VALUES}
    done = subprocess.run(
        [*compose(), *flags, "config"], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "rerank-gpu" in done.stdout if profile == "gpu" else "rerank:" in done.stdout


@pytest.mark.parametrize("missing", VALUES)
def test_compose_should_name_the_password_that_is_not_set(tmp_path: Path, missing: str) -> None:
    shutil.copy(ROOT / "docker-compose.yml", tmp_path)
    (tmp_path / ".env").write_text("".join(f"{n}={v}\n" for n, v in VALUES.items() if n != missing))
    env = {name: value for name, value in os.environ.items() if name not in VALUES}
    done = subprocess.run(
        [*compose(), "config", "-q"], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0 and missing in done.stderr


@pytest.mark.parametrize("name", ALL)
def test_every_service_should_be_limited_and_watched(name: str) -> None:
    service = ALL[name]
    assert service["mem_limit"]
    assert "healthcheck" in service or name in STOCK
    assert service.get("read_only") or name == "triton"  # which compiles models where it likes
    assert "ports" not in service or name == "proxy"


def test_qdrant_should_send_nothing_out() -> None:
    assert ALL["qdrant"]["environment"]["QDRANT__TELEMETRY_DISABLED"] == "true"
