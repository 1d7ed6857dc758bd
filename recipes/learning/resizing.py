"""A loaded model in the sizes, and with the decoder, that are wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import zip_longest

from pipelines.errors import DataError
from pipelines.model import SequenceModel
from recipes.learning.fitting import reset, with_decoder
from recipes.learning.growing import grown
from recipes.learning.options import CoreOptions, Sizes, WritingOptions
from recipes.learning.presets import sizes_of
from recipes.learning.shrinking import shrunk

LINES = ("channels", "residuals", "height", "fold")  # sizes that a front end for lines can change


def changes(base: SequenceModel, options: Sizes) -> dict[str, object]:
    """The sizes that are given and differ from those of the base."""
    had = {**options.new, **sizes_of(base.sizes)}
    return {
        name: value
        for name, value in options.given().items()
        if _plain(name, value) != _plain(name, had[name])
    }


def refuse(base: SequenceModel, changed: Mapping[str, object]) -> None:
    """Refuse sizes that a loaded model cannot change.

    Raises:
        DataError: there are any.
    """
    for name, value in changed.items():
        had = sizes_of(base.sizes).get(name)
        cause = f"cannot be {value} in the loaded model, {base.name}, which has {had}"
        raise DataError(option(name), cause, "leave it out, or train a new model without --load")


def resized(base: SequenceModel, options: CoreOptions, frozen: bool = False) -> SequenceModel:
    """The base with the sizes that are given, whether it has to grow or to shrink.

    Args:
        options: sizes; None stands for those of the base.
        frozen: whether the front end must stay as it is.

    Raises:
        DataError: a size cannot change.
    """
    changed = changes(base, options)
    lines = base.sizes["front_end"]["kind"] == "line_image"
    for name in LINES if frozen else ():
        if lines and name in changed:
            raise DataError(
                option(name), "changes the front end, and --freeze does not", "leave out one of them"
            )
    able = ("hidden_size", "dropout", "statistics", *(LINES if lines else ()))
    refuse(base, {name: value for name, value in changed.items() if name not in able})
    height, fold = changed.get("height"), changed.get("fold")
    if fold is not None and fold * base.front_end.height != (height or 0) * base.front_end.fold:
        cause = f"{fold} does not go with the height of {base.name}, {base.front_end.height} pixels"
        raise DataError("--fold", cause, "leave it out: it follows from --height")
    wider, narrower = _ways(base.sizes["front_end"].get("channels"), changed.get("channels"))
    more, fewer = _ways(base.core.hidden_size, changed.get("hidden_size"))
    residuals = _plain("residuals", changed["residuals"]) if "residuals" in changed else None
    if any(each is not None for each in (wider, residuals, height, more)):
        base = grown(base, wider, residuals, height, more)
    if narrower is not None or fewer is not None:
        base = shrunk(base, narrower, fewer)
    if "statistics" in changed:  # changes no weights
        base = reset(base, front_end={"statistics": options.statistics})
    if "dropout" in changed:
        base = reset(base, core={"dropout": options.dropout}, decoder={"dropout": options.dropout})
    return base


def redecoded(base: SequenceModel, options: WritingOptions) -> SequenceModel:
    """The base, with a new decoder if it has another one than the options say.

    What is not given is as the base has it, or as a new model does where that has nothing of the kind.
    """
    changed = changes(base, options)
    had = base.sizes["decoder"]["kind"]
    wanted = options.decoder or had
    if wanted == had and wanted != "hybrid":
        changed.pop("ctc_weight", None)
    if wanted == had == "ctc" or not changed:
        return base
    if wanted == had and set(changed) == {"ctc_weight"}:
        return reset(base, decoder=changed)
    known = {name: value for name, value in sizes_of(base.sizes).items() if name in options.new}
    given = {**known, **options.given(), "decoder": wanted}
    return with_decoder(base, replace(options, **given).filled().sizes())


def option(name: str) -> str:
    """An option as it is written on the command line."""
    return f"--{name.replace('_', '-')}"


def _ways(had, wanted):
    """The size to grow to and the one to shrink to then; None where there is nothing to do."""
    if wanted is None:
        return None, None
    if isinstance(wanted, int):
        return (wanted, None) if wanted > had else (None, wanted)
    if len(wanted) != len(had):
        return wanted, None  # which is refused there
    larger = tuple(map(max, had, wanted))
    return (
        larger if larger != tuple(had) else None,
        tuple(wanted) if larger != tuple(wanted) else None,
    )


def _plain(name: str, value: object) -> object:
    """A size to compare: residuals that are not there are 0, and a list is a tuple."""
    if name == "residuals":
        return tuple(count for count, _ in zip_longest(value or (), range(5), fillvalue=0))[:5]
    return tuple(value) if isinstance(value, list) else value
