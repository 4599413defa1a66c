"""One data folder, several processes: the commands work beside the server and without it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.servers import ROOT, answers, free_port, manage, wait_for


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return os.environ | {
        "QUARRY_DATA": str(tmp_path / "data"),
        "QUARRY_PORT": str(free_port()),
        "QUARRY_RERANK_BACKEND": "off",
    }


@pytest.fixture
def handbook(tmp_path: Path) -> Path:
    folder = tmp_path / "handbook"
    folder.mkdir()
    for number in range(5):
        (folder / f"note-{number}.txt").write_text(f"Note {number} is about the colour of door {number}.")
    (folder / "leave.md").write_text("# Leave\n\nEvery employee has 25 days of paid leave.")
    return folder


def command(env: dict[str, str], *arguments: object) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "manage.py", *map(str, arguments)],
        env=env, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.fixture
def server(env: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    with manage(tmp_path, env, "serve") as process:
        wait_for(lambda: answers(f"http://127.0.0.1:{env['QUARRY_PORT']}/readyz"), "the server")
        yield process


def test_commands_should_work_without_a_server(env: dict[str, str], handbook: Path) -> None:
    done = command(env, "ingest", handbook, "--library", "Handbook")  # the first command on a fresh folder
    assert "The admin is called admin" in done.stderr
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "6 ready, 0 failed, 0 duplicate")
    again = command(env, "ingest", handbook, "--library", "Handbook")
    assert again.stdout.splitlines()[-1] == "0 ready, 0 failed, 6 duplicate"
    assert "leave.md" in command(env, "search", "paid leave").stdout.splitlines()[0]
    assert command(env, "reindex", "--reparse").returncode == 0
    assert "leave.md" in command(env, "search", "paid leave").stdout.splitlines()[0]


def test_commands_should_work_beside_the_server(
    env: dict[str, str], handbook: Path, server: subprocess.Popen[bytes]
) -> None:
    done = command(env, "ingest", handbook, "--library", "Handbook")
    assert done.stdout.splitlines()[-1] == "6 ready, 0 failed, 0 duplicate", done.stderr
    assert "leave.md" in command(env, "search", "paid leave", "--library", "Handbook").stdout.splitlines()[0]
    chunks, said = command(env, "reindex").stdout.split(maxsplit=1)
    assert int(chunks) > 6 and "live now" in said
    assert "leave.md" in command(env, "search", "paid leave", "--library", "Handbook").stdout.splitlines()[0]
    assert command(env, "backup", handbook.parent / "all.backup").returncode == 0
    assert server.poll() is None


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_the_server_should_stop_cleanly(
    env: dict[str, str], server: subprocess.Popen[bytes], tmp_path: Path, stop: signal.Signals
) -> None:
    server.send_signal(stop)
    assert server.wait(20) == 0
    log = (tmp_path / "serve.log").read_text()
    assert "Stopping." in log
    assert "Traceback" not in log


def test_nobody_else_should_read_the_data_folder(env: dict[str, str], tmp_path: Path, handbook: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    (data / "quarry.sqlite3").touch(mode=0o644)  # of an earlier version
    command(env, "ingest", handbook, "--library", "Handbook")
    with manage(tmp_path, env, "serve"):
        wait_for(lambda: answers(f"http://127.0.0.1:{env['QUARRY_PORT']}/readyz"), "the server")
        modes = {path: oct(path.stat().st_mode & 0o777) for path in (data, *data.rglob("*"))}
    assert {path: mode for path, mode in modes.items() if mode not in ("0o600", "0o700")} == {}


def test_static_files_should_be_served_from_a_checkout(
    env: dict[str, str], server: subprocess.Popen[bytes]
) -> None:
    assert answers(f"http://127.0.0.1:{env['QUARRY_PORT']}/static/quarry.css")


def test_a_killed_server_should_lose_nothing(env: dict[str, str], tmp_path: Path, handbook: Path) -> None:
    url = f"http://127.0.0.1:{env['QUARRY_PORT']}/readyz"
    with manage(tmp_path, env, "serve") as process:
        wait_for(lambda: answers(url), "the server")
        process.kill()
        process.wait()
    with manage(tmp_path, env, "serve"):
        wait_for(lambda: answers(url), "the server")
        done = command(env, "ingest", handbook, "--library", "Handbook")
        assert done.stdout.splitlines()[-1] == "6 ready, 0 failed, 0 duplicate", done.stderr
        until = time.monotonic() + 60
        while "expense-policy.pdf" not in (found := command(env, "search", "expense policy").stdout):
            assert time.monotonic() < until, found


def test_a_second_server_should_say_that_the_port_is_taken(
    env: dict[str, str], server: subprocess.Popen[bytes]
) -> None:
    done = command(env, "serve")
    assert done.returncode == 1
    assert "QUARRY_PORT chooses another port" in done.stderr


def test_a_file_that_fails_should_have_a_line_and_status_1(env: dict[str, str], handbook: Path) -> None:
    command(env, "prepare")
    (handbook / "blank.txt").write_text("  \n")
    (handbook / "tool.exe").write_bytes(b"MZ")
    done = command(env, "ingest", handbook, "--library", "Handbook")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert any(line.startswith("blank.txt: no_text: ") for line in lines)
    assert any(line.startswith("tool.exe: type_not_allowed: ") for line in lines)
    assert lines[-1] == "6 ready, 2 failed, 0 duplicate"


def test_the_page_should_be_there(env: dict[str, str], server: subprocess.Popen[bytes]) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{env['QUARRY_PORT']}/", timeout=10) as response:
        assert "Quarry" in response.read().decode()
