"""Error rates of validation lines with CTC alone, with a language model, and with a lexicon.

    python benchmarks/lexicon.py --data hooker-en --model handwriting-en --lexicon /usr/share/dict/words

`--lexicon training` takes the words of the training lines.
"""

from __future__ import annotations

import argparse
import re
import time
from itertools import product
from pathlib import Path

from pipelines.handwriting import HandwritingOptions, read_lines
from pipelines.model import load
from recipes.data.datasets import find_data, read_handwriting
from recipes.handwriting.recipe import line_image
from recipes.scoring.error_rates import error_rate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder, or a name below $TRISCRIBE_DATA/handwriting")
    parser.add_argument("--model", required=True, help="file or bundled name")
    parser.add_argument("--lexicon", required=True, help="training, or a file with a word in each line")
    parser.add_argument(
        "--cost", type=float, default=HandwritingOptions().lexicon_cost, help="of other words"
    )
    arguments = parser.parse_args()
    folder = Path(arguments.data)
    folder = folder if folder.exists() else find_data(None, f"handwriting/{arguments.data}")
    model, data = load(arguments.model), read_handwriting(folder)
    lexicon = arguments.lexicon
    if lexicon == "training":
        lexicon = sorted({word for item in data.split("train") for word in re.findall(r"\w+", item.target)})
    items = data.split("valid")
    given = [model.normalisation(item.target) for item in items]
    languages = (None, "own") if model.language else (None,)
    for language, words in product(languages, ((), lexicon)):
        options = HandwritingOptions(language_model=language, lexicon=words, lexicon_cost=arguments.cost)
        started = time.process_time()
        read = [model.normalisation(line.text) for line in read_lines(model, map(line_image, items), options)]
        seconds = time.process_time() - started
        cer, wer = (100 * error_rate(given, read, unit).value for unit in ("character", "word"))
        how = " + ".join(["CTC", *(["language model"] if language else []), *(["lexicon"] if words else [])])
        print(f"{how:30} CER {cer:5.2f} %  WER {wer:5.2f} %  {seconds:6.1f} s of CPU")


if __name__ == "__main__":
    main()
