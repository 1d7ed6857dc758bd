"""Options of the recipe for tagging. Importing this module does not import torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from recipes.learning.options import CoreOptions, ProseRecipeOptions, TrainingOptions, check_shares


@dataclass(frozen=True)
class ModelOptions(CoreOptions):
    """Sizes of a new model. A loaded model keeps its own."""

    new: ClassVar[Mapping[str, object]] = CoreOptions.new | {
        "decoder": "crf",
        "vocabulary": 20_000,
        "lower": True,
        "pairs": 0,
        "affixes": 20_000,
        "hidden": 0.15,
        "hidden_size": 128,
        "num_layers": 1,
        "dropout": 0.5,
        "input_size": 128,
    }

    decoder: Literal["crf", "timeline"] | None = None
    """How labels are chosen: crf, those of a sentence together; timeline, each by itself."""
    vocabulary: int | None = None
    """Largest number of words that the model knows."""
    lower: bool | None = None
    """Convert words to lower case; their own case is seen in their shape."""
    pairs: int | None = None
    """Rows of a hashed table of pairs of neighbouring words; 0 is none."""
    affixes: int | None = None
    """Rows of a hashed table of beginnings and ends of words, by which unknown ones are judged; 0 is none."""
    hidden: float | None = None
    """Share of the words that are hidden in training, so that beginnings and ends are learnt from."""

    def __post_init__(self):
        super().__post_init__()
        if self.vocabulary is not None and self.vocabulary < 2:
            raise ValueError(f"vocabulary must be at least 2, not {self.vocabulary}")
        if min(self.pairs or 0, self.affixes or 0) < 0:
            raise ValueError(f"pairs and affixes must be 0 or more, not {self.pairs} and {self.affixes}")
        if self.hidden is not None:
            check_shares(self, "hidden")


@dataclass(frozen=True)
class TaggingRecipeOptions(ProseRecipeOptions):
    """Train a tagger on your own sentences."""

    task: ClassVar[str] = "tagging"
    reading: ClassVar[tuple[str, ...]] = (*ProseRecipeOptions.reading, "column")

    data: tuple[Path, ...] = ()
    """Files in CoNLL or CoNLL-U, or folders of them: a token and its label on each line, an empty line
    behind each sentence."""
    out: Path = Path("exp/tagging")
    """Folder for the model, checkpoints, log and report."""
    column: str | None = None
    """Column of the labels: upos, xpos, lemma or deprel of CoNLL-U, or a number (default: upos, or the last
    column of other files)."""
    valid: float = 0.1
    """Share of the training sentences held out for validation where the data has no validation split."""
    model: ModelOptions = field(default_factory=ModelOptions)
    training: TrainingOptions = field(
        default_factory=lambda: TrainingOptions(
            epochs=15, batch_size=32, learning_rate=3e-3, average=0.4, valid_every=1, precision="fp32"
        )
    )
