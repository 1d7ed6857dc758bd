"""What a model gains from few examples of something new: `--preset adapt` with 0, 50, 200, ... of them.

    python benchmarks/adapting.py --data hooker-en --load handwriting-fr --lines 50 200 --out exp/adapting
    python benchmarks/adapting.py --recipe asr --data my-words --load speech-en-an4 --lines 10 50 --also an4
    python benchmarks/adapting.py --recipe action --data my-clips --load none --lines 3 5 10 --epochs 40
    python benchmarks/adapting.py --recipe action --data my-clips --load action-shapes --lines 3 5 10

Of handwriting, the first lines of the training split are learnt from, in their order, as somebody would
correct them; 50 lines of the validation split choose the weights, and 200 of the test split are scored. Of
recordings, those of each text come in turn, and a part of the few is held out to choose the weights; the test
split is scored, and that of `--also`. Of clips, so many of each class are learnt from, and all of the
validation and the test split are taken. Prints a table, and draws the curve to `--picture`. Times have
everything in them. Options of the recipe may follow.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

from pipelines.model import load
from recipes.action.options import ActionOptions
from recipes.action.recipe import Action
from recipes.action.scores import ActionScores
from recipes.asr.options import AsrOptions
from recipes.asr.recipe import Asr
from recipes.data.datasets import find_data, read_clips, read_handwriting, read_speech
from recipes.data.manifest import Item
from recipes.data.written_manifest import write_manifest
from recipes.handwriting.options import HandwritingOptions
from recipes.handwriting.recipe import Handwriting
from recipes.learning.arguments import parse
from recipes.learning.reading_recipe import ReadingScores

VALID, TEST = 50, 200  # lines
NEW = "none"  # instead of a model to load
RECIPES = {
    "handwriting": (Handwriting, HandwritingOptions, read_handwriting, "handwriting"),
    "asr": (Asr, AsrOptions, read_speech, "speech"),
    "action": (Action, ActionOptions, read_clips, "video"),
}
"""The recipe, its options, what reads its data, and the folder below $TRISCRIBE_DATA where it lies."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Train with each number of examples, and report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--recipe", choices=RECIPES, default="handwriting")
    parser.add_argument("--data", required=True, help="folder, or a name below $TRISCRIBE_DATA")
    parser.add_argument("--also", help="data of what the model knew before, whose test split is scored, too")
    parser.add_argument(
        "--load",
        default="handwriting-fr",
        help="model to begin with, or none, which trains new ones (default: handwriting-fr)",
    )
    parser.add_argument(
        "--lines", type=int, nargs="*", default=[50, 200], help="numbers of examples to learn from"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("exp/adapting"), help="folder for models and results"
    )
    parser.add_argument("--picture", type=Path, help="draw the curve to this file")
    given, further = parser.parse_known_args(arguments)
    kind, options, _, _ = RECIPES[given.recipe]
    splits = read(given.recipe, given.data)
    also = read(given.recipe, given.also)["test"] if given.also else []
    given.out.mkdir(parents=True, exist_ok=True)
    test = splits["test"][:TEST]
    rows = [] if given.recipe == "action" or given.load == NEW else [before(given, test, also)]
    for count in given.lines:
        out = given.out / str(count)
        out.mkdir(parents=True, exist_ok=True)
        data = write_manifest(out / "lines.jsonl", chosen(given.recipe, splits, count))
        base = [] if given.load == NEW else ["--load", given.load, "--preset", "adapt"]
        said = ["--data", str(data), "--out", str(out), *base, *further]
        started = time.monotonic(), time.process_time()
        recipe = kind(parse(options, given.recipe, said))
        rows.append(row(count, recipe.run()))
        minutes = (time.monotonic() - started[0]) / 60, (time.process_time() - started[1]) / 60
        rows[-1] |= {
            "epochs": recipe.options.training.epochs,
            "minutes": [round(each, 1) for each in minutes],
        }
        if also:
            model = str(out / f"{recipe.options.name}.safetensors")
            rows[-1]["before"] = row(0, scored(given, model, also))["greedy"]
        (given.out / "results.json").write_text(json.dumps(rows, indent=1), encoding="utf-8")
    (given.out / "results.json").write_text(json.dumps(rows, indent=1), encoding="utf-8")
    print(table(rows))
    if given.picture:
        draw(rows, given.picture)


def read(recipe: str, data: str) -> dict[str, list[Item]]:
    """The items of a data set by split."""
    folder = Path(data)
    if not folder.exists():
        folder = find_data(None, data if data == "an4" else f"{RECIPES[recipe][3]}/{data}")
    splits: dict[str, list[Item]] = {"train": [], "valid": [], "test": []}
    for item in RECIPES[recipe][2](folder).items:
        splits[item.split or "train"].append(item)
    return splits


def chosen(recipe: str, splits: dict[str, list[Item]], count: int) -> list[Item]:
    """What is learnt from, what chooses the weights if it is not held out of that, and what is scored."""
    if recipe == "handwriting":
        return splits["train"][:count] + splits["valid"][:VALID] + splits["test"][:TEST]
    by_target: dict[object, list[Item]] = defaultdict(list)
    for item in splits["train"]:
        by_target[item.target].append(item)
    if recipe == "action":
        few = [item for items in by_target.values() for item in items[:count]]
        return few + splits["valid"] + splits["test"]
    in_turn = [item for items in zip_longest(*by_target.values()) for item in items if item]
    return [replace(item, split=None) for item in in_turn[:count]] + splits["test"][:TEST]


def before(given: argparse.Namespace, items: list[Item], also: list[Item]) -> dict:
    """What the model reads without having seen an example."""
    found = row(0, scored(given, given.load, items))
    return found | ({"before": row(0, scored(given, given.load, also))["greedy"]} if also else {})


def scored(given: argparse.Namespace, name: str, items: Iterable[Item]) -> ReadingScores:
    """How a model reads items."""
    kind, options, _, _ = RECIPES[given.recipe]
    model = load(name)
    recipe = kind(
        parse(options, given.recipe, ["--load", name, "--out", str(given.out), "--preset", "adapt"])
    )
    items, _ = recipe.prepared(list(items), recipe.normalisation(model))
    return recipe.evaluated("test", model, items)


def row(count: int, found: ReadingScores | ActionScores) -> dict:
    """Plain numbers of one model: rates in percent, with their intervals."""
    if isinstance(found, ActionScores):
        rates = {"accuracy": found.accuracy}
    else:
        rates = {"greedy": found.cer} | ({"language model": found.helped.cer} if found.helped else {})
    told = {
        name: [round(100 * value, 1) for value in (rate.value, rate.low, rate.high)]
        for name, rate in rates.items()
    }
    return {"lines": count, **told}


def table(rows: Sequence[dict]) -> str:
    """The rows as a table in Markdown."""
    names = {
        "greedy": "CER, greedy",
        "language model": "CER, language model",
        "accuracy": "accuracy",
        "before": "CER on what it knew",
    }
    shown = [name for name in names if any(name in each for each in rows)]
    head = ["examples", *(names[name] for name in shown), "epochs", "minutes, CPU minutes"]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for each in rows:
        rates = ("{} % [{}, {}]".format(*each[name]) if name in each else "-" for name in shown)
        took = ", ".join(map(str, each.get("minutes", "-")))
        lines.append(f"| {each['lines']} | {' | '.join(rates)} | {each.get('epochs', '-')} | {took} |")
    return "\n".join(lines)


def draw(rows: Sequence[dict], path: Path) -> None:
    """The character error rate over the number of lines, with 95 % intervals."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 3.6), layout="constrained")
    places = range(len(rows))
    for name, colour in (("greedy", "tab:blue"), ("language model", "tab:orange"), ("accuracy", "tab:green")):
        had = [(place, each[name]) for place, each in zip(places, rows, strict=True) if name in each]
        if not had:
            continue
        x, values = [place for place, _ in had], [rate[0] for _, rate in had]
        reach = [[rate[0] - rate[1] for _, rate in had], [rate[2] - rate[0] for _, rate in had]]
        axes.errorbar(x, values, reach, marker="o", capsize=3, color=colour, label=name)
    axes.set_xticks(places, [str(each["lines"]) for each in rows])
    rate = "accuracy" if "accuracy" in rows[-1] else "character error rate"
    axes.set(xlabel="examples", ylabel=f"{rate}, %", ylim=(0, None))
    axes.grid(axis="y", alpha=0.4)
    axes.legend()
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
