"""The language model that a model file carries: counted on texts, with the weights that read best."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

from decoders.language.profile import KNESER_NEY, WITTEN_BELL, Language
from pipelines.model import SequenceModel

Keep = Literal["all", "twice"]

WEIGHTS = {WITTEN_BELL: (0.2, 0.3, 0.4, 0.5), KNESER_NEY: (0.3, 0.5, 0.7, 0.9)}
"""Weights to be tried, by smoothing."""
COSTS = 1.0, 2.0, 3.0  # nats of words that the texts do not have twice, to be tried


def carried(
    model: SequenceModel,
    texts: Sequence[str],
    order: int,
    keep: Keep,
    error: Callable[[], float],
    base: SequenceModel | None = None,
) -> Language:
    """The language model that helps most; the model carries it afterwards.

    Args:
        model: which is to carry it.
        texts: normalised, in its language.
        order: labels of the longest n-grams.
        keep: "twice" leaves out n-grams of more than three labels that occur once, so that the texts cannot
            be put together again; "all" keeps them, and tries Kneser-Ney smoothing too, which needs them.
        error: the error rate on validation data, read with the language model that `model` carries.
        base: the model that was learnt on from; the texts of its language model are tried besides.

    Raises:
        ValueError: the texts hold nothing that the model can write.
    """
    found = []
    for smoothing in (WITTEN_BELL, KNESER_NEY) if keep == "all" else (WITTEN_BELL,):
        counted = Language.of(model.alphabet, model.encode, texts, order, keep == "twice", smoothing)
        found += _tried(model, counted, WEIGHTS[smoothing], error)
        if base and base.language and smoothing in (WITTEN_BELL, base.language.smoothing):
            print("language model, with the texts of that of the loaded model:")
            counted = counted.joined(base.language, base.alphabet, model.alphabet)
            found += _tried(model, counted, WEIGHTS[smoothing], error)
    model.language = min(found, key=_rate)[1]
    return model.language


def _tried(
    model: SequenceModel, counted: Language, weights: Sequence[float], error: Callable[[], float]
) -> list[tuple[float, Language]]:
    """The error rates of a language model with several weights, without its words and with them."""
    alone = replace(counted, words=(), cost=0.0)
    tried = [_judged(model, replace(alone, weight=weight), error) for weight in weights]
    if counted.words:
        known = replace(min(tried, key=_rate)[1], words=counted.words)
        place = weights.index(known.weight)
        costly = [_judged(model, replace(known, cost=cost), error) for cost in COSTS]
        known = min(costly, key=_rate)[1]
        nearby = weights[max(0, place - 1) : place] + weights[place + 1 : place + 2]
        tried += costly + [_judged(model, replace(known, weight=weight), error) for weight in nearby]
    return tried


def is_list(text: str) -> bool:
    """Whether a text is a list of words: it has hardly more than one on a line."""
    return len(text.split()) <= 1.3 * sum(bool(line.strip()) for line in text.split("\n"))


def _rate(judged: tuple[float, Language]) -> float:
    return judged[0]


def _judged(model: SequenceModel, language: Language, error: Callable[[], float]) -> tuple[float, Language]:
    """The error rate with a language model, and that."""
    model.language = language
    rate = error()
    how = f"{language.smoothing}, weight {language.weight}, other words {language.cost} nats"
    print(f"language model, {how}: valid CER {100 * rate:.2f} %")
    return rate, language
