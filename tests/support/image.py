"""The image's files without a container engine: the Dockerfile's own steps, done in a folder.

`/app` and `/data` are folders below it. Left out: steps with pip, since the packages are those of the
environment that runs the tests, and `useradd`: processes get the user's number.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.dockerignore import sent_files
from tests.support.interpreter import python_for_everyone


@dataclass
class Image:
    root: Path
    env: dict[str, str] = field(default_factory=dict)
    user: int | None = None  # None: that of the tests, which may not become another one
    command: list[str] = field(default_factory=list)
    _uid: int = 0

    @property
    def app(self) -> Path:
        return self.root / "app"

    def placed(self, text: str) -> str:
        """The text with the image's folders where they are on this machine."""
        return re.sub(r"(?<![\w./])/(app|data)\b", lambda found: f"{self.root}/{found[1]}", text)

    def files(self) -> list[str]:
        return sorted(str(path.relative_to(self.app)) for path in self.app.rglob("*") if path.is_file())


def build(source: Path, root: Path) -> Image:
    """Do the steps of the Dockerfile in `source`. Raises AssertionError for one that fails or is unknown."""
    python = python_for_everyone(root / "python")
    image = Image(root, {"PATH": f"{python}:/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": str(root / "data")})
    image.app.mkdir(parents=True)
    for line in _instructions((source / "Dockerfile").read_text()):
        name, _, rest = line.partition(" ")
        match name:
            case "FROM" | "EXPOSE" | "VOLUME" | "ARG":
                pass
            case "WORKDIR":
                assert rest == "/app"
            case "ENV":
                pairs = (pair.partition("=") for pair in shlex.split(rest))
                image.env |= {name: image.placed(value) for name, _, value in pairs}
            case "COPY":
                _copy(source, image, rest.split())
            case "RUN":
                _run(image, rest)
            case "USER":
                image.user = image._uid if os.geteuid() == 0 else None
            case "CMD":
                image.command = json.loads(rest)
            case _:
                raise AssertionError(f"an instruction that the tests do not know: {line}")
    return image


def _instructions(text: str) -> list[str]:
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    return [" ".join(line.split()) for line in re.sub(r"\\\n", " ", lines).splitlines() if line.strip()]


def _copy(source: Path, image: Image, words: list[str]) -> None:
    *wanted, target = words
    for path in sent_files(source):
        if wanted == ["."] or path in wanted:
            place = image.app / target / (path if wanted == ["."] else Path(path).name)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / path, place)


def _run(image: Image, command: str) -> None:
    if "pip install" in command:
        return
    if found := re.match(r"useradd .*--uid (\d+)", command):
        image._uid = int(found[1])
        data = image.root / "data"
        data.mkdir()
        if os.geteuid() == 0:
            os.chown(data, image._uid, image._uid)
        return
    done = subprocess.run(
        ["sh", "-ec", f"umask 022; {image.placed(command)}"],
        cwd=image.app, env=image.env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"RUN {command}: {done.stderr}"
