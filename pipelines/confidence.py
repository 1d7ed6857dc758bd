"""How sure a model was of a result as a whole, and what is said where it was not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from pipelines.results import Actions, Caption, Classified, Page, Result, Transcript

LOW = 0.6  # mean confidence of a result below which another model may fit better
UNSURE = f"its mean confidence is below {LOW}: another model may fit"


def mean_confidence(result: Result) -> float | None:
    """Mean over words; over the lines of a page, each with the weight of its length; over sentences or texts.

    Returns:
        A probability; None where nothing was found, or the model states none.
    """
    if isinstance(result, Transcript):
        found = [segment for segment in result.segments if segment.found]
        return _mean((unit.confidence, 1) for unit in result.words or found)
    if isinstance(result, Page):
        return _mean((line.confidence, len(line.text)) for line in result.lines)
    if isinstance(result, Classified):
        return _mean((text.score, 1) for text in result.texts)
    if isinstance(result, Actions):
        return result.score
    if isinstance(result, Caption):
        return _mean((sentence.confidence, 1) for sentence in result.sentences)
    return getattr(result, "confidence", None)


class Confidences:
    """Counts how often models were unsure."""

    def __init__(self):
        self.read: Counter[tuple[str, str]] = Counter()  # by task and model
        self.low: Counter[tuple[str, str]] = Counter()

    def add(self, task: str, model: str, confidence: float | None) -> None:
        """Count a result."""
        self.read[task, model] += 1
        self.low[task, model] += confidence is not None and confidence < LOW

    def doubts(self, way: Callable[[str], str]) -> Iterator[str]:
        """A sentence for each model that was unsure of some results.

        Args:
            way: what to do about it, by task.
        """
        for (task, model), number in sorted(self.low.items()):
            have = "has" if number == 1 else "have"
            if number:
                yield (
                    f"{number} of {self.read[task, model]} results of {model} {have} "
                    f"a mean confidence below {LOW}: another model for {task} may fit ({way(task)})"
                )


def _mean(weighted: Iterable[tuple[float, float]]) -> float | None:
    pairs = [(value, weight) for value, weight in weighted if weight]
    return (
        sum(value * weight for value, weight in pairs) / sum(weight for _, weight in pairs) if pairs else None
    )
