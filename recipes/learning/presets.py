"""Presets: options in a TOML file, and options taken from the header of a model."""

from __future__ import annotations

import difflib
import inspect
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

from pipelines.errors import DataError

OWN = (
    "data",
    "out",
    "name",
    "licence",
    "layout",
    "unchecked",
    "load",
    "rehearse",
    "resume",
    "device",
    "threads",
    "texts",
    "fonts",
    "teacher",
    "noises",
    "rooms",
    "workers",
    "video",
)
"""Options that belong to one run, and are not taken from another model."""

RENAMED = {
    "grow": "--residuals with the number of residual convolutions wanted behind each convolution",
    "finer": "--height with the height wanted, in pixels",
    "wider": "--channels with the channels wanted of each convolution",
    "narrower": "--channels with the channels wanted of each convolution",
    "cells": "--hidden-size with the hidden units wanted",
    "new_decoder": "--decoder: a loaded model with another decoder is given a new one",
    "new_dropout": "--dropout, also for a loaded model",
}
"""Options of earlier versions, and how the same is said now."""


def preset_files(kind: type) -> dict[str, Path]:
    """The presets that come with the recipe whose options these are: name -> file."""
    folder = Path(inspect.getfile(kind)).parent / "presets"
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def read_preset(name: str, kind: type, known: Iterable[str]) -> dict[str, object]:
    """The options in a preset.

    Args:
        name: of a preset that comes with the recipe, or a TOML file.
        kind: the options of the recipe.
        known: names of all its options.

    Raises:
        DataError: there is no such preset, it is not TOML, or it has an option that does not exist.
    """
    own = preset_files(kind)
    path = own.get(name, Path(name))
    if not path.is_file():
        raise DataError(
            "--preset", f"there is no preset {name!r}", f"choose from {', '.join(own)} or give a file"
        )
    try:
        found = flat(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(
            path, f"is not TOML: {error}", "write one option per line, as in: epochs = 20"
        ) from error
    for option in found:
        if option not in known:
            raise DataError(path, f"has an unknown option {option!r}", way_out(option, known))
    return found


def way_out(option: str, known: Iterable[str], shown: Callable[[str], str] = str) -> str:
    """What to write instead of an option that does not exist; `shown` is how options are written."""
    if option in RENAMED:
        return f"use {RENAMED[option]}"
    near = difflib.get_close_matches(option, known, 1)
    return f"did you mean {shown(near[0])}?" if near else "--help-all lists all options"


def flat(options: Mapping) -> dict[str, object]:
    """Options without their sections: {"training": {"epochs": 3}} -> {"epochs": 3}."""
    found: dict[str, object] = {}
    for name, value in options.items():
        found |= flat(value) if isinstance(value, Mapping) else {name.replace("-", "_"): value}
    return found


def options_of(header: Mapping, known: Iterable[str], sizes: Iterable[str]) -> dict[str, object]:
    """The options that a model was trained with, its sizes among them.

    Args:
        header: of the model file, as `read_header` gives it.
        known: names of all options of the recipe.
        sizes: those of them that are sizes of the model.
    """
    told = flat(header["training"].get("options", {})) | flat(header.get("normalisation", {}))
    told |= {name: value for name, value in sizes_of(header).items() if name in sizes}
    return {name: value for name, value in told.items() if name in known and name not in OWN}


def kept_options(options: object) -> dict[str, object]:
    """The options that a model file keeps, as plain values: all that are given but for those of one run."""
    return {
        name: {each: value for each, value in part.items() if value is not None and each not in OWN}
        if isinstance(part, dict)
        else part
        for name, part in asdict(options).items()
        if name not in OWN and part is not None
    }


def sizes_of(parts: Mapping[str, Mapping]) -> dict[str, object]:
    """The sizes of a model's front end, core and decoder by the names of the options."""
    decoder = {"kind": "decoder", "hidden_size": "decoder_size"}
    front_end = {"output_size": "input_size"}
    sizes = {decoder.get(name, name): value for name, value in parts["decoder"].items() if name != "dropout"}
    for name, value in parts["front_end"].items():
        if name not in ("kind", "dropout"):
            sizes[front_end.get(name, name)] = value
    return sizes | {name: value for name, value in parts["core"].items() if name != "kind"}
