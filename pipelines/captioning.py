"""caption(): pictures and videos in, sentences about them out, with where each word looked."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from decoders.contract import Hypothesis, Search
from encoders.frames import Frames
from pipelines.errors import ModelError, TriscribeError
from pipelines.media import images, video
from pipelines.media.video import Clip, Frame, Video, open_video
from pipelines.model import SequenceModel
from pipelines.reading.batches import Reading, model_for, read
from pipelines.reading.computing import device_for
from pipelines.reading.inference import for_inference
from pipelines.reading.precision import precision_for
from pipelines.reading.readers import answer
from pipelines.reading.settings import CaptionOptions
from pipelines.results import Caption, CaptionWord, Sentence

Source = images.Source | video.Source

SHORTEST = 1.0  # seconds of a stretch that a change in the picture may end


def caption(
    source: Source | Iterable[Source], model: SequenceModel | str | Path | None = None, **options
) -> Caption | Iterator[Caption]:
    """Say in words what a picture or a video shows.

    Args:
        source: a picture (a path, a binary file object, an array or tensor of shape (height, width, 3),
            a Pillow image), or a video (a path, a file object, a folder of frames, an array of shape
            (frames, height, width, 3)); or a list or generator of these. Content decides, not the name.
        model: a loaded model, a file, or a bundled model's name; None is the bundled one.
        options: see `CaptionOptions`.

    Returns:
        A Caption: one sentence for a picture, one for each stretch of a video. For many sources a
        generator of them, in order, batched across sources and with bounded memory.

    Raises:
        MediaError: a source cannot be read (for many: when its turn comes, see `errors`).
        ModelError: the model cannot be used, or is not for captions.
    """
    return answer("caption", source, model_for("captioning", model), CaptionOptions.of(options))


def captions(
    sources: Iterable[images.Source | Clip], model: SequenceModel, options: CaptionOptions | None = None
) -> Iterator[Caption | TriscribeError]:
    """A Caption or what is wrong with it for each picture, and each video that comes as a Clip, in order."""
    options = options or CaptionOptions()
    if not model.decoder.writes:
        cause = "does not write one label after the other, as captions need"
        raise ModelError(model.name, cause, "name a model with an attention or hybrid decoder")
    model = for_inference(model, device_for(options.device))
    decode = partial(model.decoder.hypotheses, search=search_for(model, options))
    return read((_Described(source, model, options) for source in sources), model, options, decode)


def search_for(model: SequenceModel, options: CaptionOptions) -> Search:
    """How sentences are looked for: never with the word that stands for unknown ones."""
    unknown = getattr(model.alphabet, "unknown_id", None)
    barred = () if unknown is None else (unknown,)
    return Search(
        options.width,
        max_length=options.longest,
        length_power=options.length_power,
        coverage=options.coverage,
        barred=barred,
    )


def squared(pixels: np.ndarray, side: int) -> np.ndarray:
    """(height, width, 3) -> (side, side, 3): the whole picture, squeezed where it is no square."""
    height, width = pixels.shape[:2]
    if (height, width) == (side, side):
        return np.ascontiguousarray(pixels)
    shrinks = side < max(height, width)
    return cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)


def inputs_of(front_end: Frames, frames: Sequence[np.ndarray], precision: str = "auto") -> Tensor:
    """What the model's front end takes of a picture, or of a stretch's frames, (height, width, 3) each.

    Of several frames, a front end for pictures takes the one in the middle.
    """
    side = front_end.network.resize
    if front_end.network.grid:
        frames = frames[len(frames) // 2 :][:1]
    shown = [squared(frame, side) for frame in frames]
    if front_end.network.frozen:
        device = next(front_end.parameters()).device.type
        return front_end.features(shown, precision=precision_for(precision, device))
    return torch.from_numpy(np.stack(shown))


def sentence(
    model: SequenceModel, found: Sequence[Hypothesis], start: float = 0.0, end: float = 0.0
) -> Sentence:
    """The best hypothesis as a sentence, and the others as its alternatives, no two alike."""
    texts: dict[str, Hypothesis] = {}
    for each in found:
        texts.setdefault(model.decode(each.labels.ids), each)
    (text, best), *others = texts.items()
    alternatives = tuple((other, _confidence(each)) for other, each in others)
    return Sentence(text, _confidence(best), _words(model, best), alternatives, start, end)


def _confidence(found: Hypothesis) -> float:
    """The probability of a label and of the end, on geometric mean."""
    return min(1.0, math.exp(found.log_prob / (len(found.labels.ids) + 1)))


def _words(model: SequenceModel, found: Hypothesis) -> tuple[CaptionWord, ...]:
    """Words with the means of their labels' confidences and attention, whatever labels are."""
    ids, parts = found.labels.ids, []
    for place in range(len(ids)):
        words, before = model.alphabet.decode(ids[: place + 1]).split(), len(parts)
        if len(words) > before:
            parts.append([place])
        elif parts:
            parts[-1].append(place)
    texts = model.alphabet.decode(ids).split()
    side = math.isqrt(found.weights.size(1))
    rows = side if model.front_end.network.grid and side * side == found.weights.size(1) else 1
    words = []
    for text, places in zip(texts, parts, strict=True):
        confidence = sum(found.labels.confidences[place] for place in places) / len(places)
        looked = found.weights[places].mean(dim=0).view(rows, -1).tolist()
        words.append(CaptionWord(text, min(confidence, 1.0), tuple(map(tuple, looked))))
    return tuple(words)


@dataclass(frozen=True)
class _Piece:
    """A picture, or a stretch of a video from `start` to `end` in seconds."""

    inputs: Tensor
    start: float = 0.0
    end: float = 0.0


class _Described(Reading):
    """A picture or a video on its way to a caption."""

    def __init__(self, source: images.Source | Clip, model: SequenceModel, options: CaptionOptions):
        self.source, self.model, self.options = source, model, options
        self.sentences: list[Sentence] = []
        self.duration = 0.0
        self.notes: tuple[str, ...] = ()

    def pieces(self) -> Iterator[_Piece]:
        if isinstance(self.source, Clip):
            film = open_video(self.source.source)
            self.name = film.name
            yield from self._stretches(film)
        else:
            picture = images.read_image(self.source, colour=True)
            self.name = picture.name
            yield _Piece(inputs_of(self.model.front_end, [picture.pixels], self.options.precision))

    def add(self, piece: _Piece, found: list[Hypothesis]) -> None:
        self.sentences.append(sentence(self.model, found, piece.start, piece.end))
        self.position = piece.end

    def result(self) -> Caption:
        source = None if self.name.startswith("<") else self.name
        return Caption(tuple(self.sentences), self.duration, self.model.name, source, notes=self.notes)

    def _stretches(self, film: Video) -> Iterator[_Piece]:
        """A piece for each stretch; only the frames of one are in memory."""
        front_end, options = self.model.front_end, self.options
        frames = film.frames(
            every=1 / front_end.rate, shorter_side=front_end.network.resize, strict=options.strict
        )
        window, kept, views = options.window or front_end.window, [], []
        for frame, view in _viewed(frames, front_end, options):
            self.duration = film.duration or frame.time
            parts = max(1, math.ceil(self.duration / window - 1e-6))
            longest = self.duration / parts if self.duration else window
            if kept:
                lasts = frame.time - kept[0].time
                apart = 1 - torch.cosine_similarity(view, torch.stack(views).mean(dim=0), dim=0)
                changed = options.change and apart > options.change and lasts >= SHORTEST
                if changed or lasts > longest - 0.5 / front_end.rate:
                    yield self._piece(kept, frame.time)
                    kept, views = [], []
            kept.append(frame)
            views.append(view)
        self.duration, self.notes = film.duration or self.duration, film.notes
        yield self._piece(kept, self.duration)

    def _piece(self, frames: list[Frame], end: float) -> _Piece:
        pictures = [frame.pixels for frame in frames]
        inputs = inputs_of(self.model.front_end, pictures, self.options.precision)
        return _Piece(inputs, frames[0].time, end)


def _viewed(
    frames: Iterator[Frame], front_end: Frames, options: CaptionOptions
) -> Iterator[tuple[Frame, Tensor]]:
    """Frames with what the image network sees in them, (features,), where changes of it count."""
    if not options.change:
        yield from ((frame, torch.ones(1)) for frame in frames)
        return
    side = front_end.network.resize
    while block := list(islice(frames, options.batch_size)):
        seen = front_end.network.features(
            [squared(frame.pixels, side) for frame in block],
            precision=precision_for(options.precision, device_for(options.device)),
        )
        views = F.normalize(seen.mean(dim=1) if seen.dim() == 3 else seen, dim=1)
        yield from zip(block, views, strict=True)
