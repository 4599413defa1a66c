"""The train worker's side of a learning run: start its process, wait, and say how it ended if that cannot.

It is a process of its own, of low priority, so that it never disturbs search or ingest.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from shutil import which
from uuid import UUID

from celery.signals import worker_shutting_down
from django.conf import settings
from django.db import close_old_connections

from learning import runs

LIMIT_S = 2 * 3600.0  # a process that hangs ends; the largest library takes a quarter of that
PATIENCE_S = 5.0

_at_work: set[subprocess.Popen[bytes]] = set()


def run(run_id: UUID) -> None:
    """Claim the run and see it to its end in a child process (a second delivery of the message ends here).

    The child is started anew, never forked: this process may have the index open. It ends when its standard
    input does, so it never outlives this process.
    """
    if runs.claim(run_id) is None:
        return
    process = subprocess.Popen(
        _command(run_id), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
    )
    _at_work.add(process)
    close_old_connections()  # none of them lasts as long as the wait
    try:
        message = _end_of(process)
    finally:
        _at_work.discard(process)
    runs.fail(run_id, message)  # which it mostly has said itself


def _command(run_id: UUID) -> list[str]:
    manage = str(settings.BASE_DIR / "manage.py")
    lowest = ["ionice", "-c", "2", "-n", "7"] if which("ionice") else []
    return [*lowest, sys.executable, manage, "adapt", "--run", str(run_id)]


def _end_of(process: subprocess.Popen[bytes]) -> str:
    """Wait for it; says what to think of a run that its process did not end itself."""
    try:
        code = process.wait(LIMIT_S)
    except subprocess.TimeoutExpired:
        _stop(process)
        return f"Learning took longer than {LIMIT_S / 3600:.0f} hours and was stopped."
    if code < 0:
        return f"Signal {-code} ended the learning. If nobody sent it, memory was short. Start it again."
    return runs.STOPPED


def stop() -> None:
    """End the runs of this process, which is about to end too: each says that it was stopped."""
    for process in list(_at_work):
        _stop(process)


def _stop_beside(**details: object) -> None:
    """Call `stop` from a signal handler of Celery's, which must not wait."""
    threading.Thread(target=stop, name="stop-learning").start()


worker_shutting_down.connect(_stop_beside)


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
