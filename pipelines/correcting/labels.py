"""Among which labels a person chooses for a video."""

from __future__ import annotations

from collections.abc import Iterable

from pipelines.errors import ModelError
from pipelines.model_file import header_for


def classes_of(items: Iterable[dict]) -> dict[str, dict]:
    """The labels for each model of actions.

    Args:
        items: of the page of results.

    Returns:
        For the name of each model its `labels` in order, and whether they are `all` that it has: those of a
        model that is not at hand are what it has found here.
    """
    found: dict[str, set[str]] = {}
    for item in items:
        if "top" in item:
            labels = found.setdefault(item["model"], set())
            labels |= {label for label, _ in item["top"]}
            labels |= {word[0] for line in item["lines"] for word in line["w"]}
    return {
        model: _of_model(model) or {"labels": sorted(labels), "all": False} for model, labels in found.items()
    }


def _of_model(name: str) -> dict | None:
    try:
        _, header = header_for("action", name)
    except (ModelError, OSError):
        return None
    return {"labels": sorted(header["alphabet"]["symbols"]), "all": True}
