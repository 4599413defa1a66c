"""A rerank worker as docker-compose.yml starts it, on a real Redis: at work, slow, hung, dead."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support import cross_encoders
from tests.support.servers import ROOT, answers, free_port, redis, running, wait_for

# The web process's side, in a process of its own: what came, and after how long.
CALLER = """
import json, sys, time
import django
django.setup()
from django.core.cache import caches
from searchapp.reranking import rerank
for line in sys.stdin:
    asked = json.loads(line)
    started = time.monotonic()
    caches["rerank"].clear()
    outcome = rerank("parental leave", asked["passages"], started + asked["seconds"])
    print(json.dumps({"outcome": outcome, "seconds": time.monotonic() - started}), flush=True)
"""
PASSAGES = ["Parents may take twelve weeks of leave.", "The cafeteria opens at noon."]
SLACK_S = 1.0  # of a busy machine
FIRST_S = 3.0  # a process connects to Redis at its first call


@dataclass
class Caller:
    process: subprocess.Popen[str]
    slack: float = FIRST_S

    def rerank(self, passages: list[str], seconds: float) -> Any:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps({"passages": passages, "seconds": seconds}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert answer["seconds"] < seconds + self.slack
        self.slack = SLACK_S
        return answer["outcome"]


@dataclass
class Place:
    folder: Path
    env: dict[str, str]

    def worker(self, *arguments: str, **variables: str) -> Any:
        celery = str(Path(sys.executable).parent / "celery")
        command = [celery, "-A", "config", "worker", "--queues", "rerank", "-n", "rerank@%h", *arguments]
        return running(command, self.folder / "worker.log", self.env | variables)

    def refused(self, *arguments: str, **variables: str) -> str:
        """What a worker says that ends at its start."""
        (self.folder / "worker.log").unlink(missing_ok=True)
        with self.worker(*arguments, **variables) as process:
            assert process.wait(60) == 1
        return (self.folder / "worker.log").read_text()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with redis(tmp_path) as url:
        env = {
            "QUARRY_DATA": str(tmp_path / "data"),
            "QUARRY_REDIS_URL": url,
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }
        yield Place(tmp_path, os.environ | env)


@pytest.fixture
def caller(place: Place) -> Iterator[Caller]:
    with subprocess.Popen(
        [sys.executable, "-c", CALLER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=place.env,
        cwd=ROOT,
    ) as process:
        yield Caller(process)
        process.kill()


def test_a_worker_at_work_slow_hung_and_dead_should_never_cost_more_than_the_deadline(
    place: Place, caller: Caller
) -> None:
    assert caller.rerank(PASSAGES, 0.3) == "timeout"  # there is none yet
    port = free_port()
    with place.worker("--pool", "threads", QUARRY_RERANK_METRICS_PORT=str(port)) as worker:
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/metrics"), "the worker")
        best, worst = caller.rerank(PASSAGES, 20)
        assert best > worst

        many = [f"Number {number} of very many long passages. " * 200 for number in range(200)]
        some = caller.rerank(many, 1.0)
        assert np.isfinite(some[:5]).all() and some[-1] == -np.inf

        os.killpg(worker.pid, signal.SIGSTOP)
        assert caller.rerank(PASSAGES, 0.3) == "timeout"
        os.killpg(worker.pid, signal.SIGCONT)
        assert caller.rerank(PASSAGES, 20) == [best, worst]

        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as response:
            metrics = response.read().decode()
        assert 'quarry_rerank_tokens_total{kind="padding"}' in metrics
        assert "quarry_rerank_model_seconds_count" in metrics
        assert "quarry_rerank_queue_seconds_count" in metrics
        os.killpg(worker.pid, signal.SIGKILL)
    assert caller.rerank(PASSAGES, 0.3) == "timeout"


@pytest.mark.torch
def test_a_worker_should_end_at_its_start_and_name_the_variable_that_is_wrong(place: Place) -> None:
    threads = ("--pool", "threads")
    said = place.refused(*threads, QUARRY_RERANKER=str(place.folder / "nowhere"))
    assert "(QUARRY_RERANKER) cannot be loaded" in said
    model = str(cross_encoders.bert(place.folder / "tiny"))
    said = place.refused(*threads, QUARRY_RERANKER=model, QUARRY_RERANK_BACKEND="onnx-int8")
    assert "(QUARRY_RERANK_BACKEND): " in said and "model_int8.onnx" in said
    port = free_port()
    said = place.refused(
        *threads, QUARRY_RERANK_BACKEND="triton", QUARRY_TRITON_URL=f"http://127.0.0.1:{port}"
    )
    assert f"http://127.0.0.1:{port} does not serve the model 'reranker'" in said
    assert "QUARRY_TRITON_URL must begin with http://" in place.refused(QUARRY_RERANK_BACKEND="triton")
    assert "--pool threads" in place.refused("--pool", "prefork")
