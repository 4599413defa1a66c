from __future__ import annotations

import os
from pathlib import Path

import pytest

from retrieval import processors
from retrieval.processors import usable_processors

V2, QUOTA, PERIOD = "cpu.max", "cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 4),
        ({V2: "max 100000"}, 4),
        ({V2: "800000 100000"}, 4),
        ({V2: "200000 100000"}, 2),
        ({V2: "150000 100000"}, 2),
        ({V2: "50000 100000"}, 1),
        ({V2: ""}, 4),
        ({QUOTA: "-1", PERIOD: "100000"}, 4),
        ({QUOTA: "250000", PERIOD: "100000"}, 3),
        ({QUOTA: "250000"}, 4),
    ],
)
def test_a_container_should_use_the_processors_of_its_limit(
    files: dict[str, str], expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processors, "CGROUP", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(4), raising=False)
    (tmp_path / "cpu").mkdir()
    for name, content in files.items():
        (tmp_path / name).write_text(content + "\n")
    assert usable_processors() == expected
