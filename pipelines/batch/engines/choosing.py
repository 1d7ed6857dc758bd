"""The engine that a user asks for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pipelines.batch.engines.limits import Limits
from pipelines.batch.engines.workers import Workers, cores

if TYPE_CHECKING:
    from pipelines.batch.runner import Engine


LOCAL, RAY = "local", "ray"


def engine_for(
    workers: int | None = None,
    threads: int = 0,
    limits: Limits | None = None,
    name: str = LOCAL,
    address: str | None = None,
) -> Engine:
    """The engine of a name.

    Args:
        workers: processes; 0 reads in this process; None is one for each thread, or core.
        threads: of all workers together; 0 leaves one to each.
        limits: on the reading of a file.
        name: LOCAL for this machine, RAY for a cluster, on which `threads` are those of each worker.
        address: of the Ray cluster.

    Raises:
        ValueError: an option is out of range, or Ray is missing.
    """
    if threads < 0:
        raise ValueError("--threads must be 0 or more")
    if name == RAY:
        from pipelines.batch.engines.cluster import Cluster

        return Cluster(address, workers or 0, max(1, threads), limits)
    if address:
        raise ValueError("--address is that of a Ray cluster: give --engine ray as well")
    if workers == 0 or sys.platform == "win32":  # where processes cannot be forked
        if threads:
            import torch

            torch.set_num_threads(threads)
        from pipelines.batch.units import read

        return read
    count = workers or threads or cores()
    return Workers(count, max(1, threads // count), limits)
