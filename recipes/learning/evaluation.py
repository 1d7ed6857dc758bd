"""How well any model does on any data of its task: the evaluation and the report of its recipe."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

from pipelines.errors import DataError
from pipelines.media.text import decoding
from pipelines.model import SequenceModel, load
from pipelines.tasks import models, resolve
from recipes.data.manifest import Item
from recipes.data.written_manifest import NAME as MANIFEST
from recipes.data.written_manifest import write_manifest
from recipes.learning.options import RecipeOptions
from recipes.learning.recipe import Scores
from recipes.scoring.data_report import rejections

SPLITS = ("test", "valid", "train")  # in the order in which one stands in for another


def evaluate(
    model: str | Path | SequenceModel,
    data: Sequence[str | Path] = (),
    split: str = "test",
    out: str | Path | None = None,
    layout: str | None = None,
) -> Scores:
    """Score a model on a split of a data set, with 95 % intervals, and print the scores.

    Nothing is trained. Errors of all items count, also of those with characters that the model lacks; items
    with a class that the model does not have are left out and named.

    Args:
        model: a model file, the name of a bundled model, or a model.
        data: folders of media and texts, as the recipe of the model's task takes them. Without any, what the
            recipe trains on by default.
        split: "test", "valid", "train" or "all"; where the data has no such split, another one is scored,
            and a sentence says so.
        out: folder for `report.html` and the manifest of the items; None writes neither.
        layout: of the data sets; None finds out.

    Returns:
        The scores, as the recipe's `run` returns them.

    Raises:
        DataError: the data cannot be used.
        ModelError: there is no such model.
    """
    network = model if isinstance(model, SequenceModel) else load(model)
    package = models()[network.task].recipe
    if package is None:
        raise DataError(
            network.name, f"is a model for {network.task}, which has no recipe", "take another model"
        )
    kind, recipe_of = resolve(f"{package}.__main__:OPTIONS"), resolve(f"{package}.__main__:recipe")
    if not issubclass(kind, RecipeOptions):
        cause = f"is a model for {network.task}, which is scored when it is trained"
        raise DataError(network.name, cause, "see its report, or `triscribe info`")
    with tempfile.TemporaryDirectory() as nowhere, ExitStack() as held:
        folder = Path(out or nowhere)
        options = as_trained(kind(data=tuple(map(Path, data)), out=folder, layout=layout), network)
        held.enter_context(decoding(getattr(options, "encoding", "")))
        recipe = recipe_of(options)
        manifests = recipe.manifests()
        chosen, name = chosen_split([item for manifest in manifests for item in manifest.items], split)
        items, rejected = recipe.prepared(chosen, network.normalisation)
        scorable = recipe.scorable(items, network)
        rejected += [bad for manifest in manifests for bad in manifest.rejected]
        if len(scorable) < len(items):
            rejected += recipe.usable(items, network)[1]
        if rejected:
            print(rejections(rejected), end="\n\n")
        if not any(item.target for item in scorable):
            raise DataError(
                manifests[0].root, f"has no {name} items that {network.name} can be scored on", "see above"
            )
        found = recipe.evaluated(name, network, scorable)
        print(found.summary())
        metrics = recipe.metrics(found, manifests)
        for part, scores in metrics.items():
            print(f"{part}: " + ", ".join(f"{metric} {score}" for metric, score in scores.items()))
        if out is not None:
            write_manifest(folder / MANIFEST, [replace(item, split=name) for item in scorable])
            facts = {
                "model": network.name,
                "data": ", ".join(manifest.root.name for manifest in manifests),
                "items": f"{len(scorable)} {name}",
                "parameters": f"{network.parameters_count:,}",
            }
            print(f"\nreport: {recipe.write_report(found, [], facts)}")
    return found


def as_trained(options: RecipeOptions, model: SequenceModel) -> RecipeOptions:
    """The options with those groups of options, such as the vocabulary, that the model was trained with, and
    with what says how its data was read.
    """
    told = model.training_facts.get("options", {})
    reading = {name: told[name] for name in options.reading if isinstance(told.get(name), str)}
    options = replace(options, **reading)
    for field in fields(options):
        group, values = getattr(options, field.name), told.get(field.name)
        if not is_dataclass(group) or not isinstance(values, Mapping) or field.name == "training":
            continue
        known = {each.name for each in fields(group)}
        kept = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()
            if name in known
        }
        options = replace(options, **{field.name: replace(group, **kept)})
    return options


def chosen_split(items: Sequence[Item], wanted: str) -> tuple[list[Item], str]:
    """The items of a split and its name; another split, or all items, if the data has no such split.

    Raises:
        ValueError: there is no such name.
    """
    if wanted not in (*SPLITS, "all"):
        raise ValueError(f"split must be one of {', '.join(SPLITS)}, all, not {wanted!r}")
    if wanted == "all":
        return list(items), "all"
    for name in (wanted, *(name for name in SPLITS[:2] if name != wanted)):
        found = [item for item in items if item.split == name]
        if found:
            if name != wanted:
                print(f"The data has no {wanted} split; its {name} split is scored.\n")
            return found, name
    print(f"The data has no {wanted} split; all items are scored.\n")
    return list(items), "all"
