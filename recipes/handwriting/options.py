"""Options of the handwriting recipe. Importing them does not import torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from recipes.learning.options import CoreOptions, RecogniserOptions

MADE = "splice", "compose", "small_capitals"  # shares of lines that are made of others


@dataclass(frozen=True)
class LineAugmentation:
    """How far training varies each line. Lengths are shares of the line's height."""

    stretch: float = 0.2
    """Largest relative change of width."""
    size: float = 0.1
    """Largest relative change of the writing's height."""
    slant: float = 0.12
    """Largest shear to either side, as a tangent."""
    skew: float = 0.1
    """Largest rise or fall from one end of the line to the other."""
    offset: float = 0.06
    """Largest shift of the baseline up or down."""
    elastic: float = 0.035
    """Typical displacement of an elastic distortion (Simard et al. 2003)."""
    stroke: float = 0.4
    """Share of lines whose strokes are made thicker or thinner."""
    contrast: float = 0.5
    """Share of lines with other gradation."""
    blur: float = 0.2
    """Share of lines that are blurred."""
    noise: float = 0.3
    """Share of lines with grain."""
    show_through: float = 0.15
    """Share of lines behind which another one shines through, mirrored."""
    splice: float = 0.0
    """Share of lines in which half the words give way to others from lines near them, whose places the model
    itself finds; an attention decoder alone finds none."""
    compose: float = 0.0
    """Share of lines that are composed of pieces of lines near them, a few letters each, and say what stands
    somewhere in --texts, or in other lines. Pieces, too, are found by the model."""
    small_capitals: float = 0.0
    """Share of lines in small capitals, in which some people write everything: capitals of other lines, drawn
    about as high as small letters, say what stands somewhere in such texts, and are read as small letters."""
    near: int = 10
    """Lines before and behind one that give it words and pieces: about as many as are of one page or hand, in
    the order of their names. --compose wants hundreds, for pieces of more than two or three letters."""
    masks: int = 2
    """Stretches of columns that are blotted out."""
    mask_width: float = 0.4
    """Most of a line's height that one of them is wide."""

    def __post_init__(self):
        for name in ("stroke", "contrast", "blur", "noise", "show_through", *MADE):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a share from 0 to 1, not {getattr(self, name)}")
        if self.made > 1:
            raise ValueError(f"{', '.join(MADE)} are {self.made} together, and at most 1")
        for name in ("stretch", "size"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is a change from 0 to below 1, not {getattr(self, name)}")
        for name in ("slant", "skew", "offset", "elastic", "near", "masks", "mask_width"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be 0 or more, not {getattr(self, name)}")

    @property
    def made(self) -> float:
        """Share of lines that are made of others."""
        return sum(getattr(self, name) for name in MADE)


@dataclass(frozen=True)
class ModelOptions(CoreOptions):
    """Sizes of a new model; ignored with --load."""

    height: int = 48
    """Pixels that every line is scaled to."""
    fold: int = 1
    """The convolutions read blocks of so many pixels square, as channels; with --height 96 --fold 2 they see
    finer strokes, and take a tenth to a sixth longer than with 48 and 1."""
    upright: bool = True
    """Set slanting letters upright and even their height and width; for scripts with ascenders and
    descenders."""
    channels: tuple[int, ...] = (16, 32, 48, 64, 80)
    """Of each convolution."""
    residuals: tuple[int, ...] = ()
    """Further convolutions behind each; with 0 0 1 2 2 an epoch teaches more and takes 1.4 times as long."""
    right_to_left: bool = False
    """The lines run from right to left, as in Arabic and Hebrew."""

    def __post_init__(self):
        super().__post_init__()
        if self.height < 8 or len(self.channels) != 5 or min(self.channels) < 1:
            raise ValueError("height must be at least 8, and channels five numbers from 1 upwards")
        if self.fold < 1 or self.height % self.fold:
            raise ValueError(f"fold must divide the height, {self.height}, which {self.fold} does not")


@dataclass(frozen=True)
class HandwritingOptions(RecogniserOptions):
    """Train a handwriting recogniser on your own folder."""

    data: tuple[Path, ...] = ()
    """Folders of line images with texts (`.gt.txt`, `labels.tsv`), of pages with PAGE or ALTO files, or
    of both: found out by itself. Several folders are trained on together and also scored apart."""
    out: Path = Path("exp/handwriting")
    """Folder for the model, checkpoint, log and report."""
    consistency: float = 0.0
    """Weight that draws two masked views of a line towards each other (CR-CTC); 0 turns it off."""
    shortcut: float = 0.3
    """Weight of a second CTC loss, on what the front end alone reads; 0 turns it off."""
    grow: tuple[int, ...] = ()
    """Further convolutions for the model of --load, behind each that it has (as --residuals of a new one).
    They begin by changing nothing, so that nothing learnt is lost."""
    finer: int = 1
    """Scale lines to this many times the height that the model of --load reads (see --fold). This, too,
    begins by changing nothing."""
    wider: tuple[int, ...] = ()
    """Channels of each convolution of the model of --load from now on. So does this."""
    narrower: tuple[int, ...] = ()
    """Channels of each convolution of the model of --load from now on, fewer than it has: those that matter
    least are left out, for a smaller, faster model, which may learn from the whole one (--teacher)."""
    cells: int | None = None
    """Memory cells of each layer and direction of the model of --load from now on. More begin by changing
    nothing; fewer are those that matter most."""
    texts: tuple[Path, ...] = ()
    """Plain text in the language and the jargon to be read, for --compose: words that no line shows."""
    views: int = 0
    """With --freeze: the front end reads each line this many times, varied anew each time, before training
    begins, and what it made of them is kept on disk, some 60 kB a line and view: an epoch takes one of these
    views. 0: it reads them anew in every epoch, which takes twice as long."""
    model: ModelOptions = field(default_factory=ModelOptions)
    augmentation: LineAugmentation = field(default_factory=LineAugmentation)

    def __post_init__(self):
        super().__post_init__()
        self._needs_load("grow", "wider", "narrower", "cells")
        if self.freeze and (any(self.grow) or self.finer > 1 or self.wider or self.narrower):
            raise ValueError(
                "freeze leaves the front end as it is; grow, finer, wider and narrower change it"
            )
        if self.narrower and (any(self.grow) or self.wider):
            raise ValueError(
                "narrower makes a model smaller, and grow and wider larger: leave out one of them"
            )
        if self.views < 0 or (self.views and not self.freeze):
            raise ValueError(f"views must be 0, or more with --freeze, not {self.views}")
        if self.views and self.teacher:
            raise ValueError("a teacher reads lines, and views are none any more: leave out one of them")
        if self.views and self.augmentation.small_capitals:
            raise ValueError("small_capitals are drawn, and views are not: leave out one of them")
        if self.texts and not self.augmentation.compose:
            raise ValueError("texts are what --compose writes: give that a share of the lines, such as 0.4")
        if min(self.grow, default=0) < 0:
            raise ValueError(f"grow must be numbers from 0 upwards, not {self.grow}")
        if self.finer < 1 or (self.finer > 1 and not self.load):
            raise ValueError(f"finer must be 1, or more with --load, not {self.finer}")
