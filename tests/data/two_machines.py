"""A batch on a Ray cluster of two nodes, one of which is killed while it reads.

    python -m tests.data.two_machines FOLDER OUT SCRATCH

Writes a line of JSON: statuses of the outcomes, and whether the node was killed.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

FREE = 3  # files that each machine reads before anything happens
PATIENCE = 60.0
LIMIT = 100.0  # seconds after which everything is ended


@dataclass(frozen=True)
class Doomed:
    """A path that machines read until the one that is not `safe` hangs; the other then waits for its end."""

    path: Path
    safe: str
    marks: Path

    def __str__(self) -> str:
        return str(self.path)

    def __fspath__(self) -> str:
        import ray

        if os.getpid() == int(self.marks.name):
            return str(self.path)
        node = ray.get_runtime_context().get_node_id()
        own = self.marks / node
        own.mkdir(exist_ok=True)
        (own / self.path.name).touch()
        if len(list(own.iterdir())) > FREE:
            if node != self.safe:
                (self.marks / "hangs").touch()
                time.sleep(PATIENCE)
            await_mark(self.marks / "killed")
        return str(self.path)


def await_mark(mark: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not mark.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(mark)
        time.sleep(0.02)


def main(folder: str, out: str, scratch: str) -> None:
    from ray.cluster_utils import Cluster

    from pipelines.batch import run
    from pipelines.batch.engines.cluster import Cluster as Machines

    size = {"num_cpus": 1, "object_store_memory": 80_000_000}
    cluster = Cluster(initialize_head=True, head_node_args={**size, "include_dashboard": False})
    doomed = cluster.add_node(**size)

    def give_up() -> None:
        cluster.shutdown()
        os._exit(3)

    guard = threading.Timer(LIMIT, give_up)
    guard.daemon = True
    guard.start()
    marks = Path(scratch, str(os.getpid()))
    marks.mkdir()

    def kill() -> None:
        await_mark(marks / "hangs")
        cluster.remove_node(doomed, allow_graceful=False)
        (marks / "killed").touch()

    def engine(units):
        given = {}
        for unit in units:
            changed = replace(unit, source=Doomed(unit.source, cluster.head_node.node_id, marks))
            given[id(changed)] = changed, unit
        for unit, *answer in Machines(cluster.address)([changed for changed, _ in given.values()]):
            yield given[id(unit)][1], *answer

    killing = threading.Thread(target=kill, daemon=True)
    killing.start()
    outcomes = list(run(folder, out, formats="txt,srt", engine=engine))
    killing.join(1)
    told = {"statuses": [outcome.status for outcome in outcomes], "killed": (marks / "killed").exists()}
    print(json.dumps(told), flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
