"""Runs of `triscribe batch` killed at random moments: what a rerun leaves is what an undisturbed run leaves.

    python benchmarks/kills.py [--files 300] [--kills 50] [--within SECONDS] [--seed 0] [--workers N]

The folder holds copies of the recordings, lines of handwriting and clips in `examples/`. A run is killed by
SIGKILL after a random time of up to `--within` seconds, and started again, until one ends by itself; then its
tree is compared with that of the undisturbed run, byte by byte but for times, and the next series begins in
an empty folder.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
JOURNAL = ".triscribe.jsonl"
TIMES = re.compile(rb'("seconds": |"time": |"when": )("[^"]*"|[0-9.e-]+)|<(Created|LastChange)>[^<]*<')


def fill(folder: Path, files: int) -> None:
    """Two thirds recordings, most of the rest lines of handwriting, some clips."""
    spoken = sorted(p for p in (EXAMPLES / "speech").iterdir() if p.suffix in (".wav", ".flac", ".ogg"))
    lines = sorted((EXAMPLES / "handwriting").glob("*-fr.jpg"), key=lambda path: path.stat().st_size)[:3]
    clips = sorted((EXAMPLES / "video").glob("*.mp4"))
    shares = ((spoken, "talks", 2 * files // 3), (clips, "clips", files // 30))
    shares += ((lines, "lines", files - sum(count for *_, count in shares)),)
    for sources, name, count in shares:
        (folder / name).mkdir(parents=True)
        for number, source in enumerate(islice(cycle(sources), count)):
            shutil.copy(source, folder / name / f"{number:03}{source.suffix}")


def start(folder: Path, out: Path, workers: int) -> subprocess.Popen:
    command = [
        sys.executable,
        "-m",
        "pipelines.commands.cli",
        "batch",
        str(folder),
        "-o",
        str(out),
        "--quiet",
    ]
    command += ["--format", "txt,srt,page", "--workers", str(workers)]
    return subprocess.Popen(command, cwd=ROOT)


def tree(out: Path) -> dict[str, object]:
    """What a folder holds, without times: contents of files; of the journal, the last word on each input."""
    found: dict[str, object] = {}
    for path in sorted(out.rglob("*")):
        if path.name == JOURNAL:
            last = {}
            for line in path.read_text("ascii").splitlines():
                try:
                    entry = json.loads(line)
                except ValueError:  # half a line of a run that was killed
                    continue
                if "status" in entry:
                    entry = {name: each for name, each in entry.items() if name not in ("time", "seconds")}
                    entry["digests"] = sorted(entry["digests"])
                    last[entry["source"], entry["part"]] = entry
            found[JOURNAL] = sorted(last.items(), key=repr)
        elif (
            path.name == "items.jsonl"
        ):  # what the page shows, kept by times of change: a line each, in any order
            lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
            found[str(path.relative_to(out))] = sorted({json.dumps(line["item"]) for line in lines})
        elif path.name == "results.csv":
            with open(path, newline="", encoding="utf-8") as file:
                rows = [{**row, "seconds": ""} for row in csv.DictReader(file)]
            found[path.name] = rows
        elif path.is_file():
            found[path.relative_to(out).as_posix()] = TIMES.sub(b"", path.read_bytes())
    return found


def compare(out: Path, expected: dict[str, object], reference: Path) -> list[str]:
    """Names of what differs from the undisturbed run's."""
    seen = tree(out)
    here, there = str(out).encode(), str(reference).encode()
    differing = []
    for name in sorted(seen.keys() | expected.keys()):
        one, other = seen.get(name), expected.get(name)
        if isinstance(one, bytes) and isinstance(other, bytes):
            one, other = one.replace(here, b""), other.replace(there, b"")
        else:
            one, other = repr(one).replace(str(out), ""), repr(other).replace(str(reference), "")
        if one != other:
            differing.append(name)
    return differing


def series(
    folder: Path, out: Path, workers: int, kills: int, longest: float, draw: random.Random
) -> tuple[int, int]:
    """Kill runs until one ends by itself, or so many were killed; gives their number and the exit code."""
    killed = 0
    while True:
        running = start(folder, out, workers)
        if killed < kills:
            try:
                return killed, running.wait(draw.uniform(0.0, longest))
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()
                killed += 1
        else:
            return killed, running.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--within", type=float, help="seconds; default: of an undisturbed run")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    draw, killed, trees, wrong = random.Random(given.seed), 0, 0, 0
    with tempfile.TemporaryDirectory() as scratch:
        folder, reference = Path(scratch, "in"), Path(scratch, "undisturbed", "out")
        fill(folder, given.files)
        started = time.perf_counter()
        if start(folder, reference, given.workers).wait():
            print("the undisturbed run failed")
            return 1
        longest = time.perf_counter() - started
        expected = tree(reference)
        within = given.within or longest
        print(f"undisturbed: {given.files} files, {longest:.1f} s, {len(expected)} files written", flush=True)
        while killed < given.kills:
            out = Path(scratch, str(trees), "out")
            count, code = series(folder, out, given.workers, given.kills - killed, within, draw)
            killed, trees = killed + count, trees + 1
            differing = compare(out, expected, reference)
            wrong += bool(differing or code)
            said = f"exit code {code}, {len(differing)} files differ {differing[:5]}"
            print(f"{count} kills, then: {said}", flush=True)
            shutil.rmtree(out)
    print(f"{killed} kills in {trees} series: {trees - wrong} trees identical, {wrong} not")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
