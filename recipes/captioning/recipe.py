"""Captioning: pictures or short videos with sentences about them in, a model file out.

    python -m recipes.captioning --data DIR --out exp/captioning

The places of an image network's grid, the shared core between them, an attention decoder. flickr8k and
noto_emoji: see the results table in the README.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from torch import Tensor

from decoders.alphabet import Alphabet, Normalisation
from decoders.vocabulary import Subwords, Words
from pipelines.captioning import CaptionOptions, captions, inputs_of, squared
from pipelines.errors import DataError, MediaError, TriscribeError
from pipelines.media.files import disk_errors
from pipelines.media.images import read_image
from pipelines.media.kind import STILL, kind_of, kind_or_name
from pipelines.media.video import open_scene, open_video
from pipelines.model import SequenceModel
from recipes.captioning.options import CaptioningOptions, VocabularyOptions
from recipes.captioning.page import write_caption_page
from recipes.captioning.scores import CaptionScores, Described, score, scorers, unmarked
from recipes.captioning.task import CaptionTask, Picture
from recipes.data.datasets import Item, Rejected, read_captions
from recipes.data.manifest import Manifest
from recipes.learning.pretrained import image_weights
from recipes.learning.progress import followed
from recipes.learning.recipe import Recipe
from recipes.learning.resizing import changes, refuse
from recipes.scoring.data_report import Measure

WHOLE = 1e9  # seconds, longer than any video


class Captioning(Recipe):
    """The recipe for sentences about pictures."""

    task = CaptioningOptions.task
    what = "pictures and sentences"
    measure = Measure(
        lambda item: float(len(item.target.split())), "words", "1000 words", 1000.0, densest=float("inf")
    )

    def __init__(self, options: CaptioningOptions):
        super().__init__(options)
        scorers()  # what is missing shows now, not after the first epoch

    def read_data(self, folder: Path) -> Manifest:
        return read_captions(folder, self.options.layout)

    def readable(self, items: list[Item]) -> tuple[list[Item], list[Rejected]]:
        faults = {}
        for path in followed(list(dict.fromkeys(item.path for item in items)), "reading pictures", "file"):
            try:
                with disk_errors(path):
                    if kind_of(path).name in STILL:
                        read_image(path)
                    else:
                        film = open_video(path)
                        if broken := film.break_off():
                            raise MediaError(path, broken[1], "get a whole copy of it")
            except TriscribeError as error:
                faults[path] = error.cause
        rejected = [Rejected(str(path), cause) for path, cause in faults.items()]
        return [item for item in items if item.path not in faults], rejected

    def normalised(self, text: str, normalisation: Normalisation) -> str:
        text = normalisation(text)
        return text if self.options.vocabulary.punctuation else unmarked(text)

    def build(
        self, base: SequenceModel | None, normalisation: Normalisation, items: list[Item]
    ) -> SequenceModel:
        """A new model for the words of the training sentences, or the loaded one as it is."""
        options = self.options
        if base:
            refuse(base, changes(base, options.model))
            return base
        sizes = options.model.filled()
        try:
            alphabet = alphabet_of(
                options.vocabulary, [item.target for item in items if item.split != "valid"]
            )
        except ValueError as error:
            raise DataError("--pieces", str(error), "give fewer") from error
        model = SequenceModel(
            self.task,
            sizes.front_end(),
            sizes.core(),
            sizes.decoder(options.teaching.filled().decoder_size),
            alphabet,
            normalisation,
            options.name,
        )
        if sizes.network != "small" and sizes.weights != "none":
            model.front_end.network.load_state_dict(image_weights(sizes.network, sizes.weights))
        return model

    def usable(self, items: list[Item], model: SequenceModel) -> tuple[list[Item], list[Rejected]]:
        """Sentences of which at least one word is known."""
        unknown = getattr(model.alphabet, "unknown_id", None)
        kept, rejected = [], []
        for item in items:
            missing = [] if unknown is not None else model.alphabet.unknown(item.target)
            if missing:
                reason = f"characters outside the alphabet: {' '.join(map(repr, missing))}"
                rejected.append(Rejected(str(item.path), reason))
            elif set(model.encode(item.target)) == {unknown}:
                rejected.append(Rejected(str(item.path), "not one of its words is known"))
            else:
                kept.append(item)
        return kept, rejected

    def source(self, item: Item) -> tuple:
        return (str(item.path),)

    def settings(self, model: SequenceModel) -> dict:
        sizes = model.sizes["front_end"]
        names = ("network", "frozen", "side", "grid", "rate")
        weights = self.options.load or self.options.model.weights
        return {name: sizes.get(name) for name in names} | {"weights": weights}

    def features(self, item: Item, model: SequenceModel, mirrored: bool = False) -> Tensor:
        frames = frames_of(item, model)
        if mirrored:
            frames = [np.ascontiguousarray(frame[:, ::-1]) for frame in frames]
        return inputs_of(model.front_end, frames).flatten(1)

    def training_task(
        self, model: SequenceModel, train: list[Item], valid: list[Item], base: SequenceModel | None = None
    ) -> CaptionTask:
        """The task with the features of all pictures in its cache, each once."""
        options, frozen = self.options, model.front_end.network.frozen
        taught = grouped(train)
        pictures, count = taught + grouped(valid), len(taught)
        shown = [said[0] for said in pictures]
        mirrors = shown[:count] if frozen and options.teaching.mirror else []
        self.stored = np.float16 if frozen else np.uint8
        cache = self.cached(shown, model, mirrors)
        learnt = []
        for index, said in enumerate(pictures):
            texts = tuple(item.target for item in said)
            mirrored = len(pictures) + index if index < len(mirrors) else None
            learnt.append(Picture(index, tuple(map(model.encode, texts)), texts, mirrored))
        criterion = {"bleu4": "missed_bleu4", "exact": "wrong"}[options.select]
        parts = learnt[:count], learnt[count:]
        return CaptionTask(model, *parts, cache, options.teaching, options.training, criterion)

    def evaluated(self, split: str, model: SequenceModel, items: list[Item]) -> CaptionScores:
        pictures = grouped(items)
        whole = CaptionOptions(change=0.0, window=WHOLE)  # of a video, one sentence
        paths = (said[0].path for said in pictures)
        scenes = (scene for path in paths for scene in open_scene(path, kind_or_name(path).name))
        found = captions(scenes, model, whole)
        described = []
        for said, result in zip(pictures, found, strict=True):
            hypothesis = "" if isinstance(result, TriscribeError) else result.text
            references = tuple(item.target for item in said)
            described.append(Described(said[0].path.stem, references, hypothesis, said[0].path))
        return score(split, described)

    def metrics(self, found: CaptionScores, manifests: list[Manifest]) -> dict[str, dict]:
        return {found.split: found.table() | {"decoding": "beam search"}}

    def last_scores(self, row: Mapping[str, float]) -> dict:
        names = {"wrong": "exact", "missed_bleu4": "BLEU-4"}
        return {shown: f"{100 * (1 - row[name]):.1f}" for name, shown in names.items() if name in row}

    def write_report(self, found: CaptionScores, history: list[dict], facts: dict) -> Path:
        return write_caption_page(self.options.out / "report.html", found, history, facts)


def alphabet_of(options: VocabularyOptions, texts: list[str]) -> Words | Subwords | Alphabet:
    """The labels that the texts are made of.

    Raises:
        ValueError: sentencepiece cannot cut them into so many pieces.
    """
    if options.labels == "words":
        return Words.of(texts, options.min_count)
    return Subwords.of(texts, options.pieces) if options.labels == "subwords" else Alphabet.of(texts)


def grouped(items: Sequence[Item]) -> list[list[Item]]:
    """The sentences of each picture, in the pictures' order."""
    pictures: dict[Path, list[Item]] = defaultdict(list)
    for item in items:
        pictures[item.path].append(item)
    return list(pictures.values())


def frames_of(item: Item, model: SequenceModel) -> list[np.ndarray]:
    """The picture, or the frames of the video, (side, side, 3) uint8 each."""
    front_end = model.front_end
    if kind_of(item.path).name in STILL:
        return [read_image(item.path, colour=True).pixels]
    side = front_end.network.resize
    frames = open_video(item.path).frames(every=1 / front_end.rate, shorter_side=side)
    return [squared(frame.pixels, side) for frame in frames]
