"""The child process: its limits hold, its ends are told apart, and it costs the parent nothing."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from ingestion.parsing import ParseError, ParseLimits, ParserCrashedError, isolation, parse

TEXT = "text/plain"


@pytest.fixture
def text_file(tmp_path: Path) -> Path:
    path = tmp_path / "a.txt"
    path.write_text("Leave is 25 days a year.")
    return path


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """A file that never ends to be opened."""
    path = tmp_path / "pipe.txt"
    os.mkfifo(path)
    return path


@pytest.fixture(autouse=True)
def no_children_left() -> Iterator[None]:
    isolation._pool.close()
    yield
    isolation._pool.close()


def children() -> list[int]:
    """The parser processes that this one has started and that live."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            ours = f"PPid:\t{os.getpid()}\n" in (process / "status").read_text()
            if ours and b"parsing.child" in (process / "cmdline").read_bytes():
                found.append(int(process.name))
    return found


def test_wall_time_should_end_as_timeout_and_leave_no_process(endless: Path) -> None:
    started = time.monotonic()
    with pytest.raises(ParseError) as error:
        parse(endless, TEXT, limits=ParseLimits(wall_seconds=0.5))
    assert error.value.code == "timeout"
    assert time.monotonic() - started < 5
    assert children() == []


def test_cpu_time_should_end_as_timeout(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("lorem\n\n" * 4_000_000)  # several seconds of work
    with pytest.raises(ParseError) as error:
        parse(path, TEXT, limits=ParseLimits(cpu_seconds=0, characters=10**9))
    assert error.value.code == "timeout"


def test_too_little_memory_should_end_as_too_complex(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("lorem ipsum dolor " * 1_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ParseError) as error:
        parse(path, TEXT, limits=ParseLimits(memory=48 << 20, characters=10**9))
    assert error.value.code == "too_complex"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # kB


def test_too_much_text_should_end_as_too_complex(text_file: Path) -> None:
    with pytest.raises(ParseError) as error:
        parse(text_file, TEXT, limits=ParseLimits(characters=10))
    assert error.value.code == "too_complex"


def test_killed_child_should_be_worth_another_attempt(endless: Path, text_file: Path) -> None:
    def kill() -> None:
        while not (found := children()):
            time.sleep(0.02)
        time.sleep(0.3)
        os.kill(found[0], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(ParserCrashedError):
        parse(endless, TEXT, limits=ParseLimits(wall_seconds=20))
    killer.join()
    assert parse(text_file, TEXT).text


def test_child_should_be_used_again_after_success_and_ended_after_failure(
    tmp_path: Path, text_file: Path
) -> None:
    parse(text_file, TEXT)
    first = children()
    parse(text_file, TEXT)
    assert children() == first
    (tmp_path / "empty.txt").write_text("   ")
    with pytest.raises(ParseError):
        parse(tmp_path / "empty.txt", TEXT)
    assert children() == []


def test_child_that_ended_while_idle_should_be_replaced(text_file: Path) -> None:
    parse(text_file, TEXT)
    (child,) = children()
    os.kill(child, signal.SIGKILL)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)  # it has ended, and is left for its parent to notice
    assert parse(text_file, TEXT).text


def test_other_limits_should_get_another_child(text_file: Path) -> None:
    parse(text_file, TEXT)
    first = children()
    parse(text_file, TEXT, limits=replace(isolation.DEFAULT_LIMITS, memory=1 << 30))
    assert children() != first


def test_threads_should_parse_side_by_side(text_file: Path) -> None:
    with ThreadPoolExecutor(3) as threads:
        documents = list(threads.map(lambda _: parse(text_file, TEXT), range(12)))
    assert {document.text for document in documents} == {"Leave is 25 days a year."}


def test_child_should_know_no_secrets_and_hold_limits(
    text_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUARRY_SECRET_KEY", "do not tell")
    secret = os.open(text_file, os.O_RDONLY)
    os.set_inheritable(secret, True)
    parse(text_file, TEXT)
    (child,) = children()
    process = Path(f"/proc/{child}")
    assert b"do not tell" not in (process / "environ").read_bytes()
    assert str(text_file) not in {os.readlink(link) for link in (process / "fd").iterdir()}
    limits = (process / "limits").read_text()
    assert "Max file size             0                    0" in limits
    assert "Max core file size        0                    0" in limits
    assert f"Max data size             {isolation.DEFAULT_LIMITS.memory}" in limits
    os.close(secret)


def test_child_should_have_no_network_where_the_kernel_lets_it_leave(text_file: Path) -> None:
    allowed = subprocess.run(["unshare", "--user", "--net", "true"], capture_output=True).returncode == 0
    if not allowed:
        pytest.skip("this kernel refuses network namespaces to us")
    parse(text_file, TEXT)
    (child,) = children()
    assert os.readlink(f"/proc/{child}/ns/net") != os.readlink("/proc/self/ns/net")


def test_unknown_content_type_should_be_refused(text_file: Path) -> None:
    with pytest.raises(ParseError, match="cannot be read"):
        parse(text_file, "application/x-nothing")
