"""Core and decoder learn on from what a front end that stays as it is has made of lines beforehand."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from pipelines.model import SequenceModel
from recipes.handwriting.augment import vary
from recipes.handwriting.options import MADE, HandwritingOptions
from recipes.handwriting.pieces import cuts
from recipes.handwriting.task import LineTask
from recipes.learning.cache import FeatureCache
from recipes.learning.reading_task import Sample, Samples, padded

AFRESH = *MADE, "near", "masks", "mask_width"  # what is varied after the front end


@dataclass(frozen=True, kw_only=True)
class Views(Samples):
    """Samples whose features are what a front end has made of lines.

    Attributes:
        views: the training samples as often as they were read, varied anew each time; `train` is the first.
    """

    views: Sequence[Sequence[Sample]]


class KeptLines(LineTask):
    """`LineTask` on views: a front end has read each training line a few times, varied anew each time.

    An epoch takes one view of all lines, the next epoch the next one. Masks are as fresh as ever, and lines
    are spliced and composed of pieces of views.
    """

    def __init__(self, model: SequenceModel, samples: Views, *given, **named):
        super().__init__(model, samples, *given, **named)
        self.views = samples.views
        self.register_buffer("cuts_of_views", self.cuts.repeat(len(samples.views), 1))

    def begin(self, epoch: int) -> None:
        view = epoch % len(self.views)
        self.train_items, self.cuts = self.views[view], self.cuts_of_views[view]  # found cuts go into the row
        super().begin(epoch)

    def collated(self, batch: list[list[Sample]], generator: torch.Generator) -> tuple:
        return padded([torch.cat([self._columns(sample) for sample in group]) for group in batch])

    def unmasked(self, front_end: nn.Module, inputs: tuple) -> tuple[Tensor, Tensor]:
        columns, lengths = inputs  # a front end's work already
        return columns.to(self.device), lengths.to(self.device)

    def _cuts_of(self, sample: Sample, log_probs: Tensor) -> list[int]:
        return cuts(None, log_probs, sample.labels, self.space, 1)


def read_views(
    lines: Samples, sources: Sequence[tuple], front_end: nn.Module, options: HandwritingOptions, folder: Path
) -> Views:
    """Have the front end read all lines: those of training `options.views` times, the others as they are.

    Args:
        lines: with line images in their cache.
        sources: one key an item, those of training first; see `FeatureCache`.
        folder: for the cache of what the front end makes of them.
    """
    count, views, seed = len(lines.train), options.views, options.training.seed
    known = dict(zip(sources, [*lines.train, *lines.valid], strict=True))
    keys = [(*source, view) for view in range(views) for source in sources[:count]]
    keys += [(*source, None) for source in sources[count:]]

    @torch.inference_mode()
    def read(key: tuple) -> Tensor:
        """(frames, features) of a line, as it is or varied."""
        sample, view = known[key[:-1]], key[-1]
        line = lines.cache[sample.index].numpy()
        if view is not None:
            chance = np.random.default_rng((seed, view, sample.index))
            behind = lines.cache[int(chance.integers(count))].numpy()
            line = vary(line.T, options.augmentation, chance, behind=behind.T).T
        columns, _ = front_end(torch.from_numpy(line)[None], torch.tensor([len(line)]))
        return columns[0]

    front_end.eval()
    kept = FeatureCache(folder, keys, _settings(front_end, options), read)

    def those(samples: Sequence[Sample], first: int) -> list[Sample]:
        return [
            replace(sample, index=place, length=kept.lengths[place])
            for place, sample in enumerate(samples, first)
        ]

    train = [those(lines.train, count * view) for view in range(views)]
    valid = those(lines.valid, count * views)
    return Views(train[0], valid, lines.valid_texts, kept, lines.texts, views=train)


def _settings(front_end: nn.Module, options: HandwritingOptions) -> dict:
    weights = hashlib.sha256()
    for name, weight in sorted(front_end.state_dict().items()):
        weights.update(name.encode() + weight.cpu().numpy().tobytes())
    varied = {name: value for name, value in asdict(options.augmentation).items() if name not in AFRESH}
    return {"front_end": weights.hexdigest(), "augmentation": varied, "seed": options.training.seed}
