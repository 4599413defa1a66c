"""The compose file where a Docker engine runs (`make containers`): builds, starts and uses everything."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.production.journey import first_day, static_files_should_load
from tests.support.servers import ROOT, answers, free_port, wait_for

PASSWORD = "admin-pass-123"
PROJECT = "quarry-containers-test"

pytestmark = pytest.mark.containers


@pytest.fixture(scope="module")
def compose(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[str]]]:
    """The address of the proxy of a project of its own, and the command that speaks to it."""
    values = {
        "QUARRY_SECRET_KEY": "k" * 50,
        "QUARRY_ADMIN_PASSWORD": PASSWORD,
        "POSTGRES_PASSWORD": "postgres1",
        "REDIS_PASSWORD": "redis1",
        "QUARRY_QDRANT_API_KEY": "qdrant1",
        "QUARRY_PUBLIC_PORT": str(free_port()),
    }
    folder = tmp_path_factory.mktemp("compose")
    for path in subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True).split("\0")[:-1]:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, folder / path)
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    command = ["docker", "compose", "--project-name", PROJECT, "--project-directory", str(folder)]
    try:
        subprocess.run([*command, "up", "--build", "--detach", "--wait"], check=True)
        yield f"http://127.0.0.1:{values['QUARRY_PUBLIC_PORT']}", command
    finally:
        subprocess.run([*command, "logs", "--tail", "50"], check=False)
        subprocess.run([*command, "down", "--volumes"], check=True)


def test_a_person_should_sign_in_upload_and_find(compose: tuple[str, list[str]], chromium: Browser) -> None:
    address, _ = compose
    wait_for(lambda: answers(f"{address}/readyz"), "the proxy", 60)
    static_files_should_load(address, first_day(chromium, address, PASSWORD))


def test_a_container_should_hold_no_secret_file_and_write_nothing(compose: tuple[str, list[str]]) -> None:
    _, command = compose
    inside = [*command, "exec", "--no-TTY", "web"]
    assert subprocess.run([*inside, "test", "-e", "/app/.env"], check=False).returncode == 1
    assert subprocess.run([*inside, "touch", "/app/x"], check=False).returncode == 1
    listed = subprocess.check_output([*inside, "find", "/app", "-name", "test*"], text=True)
    assert listed == ""
