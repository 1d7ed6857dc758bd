"""Options of the recipe for language models. Importing this module does not import torch."""

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
        "tokens": "characters",
        "vocabulary": 8_000,
        "bidirectional": False,
        "hidden_size": 512,
        "num_layers": 1,
        "dropout": 0.2,
        "input_size": 64,
        "embedding_dropout": 0.0,
    }

    tokens: Literal["characters", "subwords", "words"] | None = None
    """What the model predicts: characters; subwords; or words, with rarer ones spelt as unknown."""
    vocabulary: int | None = None
    """Largest number of symbols that the model knows."""
    embedding_dropout: float | None = None
    """Dropout on the vectors of the symbols that are read."""

    def __post_init__(self):
        super().__post_init__()
        if self.vocabulary is not None and self.vocabulary < 2:
            raise ValueError(f"vocabulary must be at least 2, not {self.vocabulary}")
        if self.bidirectional:
            raise ValueError("a language model reads in one direction only: leave out bidirectional")
        if self.bptt_window is not None:
            raise ValueError("bptt_window is for whole sequences; give window, the symbols of a step")
        if self.embedding_dropout is not None:
            check_shares(self, "embedding_dropout")


@dataclass(frozen=True)
class StreamOptions:
    """How texts are read in training."""

    unit: Literal["file", "line"] = "file"
    """What one text is: a whole file, read on and on; or a line of it, as for a recogniser of lines."""
    window: int = 100
    """Symbols through which gradients go back (truncated back-propagation through time); the state is carried
    on."""

    def __post_init__(self):
        if self.unit not in ("file", "line"):
            raise ValueError(f"unit must be file or line, not {self.unit!r}")
        if self.window < 2:
            raise ValueError(f"window must be at least 2 symbols, not {self.window}")


@dataclass(frozen=True)
class LanguageRecipeOptions(ProseRecipeOptions):
    """Train a language model on your own texts."""

    task: ClassVar[str] = "language"

    data: tuple[Path, ...] = ()
    """Text files, or folders of them; may be compressed. Names with train, valid and test give the splits."""
    out: Path = Path("exp/language")
    """Folder for the model, checkpoints, log and report."""
    valid: float = 0.05
    """Share of the text held out for validation where the data has no validation split."""
    test: float = 0.05
    """Share of the text held out for the test, at its end, where the data has neither a validation nor a test
    split."""
    model: ModelOptions = field(default_factory=ModelOptions)
    stream: StreamOptions = field(default_factory=StreamOptions)
    training: TrainingOptions = field(
        default_factory=lambda: TrainingOptions(
            epochs=10,
            batch_size=32,
            learning_rate=4e-3,
            warmup=0.05,
            weight_decay=1e-3,
            clip=1.0,
            average=0.0,
            valid_every=1,
        )
    )

    def __post_init__(self):
        super().__post_init__()
        check_shares(self, "test")
        if self.valid + self.test >= 1:
            raise ValueError(f"valid and test leave no text to learn from: {self.valid} and {self.test}")
