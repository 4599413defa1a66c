"""The Python of the tests for another user, who may not enter root's own folder, where it may lie."""

from __future__ import annotations

import shutil
import stat
import sys
import sysconfig
from pathlib import Path

STANDARD = Path(sys.base_prefix)
VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
PROGRAMS = ("gunicorn", "celery")


def python_for_everyone(folder: Path) -> str:
    """The folder with `python` and the programs of its packages: that of the tests, or of a copy in `folder`
    where other users cannot reach it. The copy uses the packages where they are."""
    if all(parent.stat().st_mode & stat.S_IXOTH for parent in (STANDARD, *STANDARD.parents)):
        return str(Path(sys.executable).parent)
    standard = folder / "lib" / VERSION
    leave_out = shutil.ignore_patterns("site-packages", "test", "idlelib", "config-*")
    shutil.copytree(STANDARD / "lib" / VERSION, standard, ignore=leave_out)
    (standard / "site-packages").mkdir()
    (standard / "site-packages" / "tests.pth").write_text(sysconfig.get_path("purelib") + "\n")
    for library in (STANDARD / "lib").glob("libpython*.so*"):
        shutil.copy(library, folder / "lib")
    (folder / "bin").mkdir()
    _copy_program(folder / "bin" / "python")
    for name in PROGRAMS:
        script = folder / "bin" / name
        script.write_text(f'#!/bin/sh\nexec {folder}/bin/python -m {name} "$@"\n')
        script.chmod(0o755)
    return str(folder / "bin")


def _copy_program(target: Path) -> None:
    """Copy Python, which looks for its library beside itself from then on."""
    old = f"{STANDARD / 'lib'}\0".encode()
    program = Path(sys.executable).resolve().read_bytes()
    target.write_bytes(program.replace(old, b"$ORIGIN/../lib".ljust(len(old), b"\0"), 1))
    target.chmod(0o755)
