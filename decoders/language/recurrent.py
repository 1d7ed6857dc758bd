"""A recurrent language model of characters in the search of a recogniser."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from threading import Lock

import numpy as np
import torch
from torch import Tensor, nn

from decoders.contract import Decoder
from decoders.language.ngrams import LanguageModel
from encoders.bilstm import BiLSTM, State

ORDER = 1_000_000  # labels of a context: all of them
KEPT = 4096  # contexts whose state is kept
Context = tuple[int, ...]


class Recurrent(LanguageModel):
    """A language model for `Fusion`, whose states are kept with the contexts that they belong to.

    A text is thought to follow a line break, and its end, which counts as a space, to precede one. A label
    that the model does not know has an equal share of the probability of all that it does not know.

    Args:
        front_end, core, decoder: of the language model, in evaluation mode; the core reads forwards only.
        symbols: the symbol of the language model for each label of the recogniser that has one.
        edge: the label before and behind every text, a space; None if there is none.
        first: the symbol of a line break, or 0.
        num_labels: labels of the recogniser, the blank included.
    """

    order = ORDER

    def __init__(
        self,
        front_end: nn.Module,
        core: BiLSTM,
        decoder: Decoder,
        symbols: Mapping[int, int],
        edge: int | None,
        first: int,
        num_labels: int,
    ):
        self.front_end, self.core, self.decoder = front_end, core, decoder
        self.edge, self.first = edge, first
        self._symbols = np.array([symbols.get(label, 0) for label in range(num_labels)])
        strange = [label for label in range(1, num_labels) if label not in symbols]
        self._share = np.zeros(num_labels, np.float32)
        self._share[strange] = np.log(max(1, len(strange)))
        self._states: OrderedDict[Context, tuple[State, np.ndarray]] = OrderedDict()
        self._lock = Lock()

    def log_probs(self, context: Context) -> np.ndarray:
        """See `LanguageModel`."""
        return self.log_probs_of([context])[0]

    def log_probs_of(self, contexts: Sequence[Context]) -> list[np.ndarray]:
        """The log-probabilities of each label after each context; what is new is computed together."""
        with self._lock, torch.inference_mode():
            wanted = [context for context in dict.fromkeys(contexts) if context not in self._states]
            fresh: dict[Context, tuple[State, np.ndarray]] = {}
            follow = [context for context in wanted if context[:-1] in self._states and len(context) > 1]
            if follow:
                states = _joined([self._states[context[:-1]][0] for context in follow])
                ids = torch.from_numpy(self._symbols[[context[-1] for context in follow]])[:, None]
                fresh |= zip(follow, self._read(ids, states), strict=True)
            for context in wanted:
                if context not in fresh:
                    begun = self.edge is not None and context[:1] == (self.edge,)
                    ids = [self.first, *self._symbols[list(context[begun:])].tolist()]
                    fresh[context] = self._read(torch.tensor([ids]), None)[0]
            found = [(fresh.get(context) or self._states[context])[1] for context in contexts]
            self._states.update(fresh)
            while len(self._states) > KEPT:
                self._states.popitem(last=False)
        return found

    def _read(self, ids: Tensor, states: State | None) -> list[tuple[State, np.ndarray]]:
        """Symbols, (batch, time), from states -> the state behind each row and what it expects."""
        vectors, _ = self.front_end(ids, torch.full((len(ids),), ids.size(1)))
        y, states = self.core.stream(vectors, states)
        said = self.decoder.next_log_probs(y[:, -1]).numpy()
        scores = said[:, self._symbols] - self._share
        if self.edge is not None and self.first:
            scores[:, self.edge] = np.logaddexp(scores[:, self.edge], said[:, self.first])
        return list(zip(_apart(states, len(ids)), scores, strict=True))


def _joined(states: Sequence[State]) -> State:
    """States of one row each as that of a batch."""
    return [
        tuple(torch.cat(parts, 1) for parts in zip(*layers, strict=True))
        if isinstance(layers[0], tuple)
        else torch.cat(layers, 1)
        for layers in zip(*states, strict=True)
    ]


def _apart(states: State, count: int) -> list[State]:
    """The state of a batch as those of its rows."""
    return [
        [
            tuple(part[:, row : row + 1] for part in layer)
            if isinstance(layer, tuple)
            else layer[:, row : row + 1]
            for layer in states
        ]
        for row in range(count)
    ]
