"""Counts the language model of a model anew, and leaves the weights of its network as they are.

    python -m recipes.learning.recounting MODEL --data DIR [DIR ...] --out FILE [--texts FILE ...] [--order 6]
        [--keep all|twice] [--limits]

Its n-grams are counted in the training texts of the data, and in further text files; smoothing, weights and
the penalty of unknown words are those with which the validation items are read best. With `--limits`, these
items also set anew what tells speech from what is read where nobody speaks.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

from pipelines.errors import DataError, TriscribeError
from pipelines.media.text import read_text
from pipelines.model import LEAST, SequenceModel, load
from pipelines.model_file import HEADER, LANGUAGE, located, read_header
from pipelines.tasks import TASKS, resolve
from pipelines.writers import write_atomically
from recipes.learning.carrying import Keep
from recipes.learning.evaluation import as_trained
from recipes.learning.reading_recipe import Recogniser


def recounted(
    model: str | Path,
    data: Sequence[str | Path],
    texts: Sequence[Path] = (),
    order: int = 6,
    keep: Keep = "all",
    limits: bool = False,
) -> SequenceModel:
    """A model with a new language model, scored on the test items of the data, if there are any.

    Args:
        model: a model file, or the name of a bundled model.
        data: folders of media and texts, as the recipe of the model's task takes them.
        texts: further text files in the language.
        order: labels of the longest n-grams.
        keep: n-grams that the model file keeps: "all", or those that occur "twice".
        limits: whether a model for speech gets new limits of confidence below which there is no speech.

    Raises:
        DataError: the data cannot be used, or the model does not read with a language model.
        ModelError: there is no such model.
    """
    network = load(model)
    package = TASKS[network.task].recipe
    kind, recipe_of = (resolve(f"{package}.__main__:{name}") for name in ("OPTIONS", "recipe"))
    options = as_trained(kind(data=tuple(map(Path, data)), out=Path.cwd(), layout=None), network)
    recipe = recipe_of(options)
    if not isinstance(recipe, Recogniser) or not network.decoder.by_frame:
        cause = "does not read by frames with a language model"
        raise DataError(network.name, cause, "name a model for speech, handwriting or ink that reads by CTC")
    recipe.options = replace(options, language_model=order, keep=keep, texts=tuple(texts))
    recipe.texts = list(map(read_text, texts))
    manifests = recipe.manifests()
    splits, _ = recipe.read_splits(manifests, network.normalisation)
    if limits:
        recipe.finish(network, splits)
    else:
        Recogniser.finish(recipe, network, splits)
    if any(item.target for item in splits["test"]):
        found = recipe.evaluated("test", network, splits["test"])
        network.metrics |= recipe.metrics(found, manifests)
        print(found.summary())
    return network


def write(model: SequenceModel, source: str | Path, path: Path) -> Path:
    """Write a model file with another language model and scores, and the network of `source`, bit by bit."""
    from safetensors.torch import load_file, save

    header, tensors = read_header(source), load_file(located(source))
    header["metrics"] = model.metrics
    header |= {name: getattr(model, name) for name in LEAST if getattr(model, name)}
    header[LANGUAGE], tensors[LANGUAGE] = model.language.to_file()
    with write_atomically(path, "wb") as file:
        file.write(save(tensors, {HEADER: json.dumps(header, ensure_ascii=False)}))
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    """Do it as the arguments say; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m recipes.learning.recounting", description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--data", nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--texts", nargs="+", type=Path, default=())
    parser.add_argument("--order", type=int, default=6)
    parser.add_argument("--keep", choices=get_args(Keep), default="all")
    parser.add_argument("--limits", action="store_true")
    given = parser.parse_args(arguments)
    try:
        model = recounted(given.model, given.data, given.texts, given.order, given.keep, given.limits)
        write(model, given.model, given.out)
    except TriscribeError as error:
        print(f"triscribe: {error}", file=sys.stderr)
        return 1
    for split, scores in model.metrics.items():
        print(f"{split}: " + ", ".join(f"{name} {score}" for name, score in scores.items()))
    print(f"model: {given.out}, {given.out.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
