"""Advice for somebody whose data is too little, or whose model has not learnt."""

from __future__ import annotations

from collections.abc import Sequence

from recipes.data.manifest import Item
from recipes.learning.options import RecipeOptions
from recipes.scoring.data_report import Measure

UNREAD = 0.9  # CER from which on a model writes hardly anything right


def too_little(items: Sequence[Item], measure: Measure) -> list[str]:
    """Advice if there is little to train a new model on."""
    if measure.least is None:
        return []
    lengths = [length for item in items if (length := measure.of(item)) is not None]
    if measure.least_unit == "items":
        amount, shown = len(items), f"{len(items):,} items"
    else:
        amount = sum(lengths) / measure.in_total
        shown = f"{amount:.2g} {measure.least_unit}"
    if not items or amount >= measure.least:
        return []
    least = f"{measure.least:g} {measure.least_unit}"
    return [
        f"Advice: {shown} to train on is little for a new model (less than {least}).\n"
        "Start from a trained model (--load MODEL --preset adapt), or give --preset scarce."
    ]


def not_learnt(cer: float, options: RecipeOptions) -> list[str]:
    """Advice if a model writes hardly anything right."""
    if cer < UNREAD:
        return []
    epochs = options.training.epochs
    return [
        f"Advice: with a CER of {100 * cer:.0f} %, the model has not learnt to read. Check that",
        "  - each text belongs to its file: look at the worst items in the report;",
        f"  - training was long enough (--epochs {epochs}), and the loss had levelled off;",
        "  - there is enough data, or start from a trained model: --load MODEL --preset adapt;",
        "  - the layout of the data was recognised rightly, else give --layout.",
    ]
