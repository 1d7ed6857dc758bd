"""Recall of words that occur in no training line, without and with hotwords.

    python benchmarks/hotwords.py --data hooker-en --model handwriting-en [--language-model own]

The words are those of at least four letters in the validation lines; as many words that occur once in the
training lines are added to the hotwords. An insertion is a word that a result has more often than its line.
"""

from __future__ import annotations

import argparse
import random
import re
from collections import Counter
from pathlib import Path

from pipelines.handwriting import HandwritingOptions, read_lines
from pipelines.model import load
from recipes.data.datasets import find_data, read_handwriting
from recipes.handwriting.recipe import line_image
from recipes.scoring.error_rates import error_rate

SHORTEST = 4  # letters


def words_of(text: str) -> list[str]:
    return [word for word in re.findall(r"\w+", text) if len(word) >= SHORTEST]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder, or a name below $TRISCRIBE_DATA/handwriting")
    parser.add_argument("--model", required=True, help="file or bundled name")
    parser.add_argument("--language-model", help="own, or a text file: read with a language model")
    parser.add_argument("--weight", type=float, default=1.0, help="of the hotwords")
    arguments = parser.parse_args()
    folder = Path(arguments.data)
    folder = folder if folder.exists() else find_data(None, f"handwriting/{arguments.data}")
    model, data = load(arguments.model), read_handwriting(folder)
    known = Counter(
        word for item in data.split("train") for word in words_of(model.normalisation(item.target))
    )
    items = data.split("valid")
    given = [model.normalisation(item.target) for item in items]
    there_are = Counter(word for text in given for word in words_of(text))
    letters = set(model.alphabet.symbols)
    new = sorted(word for word in there_are if word not in known and set(word) <= letters)
    once = sorted(word for word, count in known.items() if count == 1 and set(word) <= letters)
    hotwords = new + random.Random(0).sample(once, min(len(once), len(new)))
    print(f"{len(items)} lines, {len(new)} words that no training line has, {len(hotwords)} named")
    there = sum(there_are[word] for word in new)
    for named in ((), hotwords):
        options = HandwritingOptions(
            language_model=arguments.language_model, hotwords=named, hotword_weight=arguments.weight
        )
        lines = read_lines(model, map(line_image, items), options)
        read = [model.normalisation(line.text) for line in lines]
        pairs = [
            (Counter(words_of(text)), Counter(words_of(found)))
            for text, found in zip(given, read, strict=True)
        ]
        right = sum((text & found)[word] for text, found in pairs for word in new)
        wrong = sum((found - text)[word] for text, found in pairs for word in hotwords)
        rate = error_rate(given, read, "character").value
        how = "named" if named else "not named"
        print(f"{how:10} {right} of {there} found, {wrong} put wrongly, CER {rate:.1%}")


if __name__ == "__main__":
    main()
