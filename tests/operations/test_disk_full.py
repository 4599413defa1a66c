"""A disk that fills up under a running server: nothing more comes in, and everything else goes on."""

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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.servers import answers, free_port, program, running, wait_for

pytestmark = pytest.mark.servers

DISK_MB, FLOOR_MB = 240, 64
# In a namespace of its own, where a disk can be mounted without being root and vanishes with the process.
ON_SMALL_DISK = f'mount -t tmpfs -o size={DISK_MB}m,mode=700 tmpfs "$0" && exec "$@"'


@dataclass(frozen=True)
class Site:
    url: str
    token: str
    disk: Path  # as this process sees it
    process: subprocess.Popen[bytes]

    def call(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, Any]:
        request = urllib.request.Request(f"{self.url}/api/v1{path}", body, headers, method=method)
        request.add_header("Authorization", f"Bearer {self.token}")
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, json.loads(response.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def upload(self, name: str, text: str) -> tuple[int, Any]:
        edge = uuid.uuid4().hex
        body = (
            f'--{edge}\r\nContent-Disposition: form-data; name="library"\r\n\r\nNotes\r\n'
            f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            f"Content-Type: text/plain\r\n\r\n{text}\r\n--{edge}--\r\n"
        ).encode()
        return self.call(
            "POST", "/documents", body, **{"Content-Type": f"multipart/form-data; boundary={edge}"}
        )

    def search(self, query: str) -> tuple[int, list[str]]:
        body = json.dumps({"query": query, "rerank": False}).encode()
        status, page = self.call("POST", "/search", body, **{"Content-Type": "application/json"})
        return status, [hit["title"] for hit in page.get("hits", ())]

    def all_ready(self) -> bool:
        _, page = self.call("GET", "/documents?limit=200")
        return {document["status"] for document in page["results"]} == {"ready"}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    disk, port = tmp_path / "disk", free_port()
    disk.mkdir()
    env = os.environ | {
        "QUARRY_DATA": str(disk / "data"),
        "QUARRY_PORT": str(port),
        "QUARRY_MIN_FREE_MB": str(FLOOR_MB),
        "QUARRY_RERANK_BACKEND": "off",
    }
    start = (
        "mkdir -m 700 $QUARRY_DATA && touch $QUARRY_DATA/demo-loaded"
        f" && {sys.executable} manage.py prepare && {sys.executable} manage.py token admin"
        f" && exec {sys.executable} manage.py serve"
    )
    command = [program("unshare"), "--map-root-user", "--mount", "sh", "-c", ON_SMALL_DISK, str(disk)]
    log = tmp_path / "serve.log"
    with running([*command, "sh", "-c", start], log, env) as process:
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: answers(f"{url}/readyz"), "the server", 90)
        token = next(line for line in log.read_text().splitlines() if len(line) == 64)
        site = Site(url, token, Path(f"/proc/{process.pid}/root{disk}"), process)
        library = json.dumps({"name": "Notes"}).encode()
        assert site.call("POST", "/libraries", library, **{"Content-Type": "application/json"})[0] == 201
        yield site


def fill(disk: Path, leave: int = 0, pause: float = 0.0) -> Path:
    filler = disk / "filler"
    with filler.open("ab", buffering=0) as file:
        while os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize > leave:
            try:
                file.write(bytes(1 << 20))
            except OSError:
                break
            time.sleep(pause)
    return filler


def test_a_full_disk_should_stop_uploads_and_nothing_else(site: Site) -> None:
    assert site.upload("leave.txt", "Leave is 25 days a year.")[0] == 202
    wait_for(site.all_ready, "the document")
    for number in range(12):  # still at work when the disk fills up
        assert site.upload(f"{number}.txt", f"Minute {number}: the canteen closes. " * 20_000)[0] == 202
    filler = fill(site.disk, leave=3 << 20)

    for _ in range(20):
        assert site.search("how many days of leave")[1][0] == "leave"
    status, problem = site.upload("more.txt", "More.")
    assert (status, problem["code"]) == (507, "storage_full")
    time.sleep(3)  # the sweep rings for what waits
    assert site.process.poll() is None

    filler.unlink()
    wait_for(site.all_ready, "what waited")
    assert site.upload("more.txt", "More.")[0] == 202
