"""Error rates with n-grams, with an LSTM language model, and with both, each at its best weight.

    python benchmarks/fusion.py --data hooker-en --model handwriting-en --language-model lm.safetensors

The weight of each is chosen on validation items, and the test items are read once with it. A recogniser
without n-grams is given some, counted on the texts of its training items. The network runs once for all.

With `--texts DIR` it only writes the texts of the training and validation items there, a line each.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import torch

from decoders.ctc import WIDER, WIDER_KNOWN, greedy
from decoders.language.fusion import Fusion
from decoders.language.profile import KNESER_NEY, Language
from decoders.search.prefix_beam import PrefixBeam
from pipelines.model import load
from pipelines.reading.batches import log_probabilities
from pipelines.reading.language import fusion
from pipelines.reading.settings import SearchOptions
from pipelines.tasks import TASKS, resolve
from recipes.data.downloads import find_data
from recipes.learning.evaluation import as_trained
from recipes.scoring.error_rates import error_rate

WEIGHTS = (0.2, 0.35, 0.5, 0.7, 0.9)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder, or a name below $TRISCRIBE_DATA")
    parser.add_argument("--model", required=True, help="recogniser with a CTC decoder: file or bundled name")
    parser.add_argument("--language-model", help="made by triscribe train language")
    parser.add_argument("--texts", type=Path, help="folder that only the texts to train it on are written to")
    parser.add_argument("--items", type=int, default=200, help="of the validation and of the test split")
    parser.add_argument("--kept", type=Path, help="file that keeps what the network says from run to run")
    arguments = parser.parse_args()
    model = load(arguments.model)
    folder = Path(arguments.data)
    given = folder if folder.exists() else find_data(None, arguments.data)
    options_of, recipe_of = (
        resolve(f"{TASKS[model.task].recipe}.__main__:{name}") for name in ("OPTIONS", "recipe")
    )
    recipe = recipe_of(as_trained(options_of(data=(given,), layout=None), model))
    splits, _ = recipe.read_splits(recipe.manifests(), model.normalisation)
    if arguments.texts:
        arguments.texts.mkdir(parents=True, exist_ok=True)
        for name in ("train", "valid"):
            lines = [f"{item.target}\n" for item in splits[name] if item.target]
            (arguments.texts / f"{name}.txt").write_text("".join(lines), encoding="utf-8")
        return
    heard = _heard(recipe, model, splits, arguments)
    own = model.language
    if own is None:
        texts = [item.target for item in splits["train"]]
        own = Language.of(model.alphabet, model.encode, texts, smoothing=KNESER_NEY)
    for name, fused in _cases(model, own, arguments.language_model).items():
        rates = {
            weight: _rate(model, heard["valid"], fused, weight) for weight in (WEIGHTS if fused else [0])
        }
        best = min(rates, key=lambda weight: rates[weight][0].value)
        print(
            f"{name:22} valid " + "  ".join(f"{w:g}: {r[0].value:.2%}" for w, r in rates.items()), flush=True
        )
        characters, words, seconds = _rate(model, heard["test"], fused, best)
        print(f"{name:22} test  CER {characters}  WER {words}  {1000 * seconds:.0f} ms an item", flush=True)


def _cases(model, own: Language, path: str) -> dict[str, Fusion | None]:
    """What is fused, by name."""
    found: dict[str, Fusion | None] = {"nothing": None}
    for name, language, file in (("n-grams", own, "own"), ("LSTM", None, path), ("both", own, path)):
        model.language = language
        found[name] = fusion(model, SearchOptions(language_model=file))
    if own.words:
        found["n-grams, no words"] = replace(found["n-grams"], lexicon=None)
        for name in ("LSTM", "both"):
            found[f"{name}, words"] = replace(found[name], lexicon=found["n-grams"].lexicon)
    return found


def _rate(model, items, fused: Fusion | None, weight: float):
    """CER, WER and seconds an item."""
    began, read = time.perf_counter(), []
    if fused:
        width = SearchOptions().width * (WIDER_KNOWN if fused.lexicon else WIDER)
        beam = PrefixBeam(replace(fused, weight=weight), width)
        found = [beam(said[None], torch.tensor([len(said)]))[0] for said, _ in items]
    else:
        found = [greedy(said[None], torch.tensor([len(said)]))[0] for said, _ in items]
    read = [model.normalisation(model.decode(labels.ids)) for labels in found]
    seconds = (time.perf_counter() - began) / len(items)
    true = [target for _, target in items]
    return error_rate(true, read, "character"), error_rate(true, read, "word"), seconds


def _heard(recipe, model, splits, arguments):
    """(log-probabilities, text) of items by split."""
    if arguments.kept and arguments.kept.exists():
        return torch.load(arguments.kept, weights_only=True)
    heard = {}
    for name in ("valid", "test"):
        items = splits[name][: arguments.items]
        inputs = [recipe.features(item, model) for item in items]
        if model.task == "speech":
            from recipes.asr.recipe import sound

            inputs = [torch.from_numpy(sound(item, model.front_end.sample_rate)) for item in items]
        said = log_probabilities(model, inputs, SearchOptions())
        heard[name] = [(each, item.target) for each, item in zip(said, items, strict=True)]
    if arguments.kept:
        torch.save(heard, arguments.kept)
    return heard


if __name__ == "__main__":
    main()
