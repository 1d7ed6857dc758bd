"""Hostile input of all kinds: each gives a result or one of our errors, in bounded time and memory.

    python -m benchmarks.hostile --count 4000 --seed 1 [--only data]

The files are made here, from whole ones that are made here too (models are the bundled ones): bits flipped,
cut off, pieces swapped, doubled or zeroed, absurd numbers, lines and cells of lists lost or senseless, values
of JSON and of model headers replaced, weights renamed or not finite; outputs go to odd names, to full disks
and where something else stands. Each is tried in a child process with limits of processor time and memory.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from functools import partial
from importlib import import_module
from pathlib import Path

from benchmarks.hostile.corpus import all_subjects, corpus
from benchmarks.hostile.limits import OUTCOMES, bounded_outcome, outcome
from benchmarks.hostile.subjects import write


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=4000, help="number of hostile inputs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="beginning of the kinds to try, such as model")
    parser.add_argument("--keep", type=Path, help="folder for the files of what went wrong")
    options = parser.parse_args()
    import_module("torch")  # which some files need, and which takes more address space than any of them may
    subjects = [each for each in all_subjects() if each.group.startswith(options.only)]
    table: dict[str, Counter] = {}
    for subject in subjects:  # imports everything, and shows that whole files are read
        with tempfile.TemporaryDirectory() as folder:
            write(subject.files, Path(folder))
            found = outcome(partial(subject.read, Path(folder)))
            if found[0] != "result" and not subject.group.startswith(
                ("outputs", "option: preset", "option: texts")
            ):
                print(f"undamaged: {subject.group}: {found}")
    for number, (subject, files) in enumerate(corpus(options.count, options.seed, subjects)):
        with tempfile.TemporaryDirectory() as folder:
            write(files, Path(folder))
            found, why = bounded_outcome(partial(subject.read, Path(folder)))
        table.setdefault(subject.group, Counter())[found] += 1
        if found not in OUTCOMES[:2]:
            print(f"{number:05} {subject.group} {subject.name}: {found} {why}", flush=True)
            if options.keep:
                write(files, options.keep / f"{number:05}")
    print(f"\n{'kind':30}" + "".join(f"{each:>19}" for each in OUTCOMES))
    table["all"] = sum(table.values(), Counter())
    for name, counts in table.items():
        print(f"{name:30}" + "".join(f"{counts[each]:19}" for each in OUTCOMES))


if __name__ == "__main__":
    main()
