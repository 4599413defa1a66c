"""A new version goes live by docker/roll.sh while people search: nobody sees a failure."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.production import Production
from tests.support.servers import ROOT, program

OLD, NEW = ("127.0.0.2", "127.0.0.3"), ("127.0.0.4", "127.0.0.5")
SEARCHES_A_SECOND = 10
pytestmark = [pytest.mark.servers, pytest.mark.allow_hosts(["127.0.0.1", "localhost", *OLD, *NEW])]

# `docker` on the path of roll.sh: hands its arguments to the engine below.
DOCKER = """#!{python}
import json, sys, urllib.request
answer = json.load(urllib.request.urlopen("{url}", json.dumps(sys.argv[1:]).encode(), timeout=120))
sys.stdout.write(answer["out"])
sys.exit(answer["status"])
"""


@dataclass
class Engine:
    """What roll.sh asks of Docker, done with processes, which have a name as long as they run."""

    stack: Production
    on: ExitStack
    replicas: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def do(self, *words: str) -> tuple[int, str]:
        self.asked.append(" ".join(words))
        match words:
            case ("compose", "ps", "--quiet", "web"):
                return 0, "\n".join(self.replicas)
            case ("compose", "run", *_, "migrate"):
                return self.stack.run("migrate").returncode, ""
            case ("compose", "up", *_, scale, "web") if scale.startswith("web="):
                self.start(NEW)
            case ("exec", address, "python", "-c", code):
                here = code.replace("127.0.0.1:8000", f"{address}:{self.stack.web_port}")
                return subprocess.run([sys.executable, "-c", here], check=False).returncode, ""
            case ("stop", "--time", seconds, address):
                process = self.replicas.pop(address)
                process.send_signal(signal.SIGTERM)
                status = process.wait(int(seconds))
                self.name()
                return status, ""
            case ("compose", "build") | ("rm", "--volumes", _) | ("compose", "up", "--detach", "--scale", _):
                pass
            case _:
                return 1, ""
        return 0, ""

    def start(self, addresses: tuple[str, ...]) -> None:
        for address in addresses:
            web = self.stack.started("web", "--bind", f"{address}:{self.stack.web_port}")
            self.replicas[address] = self.on.enter_context(web)
        self.name()

    def name(self) -> None:
        self.stack.names.addresses["web"] = list(self.replicas)


def engine_server(engine: Engine, on: ExitStack) -> str:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            words = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, out = engine.do(*words)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"status": status, "out": out}).encode())

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    on.callback(server.server_close)
    on.callback(thread.join)
    on.callback(server.shutdown)
    return f"http://127.0.0.1:{server.server_port}"


@dataclass
class People:
    """Ten searches a second, by POST, until they are told to stop."""

    url: str
    token: str
    stop: threading.Event = field(default_factory=threading.Event)
    answers: list[Future[int]] = field(default_factory=list)

    def search(self, number: int) -> int:
        body = json.dumps({"query": f"leave {number}", "rerank": False}).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/api/v1/search", body, headers)
        with urllib.request.urlopen(request, timeout=30) as response:
            response.read()
            return int(response.status)

    def come(self) -> None:
        with ThreadPoolExecutor(30) as pool:
            number = 0
            while not self.stop.wait(1 / SEARCHES_A_SECOND):
                self.answers.append(pool.submit(self.search, number))
                number += 1


def test_two_web_servers_should_be_replaced_without_a_failed_search(
    stack: Production, tmp_path: Path
) -> None:
    with ExitStack() as on:
        engine = Engine(stack, on)
        url = engine_server(engine, on)
        docker = tmp_path / "docker"
        docker.write_text(DOCKER.format(python=sys.executable, url=url))
        docker.chmod(0o755)
        for address in OLD:
            on.enter_context(stack.web(address))
            engine.replicas[address] = stack.processes["web"]
        engine.name()
        token = stack.run("migrate", "python", "manage.py", "token", "admin").stdout.split()[-1]

        people = People(stack.proxy, token)
        crowd = threading.Thread(target=people.come)
        crowd.start()
        try:
            time.sleep(2)
            env = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
            command = [program("sh"), str(ROOT / "docker" / "roll.sh")]
            rolled = subprocess.run(
                command, env=env, capture_output=True, text=True, timeout=200, check=False
            )
            time.sleep(2)
        finally:
            people.stop.set()
            crowd.join()

        assert rolled.returncode == 0, rolled.stderr
        assert sorted(engine.replicas) == sorted(NEW)
        assert engine.asked.index("compose run --rm --no-deps migrate") < next(
            number for number, asked in enumerate(engine.asked) if asked.startswith("compose up")
        )
        failures = [str(answer.exception()) for answer in people.answers if answer.exception()]
        assert failures == [] and len(people.answers) > 50
