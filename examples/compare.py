"""Prints, for every example, what was recognised beside what is really said, written or shown.

    python examples/compare.py demo

The folder holds the results of `make demo`; the true texts are the .txt files beside the examples.
Examples whose name begins with "hard-" are not counted: a bundled model got them wrong when they were chosen.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

import jiwer

HERE = Path(__file__).parent
WIDTH = 52  # characters of a cell


def is_hard(file: Path) -> bool:
    return file.stem.startswith("hard-")


def recognised(file: Path) -> str:
    """The text of a result, the label of a video, those of texts, or how many marks there are of each; empty
    if there is no result.
    """
    if not file.is_file():
        return ""
    beside = file.with_suffix(".json")
    content = json.loads(beside.read_text(encoding="utf-8")) if beside.is_file() else {}
    labels = [each["label"] for each in content.get("texts", [])]
    marks = Counter(each["label"] for each in content.get("marks", []))
    if marks:
        return ", ".join(f"{label} {count}" for label, count in sorted(marks.items()))
    return content.get("label") or " ".join(labels) or " ".join(file.read_text(encoding="utf-8").split())


def shortened(text: str) -> str:
    return text if len(text) <= WIDTH else text[: WIDTH - 3] + "..."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("results", type=Path, help="folder with the results, in a folder for each kind")
    results = parser.parse_args().results
    right = wrong = total = 0  # without the hard examples
    for kind in ("speech", "handwriting", "video", "pictures", "text", "signals"):
        print(f"\n{kind:16} wrong  {'recognised':{WIDTH}}  true")
        files = sorted(
            (HERE / kind).glob("*.txt"), key=lambda path: (path.stem.startswith("hard-"), path.stem)
        )
        for file in files:
            truth = " ".join(file.read_text(encoding="utf-8").split())
            text = recognised(results / kind / file.name)
            edits = jiwer.process_characters(truth, text)
            errors = edits.substitutions + edits.deletions + edits.insertions
            count = f"{errors}/{len(truth)}" if errors else "-"
            print(f"{file.stem:15}{count:>7}  {shortened(text):{WIDTH}}  {shortened(truth)}")
            if not is_hard(file):
                right, wrong, total = right + (errors == 0), wrong + errors, total + len(truth)
    print(f"\nhard- left out: {right} examples entirely right; {wrong} of {total} characters wrong")


if __name__ == "__main__":
    main()
