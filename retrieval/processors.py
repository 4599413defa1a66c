"""How many processors this process may use: where a container limits them, the machine has more."""

from __future__ import annotations

import math
import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")  # where a container finds its own limits
# Microseconds of processor time in each period, and the period's: of cgroup v2, and of v1.
LIMITS = (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"))


def usable_processors() -> int:
    """Those that the process may run on, and no more than its container's CPU limit, rounded up.

    Threads beyond the limit use up a period's time early, and all of them then wait for the next period. The
    half processor of a limit of 1.5 is worth a thread, since without it that time is lost altogether.
    """
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return math.ceil(min(here, _limit()))


def fit_torch() -> None:
    """torch knows nothing of a CPU limit. For the whole process; fewer threads, by OMP_NUM_THREADS, stay."""
    import torch

    torch.set_num_threads(min(torch.get_num_threads(), usable_processors()))


def _limit() -> float:
    for files in LIMITS:
        try:
            quota, period = " ".join((CGROUP / file).read_text() for file in files).split()
            if int(quota) > 0:  # v1 has -1 where there is no limit
                return int(quota) / int(period)
        except (OSError, ValueError):  # the other version, another system, or v2's "max"
            continue
    return math.inf
