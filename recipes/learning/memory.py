"""Settings of the C library and of oneDNN that make training faster, for a process that only trains."""

from __future__ import annotations

import contextlib
import ctypes
import os

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4  # of mallopt(3)


def keep_memory() -> None:
    """Have freed memory kept for the next allocation, until the process ends.

    glibc returns the memory of large tensors to the system and gets it anew, page by page, which takes a
    sixth of the training time on a CPU. oneDNN caches buffers for each of the last 1,024 shapes, which are
    many gigabytes as batches are of all widths.

    This cannot be undone: `mallopt` switches off glibc's dynamic thresholds for good. So commands call it,
    library functions do not.
    """
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")
    with contextlib.suppress(AttributeError, OSError, TypeError):  # another library than glibc
        library = ctypes.CDLL(None)
        for setting, value in ((M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, 2**31 - 1), (M_TOP_PAD, 2**28)):
            library.mallopt(setting, value)
