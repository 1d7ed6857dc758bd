"""Options of the recipe for translation. Importing this module does not import torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from recipes.learning.options import (
    AttentionOptions,
    CoreOptions,
    ProseRecipeOptions,
    TrainingOptions,
    check_shares,
)


@dataclass(frozen=True)
class ModelOptions(CoreOptions):
    """Sizes of a new model. A loaded model keeps its own."""

    new: ClassVar[Mapping[str, object]] = CoreOptions.new | {
        "lower": False,
        "hidden": 0.1,
        "hidden_size": 256,
        "num_layers": 1,
        "dropout": 0.3,
        "input_size": 192,
        "embedding_size": 192,
        "attention_size": 192,
    }

    lower: bool | None = None
    """Convert texts to lower case before they are read; translations keep their case."""
    hidden: float | None = None
    """Share of the tokens that are hidden from the encoder in training (word dropout)."""
    embedding_size: int | None = None
    """Size of the embeddings of what is written."""
    attention_size: int | None = None
    """Size of the space in which the attention compares tokens with the decoder's state."""

    def __post_init__(self):
        super().__post_init__()
        for name in ("embedding_size", "attention_size"):
            if getattr(self, name) is not None and getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.hidden is not None:
            check_shares(self, "hidden")

    def front_end(self) -> dict:
        """Kind and sizes of the front end."""
        return {
            "kind": "tokens",
            "output_size": self.input_size,
            "dropout": self.dropout,
            "hidden": self.hidden,
            "lower": self.lower,
        }

    def decoder(self, hidden_size: int) -> dict:
        """Kind and sizes of the decoder."""
        return {
            "kind": "attention",
            "hidden_size": hidden_size,
            "embedding_size": self.embedding_size,
            "attention_size": self.attention_size,
            "dropout": self.dropout,
        }


@dataclass(frozen=True)
class VocabularyOptions:
    """Subwords of a new model."""

    pieces: int = 8000
    """Largest number of subwords of each language, or of both together."""
    joint: bool = False
    """Find subwords for both languages together, for languages that share many words and names."""

    def __post_init__(self):
        if self.pieces < 2:
            raise ValueError(f"pieces must be at least 2, not {self.pieces}")


@dataclass(frozen=True)
class TeachingOptions(AttentionOptions):
    """Attention decoder."""

    new: ClassVar[Mapping[str, object]] = {"decoder_size": 320}


@dataclass(frozen=True)
class TranslationRecipeOptions(ProseRecipeOptions):
    """Train a translator on your own pairs of texts."""

    task: ClassVar[str] = "translation"
    reading: ClassVar[tuple[str, ...]] = (*ProseRecipeOptions.reading, "source_language", "target_language")

    data: tuple[Path, ...] = ()
    """Files in pairs, texts first (train.en train.de); folders of such files; tables with two columns (CSV,
    TSV, JSON lines); translation memories (TMX)."""
    out: Path = Path("exp/translation")
    """Folder for the model, checkpoints, log and report."""
    source_language: str | None = None
    """Language that is translated, such as en, or the name or number of its column. Needed where the data
    does not say, or has several."""
    target_language: str | None = None
    """Language of the translations."""
    valid: float = 0.03
    """Share of the training pairs held out for validation where the data has no validation split."""
    model: ModelOptions = field(default_factory=ModelOptions)
    vocabulary: VocabularyOptions = field(default_factory=VocabularyOptions)
    teaching: TeachingOptions = field(default_factory=TeachingOptions)
    training: TrainingOptions = field(
        default_factory=lambda: TrainingOptions(epochs=12, batch_size=64, learning_rate=2e-3, valid_every=1)
    )
