"""What reading a file may take: time and memory."""

from __future__ import annotations

import contextlib
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

PAGE = 30.0  # seconds of media that a page, a picture or a piece of ink counts for
SHARE = 0.8  # of the memory of the machine, for all workers together
GIGABYTE = 1e9


@dataclass(frozen=True)
class Limits:
    """What reading a file may take; one that takes more has failed.

    Attributes:
        time: seconds for each second of a recording or video; a page, picture or piece of ink counts as 30.
        memory: gigabytes that a worker may hold for itself; 0 is its share of the machine's.
        start: seconds for anything, besides.

    Raises:
        ValueError: a limit is out of range.
    """

    time: float = 2.0
    memory: float = 0.0
    start: float = 60.0

    def __post_init__(self):
        if not self.time > 0:
            raise ValueError(f"time_limit must be above 0, not {self.time}")
        if not self.memory >= 0:
            raise ValueError(f"memory_limit must be 0 or more, not {self.memory}")

    def seconds(self, media: float) -> float:
        """That so many seconds of media may take."""
        return self.start + self.time * media

    def gigabytes(self, workers: int) -> float:
        """That each of the workers may hold."""
        return self.memory or SHARE * machine_memory() / workers / GIGABYTE


def machine_memory() -> float:
    """Bytes of the machine, or of the container that this process is in; infinite where not known."""
    found = [float("inf")]
    with contextlib.suppress(OSError, ValueError, AttributeError):
        found.append(float(os.sysconf("SC_PHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE"))
    for name in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):
            found.append(float(Path(name).read_text("ascii")))  # "max" is no number
    return min(found)


def memory_of(process: int) -> float:
    """Gigabytes that a process holds for itself: not libraries, which others share; 0 where not known."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        resident, shared = Path(f"/proc/{process}/statm").read_text("ascii").split()[1:3]
        return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE") / GIGABYTE
    if not os.path.isdir("/proc/self"):  # macOS
        with contextlib.suppress(OSError, ValueError, subprocess.SubprocessError):
            told = subprocess.run(
                ["ps", "-o", "rss=", "-p", str(process)], capture_output=True, timeout=5, check=True
            )
            return int(told.stdout) * 1024 / GIGABYTE
    return 0.0
