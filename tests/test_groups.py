"""What `make test` leaves out, it says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.servers import ROOT


def pytest_on(*arguments: str) -> tuple[int, list[str]]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return ended.returncode, ended.stdout.strip().splitlines()


@pytest.mark.parametrize(
    "path",
    [
        "tests/retrieval/reranker/test_twin.py",
        "tests/training/test_base_model.py::test_sentence_transformers_should_load_the_model",
    ],
)
def test_what_needs_torch_should_be_left_out_and_named_after_the_closing_line(path: str) -> None:
    status, lines = pytest_on(path)
    assert status == pytest.ExitCode.NO_TESTS_COLLECTED
    assert lines[-1].startswith("Not run: torch (") and "make test-all" in lines[-1]
    assert " in " in lines[-2]  # pytest's own


def test_with_all_what_is_skipped_should_have_failed(tmp_path: Path) -> None:
    file = tmp_path / "test_skips.py"
    file.write_text("import pytest\n\ndef test_it():\n    pytest.skip('no such server')\n")
    alone = ("-p", "tests.groups", "-c", os.devnull, str(file))
    assert pytest_on(*alone)[0] == pytest.ExitCode.OK
    status, lines = pytest_on(*alone, "--all")
    assert status == pytest.ExitCode.TESTS_FAILED
    assert any("no such server" in line for line in lines)
