from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.servers import ROOT

PROGRAMS = [
    path.relative_to(ROOT)
    for folder in ("training", "evaluation", "research")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "\ndef main() -> None:" in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("program", PROGRAMS, ids=str)
def test_program_should_run_when_python_is_told_to(program: Path) -> None:
    assert (ROOT / program).read_text(encoding="utf-8").endswith('if __name__ == "__main__":\n    main()\n')
