"""The drill: damage the index of a data folder, start Quarry, touch nothing, and search answers again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.servers import ROOT, answers, free_port, manage, wait_for


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with one document, and a token of its admin."""
    data = tmp_path_factory.mktemp("filled") / "data"
    note = data.parent / "leave.md"
    note.write_text("# Leave\n\nEvery employee has 25 days of paid leave.")
    command(data, "ingest", note, "--library", "Handbook")
    (data / "token").write_text(command(data, "token", "admin").stdout.split()[-1])
    return data


@pytest.fixture
def data(filled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(filled, tmp_path / "data"))


def environment(data: Path, port: int = 0) -> dict[str, str]:
    own = {"QUARRY_DATA": str(data), "QUARRY_PORT": str(port), "QUARRY_RERANK_BACKEND": "off"}
    return os.environ | own


def command(data: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "manage.py", *map(str, arguments)],
        env=environment(data), cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return done


def ask(port: int, token: str) -> tuple[int, Any]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v1/search",
        json.dumps({"query": "paid leave", "rerank": False}).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def collection(data: Path) -> Path:
    (found,) = (data / "index" / "collections").iterdir()
    return found


def cut_everything(data: Path) -> None:
    for file in (f for f in collection(data).rglob("*") if f.is_file()):
        os.truncate(file, file.stat().st_size // 2)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "damaged aliases": lambda d: (d / "index/aliases.json").write_text('{"live": "chu'),
    "no index": lambda d: shutil.rmtree(d / "index"),
    "no collection": lambda d: shutil.rmtree(collection(d)),
    "an empty folder": lambda d: (
        shutil.rmtree(collection(d) / "segments") or (collection(d) / "edge_config.json").unlink()
    ),
    "cut files": cut_everything,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_index_should_be_found_again_with_no_hand(
    data: Path, tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    damage(data)
    port = free_port()
    with manage(tmp_path, environment(data, port), "serve"):
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/healthz"), "the server")
        status, body = ask(port, (data / "token").read_text())
        assert status == 200 or (status, body["code"]) == (503, "index_rebuilding"), body
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/readyz"), "the index")
        status, body = ask(port, (data / "token").read_text())
        assert status == 200
        assert any("25 days" in hit["snippet"] for hit in body["hits"]), body


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_the_command_should_rebuild_a_damaged_index_too(data: Path, damage: Callable[[Path], object]) -> None:
    damage(data)
    done = command(data, "reindex")
    assert (done.returncode, "live now" in done.stdout) == (0, True), done.stderr
    assert "leave.md" in command(data, "search", "paid leave").stdout
