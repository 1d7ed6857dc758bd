"""Speed and memory of `triscribe batch` over a mixed folder, against a plain loop over the Python functions.

    python -m benchmarks.batch --recordings DIR --lines DIR --clips DIR            # speed, the median of 3
    python -m benchmarks.batch --recordings DIR --lines DIR --clips DIR --repeats 0 --memory 300,3000

Both run as processes of their own with the same number of threads in all, in turn, and read the same files
from beginning to end; the loop calls `transcribe` or `recognize` for each file and saves JSON. The first
command reads 300 recordings, 300 lines and 30 clips, in 2 to 4 minutes on two cores. `--memory` reads folders
of so many files, in the same shares and some of them several times, by links, and compares the memory of all
processes at its peak, in 2 minutes. Run them where nothing else runs.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

from pipelines.batch.engines.limits import memory_of

ROOT = Path(__file__).parents[1]
LOOP = """
import sys
from pathlib import Path
import torch
torch.set_num_threads(int(sys.argv[3]))
from pipelines import recognize, transcribe
from pipelines.reading.precision import precision_for
precision_for("auto", "cpu", measure=True)
for path in sorted(Path(sys.argv[1]).rglob("*.*")):
    target = Path(sys.argv[2], path.parent.name, path.name + ".json")
    target.parent.mkdir(parents=True, exist_ok=True)
    (transcribe if path.parent.name == "recordings" else recognize)(path).save(target)
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("recordings", "lines", "clips"):
        parser.add_argument(f"--{name}", type=Path, required=True, help=f"a folder of {name}")
    parser.add_argument("--counts", default="300,300,30", help="recordings, lines and clips")
    parser.add_argument("--workers", type=int, default=2, help="of the batch, and threads of the loop")
    parser.add_argument("--repeats", type=int, default=3, help="0 measures no speed")
    parser.add_argument("--memory", default="", help="numbers of files of two folders: 300,3000")
    given = parser.parse_args()
    counts = [int(count) for count in given.counts.split(",")]
    sources = {name: getattr(given, name) for name in ("recordings", "lines", "clips")}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "in")
        link(folder, sources, counts)
        runs = {
            "loop": lambda out: [sys.executable, "-c", LOOP, str(folder), out, str(given.workers)],
            "batch": lambda out: batch(folder, out, given.workers),
        }
        took: dict[str, list[tuple[float, float, float]]] = {name: [] for name in runs}
        for repeat in range(given.repeats):  # in turn, so that drifts of the machine affect both alike
            for name, command in runs.items():
                took[name].append(timed(command(str(Path(scratch, f"{name}{repeat}"))), given.workers))
                seconds, computing, peak = took[name][-1]
                load = os.getloadavg()[0]
                print(
                    f"{name:6}{seconds:8.1f} s {computing:8.1f} s of CPU {peak:6.2f} GB, load {load:.1f}",
                    flush=True,
                )
        if given.repeats:
            compare(took, sum(counts), given.workers)
        peaks = []
        for number, files in enumerate(map(int, filter(None, given.memory.split(",")))):
            folder = Path(scratch, f"memory{number}")
            shares = [round(files * count / sum(counts)) for count in counts]
            link(folder, sources, shares)
            out = str(Path(scratch, f"out{number}"))
            seconds, _, peak = timed(batch(folder, out, given.workers), given.workers)
            peaks.append(peak)
            print(f"{sum(shares)} files: {seconds:.1f} s, {peak:.3f} GB at the peak", flush=True)
        if peaks:
            print(f"more memory for more files: {1000 * (peaks[-1] - peaks[0]):+.0f} MB")


def compare(took: dict[str, list[tuple[float, float, float]]], files: int, threads: int) -> None:
    """Print the ratios of the medians."""
    loop, many = (statistics.median(each[0] for each in took[name]) for name in took)
    print(f"{files} files, {threads} threads: {loop:.1f} s / {many:.1f} s = {loop / many:.2f} x")
    loop, many = (statistics.median(each[1] for each in took[name]) for name in took)
    print(f"CPU seconds: {loop:.1f} / {many:.1f} = {loop / many:.2f} x")


def link(folder: Path, sources: dict[str, Path], counts: list[int]) -> None:
    """A folder of links to so many files of each source, some of them several times."""
    for (name, source), count in zip(sources.items(), counts, strict=True):
        (folder / name).mkdir(parents=True)
        files = sorted(
            path for path in source.rglob("*.*") if path.suffix not in (".md", ".csv", ".tsv", ".txt")
        )
        for number, path in enumerate(islice(cycle(files), count)):
            (folder / name / f"{number:05}{path.suffix}").symlink_to(path.resolve())


def batch(folder: Path, out: str, workers: int) -> list[str]:
    command = [sys.executable, "-m", "pipelines.commands.cli", "batch", str(folder), "-o", out, "--quiet"]
    return [*command, "--workers", str(workers), "--map", "lines/**=handwriting"]


def timed(command: list[str], threads: int) -> tuple[float, float, float]:
    """Seconds, CPU seconds, and gigabytes of all its processes at their peak."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    running = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": str(threads)})
    peak = 0.0
    while running.poll() is None:
        peak = max(peak, sum(map(memory_of, family(running.pid))))
        time.sleep(0.1)
    seconds = time.perf_counter() - started
    if running.returncode:
        sys.exit(f"{command[:4]} failed")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, peak


def family(process: int) -> list[int]:
    """A process and all that it started, with theirs."""
    found = [process]
    for each in found:
        try:
            found += map(int, Path(f"/proc/{each}/task/{each}/children").read_text().split())
        except OSError:
            continue
    return found


if __name__ == "__main__":
    main()
