"""The machines of a Ray cluster: actors that hold the models read groups of units.

Nothing here waits for another machine without a limit: one may vanish at any moment. An actor that has ended
is never restarted by Ray but replaced by a new one, which is given something to read once it has answered.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING

from pipelines.batch.engines.groups import Numbered
from pipelines.batch.engines.limits import Limits, memory_of
from pipelines.batch.engines.pool import WATCH, Answer, Pool, Reader
from pipelines.batch.engines.prober import too_much
from pipelines.batch.engines.serving import BROKEN, ENDED, broken, measure, prepare, read_group
from pipelines.batch.engines.workers import cores
from pipelines.batch.units import read
from pipelines.errors import ModelError
from pipelines.reading import precision

if TYPE_CHECKING:
    from pipelines.batch.units import Unit

PATIENCE = 300.0  # seconds in which a machine must be found that answers, when none does
FETCHING = 60.0  # seconds for a message whose arrival was announced
WAY_OUT = "install the same triscribe on every machine of the cluster, and look at `ray status`"
REACHING = 10.0  # seconds in which a cluster must answer
ADDRESS = "give --address HOST:PORT as `ray start --head` printed it"
USAGE = "RAY_USAGE_STATS_ENABLED"


class Cluster:
    """An engine of Ray actors. Sources and models are paths that every machine has by the same name.

    A machine that is lost costs nothing but time: what its actors had not finished is read by others. A unit
    that two actors end with, the second of which had it alone, has failed.

    Args:
        address: of the cluster; None is the one that `RAY_ADDRESS` names, or else a new one on this machine.
        count: of actors; 0 is one for every `threads` CPUs of the cluster.
        threads: of each actor.
        limits: on the reading of a file.

    Raises:
        ValueError: Ray is missing, or a number is out of range.
    """

    def __init__(
        self, address: str | None = None, count: int = 0, threads: int = 1, limits: Limits | None = None
    ):
        if find_spec("ray") is None:
            raise ValueError("--engine ray needs Ray: pip install 'triscribe[ray]'")
        if count < 0 or threads < 1:
            raise ValueError(f"workers must be 0 or more and threads at least 1, not {count} and {threads}")
        if address and address.startswith("ray://"):
            raise ValueError("--address must be HOST:PORT or auto: run this on a machine of the cluster")
        self.address, self.count, self.threads = address, count, threads
        self.limits = limits or Limits()

    def __call__(self, units: Sequence[Unit]) -> Iterator[Answer]:
        """Read units; see the contract of engines.

        Raises:
            ModelError: the cluster cannot be reached, or does not do anything.
        """
        remote = [unit for unit in units if isinstance(unit.source, (str, os.PathLike))]
        if remote:
            with _connected(self.address, self.count):
                import ray

                cpus = ray.cluster_resources().get("CPU", 1.0)
                count = min(self.count or max(1, int(cpus // self.threads)), len(remote))
                share = min(float(self.threads), cpus / count)
                crew = _Actors(count, share, self.threads, len(remote) >= precision.MANY, self.limits)
                pool = Pool(remote, crew, count, self.limits, float("inf"))
                try:
                    yield from pool.found()
                except ray.exceptions.RayError as error:
                    said = next(iter(str(error).splitlines()), type(error).__name__)
                    raise ModelError("the Ray cluster", f"is lost ({said})", WAY_OUT) from error
                finally:
                    pool.close()
        yield from read(unit for unit in units if not isinstance(unit.source, (str, os.PathLike)))


@contextlib.contextmanager
def _connected(address: str | None, count: int) -> Iterator[None]:
    """Within it, Ray is there; the environment and the handlers of signals are as before."""
    import ray

    if ray.is_initialized():
        yield
        return
    options = {"log_to_driver": False, "logging_level": "error"}
    address = address or os.environ.get("RAY_ADDRESS")
    if not address:  # Ray would look for one that runs here
        options |= {"num_cpus": count or cores(), "include_dashboard": False}
        address = "local"
    _reach(address)
    usage, in_main = os.environ.get(USAGE), threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGTERM)
    os.environ[USAGE] = "0"
    try:
        ray.init(address, **options)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        said = next(iter(str(error).splitlines()), type(error).__name__).strip()
        raise ModelError(address, f"no Ray cluster can be used there ({said})", ADDRESS) from error
    finally:
        os.environ.pop(USAGE)
        if usage is not None:
            os.environ[USAGE] = usage
        if in_main:
            signal.signal(signal.SIGTERM, handler)
    try:
        yield
    finally:
        ray.shutdown()


def _reach(address: str) -> None:
    """Ray itself would wait for minutes.

    Raises:
        ModelError: nothing answers at HOST:PORT.
    """
    host, _, port = address.rpartition(":")
    if not (host and port.isdecimal()):
        return
    try:
        with socket.create_connection((host.strip("[]"), int(port)), REACHING):
            pass
    except (OSError, OverflowError) as error:
        raise ModelError(address, f"no Ray cluster answers there ({error})", ADDRESS) from error


class Actor:
    """What an actor does. The thread that reads is not the one that speaks, which watches its memory.

    Args:
        threads: of its computing.
        many: whether there is enough to read for measuring the faster precision.
        limits: on memory.
        folder: from which relative paths are meant.
        chosen: what `auto` means, as the first process measured it, and as its environment says.
    """

    def __init__(self, threads: int, many: bool, limits: Limits, folder: str, chosen: tuple[dict, str]):
        self.most = limits.gigabytes(max(1, (os.cpu_count() or 1) // threads))
        self.has_folder = os.path.isdir(folder)
        if self.has_folder:
            os.chdir(folder)
        precision.adopt(*chosen)
        prepare()
        measure(many)
        self._thread = ThreadPoolExecutor(1, initializer=_use_threads, initargs=(threads,))

    def ping(self) -> bool:
        """Answer; whether this machine has the folder."""
        return self.has_folder

    def read(self, group: list[Numbered]) -> Iterator[list[tuple]]:
        """Messages on a group, see `serving.serve`, as many at once as there are."""
        said: queue.SimpleQueue = queue.SimpleQueue()
        self._thread.submit(_read, group, said.put)
        ended = False
        while not ended:
            messages = []
            with contextlib.suppress(queue.Empty):
                messages.append(said.get(timeout=WATCH))
                while True:
                    messages.append(said.get_nowait())
            ended = bool(messages) and messages[-1][0] in (ENDED, BROKEN)
            if not ended and memory_of(os.getpid()) > self.most:
                messages.append((BROKEN, *too_much(self.most)))
                ended = True
            if messages:
                yield messages


def _use_threads(count: int) -> None:
    import cv2
    import torch

    torch.set_num_threads(count)
    cv2.setNumThreads(count)


def _read(group: list[Numbered], tell) -> None:
    try:
        for message in read_group(group, tell):
            tell(message)
    except Exception as error:
        tell(broken(error))
    else:
        tell((ENDED,))


@dataclass(eq=False)
class _Hand:
    """An actor as it is known here.

    Attributes:
        ping: reference to its first answer.
        streams: of messages, for each of the groups that it was given.
        error: with which it ended.
    """

    actor: object
    ping: object
    streams: deque = field(default_factory=deque)
    error: Exception | None = None


class _Actors:
    """The actors of a run, as its `Crew`."""

    trials = 2
    reason = "actors end before they begin", WAY_OUT

    def __init__(self, count: int, share: float, threads: int, many: bool, limits: Limits):
        import ray

        self._ray, self.vain = ray, 3 * count
        precision.precision_for("auto", "cpu", measure=many)
        self._given = threads, many, limits, os.getcwd(), precision.chosen()
        options = {"num_cpus": share, "max_restarts": 0, "scheduling_strategy": "SPREAD"}
        self._kind = ray.remote(Actor).options(**options)
        self._readers: list[Reader] = []
        self._answered = time.monotonic()  # when there was an actor that can be given something

    def hire(self) -> Reader:
        actor = self._kind.remote(*self._given)
        self._readers.append(Reader(_Hand(actor, actor.ping.remote()), ready=False))
        return self._readers[-1]

    def send(self, reader: Reader, group: list[Numbered]) -> None:
        hand = reader.handle
        try:
            hand.streams.append(hand.actor.read.options(num_returns="streaming").remote(group))
        except self._ray.exceptions.RayError as error:
            hand.error = error

    def hear(self, readers: Sequence[Reader], seconds: float) -> Iterator[tuple[Reader, list[tuple] | None]]:
        self._look_for_any(readers)
        waited = {}
        for reader in list(readers):
            hand = reader.handle
            if hand.error:
                yield reader, None
            elif not reader.ready:
                waited[hand.ping] = reader
            elif hand.streams:
                waited[hand.streams[0]] = reader
        if not waited:
            time.sleep(seconds)
            return
        first, _ = self._ray.wait(list(waited), timeout=seconds)
        if first:
            for each in self._ray.wait(list(waited), num_returns=len(waited), timeout=0)[0]:
                yield waited[each], self._said(waited[each])

    def _look_for_any(self, readers: Sequence[Reader]) -> None:
        now = time.monotonic()
        if any(reader.ready for reader in readers):
            self._answered = now
        elif now - self._answered > PATIENCE:
            cause = f"no machine of the Ray cluster has answered for {PATIENCE:.0f} s"
            raise ModelError("triscribe", cause, WAY_OUT)

    def _said(self, reader: Reader) -> list[tuple] | None:
        """What is there from an actor; None if it has ended."""
        hand = reader.handle
        try:
            if not reader.ready:
                if not self._ray.get(hand.ping, timeout=FETCHING):
                    cause = f"is not there on every machine of the cluster: {os.getcwd()}"
                    raise ModelError("the current folder", cause, "run this in one that is, as on NFS")
                reader.ready = True
                return []
            return self._ray.get(next(hand.streams[0]), timeout=FETCHING)
        except StopIteration:
            hand.streams.popleft()
            return []
        except self._ray.exceptions.RayError as error:
            hand.error = error
            return None

    def memory(self, reader: Reader) -> float:
        return 0.0  # each watches its own

    def end(self, reader: Reader) -> None:
        with contextlib.suppress(self._ray.exceptions.RayError, ValueError):
            self._ray.kill(reader.handle.actor)

    def dismiss(self, reader: Reader) -> tuple[str, str]:
        self._readers.remove(reader)
        self.end(reader)
        return _ending(reader.handle.error)

    def close(self) -> None:
        for reader in self._readers:
            self.end(reader)


def _ending(error: Exception | None) -> tuple[str, str]:
    """Why an actor ended: cause and way out."""
    said = str(error)
    if "node" in said and ("died" in said or "dead" in said) and "node has died" in said:
        return "its machine was lost", "try again with --retry-failed"
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    known = [line for line in lines if "Error:" in line]
    what = (known or lines or ["without a word"])[-1 if known else 0]
    return f"its reader ended its process: {what}", "convert the file or leave it out"
