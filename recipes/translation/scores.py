"""Scores of translations: BLEU and chrF by sacrebleu (Post 2018), with confidence intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pipelines.errors import DataError
from pipelines.results import TranslatedSentence
from recipes.data.manifest import Item
from recipes.scoring.error_rates import Rate

RESAMPLES = 1000


@dataclass(frozen=True)
class Translation:
    """A text with its translation by a person, and the model's.

    Attributes:
        sentences: of the model's translation, with their attention.
    """

    item: Item
    source: str
    reference: str
    hypothesis: str
    sentences: tuple[TranslatedSentence, ...] = ()


@dataclass(frozen=True)
class TranslationScores:
    """The translations of a split and their scores. Made by `score`.

    Attributes:
        bleu: in the case of the texts, by tokenisation 13a, or of Chinese, Japanese and Korean by characters.
        folded: the same in lower case, as many papers have it.
        chrf: F-score of n-grams of characters (Popović 2015).
        signatures: of sacrebleu, by the name of the score.
    """

    split: str
    items: tuple[Translation, ...]
    bleu: Rate
    folded: Rate
    chrf: Rate
    signatures: dict[str, str]

    def rates(self) -> dict[str, Rate]:
        """Each score by its name."""
        return {"BLEU": self.bleu, "BLEU, lower case": self.folded, "chrF": self.chrf}

    def table(self) -> dict[str, str]:
        """Each score by its name, from 0 to 100, with its 95 % interval."""
        return {
            name: f"{100 * rate.value:.1f} [{100 * rate.low:.1f}, {100 * rate.high:.1f}]"
            for name, rate in self.rates().items()
        }

    @cached_property
    def _each(self) -> list[float]:
        """chrF of each translation."""
        _, chrf = scorers()
        return [chrf().sentence_score(each.hypothesis, [each.reference]).score for each in self.items]

    def worst(self, count: int) -> list[tuple[Translation, float]]:
        """The translations with the lowest chrF, each with it."""
        order = np.argsort(np.array(self._each), kind="stable")[:count]
        return [(self.items[place], self._each[place]) for place in order]

    def summary(self) -> str:
        """For a terminal, with some of the translations."""
        lines = [f"{self.split}: {len(self.items):,} translations"]
        width = max(map(len, self.rates()))
        lines += [f"  {name:<{width}}  {shown}" for name, shown in self.table().items()]
        lines += [f"  {name} signature: {signature}" for name, signature in self.signatures.items()]
        for each in self.items[:: max(1, len(self.items) // 5)][:5]:
            lines += [f"  {each.source}", f"    {each.hypothesis}", f"    ({each.reference})"]
        return "\n".join(lines)


def score(split: str, items: Sequence[Translation]) -> TranslationScores:
    """Score the translations of a split, of which there is at least one.

    Raises:
        DataError: sacrebleu is not installed.
    """
    bleu, chrf = scorers()
    said, people = [each.hypothesis for each in items], [each.reference for each in items]
    tokenize = tokenisation(people)
    kinds = {
        "BLEU": bleu(tokenize=tokenize),
        "BLEU, lower case": bleu(tokenize=tokenize, lowercase=True),
        "chrF": chrf(),
    }
    rates = [_rate(kind, said, people) for kind in kinds.values()]  # signatures tell of the bootstrap
    signatures = {name: str(kind.get_signature()) for name, kind in kinds.items()}
    return TranslationScores(split, tuple(items), *rates, signatures)


def bleu_of(said: Sequence[str], people: Sequence[str]) -> float:
    """BLEU from 0 to 100, of at least one translation."""
    bleu, _ = scorers()
    return bleu(tokenize=tokenisation(people)).corpus_score(list(said), [list(people)]).score


def tokenisation(texts: Sequence[str]) -> str:
    """How sacrebleu is to find words: "13a", or for scripts without spaces between words "char"."""
    text = "".join(texts)[:100_000]
    wide = sum("\u3040" <= symbol <= "\u9fff" or "\u0e00" <= symbol <= "\u0eff" for symbol in text)
    return "char" if 2 * wide > len(text) else "13a"


def _rate(kind: object, said: Sequence[str], people: Sequence[str]) -> Rate:
    """A score of all translations from 0 to 1, with the interval of sacrebleu's bootstrap (Koehn 2004)."""
    found = kind.corpus_score(list(said), [list(people)], n_bootstrap=RESAMPLES)
    low, high = found._mean - found._ci, found._mean + found._ci  # which have no public names
    return Rate(found.score / 100, low / 100, high / 100)


def scorers() -> tuple[type, type]:
    """BLEU and chrF of sacrebleu.

    Raises:
        DataError: the optional package is not installed.
    """
    try:
        from sacrebleu.metrics import BLEU, CHRF
    except ImportError as error:
        raise DataError("translations", f"cannot be scored ({error})", "pip install sacrebleu") from error
    return BLEU, CHRF
