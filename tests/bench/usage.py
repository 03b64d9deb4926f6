"""What processes used, read from the kernel: CPU to the nanosecond, memory with shared pages counted once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def cpu_seconds(pids: Iterable[int]) -> float:
    """Time on a CPU of all threads of these processes. Those that are gone count nothing."""
    total = 0
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                total += int(task.read_text().split()[0])
            except (OSError, IndexError, ValueError):
                continue
    return total / 1e9


def memory_mib(pids: Iterable[int]) -> tuple[float, float]:
    """(PSS, RSS) of these processes together, in MiB."""
    pss = rss = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                pss += int(line.split()[1])
            elif line.startswith("Rss:"):
                rss += int(line.split()[1])
    return pss / 1024, rss / 1024
