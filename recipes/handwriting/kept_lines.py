"""Core and decoder learn on from what a front end that stays as it is has made of lines beforehand."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from recipes.handwriting.augment import vary
from recipes.handwriting.options import MADE
from recipes.handwriting.pieces import cuts
from recipes.handwriting.task import LineTask
from recipes.learning.cache import FeatureCache
from recipes.learning.reading_task import Sample, padded

AFRESH = *MADE, "near", "masks", "mask_width"  # what is varied after the front end


class KeptLines(LineTask):
    """`LineTask` on views: a front end has read each training line a few times, varied anew each time.

    An epoch takes one view of all lines, the next epoch the next one. Masks are as fresh as ever, and lines
    are spliced and composed of pieces of views. Call `keep` before training.
    """

    def keep(self, folder: Path, sources: Sequence[tuple], views: int) -> None:
        """Have the front end read all lines: those of training `views` times, the others as they are.

        Args:
            folder: for the cache.
            sources: one key an item, those of training first; see `FeatureCache`.
        """
        count = len(self.train_items)
        known = dict(zip(sources, [*self.train_items, *self.valid_items], strict=True))
        keys = [(*source, view) for view in range(views) for source in sources[:count]]
        keys += [(*source, None) for source in sources[count:]]
        kept = FeatureCache(folder, keys, self._settings(), lambda key: self._read(known[key[:-1]], key[-1]))

        def those(samples: Sequence[Sample], first: int) -> list[Sample]:
            return [
                replace(sample, index=place, length=kept.lengths[place])
                for place, sample in enumerate(samples, first)
            ]

        self.views = [those(self.train_items, count * view) for view in range(views)]
        self.train_items, self.valid_items = self.views[0], those(self.valid_items, count * views)
        self.cache = kept
        self.register_buffer("cuts_of_views", self.cuts.repeat(views, 1))

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

    def _settings(self) -> dict:
        weights = hashlib.sha256()
        for name, weight in sorted(self.model.front_end.state_dict().items()):
            weights.update(name.encode() + weight.cpu().numpy().tobytes())
        varied = {name: value for name, value in asdict(self.augmentation).items() if name not in AFRESH}
        return {"front_end": weights.hexdigest(), "augmentation": varied, "seed": self.seed}

    @torch.inference_mode()
    def _read(self, sample: Sample, view: int | None) -> Tensor:
        """(frames, features) of a line, as it is or varied."""
        front_end = self.model.front_end.eval()
        line = self.cache[sample.index].numpy()
        if view is not None:
            chance = np.random.default_rng((self.seed, view, sample.index))
            behind = self.cache[int(chance.integers(len(self.train_items)))].numpy()
            line = vary(line.T, self.augmentation, chance, behind=behind.T).T
        columns, _ = front_end(torch.from_numpy(line)[None], torch.tensor([len(line)]))
        return columns[0]
