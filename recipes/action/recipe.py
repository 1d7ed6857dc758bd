"""Action recognition: labelled clips, or videos with labels in time, in; a model file out.

    python -m recipes.action --data DIR --out exp/action

A frozen image network and motion between frames, the shared core, attention pooling; results on
yoga_phases, yoga6 and fight2: see the results table in the README. Beside every model a baseline is
trained that sees the same frames in no order: what is above it is what time is worth.
"""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from decoders.alphabet import Normalisation
from decoders.vocabulary import Classes
from pipelines.errors import DataError, MediaError
from pipelines.media.files import disk_errors
from pipelines.media.video import Clip, open_video
from pipelines.model import SequenceModel, load
from pipelines.reading.precision import precision_for
from pipelines.video import opened
from recipes.action.baseline import Unordered
from recipes.action.clips import Clips, Sample, frame_labels, square, whole_videos
from recipes.action.data_report import CLIPS, describe_clips
from recipes.action.judging import PreparedClips, judged, source, timeline
from recipes.action.options import ActionOptions
from recipes.action.page import write_action_page
from recipes.action.scores import ActionScores
from recipes.action.task import ActionTask
from recipes.data.datasets import read_clips
from recipes.data.holding_out import hold_out
from recipes.data.manifest import Item, Manifest, Rejected
from recipes.learning.fitting import reclassed, reset
from recipes.learning.pretrained import image_weights
from recipes.learning.progress import followed
from recipes.learning.recipe import Recipe
from recipes.learning.resizing import changes, refuse
from recipes.learning.training import train


class Action(Recipe):
    """The recipe for actions in videos."""

    task = ActionOptions.task
    what = "clips"
    measure = CLIPS
    targets_are_classes = True
    options: ActionOptions
    splits: dict[str, list[Item]]
    prepared_clips: PreparedClips | None = None
    """Features of all splits, once they are computed."""

    def read_data(self, folder: Path) -> Manifest:
        return read_clips(folder, self.options.layout)

    def readable(self, items: list[Item]) -> tuple[list[Item], list[Rejected]]:
        kept, rejected, videos = [], [], {}
        broken: dict[Path, tuple[float, str] | None] = {}
        for item in followed(items, "reading clips", "clip"):
            try:
                if item.path not in videos:
                    with disk_errors(item.path):
                        videos[item.path], broken[item.path] = _seconds(item.path)
                start, end = item.start or 0.0, min(item.end or videos[item.path], videos[item.path])
                if start >= end:
                    cause = f"is {videos[item.path]:.2f} s long, and not from {start:g} s on"
                    raise MediaError(item.path, cause, "mend the labels")
                if broken[item.path] and end > broken[item.path][0]:
                    raise MediaError(item.path, broken[item.path][1], "get a whole copy of it")
                kept.append(replace(item, duration=end - start))
            except MediaError as error:
                rejected.append(Rejected(str(item.path), error.cause))
        return kept, rejected

    def read_splits(self, manifests: list[Manifest], normalisation: Normalisation):
        self.splits, rejected = super().read_splits(manifests, normalisation)
        return self.splits, rejected

    def described(self, splits: Mapping[str, Sequence[Item]], rejected: Sequence[Rejected]) -> str:
        return describe_clips(splits, rejected)

    def build(
        self, base: SequenceModel | None, normalisation: Normalisation, items: list[Item]
    ) -> SequenceModel:
        """A new model for the labels of the items, or the loaded one."""
        if base:
            return self._fitted(base, items)
        sizes = self.options.model.filled()
        frozen = sizes.is_frozen
        longest = _longest(items, sizes.rate)
        front_end = {
            "kind": "frames",
            "network": sizes.network,
            "output_size": sizes.input_size,
            "dropout": sizes.dropout,
            "lags": list(sizes.lags),
            "frozen": frozen,
            "crop": not frozen,  # frames that are trained on are all of one shape
            "side": sizes.side,
            "motion": sizes.motion if frozen else 0,
            "places": sizes.places,
            "rate": sizes.rate,
            "window": sizes.window
            or max(1 / sizes.rate, longest * (1 if sizes.decoder == "classifier" else 4)),
        }
        decoder = {"kind": sizes.decoder, "dropout": sizes.dropout}
        if sizes.decoder == "classifier":
            decoder["heads"] = sizes.heads
        classes = Classes.of(item.target for item in items)
        if sizes.decoder == "classifier" and len(classes.symbols) < 2:
            cause = f"all clips are of one class, {classes.symbols[0]!r}"
            raise DataError(self.roots[0] if self.roots else "--data", cause, "give clips of others, too")
        model = SequenceModel(
            self.task, front_end, sizes.core(), decoder, classes, normalisation, self.options.name
        )
        if sizes.network not in ("none", "small") and sizes.weights != "none":
            model.front_end.network.load_state_dict(image_weights(sizes.network, sizes.weights))
        return model

    def _fitted(self, base: SequenceModel, items: list[Item]) -> SequenceModel:
        """The loaded model for the classes of the items, if it is to have others than its own."""
        refuse(base, changes(base, self.options.model))
        found = Classes.of(item.target for item in items)
        if self.options.classes == "keep" or all(label in base.alphabet for label in found.symbols):
            return base
        if self.options.classes == "union":
            added = (label for label in found.symbols if label not in base.alphabet)
            found = Classes([*base.alphabet.symbols, *added])
        model = reclassed(base, found)
        window = _longest(items, model.front_end.rate)
        if model.decoder.pools and window > model.front_end.window:  # clips are judged as a whole
            model = reset(model, front_end={"window": window})
        return model

    def usable(self, items: list[Item], model: SequenceModel) -> tuple[list[Item], list[Rejected]]:
        """Those whose label the model has."""
        kept = [item for item in items if item.target in model.alphabet]
        unknown = [item for item in items if item.target not in model.alphabet]
        return kept, [Rejected(str(item.path), f"the model has no class {item.target!r}") for item in unknown]

    def source(self, item: Item) -> tuple:
        return source(item)

    def settings(self, model: SequenceModel) -> dict:
        front_end = model.front_end
        network = front_end.network
        sampling = {"rate": front_end.rate, "resize": network.resize, "crop": network.crop}
        if not network.frozen:
            return sampling
        digest = hashlib.sha256()
        for weight in network.state_dict().values():
            digest.update(weight.cpu().numpy().tobytes())
        return {**sampling, "motion": front_end.motion, "weights": digest.hexdigest()}

    def features(self, item: Item, model: SequenceModel, mirrored: bool = False) -> Tensor:
        """(time, features), or frames as one row each where the image network is trained."""
        front_end = model.front_end
        _, frames = opened(Clip(item.path, item.start or 0.0, item.end), front_end, strict=False)
        if mirrored:
            frames = (np.ascontiguousarray(frame[:, ::-1]) for frame in frames)
        if front_end.network.frozen:
            device = next(front_end.parameters()).device.type
            return front_end.features(frames, precision=precision_for("auto", device, measure=True))
        side = front_end.network.crop
        return torch.from_numpy(np.stack([square(frame, side) for frame in frames])).flatten(1)

    def training_task(
        self, model: SequenceModel, train: list[Item], valid: list[Item], base: SequenceModel | None = None
    ) -> ActionTask:
        """The task, after the features of all clips were computed."""
        items = [item for items in self.splits.values() for item in items]
        varied = items if self.options.folds else train
        self.prepared_clips = self._computed(model, items, varied)
        return self._task(model, train, valid, self.options.training.seed)

    def evaluated(self, split: str, model: SequenceModel, items: list[Item]) -> ActionScores:
        """How well the model alone does."""
        clips = self.prepared_clips or self._computed(model, items, [])
        judgements = [judged(model, clips, item) for item in items]
        return ActionScores(
            split,
            model.alphabet.symbols,
            tuple(items),
            np.stack([found for found, _ in judgements])[None],
            attention=tuple(times for _, times in judgements),
            timeline=timeline(model, clips, items),
        )

    def scorable(self, items: list[Item], model: SequenceModel) -> list[Item]:
        return self.usable(items, model)[0]

    def scores(self, split: str, model: SequenceModel, items: list[Item]) -> ActionScores:
        """Of the model and those of other seeds or folds, and of the baseline beside each."""
        options, parts, clips = self.options, self._parts(items), self.prepared_clips
        held = tuple(item for part in parts for item in part.judged)
        found = {"model": [], "unordered": []}
        for run in range(options.seeds):
            for fold, part in enumerate(parts):
                for kind, judgements in found.items():
                    name = f"{kind}-{run + 1}" + (f"-{fold + 1}" if options.folds else "")
                    taught = model if name == "model-1" else self._taught(kind, name, part, run)
                    judgements += [judged(taught, clips, item)[0] for item in part.judged]
        shape = (options.seeds, len(held), -1)
        return ActionScores(
            f"{options.folds} folds" if options.folds else split,
            model.alphabet.symbols,
            held,
            np.reshape(found["model"], shape),
            np.reshape(found["unordered"], shape),
            tuple(judged(model, clips, item)[1] for item in held),
            timeline(model, clips, items),
        )

    def metrics(self, found: ActionScores, manifests: list[Manifest]) -> dict[str, dict]:
        rates = {"accuracy": str(found.accuracy)}
        if found.unordered is not None:
            rates["frames in no order"] = str(found.unordered_accuracy)
        if found.timeline:
            rates["timeline"] = str(found.timeline)
        return {found.split: rates | ({"runs": len(found.runs)} if found.unordered is not None else {})}

    def last_scores(self, row: Mapping[str, float]) -> dict:
        error = row.get("averaged_error", row["error"])
        return {"accuracy": f"{100 * (1 - error):.2f} %"}

    def write_report(self, found: ActionScores, history: list[dict], facts: dict) -> Path:
        path = self.options.out / "report.html"
        return write_action_page(path, found, history, facts, self.options.show_clips)

    def _computed(self, model: SequenceModel, items: list[Item], varied: list[Item]) -> PreparedClips:
        """The features of the items; of those that training varies, also of what it shows besides."""
        augmentation, videos, stretches = self.options.augmentation, items, {}
        if not model.decoder.pools:
            videos, stretches = whole_videos(items)
        paths = {item.path for item in varied}
        mirrors = [
            video
            for video in videos
            if video.path in paths and augmentation.mirror and model.front_end.network.frozen
        ]
        self.stored = np.float16 if model.front_end.network.frozen else np.uint8
        cache = self.cached(videos, model, mirrors)
        samples = {}
        for index, video in enumerate(videos):
            labels = frame_labels(model, stretches.get(video, [video]), cache.lengths[index])
            mirrored = len(videos) + mirrors.index(video) if video in mirrors else None
            opposite = None if video in stretches else augmentation.opposite(video.target)
            backwards = model.alphabet.encode(opposite)[0] if opposite in model.alphabet else None
            sample = Sample(video, labels, index, mirrored, backwards)
            samples |= dict.fromkeys(map(source, stretches.get(video, [video])), sample)
        return PreparedClips(Clips(cache, model.front_end, augmentation), samples)

    def _task(self, model: nn.Module, train: list[Item], valid: list[Item], seed: int) -> ActionTask:
        options = self.options
        clips = self.prepared_clips
        chosen = clips.of(train), clips.of(valid)
        return ActionTask(model, *chosen, clips.clips, options.loss, options.training.batch_size, seed)

    def _taught(self, kind: str, name: str, part: Part, run: int) -> nn.Module:
        """A new model or baseline, trained from another seed."""
        options = self.options
        seed = options.training.seed + run
        torch.manual_seed(seed)
        base = load(options.load) if options.load else None
        normalisation = options.normalisation(base.normalisation if base else None)
        model = self.build(base, normalisation, self.splits["train"] + self.splits["valid"])
        learner = Unordered(model) if kind == "unordered" else model
        print(f"\n{name}")
        task = self._task(learner, part.train, part.valid, seed)
        made_from = self.fingerprint(model, part.train + part.valid)
        train(task, replace(options.training, seed=seed), options.out / name, made_from)
        return learner

    def _parts(self, items: list[Item]) -> list[Part]:
        """What is learnt from, chosen by and judged: the data's split, or each fold of its groups in turn."""
        options = self.options
        if not options.folds:
            return [Part(self.splits["train"], self.splits["valid"], items)]
        groups: dict[str, list[Item]] = defaultdict(list)
        for item in (item for items in self.splits.values() for item in items):
            groups[item.group or str(item.path)].append(item)
        if len(groups) < options.folds:
            raise DataError("--folds", f"there are only {len(groups)} groups", "ask for as many at most")
        folds: list[list[Item]] = [[] for _ in range(options.folds)]
        for group in random.Random(0).sample(sorted(groups), len(groups)):
            min(folds, key=len).extend(groups[group])
        rest = ([item for other in folds if other is not fold for item in other] for fold in folds)
        return [
            Part(*hold_out(kept, options.valid, classes=True), fold)
            for kept, fold in zip(rest, folds, strict=True)
        ]


class Part(NamedTuple):
    """Clips that one model learns from, is chosen by, and judges."""

    train: list[Item]
    valid: list[Item]
    judged: list[Item]


def _longest(items: Sequence[Item], rate: float) -> float:
    """Seconds of the longest clip, which may be shorter than one frame at this rate."""
    return max(1 / rate, *((item.end or item.duration) - (item.start or 0.0) for item in items))


def _seconds(path: Path) -> tuple[float, tuple[float, str] | None]:
    """How long a video is, looked for where its file does not say; and where it breaks off, if it does.

    Raises:
        MediaError: it cannot be read.
    """
    video = open_video(path)
    if video.duration is None:
        next(video.frames(count=1))
    return video.duration, video.break_off()
