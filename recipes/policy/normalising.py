"""Mean and standard deviation of numbers that come in parts (Chan et al. 1979)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Moments:
    """Of so many numbers: their mean, and the mean of the squared distances from it."""

    count: int
    mean: Tensor
    variance: Tensor

    @property
    def deviation(self) -> Tensor:
        """Standard deviation, at least 0.0001."""
        return self.variance.sqrt().clamp(min=1e-4)

    def with_more(self, seen: Tensor, most: int | None = None) -> Moments:
        """The moments with those of further numbers.

        Args:
            seen: (number, ...).
            most: what is known already weighs as so many numbers at most, so that it is forgotten.
        """
        had = self.count if most is None else min(self.count, most)
        total = had + len(seen)
        away = seen.mean(dim=0) - self.mean
        between = away**2 * had * len(seen) / total
        squares = self.variance * had + seen.var(dim=0, correction=0) * len(seen) + between
        return Moments(total, self.mean + away * len(seen) / total, squares / total)
