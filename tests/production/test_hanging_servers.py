"""PostgreSQL and Redis stopped or hanging: how long people wait, and the first request afterwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.pausing import paused, postmaster
from tests.support.servers import ROOT, answers, free_port, listens, postgres, redis, running, wait_for

pytestmark = pytest.mark.servers


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    seconds: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Web:
    folder: Path
    port: int
    token: str = ""

    def ask(self, path: str, body: bytes | None = None, **headers: str) -> Answer:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, headers)
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        begun = time.monotonic()
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return Answer(response.status, response.read(), time.monotonic() - begun)
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.read(), time.monotonic() - begun)

    def post(self, path: str, value: Any) -> Answer:
        return self.ask(f"/api/v1{path}", json.dumps(value).encode(), **{"Content-Type": "application/json"})

    def search(self, query: str = "leave") -> Answer:
        return self.post("/search", {"query": query})

    def upload(self, library: str) -> Answer:
        edge, name = uuid.uuid4().hex, uuid.uuid4().hex
        body = (
            f'--{edge}\r\nContent-Disposition: form-data; name="library"\r\n\r\n{library}\r\n'
            f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{name}.txt"\r\n'
            f"Content-Type: text/plain\r\n\r\nDoor {name} is green, and leave is 25 days.\r\n--{edge}--\r\n"
        )
        headers = {"Content-Type": f"multipart/form-data; boundary={edge}"}
        return self.ask("/api/v1/documents", body.encode(), **headers)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ExitStack, dict[str, str], Path]]:
    folder = tmp_path_factory.mktemp("hanging")
    qdrant_port = free_port()
    with ExitStack() as on:
        qdrant = [sys.executable, "-m", "tests.support.qdrant_server", "--port", str(qdrant_port)]
        on.enter_context(running([*qdrant, "--folder", str(folder / "qdrant")], folder / "qdrant.log"))
        env = os.environ | {
            "QUARRY_DATA": str(folder / "data"),
            "QUARRY_DATABASE_URL": on.enter_context(postgres(folder)),
            "QUARRY_REDIS_URL": on.enter_context(redis(folder)),
            "QUARRY_QDRANT_URL": f"http://127.0.0.1:{qdrant_port}",
            "QUARRY_RERANK_BACKEND": "off",
        }
        wait_for(lambda: listens(qdrant_port), "the Qdrant stand-in")
        yield on, env, folder


@pytest.fixture(scope="module")
def web(servers: tuple[ExitStack, dict[str, str], Path]) -> Web:
    on, env, folder = servers

    def command(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            env=env, cwd=ROOT, check=True, capture_output=True, text=True,
        )  # fmt: skip
        return done.stdout.strip()

    command("prepare")
    web = Web(folder, free_port())
    gunicorn = str(Path(sys.executable).parent / "gunicorn")
    config = ["--config", "docker/gunicorn.py", "--bind", f"127.0.0.1:{web.port}", "--workers", "1"]
    on.enter_context(running([gunicorn, *config, "config.wsgi"], folder / "web.log", env))
    web.token = command("token", "admin").splitlines()[-1]
    wait_for(lambda: answers(f"http://127.0.0.1:{web.port}/readyz"), "the web process")
    return web


@pytest.fixture(scope="module")
def library(web: Web) -> str:
    return str(web.post("/libraries", {"name": "Handbook"}).json["id"])


def all_at_once(web: Web, library: str) -> dict[str, Answer]:
    calls = {
        "page": lambda: web.ask("/", Cookie="sessionid=0123456789abcdef"),  # which has to be looked up
        "search": web.search,
        "upload": lambda: web.upload(library),
        "ready": lambda: web.ask("/readyz"),
    }
    with ThreadPoolExecutor(len(calls)) as callers:
        futures = {name: callers.submit(call) for name, call in calls.items()}
        return {name: future.result() for name, future in futures.items()}


def test_a_database_that_hangs_should_be_told_in_less_than_3_s(web: Web, library: str) -> None:
    for _ in range(2):
        all_at_once(web, library)  # several threads have a connection by now
    with paused(postmaster(web.folder)):
        for _ in range(3):
            told = all_at_once(web, library)
            assert {answer.status for answer in told.values()} == {503}, told
            assert max(answer.seconds for answer in told.values()) < 3, told
        assert b"database does not answer" in told["page"].body
        assert told["search"].json["code"] == "database_unavailable"
        assert "database" in told["ready"].json["not_ready"]
    assert web.search().status == 200, "the first after it"
    assert {a.status for a in all_at_once(web, library).values()} == {200, 202}


def test_a_slow_query_of_a_database_that_runs_should_not_be_cut_off(web: Web) -> None:
    """While the server answers others, a query may be silent for longer than the patience."""
    code = (
        "import time, django; django.setup()\n"
        "from django.db import connection\n"
        "with connection.cursor() as c:\n"
        "    c.execute('SELECT pg_sleep(3)'); print('slept')\n"
    )
    env = os.environ | {
        "QUARRY_DATA": str(web.folder / "data"),
        "QUARRY_DATABASE_URL": _url(web.folder),
        "QUARRY_DATABASE_PATIENCE": "1",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "slept", done.stderr


def test_the_first_request_after_a_restart_should_succeed(
    web: Web, library: str, servers: tuple[ExitStack, dict[str, str], Path]
) -> None:
    for _ in range(3):
        all_at_once(web, library)  # several threads have a connection by now
    pid, port = postmaster(web.folder), int(_url(web.folder).rpartition(":")[2].partition("/")[0])
    os.kill(pid, signal.SIGINT)  # the fast shutdown: every session is ended
    pid_file = web.folder / "postgres" / "postmaster.pid"
    wait_for(lambda: not pid_file.exists(), "the end of PostgreSQL")
    told = web.search()
    assert (told.status, told.seconds < 3) == (503, True)
    servers[0].enter_context(postgres(web.folder, port))
    assert {web.search().status for _ in range(10)} == {200}


def _url(folder: Path) -> str:
    lines = (folder / "postgres" / "postmaster.pid").read_text().splitlines()
    user = "postgres" if os.geteuid() == 0 else "quarry"
    return f"postgres://{user}@127.0.0.1:{lines[3]}/postgres"


def _redis(folder: Path) -> int:
    """The process of the server that `servers.redis(folder)` started."""
    (line,) = [line for line in (folder / "redis.log").read_text().splitlines() if "pid=" in line][-1:]
    return int(line.partition("pid=")[2].partition(",")[0])


def judged(web: Web, page: Any) -> Answer:
    hit = page["hits"][0]
    return web.post("/feedback", {"query_id": page["query_id"], "chunk": hit["chunk"], "useful": True})


def test_redis_that_hangs_or_is_gone_should_hold_up_nobody(
    web: Web, library: str, servers: tuple[ExitStack, dict[str, str], Path]
) -> None:
    on, env, folder = servers
    celery = str(Path(sys.executable).parent / "celery")
    worker = [celery, "-A", "config", "worker", "--queues", "ingest", "--concurrency", "1"]
    worker_env = env | {"QUARRY_LOG_LEVEL": "INFO"}
    with running([*worker, "--beat", "--schedule", str(folder / "beat")], folder / "ingest.log", worker_env):
        first = web.upload(library)
        wait_for(lambda: web.ask(_of(first)).json["status"] == "ready", "the first document", 90)
    page = web.search("leave").json
    for _ in range(2):
        with paused(_redis(folder)):
            uploads = [web.upload(library) for _ in range(4)]
            assert {answer.status for answer in uploads} == {202}
            assert max(answer.seconds for answer in uploads) < 1, uploads
            answer = judged(web, page)
            assert (answer.status, answer.seconds < 2) == (204, True), answer
            found = web.search("leave")
            assert (found.status, found.seconds < 2) == (200, True), found
            assert web.ask("/").status == 200
            assert web.ask("/readyz").json["not_ready"] == ["broker"]
    os.kill(_redis(folder), signal.SIGKILL)
    uploads = [web.upload(library) for _ in range(4)]
    assert {answer.status for answer in uploads} == {202}
    assert max(answer.seconds for answer in uploads) < 1, uploads
    page = web.search("leave").json
    assert judged(web, page).status == 204
    assert web.ask("/readyz").json["not_ready"] == ["broker"]


def _of(upload: Answer) -> str:
    return f"/api/v1/documents/{upload.json['id']}"
