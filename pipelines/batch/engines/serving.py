"""What a worker does: reads groups of units, and says of each when it begins and what it found."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.batch.engines.limits import PAGE
from pipelines.media.remote import is_remote, state_at
from pipelines.reading.precision import precision_for
from pipelines.tasks import TASKS, resolve

if TYPE_CHECKING:
    from pipelines.batch.units import Unit

BEGUN, FOUND, ENDED, BROKEN = "begun", "found", "ended", "broken"

SLOWEST = 2000.0  # bytes a second of recordings that are not opened to see how long they last


def prepare() -> None:
    """Import what readers need. No threads are left behind, which processes that are forked would lack."""
    import cv2
    import torch

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    for row in TASKS.values():
        resolve(row.reader)


def measure(many: bool) -> None:
    """Find out what precision to read in, once.

    Args:
        many: whether there is enough to read for measuring the faster one.
    """
    precision_for("auto", "cpu", measure=many)


def serve(connection: Connection, threads: int) -> None:
    """Read groups until the other end is closed.

    Groups are lists of units with their numbers. What is said of them: (BEGUN, number, seconds of media);
    (FOUND, number, place of the route taken, result or error, seconds); (ENDED,) after each group; and
    (BROKEN, cause, way out) if an error in a reader ends it.
    """
    import cv2
    import torch

    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            group = connection.recv()
            try:
                for message in read_group(group, connection.send):
                    connection.send(message)
            except (EOFError, BrokenPipeError, ConnectionResetError):
                raise
            except Exception as error:
                connection.send(broken(error))
                raise
            connection.send((ENDED,))


def read_group(
    group: list[tuple[int, Unit]], tell: Callable[[tuple], None] = lambda message: None
) -> Iterator[tuple]:
    """Tell which units of a group are begun, and yield what is found in each; see `serve`."""
    from pipelines.batch.units import read

    numbers = {id(unit): number for number, unit in group}
    since: dict[int, float] = {}  # units that are being read, and since when
    together = 1  # as many were read at once, and share the time

    def begun() -> Iterator[Unit]:
        nonlocal together
        for number, unit in group:
            since[number] = time.monotonic()
            together = len(since)
            tell((BEGUN, number, 0.0))
            tell((BEGUN, number, media_of(unit)))
            yield unit

    for unit, route, result, _ in read(begun()):
        number = numbers[id(unit)]
        seconds = (time.monotonic() - since.pop(number)) / together
        yield FOUND, number, unit.routes.index(route), result, seconds


def broken(error: Exception) -> tuple[str, str, str]:
    """What is said of an error in a reader."""
    cause = f"its reader failed ({type(error).__name__}: {error})"
    return BROKEN, cause, "convert the file or leave it out"


def media_of(unit: Unit) -> float:
    """Seconds that a unit lasts by its own account, or that it counts for; see `Limits`."""
    if unit.kind not in ("recording", "video"):
        return PAGE
    path = str(unit.source)
    if is_remote(path):
        return max(PAGE, (state_at(Path(path)) or [0])[0] / SLOWEST)
    if not os.path.isfile(path):  # FFmpeg would wait for a writer of a pipe
        return PAGE
    import av

    with contextlib.suppress(av.FFmpegError, EOFError, OSError, ValueError):
        options = {"protocol_whitelist": "file"}
        with av.open(path, metadata_errors="ignore", options=options) as container:
            return max(PAGE, (container.duration or 0) / av.time_base)
    return PAGE
