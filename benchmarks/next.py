"""What it is worth to choose the lines that are corrected: those that `triscribe next` names, or any.

    python benchmarks/next.py --data hooker-en [--model M] [--pool 1000] [--lines 100] [--options ...]

The model reads a pool of training lines that it has never seen. Of these, as many as --lines are corrected
(given their true texts), once those that `next_to_correct` names and once drawn by lot. From both the model
learns on by `--preset adapt`, everything else being equal, and reads the same test lines, without language
model. Seeds are those of training and of the lot. What is finished lies in --out, and is not done again.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from dataclasses import replace
from pathlib import Path

import torch

from pipelines.batch.journal import Journal
from pipelines.batch.plan import Job
from pipelines.recognition import recognize
from pipelines.teaching_order import next_to_correct
from recipes.data.datasets import Item, find_data, read_handwriting
from recipes.data.written_manifest import write_manifest
from recipes.handwriting.__main__ import OPTIONS, recipe
from recipes.learning.arguments import parse

KINDS = "next", "random"
TOLD = "{kind:<7} seed {seed}  CER {cer:.2f} %  {characters} characters  {minutes:.1f} min"


def read_pool(pool: list[Item], model: str, out: Path) -> None:
    """What the model reads in the lines of a pool, as a run over a folder leaves it."""
    journal = Journal(out)
    paths = [item.path for item in pool]
    for item, page in zip(pool, recognize(paths, model, layout="line"), strict=True):
        path = page.save(out / f"{item.path.stem}.json")
        journal.add(Job(item.path, (path,)), model, None, task="handwriting")


def chosen(kind: str, pool: list[Item], out: Path, count: int, seed: int) -> list[Item]:
    """The lines that are corrected."""
    if kind == "random":
        return random.Random(seed).sample(pool, count)
    by_path = {item.path: item for item in pool}
    return [by_path[lesson.source] for lesson in next_to_correct(out, count)]


def learnt(lines: list[Item], fixed: list[Item], out: Path, args: argparse.Namespace, seed: int) -> dict:
    """Scores before and after learning from lines."""
    started = time.perf_counter()
    items = [replace(item, split="train") for item in lines] + fixed
    manifest = write_manifest(out / "data" / "manifest.jsonl", items)
    given = ["--data", str(manifest.parent), "--load", args.model, "--preset", "adapt", "--out", str(out)]
    options = parse(
        OPTIONS, "handwriting", [*given, "--seed", str(seed), "--threads", str(args.threads), *args.options]
    )
    teaching = recipe(options)
    found = teaching.run()
    return {
        "cer": 100 * found.cer.value,
        "characters": sum(len(item.target) for item in lines),
        "minutes": (time.perf_counter() - started) / 60,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True, help="folder or name of the data set")
    parser.add_argument("--model", default="handwriting-fr")
    parser.add_argument("--pool", type=int, default=1000, help="lines that may be chosen")
    parser.add_argument("--lines", type=int, default=100, help="lines that are corrected")
    parser.add_argument("--valid", type=int, default=40, help="validation lines, the same in all runs")
    parser.add_argument("--test", type=int, default=200, help="test lines")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("exp/next"))
    parser.add_argument("--options", nargs=argparse.REMAINDER, default=[], help="for the recipe")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    data = read_handwriting(find_data(Path(args.data), "handwriting"))
    fixed = [*data.split("valid")[: args.valid], *data.split("test")[: args.test]]
    pool = random.Random(0).sample(data.split("train"), args.pool)
    read = args.out / "pool"
    if not (read / "done").exists():
        read_pool(pool, args.model, read)
        (read / "done").touch()
    rows = []
    for seed in range(1, args.seeds + 1):
        for kind in KINDS:
            path = args.out / f"{kind}-{seed}.json"
            if not path.exists():
                lines = chosen(kind, pool, read, args.lines, seed)
                row = learnt(lines, fixed, args.out / f"{kind}-{seed}", args, seed)
                path.write_text(json.dumps({"kind": kind, "seed": seed, **row}))
            rows.append(json.loads(path.read_text()))
            print(TOLD.format(**rows[-1]), flush=True)
    means = [statistics.mean(row["cer"] for row in rows if row["kind"] == kind) for kind in KINDS]
    told = ", ".join(f"{kind} {mean:.2f} %" for kind, mean in zip(KINDS, means, strict=True))
    print(f"mean CER: {told}; ratio {means[0] / means[1]:.3f}")


if __name__ == "__main__":
    main()
