"""Each setting is explained where people look, and a bad value is refused at the start."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from retrieval.reranker.loading import BACKENDS
from tests.support.servers import ROOT

EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
# An explanation stands behind the value, or on the lines above.
EXPLAINED = re.compile(r"^#?([A-Z_]+)=(.*)$", re.MULTILINE)


def used_variables() -> set[str]:
    files = [ROOT / "docker-compose.yml", *(ROOT / "docker").iterdir(), *(ROOT / "config").rglob("*.py")]
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    in_compose = re.findall(r"\$\{([A-Z_]+)", text)
    in_python = re.findall(r"""env\.\w+\(\s*["'](QUARRY_[A-Z_]+)["']""", text)
    return {*in_compose, *in_python}


def test_every_variable_should_be_explained_and_every_explained_one_used() -> None:
    assert {name for name, _ in EXPLAINED.findall(EXAMPLE)} == used_variables()


def test_an_empty_value_should_have_no_comment_behind_it() -> None:
    """Compose would take the comment for the value."""
    assert not [name for name, value in EXPLAINED.findall(EXAMPLE) if value.lstrip().startswith("#")]


def settings_now() -> dict[str, object]:
    """Read the settings by the environment as it is now."""
    values = runpy.run_path(str(ROOT / "config" / "settings.py"))
    return {name: repr(value) for name, value in values.items() if name.isupper()}


def test_the_values_in_comments_should_be_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    examples = {f"QUARRY_{server}_URL" for server in ("DATABASE", "REDIS", "QDRANT", "TRITON")}
    examples.add("QUARRY_DATA")
    for name in used_variables() - {"QUARRY_DATA"}:
        monkeypatch.delenv(name, raising=False)
    expected = settings_now()
    for name, value in re.findall(r"^#(QUARRY_[A-Z_]+)=(\S*)", EXAMPLE, re.MULTILINE):
        if name not in examples:
            monkeypatch.setenv(name, value)
    assert settings_now() == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("QUARRY_REDIS_URL", "localhost:6379"),
        ("QUARRY_DATABASE_URL", "mysql://user@host/name"),
        ("QUARRY_DATABASE_URL", "nonsense"),
        ("QUARRY_QDRANT_URL", "qdrant:6333"),
        ("QUARRY_DEBUG", "maybe"),
        ("QUARRY_HTTPS", "2"),
        ("QUARRY_DIMENSIONS", "half"),
        ("QUARRY_DIMENSIONS", "-1"),
        ("QUARRY_MAX_UPLOAD_MB", "0"),
        ("QUARRY_CHUNK_WORDS", "1e3"),
        ("QUARRY_RERANK_PASSAGES", "٣"),
        ("QUARRY_RERANK_BACKEND", "cuda"),
        ("QUARRY_RERANK_COMPILE", "maybe"),
        ("QUARRY_RERANK_METRICS_PORT", "70000"),
        ("QUARRY_TRITON_URL", "triton:8000"),
        ("QUARRY_LOG_LEVEL", "loud"),
        ("QUARRY_TIME_ZONE", "Mars/Olympus"),
        ("QUARRY_API_RATE", "many"),
        ("QUARRY_API_RATE", "5/fortnight"),
    ],
)
def test_a_bad_value_should_be_refused_by_name(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured, match=f"^{name} "):
        runpy.run_path(str(ROOT / "config" / "settings.py"))


def test_the_triton_backend_should_ask_for_its_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUARRY_RERANK_BACKEND", "triton")
    with pytest.raises(ImproperlyConfigured, match="^QUARRY_TRITON_URL "):
        runpy.run_path(str(ROOT / "config" / "settings.py"))


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_backend_should_be_allowed_by_name(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUARRY_RERANK_BACKEND", backend)
    monkeypatch.setenv("QUARRY_TRITON_URL", "http://triton:8000")
    assert runpy.run_path(str(ROOT / "config" / "settings.py"))["RERANK_BACKEND"] == backend


def test_a_bad_number_of_web_processes_should_be_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    monkeypatch.setenv("QUARRY_WEB_PROCESSES", "few")
    with pytest.raises(ImproperlyConfigured, match="^QUARRY_WEB_PROCESSES "):
        runpy.run_path(str(ROOT / "docker" / "gunicorn.py"))


def test_a_refused_address_should_not_show_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUARRY_REDIS_URL", "tcp://:open-sesame@host")
    with pytest.raises(ImproperlyConfigured) as refused:
        runpy.run_path(str(ROOT / "config" / "settings.py"))
    assert "open-sesame" not in str(refused.value)


@pytest.mark.parametrize("variable", ["QUARRY_DIMENSIONS", "QUARRY_PORT"])
def test_a_command_should_end_with_one_sentence_about_a_bad_value(variable: str) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "serve"],
        env=os.environ | {variable: "many"},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"Quarry cannot start: {variable} is 'many'; it must be")
    assert done.stderr.count("\n") == 1
