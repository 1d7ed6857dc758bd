"""What a model gains from a few recordings of one voice: `--preset adapt` for each speaker of a test split.

    python benchmarks/voices.py --data an4 --load speech-en-an4 --folds 4 --out exp/voices

The recordings of each speaker are dealt out in folds. Each fold is scored by a model that has learnt on
from the other folds of this speaker, and by the model that it began with; the errors of all speakers are
counted together. Options of the recipe may follow.
"""

from __future__ import annotations

import argparse
import logging
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from pipelines.model import load
from recipes.asr.options import AsrOptions
from recipes.asr.recipe import Asr
from recipes.data.datasets import find_data, read_speech
from recipes.data.manifest import Item
from recipes.data.written_manifest import write_manifest
from recipes.learning.arguments import parse
from recipes.learning.reading_recipe import ReadingScores
from recipes.scoring.error_rates import Scored, evaluate


def main() -> None:
    """Train a model for each speaker and fold, and report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True, help="folder, or a name below $TRISCRIBE_DATA")
    parser.add_argument("--load", default="speech-en-an4", help="model to begin with (speech-en-an4)")
    parser.add_argument("--folds", type=int, default=4, help="of the recordings of a speaker")
    parser.add_argument("--out", type=Path, default=Path("exp/voices"), help="folder for models")
    given, further = parser.parse_known_args()
    folder = Path(given.data)
    found = read_speech(folder if folder.exists() else find_data(None, given.data))
    speakers: dict[str | None, list[Item]] = defaultdict(list)
    for item in found.items:
        if item.split == "test":
            speakers[item.group].append(item)
    before, after = Counted(), Counted()
    started = time.process_time()
    for speaker, items in speakers.items():
        for fold in range(given.folds):
            out = given.out / f"{speaker}-{fold}"
            out.mkdir(parents=True, exist_ok=True)
            kept = [replace(item, split="test") for item in items[fold :: given.folds]]
            paths = {item.path for item in kept}
            learnt = [replace(item, split=None) for item in items if item.path not in paths]
            data = write_manifest(out / "recordings.jsonl", learnt + kept)
            said = ["--data", str(data), "--out", str(out), "--load", given.load, "--preset", "adapt"]
            recipe = Asr(parse(AsrOptions, "asr", [*said, *further]))
            after.add(recipe.run())
            before.add(recipe.evaluated("test", load(given.load), kept))
        print(f"{speaker}: before {before}; after {after}", flush=True)
    models = len(speakers) * given.folds
    print(f"{(time.process_time() - started) / 60 / models:.1f} CPU minutes a model")


class Counted:
    """Recordings that several models have read, greedy and with their language models."""

    def __init__(self):
        self.read: dict[str, list[Scored]] = {"greedy": [], "language model": []}

    def add(self, scores: ReadingScores) -> None:
        self.read["greedy"].extend(scores.items)
        if scores.helped:
            self.read["language model"].extend(scores.helped.items)

    def __str__(self) -> str:
        rates = {name: evaluate("test", items) for name, items in self.read.items() if items}
        return ", ".join(f"{name} WER {rate.wer}, CER {rate.cer}" for name, rate in rates.items())


if __name__ == "__main__":
    logging.disable(logging.INFO)
    main()
