"""Production without a container engine: the image's files and the commands of docker-compose.yml as
processes, on real PostgreSQL, Redis and nginx. Qdrant is the stand-in of the tests.

Differs from containers in this alone: addresses and ports are those of this machine, and `/tmp` is a folder
of each process. Root lends processes the image's user, for whom the tree is read-only; a user who may not do
that runs them as themselves, with the tree's modes taken off.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.compose import health_command, services
from tests.support.dns import Names, name_server
from tests.support.image import Image
from tests.support.proxy import nginx
from tests.support.servers import answers, free_port, listens, postgres, redis, running, wait_for

PASSWORD = "admin-pass-123"
KEY = "key"
DATABASE, BROKER, INDEX = "QUARRY_DATABASE_URL", "QUARRY_REDIS_URL", "QUARRY_QDRANT_URL"


@dataclass
class Production:
    folder: Path
    image: Image
    addresses: dict[str, str]  # of the servers, by setting
    names: Names
    web_port: int
    proxy: str = ""
    services: dict[str, Any] = field(default_factory=lambda: services({"QUARRY_QDRANT_API_KEY": KEY}))
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def env(self, service: str) -> dict[str, str]:
        given = {name: self.image.placed(str(v)) for name, v in self.services[service]["environment"].items()}
        temp = self.folder / f"tmp-{service}"
        if not temp.exists():
            temp.mkdir(mode=0o777)
            temp.chmod(0o1777)
        if "QUARRY_RERANK_METRICS_PORT" in given:
            given["QUARRY_RERANK_METRICS_PORT"] = str(free_port())
        ours = {"QUARRY_ADMIN_PASSWORD": PASSWORD, "QUARRY_LOG_LEVEL": "INFO", "TMPDIR": str(temp)}
        return self.image.env | given | self.addresses | ours

    def run(self, service: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Another command than the service's own, or else that, to its end."""
        rights: dict[str, Any] = {}
        if self.image.user is not None:
            rights = {"user": self.image.user, "group": self.image.user, "extra_groups": []}
        env = self.env(service) | variables
        name, *rest = arguments or self.services[service]["command"].split()
        return subprocess.run(
            [str(shutil.which(name, path=env["PATH"])), *rest], env=env, cwd=self.image.app,
            capture_output=True, text=True, check=False, **rights,
        )  # fmt: skip

    @contextmanager
    def started(self, service: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        spoken = self.services[service].get("command")
        name, *rest = spoken.split() if spoken else self.image.command
        env, log, user = self.env(service), self.folder / f"{service}.log", self.image.user
        command = [str(shutil.which(name, path=env["PATH"])), *rest, *arguments]
        with running(command, log, env, cwd=self.image.app, user=user) as process:
            self.processes[service] = process
            yield process

    @contextmanager
    def web(self, address: str) -> Iterator[subprocess.Popen[bytes]]:
        """A replica at an address of its own, which answers when this begins."""
        with self.started("web", "--bind", f"{address}:{self.web_port}") as process:
            wait_for(lambda: answers(f"http://{address}:{self.web_port}/readyz"), f"the replica at {address}")
            yield process

    def is_healthy(self, service: str) -> bool:
        """What the service's health check in docker-compose.yml says."""
        command = health_command(self.services[service])
        ports = {"6333": self.addresses[INDEX], "8080": self.proxy}
        for port, address in ports.items():
            command = [
                word.replace(f"127.0.0.1/{port}", address.split("//")[1].replace(":", "/"))
                for word in command
            ]
        web = ":".join([*self.names.addresses["web"], "nobody"][:1] + [str(self.web_port)])
        temp = f"{self.folder}/tmp-{service}/"
        command = [word.replace("127.0.0.1:8000", web).replace("/tmp/", temp) for word in command]
        command = [word.replace("celery@", f"{service}@") for word in command]  # workers share this host
        env = self.env(service) if "environment" in self.services[service] else dict(os.environ)
        env |= {"HOSTNAME": os.uname().nodename}
        done = subprocess.run(
            command, env=env, cwd=self.image.app, capture_output=True, check=False, timeout=60
        )
        return done.returncode == 0


@contextmanager
def production(folder: Path, image: Image) -> Iterator[Production]:
    """All services but the web servers, which each test starts; the proxy asks those in `names`."""
    with ExitStack() as on:
        qdrant_port = free_port()
        qdrant = ["-m", "tests.support.qdrant_server", "--port", str(qdrant_port), "--api-key", KEY]
        command = [sys.executable, *qdrant, "--folder", str(folder / "qdrant")]
        on.enter_context(running(command, folder / "qdrant.log"))
        addresses = {
            DATABASE: on.enter_context(postgres(folder)),
            BROKER: on.enter_context(redis(folder)),
            INDEX: f"http://127.0.0.1:{qdrant_port}",
        }
        wait_for(lambda: listens(qdrant_port), "the Qdrant stand-in")
        made = Production(folder, image, addresses, on.enter_context(name_server()), free_port())
        _must_run(made)
        done = made.run("migrate")
        assert done.returncode == 0, done.stderr
        made.proxy = on.enter_context(nginx(folder, made.names, made.web_port))
        for service in ("ingest", "rerank"):
            on.enter_context(made.started(service, "-n", f"{service}@%h"))
        on.enter_context(made.started("beat"))
        yield made


def _must_run(made: Production) -> None:
    """Skip where another user may not read the packages of the tests."""
    done = made.run("migrate", "python", "-c", "import django")
    if done.returncode:
        why = f"the user {made.image.user} may not run the Python of the tests: {done.stderr.strip()}"
        pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)


def take_rights(image: Image) -> None:
    """Make the tree read-only for its owner, too, where the tests cannot become another user."""
    if image.user is None:
        for path in image.app.rglob("*"):
            path.chmod(path.stat().st_mode & ~0o222)


def remove(image: Image) -> None:
    for path in [image.app, *image.app.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)
    shutil.rmtree(image.root)
