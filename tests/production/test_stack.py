"""The commands of docker-compose.yml as local processes, on real PostgreSQL and Redis, over sockets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from retrieval.index.server import ServerIndex
from tests.support.servers import ROOT, answers, free_port, listens, postgres, redis, running, wait_for

pytestmark = pytest.mark.servers

DEMO = ROOT / "demo" / "documents"


@dataclass(frozen=True)
class Stack:
    url: str
    token: str
    qdrant: str

    def call(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Any:
        request = urllib.request.Request(f"{self.url}/api/v1{path}", body, headers, method=method)
        request.add_header("Authorization", f"Bearer {self.token}")
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.loads(response.read() or b"null")

    def status(self, document: str) -> str:
        return str(self.call("GET", f"/documents/{document}")["status"])

    def search_code(self, query: str) -> str:
        """Nothing, or the code of the refusal."""
        try:
            self.post("/search", {"query": query})
        except urllib.error.HTTPError as error:
            with error:
                return str(json.loads(error.read())["code"])
        return ""

    def post(self, path: str, value: Any) -> Any:
        return self.call("POST", path, json.dumps(value).encode(), **{"Content-Type": "application/json"})

    def upload(self, path: Path, library: str) -> Any:
        edge = uuid.uuid4().hex
        body = (
            f'--{edge}\r\nContent-Disposition: form-data; name="library"\r\n\r\n{library}\r\n'
            f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{path.name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode() + path.read_bytes() + f"\r\n--{edge}--\r\n".encode()  # fmt: skip
        headers = {"Content-Type": f"multipart/form-data; boundary={edge}"}
        return self.call("POST", "/documents", body, **headers)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("production")
    port, qdrant_port = free_port(), free_port()
    python, here = sys.executable, str(Path(sys.executable).parent)
    with ExitStack() as on:
        qdrant = [python, "-m", "tests.support.qdrant_server", "--port", str(qdrant_port)]
        env = os.environ | {
            "QUARRY_DATA": str(folder / "data"),
            "QUARRY_DATABASE_URL": on.enter_context(postgres(folder)),
            "QUARRY_REDIS_URL": on.enter_context(redis(folder)),
            "QUARRY_QDRANT_URL": f"http://127.0.0.1:{qdrant_port}",
            "QUARRY_LOG_LEVEL": "INFO",
        }
        on.enter_context(running([*qdrant, "--folder", str(folder / "qdrant")], folder / "qdrant.log"))
        wait_for(lambda: listens(qdrant_port), "the Qdrant stand-in")

        def command(*arguments: str) -> str:
            done = subprocess.run(
                [python, "manage.py", *arguments],
                env=env,
                cwd=ROOT,
                check=True,
                capture_output=True,
                text=True,
            )
            return done.stdout.strip()

        def service(name: str, *arguments: str) -> None:
            on.enter_context(running([f"{here}/{arguments[0]}", *arguments[1:]], folder / f"{name}.log", env))

        command("prepare")
        config = ("--config", "docker/gunicorn.py", "--bind", f"127.0.0.1:{port}")
        service("web", "gunicorn", *config, "config.wsgi")
        worker = ("celery", "-A", "config", "worker", "--queues")
        service("ingest", *worker, "ingest", "--pool", "prefork", "--concurrency", "2", "-n", "ingest@%h")
        service("rerank", *worker, "rerank", "--pool", "threads", "--concurrency", "64", "-n", "rerank@%h")
        service("beat", "celery", "-A", "config", "beat", "--pidfile=")
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/readyz"), "the web process")
        token = command("token", "admin").splitlines()[-1]
        yield Stack(f"http://127.0.0.1:{port}", token, env["QUARRY_QDRANT_URL"])


def test_an_uploaded_file_should_be_found_and_reranked_through_every_server(stack: Stack) -> None:
    library = stack.post("/libraries", {"name": f"Stack {uuid.uuid4().hex[:6]}"})["id"]
    files = sorted(p for p in DEMO.rglob("*") if p.suffix in {".md", ".txt", ".docx", ".pdf"})[:6]
    ids = [stack.upload(path, library)["id"] for path in files]
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        states = [stack.call("GET", f"/documents/{pk}")["status"] for pk in ids]
        if not {"queued", "parsing", "indexing"} & set(states):
            break
        time.sleep(0.3)
    assert states == ["ready"] * len(files)

    title = stack.call("GET", f"/documents/{ids[0]}")["title"]
    page = stack.post("/search", {"query": title, "libraries": [library], "deadline_ms": 20_000})
    assert page["hits"][0]["document"] == ids[0]
    assert page["reranked"], page["degraded"]

    with urllib.request.urlopen(f"{stack.url}/metrics", timeout=5) as response:
        metrics = response.read().decode()  # of both web processes, whichever answers
    assert metrics.count('quarry_requests_total{method="POST",route="api/v1/documents",status="202"}') == 1
    assert f'route="api/v1/documents",status="202"}} {float(len(files))}' in metrics


def test_a_wiped_qdrant_should_be_filled_again_with_no_hand(stack: Stack) -> None:
    library = stack.post("/libraries", {"name": f"Wiped {uuid.uuid4().hex[:6]}"})["id"]
    files = sorted(p for p in DEMO.rglob("*") if p.suffix in {".md", ".txt"})[6:12]
    ids = [stack.upload(path, library)["id"] for path in files[:-1]]
    wait_for(lambda: all(stack.status(pk) == "ready" for pk in ids), "the documents", 90)
    before = stack.post("/search", {"query": "how", "libraries": [library]})["total"]["value"]

    index = ServerIndex(stack.qdrant)
    for collection in index.collections():
        index.drop(collection)
    index.close()
    assert stack.search_code("how") == "index_rebuilding"
    late = stack.upload(files[-1], library)["id"]
    wait_for(lambda: stack.search_code("how") == "", "the search", 60)
    wait_for(lambda: stack.status(late) == "ready", "what was uploaded meanwhile", 60)
    assert answers(f"{stack.url}/readyz")
    page = stack.post("/search", {"query": "how", "libraries": [library]})
    assert page["total"]["value"] > before > 0
    assert "index_rebuilding" not in page["degraded"]
