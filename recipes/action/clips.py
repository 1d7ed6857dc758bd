"""Clips as training takes them: their features, or frames, computed once; labels of their frames; varied."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from encoders.frames import Frames
from pipelines.model import SequenceModel
from recipes.action.augment import reversed_features, stretch
from recipes.action.options import ClipAugmentation
from recipes.data.manifest import Item
from recipes.learning.cache import FeatureCache


@dataclass(frozen=True, eq=False)
class Sample:
    """A clip, or a longer video, in the cache.

    Attributes:
        item: the clip, or the video as a whole.
        labels: (time,) of each frame, one that lasts for a clip; 0 is none of the classes.
        index: in the cache.
        mirrored: in the cache, of the same seen in a mirror; None where it is not there.
        backwards: the label of a clip that runs backwards, None where it has none.
    """

    item: Item
    labels: np.ndarray
    index: int
    mirrored: int | None = None
    backwards: int | None = None

    @property
    def label(self) -> int:
        """That most of its frames have."""
        return Counter(self.labels.tolist()).most_common(1)[0][0]


class Clips:
    """Samples as tensors.

    Args:
        cache: features, or frames where the network is trained.
        front_end: that they are for.
        augmentation: how training varies them.
    """

    def __init__(self, cache: FeatureCache, front_end: Frames, augmentation: ClipAugmentation):
        self.cache, self.augmentation = cache, augmentation
        self.motion, self.rate = front_end.motion, front_end.rate
        side = front_end.network.crop
        self.shape = () if front_end.network.frozen else (side, side, 3)

    def plain(self, sample: Sample) -> Tensor:
        """(time, features), or (time, height, width, 3) uint8."""
        return self._at(sample.index)

    def varied(self, sample: Sample, generator: torch.Generator) -> tuple[Tensor, np.ndarray]:
        """The sample as the augmentation varies it, and the labels of its frames."""
        mirror, turn = (torch.rand(2, generator=generator) < 0.5).tolist()
        mirror = mirror and self.augmentation.mirror
        x = self._at(sample.index if sample.mirrored is None or not mirror else sample.mirrored)
        if mirror and self.shape:
            x = x.flip(2)
        labels = sample.labels
        if turn and sample.backwards is not None:
            x, labels = reversed_features(x, self.motion), np.full(len(labels), sample.backwards)
        places = stretch(len(x), self.augmentation, generator)
        return x[places], labels[places.numpy()]

    def _at(self, index: int) -> Tensor:
        x = self.cache[index]
        return x.unflatten(1, self.shape) if self.shape else x


def whole_videos(items: Sequence[Item]) -> tuple[list[Item], dict[Item, list[Item]]]:
    """Videos that have labels from a start to an end, as one item each with its labelled stretches.

    Clips that have one label from beginning to end stay as they are.
    """
    parts: dict[Path, list[Item]] = defaultdict(list)
    for item in items:
        parts[item.path].append(item)
    videos, stretches = [], {}
    for found in parts.values():
        if all(item.start is None and item.end is None for item in found):
            videos += found
        else:
            video = replace(found[0], start=None, end=None)
            videos.append(video)
            stretches[video] = found
    return videos, stretches


def frame_labels(model: SequenceModel, stretches: Sequence[Item], length: int) -> np.ndarray:
    """(length,) labels of a video's frames; what no stretch covers is none of the classes."""
    labels, rate = np.zeros(length, int), model.front_end.rate
    for item in stretches:
        if item.target in model.alphabet:
            end = length if item.end is None else round(item.end * rate)
            labels[round((item.start or 0.0) * rate) : end] = model.alphabet.encode(item.target)[0]
    return labels


def square(frame: np.ndarray, side: int) -> np.ndarray:
    """(side, side, 3): the middle of a frame whose shorter side is scaled to `side` pixels."""
    height, width = frame.shape[:2]
    scale = side / min(height, width)
    if scale != 1:
        size = max(side, round(width * scale)), max(side, round(height * scale))
        frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    top, left = (frame.shape[0] - side) // 2, (frame.shape[1] - side) // 2
    return frame[top : top + side, left : left + side]
