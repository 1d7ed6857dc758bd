"""What a handwriting model gains from few lines of a new hand: `--preset adapt` with 0, 50, 200, ... lines.

    python benchmarks/adapting.py --data hooker-en --load handwriting-fr --lines 50 200 --out exp/adapting

The first lines of the training split are learnt from, in their order, as somebody would correct them; 50
lines of the validation split choose the weights, and 200 of the test split are scored. Prints a table, and
draws the curve to `--picture`. Times have everything in them. Options of the recipe may follow.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

from pipelines.model import load
from recipes.data.datasets import find_data, read_handwriting
from recipes.data.written_manifest import write_manifest
from recipes.handwriting.options import HandwritingOptions
from recipes.handwriting.recipe import Handwriting
from recipes.learning.arguments import parse
from recipes.learning.reading_recipe import ReadingScores

VALID, TEST = 50, 200  # lines


def main(arguments: Sequence[str] | None = None) -> None:
    """Train with each number of lines, and report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True, help="folder, or a name below $TRISCRIBE_DATA/handwriting")
    parser.add_argument(
        "--load", default="handwriting-fr", help="model to begin with (default: handwriting-fr)"
    )
    parser.add_argument(
        "--lines", type=int, nargs="*", default=[50, 200], help="numbers of lines to learn from"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("exp/adapting"), help="folder for models and results"
    )
    parser.add_argument("--picture", type=Path, help="draw the curve to this file")
    given, further = parser.parse_known_args(arguments)
    splits: dict[str, list] = {"train": [], "valid": [], "test": []}
    folder = Path(given.data)
    folder = folder if folder.exists() else find_data(None, f"handwriting/{given.data}")
    for item in read_handwriting(folder).items:
        splits[item.split or "train"].append(item)
    held = splits["valid"][:VALID] + splits["test"][:TEST]
    given.out.mkdir(parents=True, exist_ok=True)
    rows = [before(given.load, splits["test"][:TEST], given.out)]
    for count in given.lines:
        out = given.out / str(count)
        out.mkdir(parents=True, exist_ok=True)
        data = write_manifest(out / "lines.jsonl", splits["train"][:count] + held)
        chosen = ["--data", str(data), "--out", str(out), "--load", given.load, "--preset", "adapt", *further]
        started = time.monotonic(), time.process_time()
        recipe = Handwriting(parse(HandwritingOptions, "handwriting", chosen))
        rows.append(row(count, recipe.run()))
        minutes = (time.monotonic() - started[0]) / 60, (time.process_time() - started[1]) / 60
        rows[-1] |= {
            "epochs": recipe.options.training.epochs,
            "minutes": [round(each, 1) for each in minutes],
        }
        (given.out / "results.json").write_text(json.dumps(rows, indent=1), encoding="utf-8")
    (given.out / "results.json").write_text(json.dumps(rows, indent=1), encoding="utf-8")
    print(table(rows))
    if given.picture:
        draw(rows, given.picture)


def before(name: str, items: list, out: Path) -> dict:
    """What the model reads without having seen a line of the hand."""
    model = load(name)
    options = HandwritingOptions(load=name, out=out)
    recipe = Handwriting(options)
    items, _ = recipe.prepared(items, options.normalisation(model.normalisation))
    return row(0, recipe.evaluated("test", model, items))


def row(count: int, found: ReadingScores) -> dict:
    """Plain numbers of one model: rates in percent, with their intervals."""
    rates = {"greedy": found.cer} | ({"language model": found.helped.cer} if found.helped else {})
    told = {
        name: [round(100 * value, 1) for value in (rate.value, rate.low, rate.high)]
        for name, rate in rates.items()
    }
    return {"lines": count, **told}


def table(rows: Sequence[dict]) -> str:
    """The rows as a table in Markdown."""
    lines = [
        "| lines | CER, greedy | CER, language model | epochs | minutes, CPU minutes |",
        "|---|---|---|---|---|",
    ]
    for each in rows:
        rates = (
            "{} % [{}, {}]".format(*each[name]) if name in each else "-"
            for name in ("greedy", "language model")
        )
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
    for name, colour in (("greedy", "tab:blue"), ("language model", "tab:orange")):
        had = [(place, each[name]) for place, each in zip(places, rows, strict=True) if name in each]
        if not had:
            continue
        x, values = [place for place, _ in had], [rate[0] for _, rate in had]
        reach = [[rate[0] - rate[1] for _, rate in had], [rate[2] - rate[0] for _, rate in had]]
        axes.errorbar(x, values, reach, marker="o", capsize=3, color=colour, label=name)
    axes.set_xticks(places, [str(each["lines"]) for each in rows])
    axes.set(xlabel="corrected lines", ylabel="character error rate, %", ylim=(0, None))
    axes.grid(axis="y", alpha=0.4)
    axes.legend()
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
