"""The groups of tests that need more than `make test` installs: left out, and named, unless `--all` is given.

A file whose tests all belong to a group says so in a line that begins `pytestmark = pytest.mark.`, and is not
even imported elsewhere. `-m GROUP` chooses one group.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

GROUPS = {
    "torch": "the packages of the extra `train`",
    "servers": "PostgreSQL, nginx and docker-compose, and leave to mount a disk",
    "browser": "Chromium",
    "data": "the evaluation sets, in the folder QUARRY_TEST_DATA",
    "containers": "a Docker engine: `make containers`",
}
DATA = Path(os.environ.get("QUARRY_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
NOT_RUN = pytest.StashKey[set[str]]()  # the groups of which something was left out
WHOLE_FILE = re.compile(rf"^pytestmark = \[?pytest\.mark\.({'|'.join(GROUPS)})\b", re.MULTILINE)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="run every group; what is missing fails")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[NOT_RUN] = set()
    for group, needs in GROUPS.items():
        config.addinivalue_line("markers", f"{group}: needs {needs}")


def left_out(config: pytest.Config) -> list[str]:
    """The groups that are not run. Even `--all` may go without evaluation sets, which are not published, and
    goes without a Docker engine."""
    asked = config.option.markexpr
    chosen = [g for g in GROUPS if g in asked or (config.option.all and g != "containers")]
    return [g for g in GROUPS if (not DATA.is_dir() if g == "data" else g not in chosen)]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    if collection_path.suffix != ".py":
        return None
    whole = WHOLE_FILE.search(collection_path.read_text(encoding="utf-8"))
    if not whole or whole[1] not in left_out(config):
        return None
    config.stash[NOT_RUN].add(whole[1])
    return True


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    without, kept, dropped = set(left_out(config)), [], []
    for item in items:
        groups = without.intersection(mark.name for mark in item.iter_markers())
        config.stash[NOT_RUN] |= groups
        (dropped if groups else kept).append(item)
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """With `--all`, a test that is skipped has failed: something that it needs is not there."""
    report: Any = yield
    if item.config.option.all and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome, report.longrepr = "failed", f"Skipped, where every test must run: {report.longrepr}"
    return report


def pytest_unconfigure(config: pytest.Config) -> None:
    """One line, after pytest's own last one."""
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    groups = [group for group in GROUPS if group in config.stash[NOT_RUN]]
    if reporter is None or config.option.collectonly or not groups:
        return
    needs = "; ".join(f"{group} ({GROUPS[group]})" for group in groups)
    advice = "" if config.option.all else " `make test-all` installs the packages and runs every group."
    reporter.write_line(f"Not run: {needs}.{advice}")
