"""Line images per second of `recognize`, compared with Tesseract and kraken on the same lines.

    python benchmarks/handwriting.py --data hooker-en [--model M] [--kraken VENV/bin/python] [--lines N]

For triscribe the whole path is timed: opening files, preparation, network, greedy decoding or the search with
the model's own language model, and results. Tesseract (`tesseract` on the path, one process for all lines,
`--psm 13`) opens files too. Of kraken, only the forward pass of its default network is timed, untrained and
on lines in memory, which flatters it. All run in turn, so that drifts of the machine affect all alike.
Accuracy is not compared.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from pipelines.reading.batches import model_for
from pipelines.reading.settings import OWN
from pipelines.recognition import recognize
from recipes.data.datasets import find_data, read_handwriting

REPEATS = 3
KRAKEN = """
import sys, time, numpy, torch
from PIL import Image
from kraken.lib import vgsl
torch.set_num_threads(int(sys.argv[1]))
spec = ("[1,120,0,1 Cr3,13,32 Do0.1,2 Mp2,2 Cr3,13,32 Do0.1,2 Mp2,2 Cr3,9,64 Do0.1,2 Mp2,2 Cr3,9,64 Do0.1,2 "
        "S1(1x0)1,3 Lbx200 Do0.1,2 Lbx200 Do0.1,2 Lbx200 Do O1c85]")
network = vgsl.TorchVGSLModel(vgsl=spec).eval()
lines = []
for path in open(sys.argv[2]).read().split("\\n"):
    image = Image.open(path).convert("L")
    image = image.resize((max(1, round(image.width * 120 / image.height)), 120))
    lines.append(torch.from_numpy(numpy.asarray(image)).float()[None, None] / 255)
with torch.inference_mode():
    network(lines[0])
    started = time.perf_counter()
    for line in lines:
        network(line)
print(time.perf_counter() - started)
"""


def ours(paths: list[Path], model, threads: int, **options) -> float:
    torch.set_num_threads(threads)
    started = time.perf_counter()
    count = sum(1 for _ in recognize(paths, model, layout="line", **options))
    assert count == len(paths)
    return time.perf_counter() - started


def tesseract(listing: Path, threads: int) -> float:
    command = ["tesseract", str(listing), os.devnull, "--psm", "13", "-l", "eng"]
    started = time.perf_counter()
    subprocess.run(
        command, env=os.environ | {"OMP_THREAD_LIMIT": str(threads)}, check=True, capture_output=True
    )
    return time.perf_counter() - started


def kraken(python: str, listing: Path, threads: int) -> float:
    command = [python, "-c", KRAKEN, str(threads), str(listing)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", default="hooker-en", help="folder, or a name below $TRISCRIBE_DATA/handwriting"
    )
    parser.add_argument("--model", help="file or bundled name; else the default for handwriting")
    parser.add_argument("--kraken", help="python of a virtual environment with kraken")
    parser.add_argument("--lines", type=int, default=200, help="of the test split")
    arguments = parser.parse_args()
    folder = Path(arguments.data)
    folder = folder if folder.exists() else find_data(None, f"handwriting/{arguments.data}")
    paths = [item.path for item in read_handwriting(folder).split("test")][: arguments.lines]
    model = model_for("handwriting", arguments.model)
    with tempfile.TemporaryDirectory() as scratch:
        listing = Path(scratch, "lines.txt")
        listing.write_text("\n".join(map(str, paths)))
        cases: dict[str, Callable[[int], float]] = {
            "triscribe, batches of 16": lambda threads: ours(paths, model, threads, batch_size=16),
            "triscribe, one by one": lambda threads: ours(paths, model, threads, batch_size=1),
        }
        if model.language:
            cases["triscribe, language model"] = lambda threads: ours(
                paths, model, threads, language_model=OWN
            )
        if shutil.which("tesseract"):
            cases["Tesseract"] = lambda threads: tesseract(listing, threads)
        if arguments.kraken:
            cases["kraken, forward only"] = lambda threads: kraken(arguments.kraken, listing, threads)
        rates: dict[tuple[str, int], list[float]] = {}
        for _ in range(REPEATS):
            for name, run in cases.items():
                for threads in (1, 2):
                    rates.setdefault((name, threads), []).append(len(paths) / run(threads))
    best = next(iter(cases))
    print(f"lines a second, {len(paths)} lines, median of {REPEATS}: {model.name}, torch {torch.__version__}")
    print(f"{'':28}{'1 thread':>10}{'2 threads':>11}{'ours is':>18}")
    for name in cases:
        one, two = (statistics.median(rates[name, threads]) for threads in (1, 2))
        ours_one, ours_two = (statistics.median(rates[best, threads]) for threads in (1, 2))
        print(f"{name:28}{one:10.1f}{two:11.1f}{f'{ours_one / one:.1f} x, {ours_two / two:.1f} x':>18}")


if __name__ == "__main__":
    main()
