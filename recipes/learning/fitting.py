"""Fitting a loaded model to new data: its alphabet or classes, its decoder, its dropout."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from decoders.alphabet import Alphabet
from decoders.vocabulary import Classes
from pipelines.errors import DataError
from pipelines.model import SequenceModel
from recipes.data.manifest import Item


def remade(base: SequenceModel, alphabet: Alphabet | Classes | None = None, **sizes: dict) -> SequenceModel:
    """A model with new weights that differs from the base only in its alphabet or the sizes of some parts.

    Raises:
        ValueError: impossible sizes.
    """
    sizes, alphabet = base.sizes | sizes, alphabet or base.alphabet
    kept = {"normalisation": base.normalisation, "name": base.name, "vocabulary": base.vocabulary}
    return SequenceModel(base.task, **sizes, alphabet=alphabet, **kept)


def with_decoder(base: SequenceModel, decoder: dict) -> SequenceModel:
    """The front end and the core of the base with a new decoder of this kind and these sizes."""
    model = remade(base, decoder={**decoder, "dropout": base.core.dropout})
    learnt = {name: weight for name, weight in base.state_dict().items() if not name.startswith("decoder.")}
    model.load_state_dict({**model.state_dict(), **learnt})
    return model


def reset(base: SequenceModel, **parts: dict) -> SequenceModel:
    """The base with other values in its parts that do not change its weights, such as dropout."""
    model = remade(base, **{part: {**base.sizes[part], **values} for part, values in parts.items()})
    model.load_state_dict(base.state_dict())
    return model


def fitted(base: SequenceModel, alphabet: Alphabet, items: Sequence[Item], rule: str) -> SequenceModel:
    """The base with an alphabet for new data.

    The outputs of shared symbols keep their weights; a new symbol starts from the nearest one that the base
    has: `a` from `A`, `é` from `e`. One that is near none starts from the mean of all, as unlikely as the
    rarest, so that it is never read before it is learnt.

    Args:
        rule: "fail" if the data has characters that the base lacks, their "union", or "new": only those of
            the data.

    Raises:
        DataError: the data has such characters, and the rule is "fail".
    """
    merge = base.alphabet.merge(alphabet)
    for symbol in merge.added:
        holders = [item for item in items if symbol in item.target]
        print(f"only in the data:  {symbol!r}  in {len(holders)} items, e.g. {holders[0].path}")
    if merge.unused:
        print(f"only in the model: {' '.join(map(repr, merge.unused))}")
    if not merge.added and rule != "new":
        return base
    if rule == "fail":
        listed = " ".join(map(repr, merge.added))
        cause = f"has characters that {base.name} cannot write: {listed}"
        raise DataError(items[0].path.parent, cause, _way_out(base.alphabet, merge.added))
    chosen = merge.alphabet if rule == "union" else alphabet
    model = remade(base, alphabet=chosen)
    weights = base.state_dict()
    for name in (f"decoder.{each}" for each in model.decoder.label_rows):
        fresh = model.state_dict()[name].clone()
        fresh[0] = weights[name][0]
        for index, symbol in enumerate(chosen.symbols, start=1):
            known, learnt = nearest(symbol, base.alphabet), weights[name]
            if known:
                fresh[index] = learnt[base.alphabet.encode(known)[0]]
            else:  # random weights would be written all over what is read well
                fresh[index] = learnt[1:].mean(dim=0) if learnt.dim() > 1 else learnt[1:].min()
        weights[name] = fresh
    model.load_state_dict(weights)
    return model


def reclassed(base: SequenceModel, classes: Classes) -> SequenceModel:
    """The base with other classes: those that it has keep their outputs, and others start anew."""
    if classes == base.alphabet:
        return base
    model = remade(base, alphabet=classes)
    weights, names = base.state_dict(), base.alphabet.symbols
    for name in (f"decoder.{each}" for each in model.decoder.label_rows):
        fresh = model.state_dict()[name].clone()
        fresh[0] = weights[name][0]
        for index, symbol in enumerate(classes.symbols, start=1):
            if symbol in names:
                fresh[index] = weights[name][1 + names.index(symbol)]
        weights[name] = fresh
    model.load_state_dict(weights)
    return model


def nearest(symbol: str, alphabet: Alphabet) -> str | None:
    """The symbol, or else the one of the alphabet with another case or without marks; None if there is none.

    >>> nearest("É", Alphabet("e"))
    'e'
    """
    plain = unicodedata.normalize("NFD", symbol)[:1]
    tried = (symbol, symbol.swapcase(), plain, plain.swapcase())
    return next((each for each in tried if each and each in alphabet), None)


def _way_out(alphabet: Alphabet, added: Sequence[str]) -> str:
    """What to do about symbols that the model lacks."""
    for case in ("upper", "lower"):
        if all(getattr(symbol, case)() != symbol for symbol in added) and all(
            getattr(symbol, case)() in alphabet for symbol in added
        ):
            return (
                f"the model writes them in {case} case: give --case {case} to do the same, "
                "or --alphabet union to teach them"
            )
    return "add --alphabet union to teach them, or --alphabet new to keep only the characters of the data"
