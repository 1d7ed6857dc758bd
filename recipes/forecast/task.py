"""What training means for forecasts: windows drawn at random, the loss of the quantiles, validation."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from encoders.history import History
from pipelines.forecasting import Window, forecast_of, scale_of
from pipelines.media.series import Series
from pipelines.model import SequenceModel
from recipes.learning.training import Maker

VALIDATED = 2000  # windows by which weights are chosen
AT_ONCE = 256  # windows that are judged at once


@dataclass(frozen=True)
class Range:
    """Steps of a series at which forecasts begin, all of whose horizon may be seen.

    Attributes:
        first, last: the first step, and the one behind the last.
        scale: of the series, from the part that training sees.
        spread: standard deviation of that part; 1 if it is 0.
    """

    series: Series
    first: int
    last: int
    scale: float
    spread: float = 1.0

    def window(self, origin: int, front_end: History) -> Window:
        """What is known at a step."""
        return Window(self.series, origin, front_end, self.scale)


def ranges_of(
    series: Sequence[Series], front_end: History, test: Sequence[int], valid: Sequence[int]
) -> dict[str, list[Range]]:
    """Where forecasts of each split begin, series by series; those too short for a split are left out of it.

    Args:
        test, valid: steps of each series in these splits.
    """
    found: dict[str, list[Range]] = {"train": [], "valid": [], "test": []}
    horizon = front_end.horizon
    for each, tested, validated in zip(series, test, valid, strict=True):
        learnt = len(each) - tested - validated
        past = each.values[: max(learnt, 2)]
        scale = scale_of(past, front_end)
        seen = past[np.isfinite(past)]
        spread = float(seen.std()) if len(seen) and seen.std() > 0 else 1.0
        first = min(front_end.window, max(2, learnt // 2))
        ends = {"train": learnt, "valid": learnt + validated, "test": len(each)}
        begins = {"train": first, "valid": learnt, "test": learnt + validated}
        for split, end in ends.items():
            if begins[split] < end - horizon + 1 and begins[split] >= 2:
                found[split].append(Range(each, begins[split], end - horizon + 1, scale, spread))
    return found


def spread_over(ranges: Sequence[Range], front_end: History, most: int) -> list[Window]:
    """At most about so many windows, evenly spread over all ranges."""
    total = sum(each.last - each.first for each in ranges)
    stride = max(1, -(-total // most))
    return every(ranges, front_end, stride)


def every(ranges: Sequence[Range], front_end: History, stride: int) -> list[Window]:
    """A window every `stride` steps; of a range the last in any case, where there is room for only one."""
    return [
        each.window(origin, front_end) for each in ranges for origin in range(each.first, each.last, stride)
    ]


class ForecastTask(nn.Module):
    """Training of a forecaster, whose linear part has been fitted and stays as it is.

    Args:
        windows: of an epoch.
        seed: of their choice.
    """

    laborious = False
    criterion = "error"

    def __init__(
        self,
        model: SequenceModel,
        train: Sequence[Range],
        valid: Sequence[Range],
        windows: int,
        batch_size: int,
        seed: int,
    ):
        super().__init__()
        self.model, self.train_items = model, train
        self.windows, self.batch_size, self.seed = windows, batch_size, seed
        model.front_end.linear.requires_grad_(False)
        self.valid_items = [
            (torch.from_numpy(window.inputs()), torch.from_numpy(window.targets()).float())
            for window in spread_over(valid, model.front_end, VALIDATED)
        ]

    def forward(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        device = next(self.model.parameters()).device
        x, targets = (each.to(device) for each in batch)
        lengths = torch.full((len(x),), x.size(1), device=device)
        states = self.model.states(x, lengths)
        return self.model.decoder.loss(*states, targets - self.model.front_end.skip(x)).mean()

    def begin(self, epoch: int) -> None:
        """Nothing differs from epoch to epoch but the windows."""

    def judge(self, scores: dict[str, float]) -> None:
        """Nothing depends on the scores."""

    def batches(self, epoch: int) -> list[Maker]:
        chooser = random.Random(f"{self.seed} {epoch}")
        weights = [each.last - each.first for each in self.train_items]
        chosen = chooser.choices(self.train_items, weights, k=self.windows)
        drawn = [(each, chooser.randrange(each.first, each.last)) for each in chosen]
        return [
            Maker(partial(self._made, drawn[start : start + self.batch_size]))
            for start in range(0, len(drawn), self.batch_size)
        ]

    def _made(self, drawn: Sequence[tuple[Range, int]]) -> tuple[Tensor, Tensor]:
        windows = [each.window(origin, self.model.front_end) for each, origin in drawn]
        x = torch.from_numpy(np.stack([window.inputs() for window in windows]))
        return x, torch.from_numpy(np.stack([window.targets() for window in windows])).float()

    @torch.inference_mode()
    def evaluate(self) -> dict[str, float]:
        """Errors in proportion to those of the linear model: the mean of squares and sizes, and each."""
        self.model.eval()
        device = next(self.model.parameters()).device
        sums = np.zeros(4)
        for start in range(0, len(self.valid_items), AT_ONCE):
            part = self.valid_items[start : start + AT_ONCE]
            x, came = (torch.stack(each).to(device) for each in zip(*part, strict=True))
            found, linear = forecast_of(self.model, x), self.model.front_end.skip(x)
            middle = found[..., 1 + len(self.model.decoder.levels) // 2]
            seen = came.isfinite()
            for place, (each, power) in enumerate(
                ((found[..., 0], 2), (middle, 1), (linear, 2), (linear, 1))
            ):
                sums[place] += ((each - came)[seen].abs() ** power).sum().item()
        square, size = sums[0] / max(sums[2], 1e-12), sums[1] / max(sums[3], 1e-12)
        return {"error": (square + size) / 2, "squared": square, "absolute": size}
