"""What training means for language models: streams of text with carried state, or lines; the loss."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from decoders.contract import UNKNOWN
from pipelines.likelihood import parts_of, surprisals
from pipelines.model import SequenceModel
from recipes.learning.progress import lasting
from recipes.learning.training import Maker
from recipes.text.batches import by_length

AT_ONCE = 16  # parts that are validated at once


@dataclass(frozen=True)
class Step:
    """What one step learns from.

    Attributes:
        symbols: (batch, time) read.
        following: (batch, time), the symbol behind each; `UNKNOWN` where there is none.
        begins: whether the texts begin here, rather than go on from the step before.
    """

    symbols: Tensor
    following: Tensor
    begins: bool


class LanguageTask(nn.Module):
    """Training of a model that tells what comes next.

    The text is cut into `batch_size` streams. Each step reads the next window of all of them from the state
    that the step before has led to. From one epoch to the next the cuts differ.

    Args:
        train, valid: (n,) symbols of texts.
        lines: whether each of them is read by itself, as the line that it is, instead of on and on.
        first: the symbol that a text is thought to follow on, and that ends a line.
        seed: of the cuts and the order of lines.
    """

    laborious = False
    criterion = "nats"

    def __init__(
        self,
        model: SequenceModel,
        train: Sequence[np.ndarray],
        valid: Sequence[np.ndarray],
        first: int,
        *,
        lines: bool,
        window: int,
        batch_size: int,
        seed: int,
    ):
        super().__init__()
        self.model, self.first, self.lines = model, first, lines
        self.window, self.batch_size, self.seed = window, batch_size, seed
        if lines:
            self.train_lines = [torch.from_numpy(line.astype(np.int64)) for line in train if len(line)]
        else:
            self.text = np.concatenate([np.array([first], np.int32), *train])
        self.valid_parts = [part for text in valid for part in parts_of(text, first)]
        self.state: list | None = None

    def forward(self, step: Step) -> Tensor:
        device = next(self.model.parameters()).device
        symbols, following = step.symbols.to(device), step.following.to(device)
        lengths = torch.full((len(symbols),), symbols.size(1), device=device)
        vectors, _ = self.model.front_end(symbols, lengths)
        states, state = self.model.core.stream(vectors, None if step.begins else self.state)
        self.state = None if self.lines else detached(state)
        return self.model.decoder.nats(states, following).sum() / (following != UNKNOWN).sum()

    def get_extra_state(self) -> list | None:
        """The state that the next step goes on from, for checkpoints."""
        return self.state

    def set_extra_state(self, state: list | None) -> None:
        self.state = state

    def begin(self, epoch: int) -> None:
        """Nothing differs from epoch to epoch but the steps."""

    def judge(self, scores: dict[str, float]) -> None:
        """Nothing depends on the scores."""

    def told(self, row: Mapping[str, float], epochs: int) -> str:
        """An epoch in a line."""
        scores = [f"validation {row[self.criterion]:.4f} nats a symbol"] if self.criterion in row else []
        told = [f"epoch {row['epoch']}/{epochs}", f"loss {row['loss']:.4f}", *scores, lasting(row["seconds"])]
        return "  ".join(told)

    def batches(self, epoch: int) -> list[Maker]:
        chooser = random.Random(f"{self.seed} {epoch}")
        if self.lines:
            batches = by_length(self.train_lines, len, self.batch_size, chooser)
            return [Maker(partial(self._of_lines, batch), len(batch) * len(batch[-1])) for batch in batches]
        streams = max(1, min(self.batch_size, len(self.text) // (2 * self.window)))
        text = np.roll(self.text, -chooser.randrange(len(self.text)))
        length = (len(text) - 1) // streams
        rows = torch.from_numpy(
            np.stack([text[start : start + length + 1] for start in range(0, streams * length, length)])
        )
        starts = range(0, length, self.window)
        return [
            Maker(partial(self._of_streams, rows, start), min(self.window, length - start))
            for start in starts
        ]

    def evaluate(self) -> dict[str, float]:
        self.model.eval()
        return {self.criterion: mean_nats(self.model, self.valid_parts)}

    def _of_streams(self, rows: Tensor, start: int) -> Step:
        part = rows[:, start : start + self.window + 1].long()
        return Step(part[:, :-1], part[:, 1:], start == 0)

    def _of_lines(self, lines: Sequence[Tensor]) -> Step:
        edge = torch.tensor([self.first])
        symbols = pad_sequence([torch.cat([edge, line]) for line in lines], batch_first=True)
        following = [torch.cat([line, edge]) for line in lines]
        return Step(symbols, pad_sequence(following, batch_first=True, padding_value=UNKNOWN), True)


def detached(state: list) -> list:
    """A state of the core without what led to it."""
    return [
        tuple(each.detach() for each in layer) if isinstance(layer, tuple) else layer.detach()
        for layer in state
    ]


@torch.inference_mode()
def mean_nats(model: SequenceModel, parts: Sequence[tuple[int, Tensor]]) -> float:
    """Mean surprisal of a symbol, by a model in evaluation mode.

    Args:
        parts: how many symbols of each part count, and its inputs.
    """
    device = next(model.parameters()).device
    total, count = 0.0, 0
    for start in range(0, len(parts), AT_ONCE):
        scored, inputs = zip(*parts[start : start + AT_ONCE], strict=True)
        lengths = torch.tensor([len(each) for each in inputs], device=device)
        padded = pad_sequence(inputs, batch_first=True).to(device)
        states, _ = model.states(padded, lengths)
        found = surprisals(model.decoder, len(model.alphabet), states, lengths, padded)
        total += sum(
            float(nats[-size:].sum(dtype=np.float64)) for nats, size in zip(found, scored, strict=True)
        )
        count += sum(scored)
    return total / max(1, count)
