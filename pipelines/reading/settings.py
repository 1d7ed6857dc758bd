"""How pieces are run through a model, and how the text is looked for in what it says."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from encoders.precision import check_bf16
from pipelines.options import Options
from pipelines.reading.computing import device_for
from pipelines.reading.language import LEXICON_COST, OWN

MOST = 100  # alternatives of one reading
TOLD = (
    "language_model",
    "language_weight",
    "hotwords",
    "hotword_weight",
    "lexicon",
    "lexicon_cost",
    "alternatives",
)  # options that records tell


@dataclass(frozen=True)
class BatchOptions(Options):
    """How pieces are run through the model."""

    batch_size: int = 16
    """Pieces that the model reads at once."""
    device: str = "auto"
    """cpu, cuda, or auto: cuda where there is one."""
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    """Of the network. auto is bf16 where the machine computes it in hardware, at about twice the speed."""

    def __post_init__(self):
        if self.batch_size < 1:
            raise ValueError("batch_size must be at least 1")
        if self.precision not in ("auto", "bf16", "fp32"):
            raise ValueError(f"precision must be auto, bf16 or fp32, not {self.precision!r}")
        if self.precision == "bf16":
            check_bf16(device_for(self.device))


@dataclass(frozen=True)
class SearchOptions(BatchOptions):
    """How the text is looked for in what the model says."""

    width: int = 5
    """Hypotheses of a beam search, for models with an attention decoder. With 1, those that have CTC
    beside it read by CTC alone, which is faster. With a language model or hotwords, twice as many, four times
    where that knows words, and six times with a lexicon."""
    language_model: str | os.PathLike | None = None
    """Weigh what CTC reads against what is usual in the language: own is the language model that the model
    carries; a file of plain text is counted, and averaged with the model's own where it carries one, as is an
    ARPA file of characters."""
    language_weight: float | None = None
    """What the language model has to say, from 0, nothing, to 2. None takes what did best in training."""
    hotwords: str | os.PathLike | Sequence[str] = ()
    """Words and names to be found rather than others, such as those that the model has never met: a list, a
    text with commas between them, or a text file with one in each line."""
    hotword_weight: float = 1.0
    """Nats for each letter of a hotword, from 0, nothing: the higher, the more of them are found, and the
    more other words taken for them."""
    lexicon: str | os.PathLike | Sequence[str] = ()
    """The words that there are, given as hotwords are, such as a dictionary's or all that a form can hold.
    They may begin with a capital or be in capitals; numbers and signs are free, and hotwords among them."""
    lexicon_cost: float = LEXICON_COST
    """Nats that any other word costs, from 0, nothing; inf where there is no other."""
    alternatives: int = 0
    """Likeliest readings of each line, or stretch of speech, to give with their probabilities, the text
    itself among them; 0 gives none."""

    def __post_init__(self):
        super().__post_init__()
        if self.width < 1:
            raise ValueError("width must be at least 1")
        given = self.language_model
        if given is not None and str(given) != OWN and not os.path.isfile(given):
            raise ValueError(f"language_model must be {OWN} or a text file, not {str(given)!r}")
        if self.language_weight is not None and not 0 <= self.language_weight <= 2:
            raise ValueError(f"language_weight must be from 0 to 2, not {self.language_weight}")
        for name in ("hotwords", "lexicon"):
            words = getattr(self, name)
            is_path = isinstance(words, os.PathLike) or (
                isinstance(words, str) and (os.sep in words or words.endswith(".txt"))
            )
            if is_path and not os.path.isfile(words):
                raise ValueError(f"{name}: there is no file {str(words)!r}")
        if not self.lexicon_cost >= 0:
            raise ValueError(f"lexicon_cost must be 0 or more, not {self.lexicon_cost}")
        if not 0 <= self.hotword_weight <= 10:
            raise ValueError(f"hotword_weight must be from 0 to 10, not {self.hotword_weight}")
        if not 0 <= self.alternatives <= MOST:
            raise ValueError(f"alternatives must be from 0 to {MOST}, not {self.alternatives}")

    def signed(self, name: str) -> str:
        """A model's name, and what it reads with: for records of how something came about."""
        plain = SearchOptions()
        told = [
            f"{option} {getattr(self, option)}"
            for option in TOLD
            if getattr(self, option) not in (getattr(plain, option), "")
        ]
        return ", ".join([name, *told])
