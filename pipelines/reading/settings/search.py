"""How text is decoded from speech, handwriting and ink."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.reading.settings.running import BatchOptions, check_file, is_path

AUTO, OWN, NONE = "auto", "own", "none"  # language models that are not files
LEXICON_COST = 3.0  # nats
MOST = 100  # alternatives of one reading
TOLD = (
    "language_model",
    "language_weight",
    "hotwords",
    "hotword_weight",
    "lexicon",
    "lexicon_cost",
    "alternatives",
)  # options that records name where they differ from the default


@dataclass(frozen=True)
class SearchOptions(BatchOptions):
    """How text is decoded."""

    language_model: str | os.PathLike | None = AUTO
    """Language model: auto (the model's own, if it carries one), own, none, or a file: a text, ARPA, or a
    model of `train language`. A plain text is turned into character n-grams, an ARPA file must hold such, and
    a model tell characters; each is interpolated with the model's own. None is the same as none."""
    language_weight: float | None = None
    """Weight of the language model, from 0 to 2 (default: tuned in training; of an ARPA file, 0.7)."""
    hotwords: str | os.PathLike | Sequence[str] = ()
    """Words and names to favour: separated by commas, or a file with one on each line."""
    hotword_weight: float = 1.0
    """Bonus in nats for each letter of a hotword, from 0 to 10. A higher one finds more of them, and also
    takes more other words for them."""
    lexicon: str | os.PathLike | Sequence[str] = ()
    """Known words, given like hotwords; any other word is penalised. They match as given, capitalised and in
    capitals; numbers, punctuation and hotwords are never penalised."""
    lexicon_cost: float = LEXICON_COST
    """Out-of-vocabulary penalty in nats; inf forbids all other words."""
    width: int = 5
    """Beam width. It is doubled with a language model or hotwords, quadrupled where the language model knows
    words, and six times as large with a lexicon. CTC alone is read greedily; a hybrid model with a width of 1
    is read by its CTC decoder."""
    alternatives: int = 0
    """Number of alternative readings to give with their probabilities."""

    def __post_init__(self):
        super().__post_init__()
        if self.width < 1:
            raise ValueError("width must be at least 1")
        given = self.language_model
        if given is not None and str(given) not in (AUTO, OWN, NONE):
            check_file("language_model", given, "own, none, or a text, ARPA or model file")
        if self.language_weight is not None and not 0 <= self.language_weight <= 2:
            raise ValueError(f"language_weight must be from 0 to 2, not {self.language_weight}")
        for name in ("hotwords", "lexicon"):
            words = getattr(self, name)
            if isinstance(words, (str, os.PathLike)) and is_path(words):
                check_file(name, words, "a text file or words")
        if not self.lexicon_cost >= 0:
            raise ValueError(f"lexicon_cost must be 0 or more, not {self.lexicon_cost}")
        if not 0 <= self.hotword_weight <= 10:
            raise ValueError(f"hotword_weight must be from 0 to 10, not {self.hotword_weight}")
        if not 0 <= self.alternatives <= MOST:
            raise ValueError(f"alternatives must be from 0 to {MOST}, not {self.alternatives}")

    def signed(self, name: str, carries_language: bool = False) -> str:
        """A model's name and the search options that matter, for records of how a result was made.

        Args:
            name: of the model.
            carries_language: whether `auto` stands for the model's own language model.
        """
        told = {option: getattr(self, option) for option in TOLD}
        if told["language_model"] in (AUTO, None):
            told["language_model"] = OWN if carries_language and told["language_model"] else NONE
        plain = SearchOptions(language_model=NONE)
        changed = [
            f"{option} {value}" for option, value in told.items() if value not in (getattr(plain, option), "")
        ]
        return ", ".join([name, *changed])
