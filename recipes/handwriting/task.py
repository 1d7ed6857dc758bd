"""CTC training of a handwriting model on cached line images."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from pipelines.media.text import read_text
from pipelines.model import SequenceModel
from recipes.handwriting.augment import blot, vary
from recipes.handwriting.line_texts import LineTexts
from recipes.handwriting.options import HandwritingOptions, LineAugmentation
from recipes.handwriting.pieces import Capital, Pieces, cut_out, cuts, drawn, spliced
from recipes.handwriting.rendered_lines import RenderedLines, font_files
from recipes.learning.reading_task import ReadingTask, Sample, Samples, padded
from recipes.learning.teacher import Teacher

TRIES = 20  # to find a text that the alphabet can write
LETTER = 0.3  # guessed width of a letter in a rendered line, as a share of the line's height


class Rendered(Sample):
    """A line that is drawn when it is needed; `index` is its number, and `length` a guess."""


class LineTask(ReadingTask):
    """See `ReadingTask`; the cache holds prepared lines, (columns, height) uint8."""

    eased_until = 0.3

    def __init__(
        self,
        model: SequenceModel,
        samples: Samples,
        options: HandwritingOptions,
        teacher: Teacher | None = None,
        reads: bool = False,
    ):
        super().__init__(model, samples, options, teacher, reads)
        self.join = self.augmentation.made if model.decoder.by_frame else 0.0
        self.space = model.alphabet.encode(" ") if " " in model.alphabet else []
        # As the columns show them, which in right-to-left lines with numbers is not as they are read.
        self.own_texts = [model.alphabet.decode(sample.labels) for sample in self.train_items]
        lines = " ".join(model.decode(sample.labels) for sample in self.train_items)
        self.texts = samples.texts or (lines,)  # what made lines may say
        # Where lines part, in columns; kept in checkpoints, since a later model would find other places.
        places = sum(len(sample.labels) + 1 for sample in self.train_items)
        self.register_buffer("cuts", torch.full((places if self.join else 0,), -1))
        self.lines = rendered_lines(options, model, samples)
        share = options.rendered if self.lines else 0.0
        self.rendered = round(len(samples.train) * share / (1 - share))  # lines an epoch

    def eased(self, augmentation: LineAugmentation) -> LineAugmentation:
        slant, elastic = augmentation.slant / 2, augmentation.elastic / 2
        return replace(augmentation, slant=slant, elastic=elastic, noise=0.0, show_through=0.0)

    def collated(self, batch: list[list[Sample]], generator: torch.Generator) -> tuple:
        augmentation = self.easy_augmentation if self.easing else self.augmentation
        chance = np.random.default_rng(int(torch.randint(2**62, (), generator=generator)))
        lines = [torch.cat([self._columns(sample) for sample in group]).numpy().T for group in batch]
        varied = [
            line
            if isinstance(group[0], Rendered)  # which its scan has varied already
            else vary(line, augmentation, chance, behind=lines[place - 1])
            for place, (group, line) in enumerate(zip(batch, lines, strict=True))
        ]
        return padded([torch.from_numpy(line.T) for line in varied])

    def hidden(self, inputs: tuple, views: int) -> tuple[Tensor, Tensor]:
        # What convolutions make of a masked image is as blank, and they need run only once for all views.
        front_end = self.model.front_end
        columns, lengths = self.unmasked(front_end, inputs)
        height = front_end.height / front_end.stride
        if not self.easing:
            columns = torch.cat([blot(columns, lengths, height, self.augmentation) for _ in range(views)])
        return columns, lengths.repeat(views)

    def unmasked(self, front_end: nn.Module, inputs: tuple) -> tuple[Tensor, Tensor]:
        return front_end(*(each.to(self.device) for each in inputs))

    def begin(self, epoch: int) -> None:
        super().begin(epoch)
        if len(self.cuts) and not self.easing and self.cuts[0] < 0:
            self.cuts.copy_(torch.tensor(self._found_cuts()))

    def _joined(self, chooser: random.Random, share: float) -> list[list[Sample]]:
        """Lines of the data and rendered ones, shuffled."""
        lines = self._lines(chooser, share)
        if self.rendered:
            lines += [[self._rendered(chooser.getrandbits(60))] for _ in range(self.rendered)]
            chooser.shuffle(lines)
        return lines

    def _rendered(self, number: int) -> Rendered:
        labels = self.model.encode(self.model.normalisation(self.lines.text(number)))
        return Rendered(number, round(len(labels) * LETTER * self.model.front_end.height), labels, None)

    def _lines(self, chooser: random.Random, share: float) -> list[list[Sample]]:
        """Lines of the data, shuffled; some of them as words, half of which are those of lines near them,

        and some as pieces of other lines that say what is found somewhere in the texts.
        """
        order = chooser.sample(range(len(self.train_items)), len(self.train_items))
        if not share:
            return [[self.train_items[place]] for place in order]
        pieces = Pieces(self.train_items, self.own_texts, self.cuts.tolist(), self.augmentation.near)

        def line(place: int) -> list[Sample]:
            kind = chooser.random()
            found: list[Sample] = []
            composed, capital = self.augmentation.compose, self.augmentation.small_capitals
            if kind < composed + capital:
                found = self._composed(pieces, place, kind >= composed, chooser)
            elif kind < share:
                found = spliced(pieces, place, self.space, chooser)
            # Letters whose place was not found have no width; where all have none, there is no line.
            return found if any(piece.length for piece in found) else [self.train_items[place]]

        return [line(place) for place in order]

    def _composed(
        self, pieces: Pieces, place: int, in_capitals: bool, chooser: random.Random
    ) -> list[Sample]:
        size = len(self.own_texts[chooser.randrange(len(self.own_texts))])
        for _ in range(TRIES):
            text = cut_out(chooser.choice(self.texts), size, chooser)
            if in_capitals and text == text.upper():  # as all is in a script without capitals
                continue
            if text and not self.model.alphabet.unknown(text):
                labels = self.model.encode(text)
                met = self.model.alphabet.decode(labels)
                if in_capitals:
                    height = self.model.front_end.height
                    composed = pieces.small_capitals(met, labels, height, chooser)
                else:
                    composed = pieces.composed(met, place, chooser)
                if composed:
                    return composed
        return [self.train_items[place]]

    def _target(self, group: list[Sample]) -> list[int]:
        return [label for sample in group for label in sample.labels]

    @torch.inference_mode()
    def _found_cuts(self) -> list[int]:
        self.model.eval()
        found: dict[int, list[int]] = {}
        order = sorted(self.train_items, key=lambda sample: sample.length)
        for start in range(0, len(order), self.batch_size):
            chosen = order[start : start + self.batch_size]
            if self.teacher:  # who has read longer
                lines, lengths = self._as_they_are(chosen)
                log_probs = self.said((lines, lengths))
                frames = self.model.front_end.output_lengths(lengths)
            else:
                states, frames = self.model.core(*self.read(chosen))
                log_probs = self.model.decoder.frame_log_probs(states, frames)
            for sample, scores, length in zip(chosen, log_probs.cpu(), frames.tolist(), strict=True):
                found[sample.index] = self._cuts_of(sample, scores[:length])
        return [cut for sample in self.train_items for cut in found[sample.index]]

    def _cuts_of(self, sample: Sample, log_probs: Tensor) -> list[int]:
        line, stride = self._columns(sample).numpy(), self.model.front_end.stride
        return cuts(line, log_probs, sample.labels, self.space, stride)

    def _columns(self, sample: Sample) -> Tensor:
        """(columns, height) uint8 of a line or a part of it."""
        if isinstance(sample, Rendered):
            return self.model.front_end.prepare(self.lines.image(sample.index))
        line = self.cache[sample.index]
        if isinstance(sample, Capital):
            return torch.from_numpy(drawn(line.numpy(), sample))
        return line[sample.first : sample.first + sample.length]

    def read(self, samples: list[Sample]) -> tuple[Tensor, Tensor]:
        return self.unmasked(self.model.front_end, self._as_they_are(samples))

    def _as_they_are(self, samples: list[Sample]) -> tuple[Tensor, Tensor]:
        return padded([self.cache[sample.index] for sample in samples])


def rendered_lines(
    options: HandwritingOptions, model: SequenceModel, samples: Samples
) -> RenderedLines | None:
    """Lines in the fonts that the options name, as long as those of the data."""
    if not options.fonts:
        return None
    said = [model.decode(sample.labels) for sample in samples.train]
    texts = [read_text(path) for path in options.texts] or [" ".join(said)]  # lists of words keep their lines
    letters = {
        letter
        for letter in {*model.alphabet.symbols, *"".join(texts)}
        if (meant := model.normalisation(letter)) and not model.alphabet.unknown(meant)
    }
    lines = LineTexts(texts, [len(text) for text in said])
    return RenderedLines(font_files(options.fonts), lines, letters | {" "}, options.training.seed)
