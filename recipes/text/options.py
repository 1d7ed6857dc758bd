"""Options of the recipe for texts. Importing this module does not import torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from recipes.learning.options import CoreOptions, ProseRecipeOptions, TrainingOptions, check_shares


@dataclass(frozen=True)
class LossOptions:
    """Loss."""

    focal: float = 0.0
    """Exponent of the focal loss (Lin et al. 2017); 0 is cross-entropy."""
    balance: float = 0.0
    """Class weights: 0 weights all texts alike, 1 all classes."""

    def __post_init__(self):
        if not self.focal >= 0 or not 0 <= self.balance <= 1:
            raise ValueError(
                f"focal must be 0 or more and balance a share, not {self.focal} and {self.balance}"
            )


@dataclass(frozen=True)
class ModelOptions(CoreOptions):
    """Sizes of a new model. A loaded model keeps its own."""

    new: ClassVar[Mapping[str, object]] = CoreOptions.new | {
        "tokens": "words",
        "vocabulary": 20_000,
        "lower": True,
        "pairs": 0,
        "bag": 131_072,
        "hidden": 0.3,
        "heads": 2,
        "hidden_size": 96,
        "num_layers": 1,
        "dropout": 0.6,
        "input_size": 128,
    }

    tokens: Literal["words", "subwords", "characters"] | None = None
    """What the model reads: words and signs; subwords, for languages with many forms of a word; or
    characters, for scripts without spaces."""
    vocabulary: int | None = None
    """Largest number of words or subwords that the model knows."""
    lower: bool | None = None
    """Convert texts to lower case."""
    pairs: int | None = None
    """Rows of a hashed table of pairs of neighbouring tokens; 0 is none."""
    bag: int | None = None
    """Rows of a hashed table of tokens and pairs, by which a linear model, fitted when the rest has been
    trained, adds to the scores as far as that helps on the validation texts; 0 is none. With many classes
    there are fewer: the table has at most four million numbers."""
    hidden: float | None = None
    """Share of the tokens that are hidden in training (word dropout)."""
    heads: int | None = None
    """Queries of the attention pooling."""

    def __post_init__(self):
        super().__post_init__()
        if (self.vocabulary is not None and self.vocabulary < 2) or (
            self.heads is not None and self.heads < 1
        ):
            raise ValueError("vocabulary must be at least 2, heads at least 1")
        if min(self.pairs or 0, self.bag or 0) < 0:
            raise ValueError(f"pairs and bag must be 0 or more, not {self.pairs} and {self.bag}")
        if self.hidden is not None:
            check_shares(self, "hidden")


@dataclass(frozen=True)
class TextRecipeOptions(ProseRecipeOptions):
    """Train a classifier on your own texts."""

    task: ClassVar[str] = "text"
    reading: ClassVar[tuple[str, ...]] = (
        *ProseRecipeOptions.reading,
        "text_column",
        "label_column",
        "separator",
    )

    data: tuple[Path, ...] = ()
    """Tables (CSV, TSV, JSON lines) with columns text and label, or folders of them; text files whose lines
    begin with __label__; or a folder of text files for each class."""
    out: Path = Path("exp/text")
    """Folder for the model, checkpoints, log and report."""
    text_column: str | None = None
    """Column of tables that holds the texts: its name, or its number where there is no head (default: the one
    called text, sentence, review and the like)."""
    label_column: str | None = None
    """Column of tables that holds the labels."""
    separator: str | None = None
    """What separates the labels of a text that may have several, such as a comma. Not needed for lists in
    JSON and lines with several __label__."""
    reject: str | None = None
    """Label of texts that are none of the classes. They are rejected, and so are texts with a score below a
    threshold, which is chosen on the validation texts."""
    valid: float = 0.1
    """Share of the training texts held out for validation where the data has no validation split."""
    model: ModelOptions = field(default_factory=ModelOptions)
    loss: LossOptions = field(default_factory=LossOptions)
    training: TrainingOptions = field(
        default_factory=lambda: TrainingOptions(
            epochs=12, batch_size=32, learning_rate=1e-3, average=0.4, valid_every=1, precision="fp32"
        )
    )
