"""What is shipped serves: the image's tree, as another user, behind the shipped proxy."""

from __future__ import annotations

import os
import re
import shutil
import stat
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.production.journey import first_day, static_files_should_load
from tests.support.dockerignore import sent_files
from tests.support.image import Image
from tests.support.production import DATABASE, INDEX, PASSWORD, Production
from tests.support.servers import ROOT, free_port, wait_for

UNWANTED = re.compile(
    r"(^|/)(tests?|benchmarks?|research|docs|\.[^/]+)/"
    r"|(^|/)(\.[^/]*|test_[^/]*|conftest\.py|benchmark[^/]*|Makefile|Dockerfile|build\.py|[^/]*secret[^/]*)$"
    r"|\.(env|pem|key|p12|sqlite3|pyc|sh|yml)$|(^|/)id_(rsa|ed25519)"
    r"|^training/(base|reranker)/|^evaluation/(quality|parsing|others|sections|judged)"
)
SECRET = "planted-password"
PLANTED = (
    ".env", ".env.production", "searchapp/.env", "static/.env", "static/server.pem", "models/id_rsa",
    "data/secret_key", "searchapp/deploy.key", "tests/planted.py", "evaluation/benchmarks/planted.py",
    "demo/build.py",
    ".ci/run", "templates/a.pem", "training/base/train.py", "training/reranker/train.py",
)  # fmt: skip
pytestmark = [pytest.mark.servers, pytest.mark.allow_hosts(["127.0.0.1", "127.0.0.2", "localhost"])]
WEB = "127.0.0.2"
MEMORY_MB = 350
IMPATIENT_PREPARE = """
import django
django.setup()
from django.core.management import execute_from_command_line
from config.management.commands import prepare
prepare.PATIENCE_S = 2.0
execute_from_command_line(["manage.py", "prepare"])
"""
EVERY_MODULE = """
import pathlib, importlib, django
django.setup()
for path in pathlib.Path().glob("[a-z]*/**/*.py"):
    if path.parts[0] != "docker" and "migrations" not in path.parts:
        importlib.import_module(".".join(path.with_suffix("").parts).removesuffix(".__init__"))
"""


@pytest.fixture(scope="module")
def served(stack: Production) -> Iterator[Production]:
    with stack.web(WEB):
        stack.names.addresses["web"] = [WEB]
        yield stack


def test_nothing_in_the_tree_should_look_like_a_secret_a_test_or_a_benchmark(image: Image) -> None:
    assert [path for path in image.files() if UNWANTED.search(path)] == []
    size = sum((image.app / path).stat().st_size for path in image.files())
    assert size < 200 * 2**20, "more than the models and the static files"


def test_what_should_not_be_shipped_should_be_left_out_or_be_seen(tmp_path: Path) -> None:
    shutil.copy(ROOT / ".dockerignore", tmp_path)
    for path in PLANTED:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(SECRET)
    sent = list(sent_files(tmp_path))
    assert sent == [], [path for path in sent if not UNWANTED.search(path)]


@pytest.mark.parametrize(
    "path", ["static/server.pem", "models/.env", "searchapp/test_views.py", "static/my-secret.txt"]
)
def test_a_file_that_is_listed_by_mistake_should_be_seen(path: str) -> None:
    assert UNWANTED.search(path)


def test_the_tree_should_be_readable_by_every_user_and_writable_by_none(image: Image) -> None:
    for path in image.app.rglob("*"):
        mode = path.stat().st_mode
        assert mode & stat.S_IROTH and not mode & (stat.S_IWOTH | stat.S_IWGRP), path
        assert not path.is_dir() or mode & stat.S_IXOTH, path


def test_every_module_of_the_tree_should_find_what_it_imports(stack: Production) -> None:
    env = {"DJANGO_SETTINGS_MODULE": "config.settings"}
    done = stack.run("web", "python", "-c", EVERY_MODULE, **env)
    assert done.returncode == 0, done.stderr


def test_a_person_should_sign_in_upload_and_find_with_every_file_of_the_page(
    served: Production, chromium: Browser
) -> None:
    html = first_day(chromium, served.proxy, PASSWORD)
    static_files_should_load(served.proxy, html)
    logs = "".join(path.read_text(errors="replace") for path in served.folder.glob("*.log"))
    assert "Traceback" not in logs and "Read-only" not in logs, logs
    for log in ("web.log", "nginx.log"):
        text = (served.folder / log).read_text()
        assert "GET / HTTP" in text or '"GET /"' in text
        assert [line for line in text.splitlines() if "telescope" in line] == [], (
            "queries are nobody's business"
        )
    trees = [path for path in served.image.app.rglob("*") if path.name == "__pycache__"]
    assert trees == []


@pytest.mark.parametrize("service", ["web", "ingest", "rerank", "beat", "qdrant", "proxy"])
def test_health_checks_should_ask_the_service(served: Production, service: str) -> None:
    wait_for(lambda: served.is_healthy(service), f"the health of {service}", 90)


def test_health_checks_should_tell_what_does_not_answer(served: Production) -> None:
    served.names.addresses["web"] = []
    wait_for(lambda: not served.is_healthy("proxy"), "a proxy that has nobody to ask", 20)
    served.names.addresses["web"] = [WEB]
    rung = served.folder / "tmp-beat" / "quarry-beat"
    os.utime(rung, (0, 0))
    assert not served.is_healthy("beat")


def test_metrics_should_be_for_this_machine_and_for_who_has_the_token(served: Production) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{served.proxy}/metrics", timeout=5)
    for path in ("//metrics", "/%6Detrics", "/static/../metrics"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(served.proxy + path, timeout=5)
    with urllib.request.urlopen(f"http://{WEB}:{served.web_port}/metrics", timeout=5) as response:
        assert b"quarry_documents" in response.read()


def test_web_processes_should_share_what_they_load_before_they_fork(served: Production) -> None:
    master = served.processes["web"].pid
    family = [master, *map(int, Path(f"/proc/{master}/task/{master}/children").read_text().split())]
    assert len(family) == 3
    assert len(list(Path(f"/proc/{master}/task").iterdir())) == 1, "a thread does not survive a fork"
    sockets = [fd for fd in Path(f"/proc/{master}/fd").iterdir() if os.readlink(fd).startswith("socket:")]
    assert len(sockets) == 1, "nothing but where it listens"
    assert sum(map(memory_mb, family)) <= MEMORY_MB


def test_prepare_should_end_with_a_sentence_when_a_server_does_not_come(
    stack: Production, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    for setting, url, name in (
        (DATABASE, f"postgres://{nobody}/quarry", "database"),
        (INDEX, f"http://{nobody}", "index"),
    ):
        monkeypatch.setitem(stack.addresses, setting, url)
        env = {"DJANGO_SETTINGS_MODULE": "config.settings", "QUARRY_LOG_LEVEL": "ERROR"}
        done = stack.run("migrate", "python", "-c", IMPATIENT_PREPARE, **env)
        assert done.returncode == 1
        assert f"The {name} did not answer within 2 seconds" in done.stderr
        assert "Traceback" not in done.stderr
        monkeypatch.undo()


def memory_mb(process: int) -> float:
    """The memory that the process costs: its own, and its share of what it shares (PSS)."""
    found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{process}/smaps_rollup").read_text(), re.MULTILINE)
    assert found
    return int(found[1]) / 1024
