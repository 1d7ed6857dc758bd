"""What a model of actions makes of clips, and how well its timeline lies on videos."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from torch import nn

from pipelines.model import SequenceModel
from pipelines.video import segments_of
from recipes.action.clips import Clips, Sample
from recipes.action.task import judge
from recipes.action.timeline import TimelineScores, score_timeline
from recipes.data.manifest import Item


@dataclass(frozen=True)
class PreparedClips:
    """Items with their features.

    Attributes:
        clips: the features.
        samples: by `source`, the sample that an item is, or is a part of.
    """

    clips: Clips
    samples: Mapping[tuple, Sample]

    def of(self, items: list[Item]) -> list[Sample]:
        """The samples of items, each once, though several items may be parts of it."""
        return list(dict.fromkeys(self.samples[source(item)] for item in items))


def source(item: Item) -> tuple:
    """What identifies an item: its file, and its place in it."""
    return str(item.path), item.start, item.end


def judged(
    model: nn.Module, clips: PreparedClips, item: Item
) -> tuple[np.ndarray, tuple[tuple[float, float], ...]]:
    """(classes,) probabilities of an item, and (seconds, share) of its frames in the decision."""
    sample, rate = clips.samples[source(item)], clips.clips.rate
    ((found, _, shares),) = judge(model, clips.clips, [[sample]])
    if source(sample.item) != source(item):
        first, last = round((item.start or 0.0) * rate), round((item.end or sample.item.duration) * rate)
        found, shares = found[first : max(last, first + 1)], None
    times = () if shares is None else ((place / rate, float(share)) for place, share in enumerate(shares))
    return found[:, 1:].mean(axis=0), tuple(times)


def timeline(model: SequenceModel, clips: PreparedClips, items: list[Item]) -> TimelineScores | None:
    """How well a timeline lies on videos, clips of one group being joined to one; None for a classifier."""
    if model.decoder.pools:
        return None
    videos: dict[object, list[Sample]] = defaultdict(list)
    for sample in clips.of(items):
        videos[sample.item.group or sample.item].append(sample)
    total, names, rate = TimelineScores(), model.alphabet.symbols, model.front_end.rate
    for found, labels, _ in judge(model, clips.clips, videos.values()):
        right = segments_of(np.eye(found.shape[1])[labels], names, rate, switch=0.0)
        total += score_timeline(segments_of(found, names, rate), right, len(labels) / rate)
    return total
