"""Video: clips and long videos in, what happens in them out, with times.

Decoding, and motion between frames, run in a thread of their own beside the network. Long videos are
read in windows that overlap, so that memory does not grow with their length.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from decoders.search import switching
from encoders.frames import Frames
from pipelines.errors import ModelError, TriscribeError
from pipelines.media.files import disk_errors, name_of
from pipelines.media.video import Clip, Video, open_video
from pipelines.model import SequenceModel
from pipelines.reading.computing import ahead, device_for, even, side_by_side
from pipelines.reading.inference import for_inference
from pipelines.reading.precision import precision_for
from pipelines.reading.reporting import report
from pipelines.reading.settings import VideoOptions
from pipelines.results import Actions, ActionSegment

AHEAD = 4  # batches of frames that are decoded before the network asks for them
AT_ONCE = 1.5  # windows; a video that is not longer is read at once


def watch(
    clips: Iterable[Clip | TriscribeError], model: SequenceModel, options: VideoOptions | None = None
) -> Iterator[Actions | TriscribeError]:
    """Actions or what is wrong with it for each video, in order; the next is decoded meanwhile."""
    options = options or VideoOptions()
    if not (model.decoder.by_frame or model.decoder.pools):
        cause = "writes label after label, without probabilities for each frame"
        raise ModelError(model.name, cause, "name a model with a classifier, timeline or ctc decoder")
    device = device_for(options.device)
    model = for_inference(model, device)
    watching, seen = _Watching(model, options), []

    def see(frames: list[tuple[np.ndarray, Tensor]]) -> Tensor:
        return model.front_end.see(frames, options.batch_size, precision_for(options.precision, device))

    at_once = options.batch_size * (torch.get_num_threads() if device == "cpu" else 1)
    for each in ahead(_looked(clips, model.front_end, options), AHEAD):
        if isinstance(each, list):
            seen += each
        if seen and (len(seen) >= at_once or not isinstance(each, list)):
            for features in side_by_side(see, even(seen, options.batch_size, device), device):
                watching.add(features)
            report((watching.first + len(watching.held)) / model.front_end.rate)
            seen = []
        if not isinstance(each, list):
            yield each if isinstance(each, TriscribeError) else watching.result(each)
            watching = _Watching(model, options)


def opened(clip: Clip, front_end: Frames, strict: bool = True) -> tuple[Video, Iterator[np.ndarray]]:
    """The video, and its frames as the front end takes them: `rate` a second, not larger than it needs.

    Raises:
        MediaError: it cannot be opened; and while it is read, it breaks off (strict only).
    """
    video = open_video(clip.source)
    side = front_end.network.resize
    frames = video.frames(None, 1 / front_end.rate, side, clip.start, clip.end, strict)
    return video, (frame.pixels for frame in frames)


@torch.inference_mode()
def judged(model: SequenceModel, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor | None]:
    """What each frame shows; see `Decoder.frame_probabilities`.

    Args:
        x, lengths: (batch, time, features) of `Frames.features`, and frames of each.
    """
    return model.decoder.frame_probabilities(*model.states(x, lengths))


def segments_of(
    probabilities: np.ndarray,
    names: Sequence[str],
    rate: float,
    start: float = 0.0,
    end: float | None = None,
    switch: float = 4.0,
) -> tuple[ActionSegment, ...]:
    """The segments in which something happens, in order of time.

    Args:
        probabilities: (time, 1 + classes), label 0 being none of them, which gives no segment.
        names: of the classes.
        rate: frames a second.
        start, end: seconds of the first frame, and at which the last one ends; None is what the rate says.
        switch: see `VideoOptions`.
    """
    found = switching.segments(probabilities, switch)
    times = [start + frame / rate for frame in range(len(probabilities))]
    times.append(start + len(probabilities) / rate if end is None else end)
    columns = zip(found.ids, found.starts, found.ends, found.confidences, strict=True)
    return tuple(
        ActionSegment(names[label - 1], times[first], times[last], score)
        for label, first, last, score in columns
    )


@dataclass(frozen=True)
class _End:
    """A video that was decoded to its end, or to that of the stretch."""

    name: str | None
    start: float
    end: float
    damaged: int
    notes: tuple[str, ...]


def _looked(clips: Iterable[Clip | TriscribeError], front_end: Frames, options: VideoOptions) -> Iterator:
    """For each clip, lists of what `Frames.look` gives, then an `_End`; or an error."""
    for clip in clips:
        if isinstance(clip, TriscribeError):
            yield clip
            continue
        try:
            with disk_errors(name_of(clip.source)):
                video, frames = opened(clip, front_end, options.strict)
                looked = front_end.look(frames)
                while batch := list(islice(looked, options.batch_size)):
                    yield batch
        except TriscribeError as error:
            yield error
            continue
        end = min(video.duration, clip.end or video.duration)
        name = None if video.name.startswith("<") else video.name
        yield _End(name, clip.start, end, video.damaged, video.notes)


class _Watching:
    """One video on its way to a result: features come in, windows of them are judged, and let go."""

    def __init__(self, model: SequenceModel, options: VideoOptions):
        self.model, self.options = model, options
        self.window = max(1, round((options.window or model.front_end.window) * model.front_end.rate))
        self.step = max(1, self.window // (4 if model.decoder.pools else 2))
        self.held: Tensor | None = None
        self.first = 0  # number of the first frame that is held
        self.sums = np.zeros((0, len(model.alphabet)))
        self.weights, self.shares = np.zeros(0), np.zeros(0)

    def add(self, features: Tensor) -> None:
        self.held = features if self.held is None else torch.cat([self.held, features])
        while len(self.held) > AT_ONCE * self.window:
            self._judge(self.held[: self.window])
            self._move()

    def result(self, end: _End) -> Actions:
        model, options, rate = self.model, self.options, self.model.front_end.rate
        while self.first and len(self.held) > self.window:
            self._judge(self.held[: self.window])
            self._move()
        self._judge(self.held)
        found = self.sums / self.weights[:, None]
        names = model.alphabet.symbols
        means = found[:, 1:].mean(axis=0)
        top = tuple((names[index], float(means[index])) for index in np.argsort(-means)[: options.top])
        if self.first == 0 and model.decoder.pools:
            segments = (ActionSegment(top[0][0], end.start, end.end, top[0][1]),)
        else:
            segments = segments_of(found, names, rate, end.start, end.end, options.switch)
        attention = ()
        if self.shares.any():
            shares = self.shares / self.shares.sum()
            attention = tuple((end.start + frame / rate, float(share)) for frame, share in enumerate(shares))
        duration = end.end - end.start
        facts = (duration, model.name, end.name, attention, end.damaged)
        return Actions(top, segments, *facts, notes=end.notes)

    def _judge(self, features: Tensor) -> None:
        """Windows overlap, and count for most in their middles."""
        device = next(self.model.parameters()).device
        found, shares = judged(self.model, features[None].to(device), torch.tensor([len(features)]))
        last = self.first + len(features)
        grown = max(0, last - len(self.weights))
        self.sums = np.pad(self.sums, ((0, grown), (0, 0)))
        self.weights, self.shares = np.pad(self.weights, (0, grown)), np.pad(self.shares, (0, grown))
        places = np.arange(len(features)) + 0.5
        weights = np.minimum(places, len(features) - places)
        self.sums[self.first : last] += weights[:, None] * found[0].cpu().numpy()
        self.weights[self.first : last] += weights
        if shares is not None:
            self.shares[self.first : last] += shares[0].cpu().numpy()

    def _move(self) -> None:
        self.held = self.held[self.step :]
        self.first += self.step
