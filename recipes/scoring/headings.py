"""What stands at the head of a training report: which model was scored on which data, and when."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

SPLITS = {"test": "test split", "valid": "validation split", "train": "training split"}


def heading(
    split: str, facts: Mapping[str, object] | None = None, date: datetime.date | None = None
) -> dict[str, object]:
    """Values for the head of `report.html`.

    Args:
        split: its name, or how the data was split, e.g. "5 folds".
        facts: names and values about the model and its training. "model" and "data" go into the title,
            and "before" is what the model of a fine-tuning scored before it: a value for each figure.
        date: of the report; today if not given.

    Returns:
        title, split, date, `before` by the name of the figure, and the other facts.
    """
    facts = dict(facts or {})
    model, data = facts.pop("model", None), facts.get("data")
    before = facts.pop("before", None) or {}
    title = f"{model or 'Evaluation'} on {data}" if data else str(model or "Evaluation")
    return {
        "title": title,
        "split": SPLITS.get(split, split),
        "date": (date or datetime.date.today()).isoformat(),
        "before": before,
        "facts": facts,
    }
