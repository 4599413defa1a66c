"""Pages and API answers of web processes as in production, while the rerank worker or Redis is away."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from redis import Redis

from searchapp.reranking import QUEUE_LASTS_S
from searchapp.scoring import QUEUE
from tests.support.servers import ROOT, answers, free_port, listens, redis_server, running, wait_for

DEMO = ROOT / "demo" / "documents"
NUMBERS = itertools.count()
DEADLINE_MS = 600
SLACK_S = 1.0  # of a busy machine
HUNG_CACHE_S = 0.6  # the API counts requests and remembers what it showed
PASSWORD = "admin-pass-123"
FOLLOWS = 'hx-trigger="load"'  # the page asks for the last order


def question() -> str:
    """Never the same one: scores are remembered."""
    return f"how many days of leave in {next(NUMBERS)}"


@dataclass
class Web:
    url: str
    token: str
    worker: Callable[[], Any]
    start_redis: Callable[[], Any]
    redis: subprocess.Popen[bytes]
    redis_port: int
    opener: urllib.request.OpenerDirector

    def sign_in(self) -> None:
        form = self.opener.open(f"{self.url}/login/", timeout=10).read().decode()
        csrf = form.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
        fields = {"username": "admin", "password": PASSWORD, "csrfmiddlewaretoken": csrf}
        self.opener.open(f"{self.url}/login/", urlencode(fields).encode(), timeout=10).read()

    def page(self, stage: str, query: str = "") -> str:
        address = f"{self.url}/?{urlencode({'q': query or question(), 'stage': stage})}"
        request = urllib.request.Request(address, headers={"HX-Request": "true"})
        return str(self.opener.open(request, timeout=20).read().decode())

    def api(self, deadline_ms: int, query: str = "") -> Any:
        body = json.dumps({"query": query or question(), "deadline_ms": deadline_ms}).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        with urllib.request.urlopen(
            urllib.request.Request(f"{self.url}/api/v1/search", body, headers), timeout=20
        ) as answer:
            return json.loads(answer.read())

    def should_be_complete_in_time(self, *reasons: str, slack: float = SLACK_S) -> None:
        for _ in range(4):  # of both web processes
            for deadline_ms in (300, DEADLINE_MS):
                started = time.monotonic()
                answer = self.api(deadline_ms)
                assert time.monotonic() - started < deadline_ms / 1000 + slack
                assert not answer["reranked"] and answer["degraded"][0] in reasons
                assert len(answer["hits"]) == 10
            started = time.monotonic()
            text = self.page("best")
            assert time.monotonic() - started < DEADLINE_MS / 1000 + slack
            assert 'class="group"' in text
        started = time.monotonic()
        assert FOLLOWS in self.page("first")
        assert time.monotonic() - started < slack

    def shows_what_was_reranked(self) -> bool:
        """A page whose order is remembered does not ask for another one."""
        return self.api(20_000, "leave")["reranked"] and FOLLOWS not in self.page("first", "leave")

    def should_soon_not_wait(self) -> None:
        """Neither web process waits for what is away, once it has missed it a few times."""

        def answers_at_once() -> bool:
            started = time.monotonic()
            answer = self.api(2500)
            return answer["degraded"] == ["rerank_unavailable"] and time.monotonic() - started < SLACK_S

        wait_for(lambda: all(answers_at_once() for _ in range(6)), "answers at once", 60)
        ready = json.loads(self.opener.open(f"{self.url}/readyz", timeout=10).read())
        assert ready == {"ready": True, "not_ready": [], "degraded": ["reranker"]}
        metrics = self.opener.open(f"{self.url}/metrics", timeout=10).read().decode()
        assert re.search(r"^quarry_reranker_away [12]\.0$", metrics, re.MULTILINE)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    port, qdrant_port, redis_port = free_port(), free_port(), free_port()
    python, here = sys.executable, Path(sys.executable).parent
    env = os.environ | {
        "QUARRY_DATA": str(tmp_path / "data"),
        "QUARRY_REDIS_URL": f"redis://127.0.0.1:{redis_port}/0",
        "QUARRY_QDRANT_URL": f"http://127.0.0.1:{qdrant_port}",
        "QUARRY_RERANK_DEADLINE_MS": str(DEADLINE_MS),
        "QUARRY_ADMIN_PASSWORD": PASSWORD,
    }

    def service(name: str, *command: str) -> Any:
        return running(list(command), tmp_path / f"{name}.log", env)

    def worker(queue: str, *arguments: str) -> Any:
        celery = (str(here / "celery"), "-A", "config", "worker", "--queues", queue)
        return service(queue, *celery, "-n", f"{queue}@%h", "--pool", "threads", *arguments)

    def command(*arguments: object) -> str:
        done = subprocess.run(
            [python, "manage.py", *map(str, arguments)],
            env=env, cwd=ROOT, check=True, capture_output=True, text=True,
        )  # fmt: skip
        return done.stdout.strip()

    def start_redis() -> Any:
        command = (redis_server(), "--port", str(redis_port), "--bind", "127.0.0.1", "--save", "")
        return service("redis", *command, "--dir", str(tmp_path))

    def start_worker() -> Any:
        return worker("rerank", "--concurrency", "64")

    with ExitStack() as on:
        redis = on.enter_context(start_redis())
        qdrant = (python, "-m", "tests.support.qdrant_server", "--port", str(qdrant_port))
        on.enter_context(service("qdrant", *qdrant, "--folder", str(tmp_path / "qdrant")))
        wait_for(lambda: listens(qdrant_port) and listens(redis_port), "Redis and the Qdrant stand-in")
        command("prepare")
        with worker("ingest", "--concurrency", "2"):
            command("ingest", DEMO, "--library", "Demo")
        token = command("token", "admin").splitlines()[-1]
        gunicorn = (str(here / "gunicorn"), "--config", "docker/gunicorn.py", "config.wsgi")
        on.enter_context(service("web", *gunicorn, "--bind", f"127.0.0.1:{port}"))
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/readyz"), "the web process")
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        web = Web(f"http://127.0.0.1:{port}", token, start_worker, start_redis, redis, redis_port, opener)
        web.sign_in()
        yield web


def test_a_search_should_be_complete_within_its_deadline_whatever_is_away(web: Web) -> None:
    late, away = "rerank_timeout", "rerank_unavailable"
    web.should_be_complete_in_time(late, away)  # no worker was ever started
    web.should_soon_not_wait()
    assert 0 < Redis(port=web.redis_port).ttl(QUEUE) <= QUEUE_LASTS_S, "messages would fill Redis"
    with web.worker() as worker:
        wait_for(lambda: web.api(20_000)["reranked"], "the rerank worker", 60)
        wait_for(web.shows_what_was_reranked, "a page that is reranked", 60)
        os.killpg(worker.pid, signal.SIGSTOP)
        web.should_be_complete_in_time(late, away)
        web.should_soon_not_wait()
        os.killpg(worker.pid, signal.SIGCONT)
        wait_for(lambda: web.api(20_000)["reranked"], "the rerank worker again", 60)
        web.redis.send_signal(signal.SIGSTOP)
        web.should_be_complete_in_time(late, away, slack=SLACK_S + HUNG_CACHE_S)
        web.redis.send_signal(signal.SIGCONT)
        wait_for(lambda: web.api(20_000)["reranked"], "Redis again", 60)
        os.killpg(worker.pid, signal.SIGKILL)
    web.should_be_complete_in_time(late, away)
    web.should_soon_not_wait()
    web.redis.kill()
    web.should_be_complete_in_time(late, away)
    with web.start_redis(), web.worker():
        wait_for(lambda: all(web.api(20_000)["reranked"] for _ in range(6)), "Redis and a worker again", 60)
