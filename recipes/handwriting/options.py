"""Options of the recipe for handwriting. Importing this module does not import torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from recipes.learning.options import CoreOptions, RecogniserOptions, check_shares

MADE = "splice", "compose", "small_capitals"  # shares of lines that are made of others


@dataclass(frozen=True)
class LineAugmentation:
    """Augmentation of each line, varied anew in every epoch. Lengths are shares of the line's height."""

    stretch: float = 0.2
    """Largest relative change of width."""
    size: float = 0.1
    """Largest relative change of the writing's height."""
    slant: float = 0.12
    """Largest shear to either side, as a tangent."""
    skew: float = 0.1
    """Largest rise or fall of the baseline from one end of the line to the other."""
    offset: float = 0.06
    """Largest shift of the baseline up or down."""
    elastic: float = 0.035
    """Standard deviation of an elastic distortion (Simard et al. 2003)."""
    stroke: float = 0.4
    """Share of lines with thicker or thinner strokes."""
    contrast: float = 0.5
    """Share of lines with another contrast."""
    blur: float = 0.2
    """Share of lines that are blurred."""
    noise: float = 0.3
    """Share of lines with grain."""
    show_through: float = 0.15
    """Share of lines with another line showing through from the back."""
    splice: float = 0.0
    """Share of lines in which half of the words are replaced by words of nearby lines. The model's own CTC
    alignment says where words are, so this needs a ctc or hybrid decoder."""
    compose: float = 0.0
    """Share of lines composed from pieces of nearby lines, a few letters each, to say something from --texts,
    or from other lines. Needs a ctc or hybrid decoder, too."""
    small_capitals: float = 0.0
    """Share of lines composed in small capitals, as some people write: capitals of other lines, scaled to the
    height of small letters and labelled as small letters."""
    near: int = 10
    """Number of lines before and after a line, in the order of their names, that count as nearby: about as
    many as are of one hand. --compose works best with hundreds."""
    masks: int = 2
    """Number of masks over the width of the line."""
    mask_width: float = 0.4
    """Largest width of a mask."""

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
    """Sizes of the model. With --load, a size that is not given stays as it is in the loaded model; another
    one makes it grow, which loses nothing learnt, or shrink, which keeps what matters most."""

    new: ClassVar[Mapping[str, object]] = CoreOptions.new | {
        "height": 48,
        "fold": 1,
        "upright": True,
        "channels": (16, 32, 48, 64, 80),
        "residuals": (),
        "right_to_left": False,
    }

    height: int | None = None
    """Height to which lines are scaled, pixels. A loaded model can grow to a multiple of its height."""
    fold: int | None = None
    """Side of the blocks of pixels that the convolutions read as channels. --height 96 --fold 2 shows finer
    strokes than 48 and 1 and takes a tenth to a sixth longer."""
    upright: bool | None = None
    """Deslant the line and normalise the height and width of its letters; for scripts with ascenders and
    descenders."""
    channels: tuple[int, ...] | None = None
    """Channels of each of the five convolutions. A loaded model grows or shrinks to these."""
    residuals: tuple[int, ...] | None = None
    """Residual convolutions behind each of the five; 0 0 1 2 2 teaches more per epoch and takes 1.4 times as
    long. A loaded model grows to these."""
    right_to_left: bool | None = None
    """Lines run from right to left, as in Arabic and Hebrew."""

    def __post_init__(self):
        super().__post_init__()
        if self.height is not None and self.height < 8:
            raise ValueError(f"height must be at least 8 pixels, not {self.height}")
        if self.channels is not None and (len(self.channels) != 5 or min(self.channels) < 1):
            raise ValueError("channels must be five numbers from 1 upwards")
        if self.residuals and (len(self.residuals) > 5 or min(self.residuals) < 0):
            raise ValueError("residuals must be at most five numbers from 0 upwards")
        if self.fold is not None and (self.fold < 1 or (self.height or self.fold) % self.fold):
            raise ValueError(f"fold must divide the height, {self.height}, which {self.fold} does not")

    def front_end(self) -> dict:
        """Kind and sizes of the front end."""
        return {
            "kind": "line_image",
            "height": self.height,
            "fold": self.fold,
            "channels": list(self.channels),
            "residuals": list(self.residuals),
            "right_to_left": self.right_to_left,
            "upright": self.upright,
        }


@dataclass(frozen=True)
class HandwritingOptions(RecogniserOptions):
    """Train a handwriting recogniser on your own lines or pages."""

    task: ClassVar[str] = "handwriting"

    data: tuple[Path, ...] = ()
    """Folders of line images with texts (.gt.txt, labels.tsv), of pages with PAGE or ALTO XML, or of both.
    Several folders are trained on together and also scored separately."""
    out: Path = Path("exp/handwriting")
    """Folder for the model, checkpoint, log and report."""
    consistency: float = 0.0
    """Weight of the consistency between two masked views of each line (CR-CTC, Yao et al. 2024); 0 turns it
    off."""
    shortcut: float = 0.3
    """Weight of an auxiliary CTC loss on the output of the front end (Retsinas et al. 2022); 0 turns it
    off."""
    texts: tuple[Path, ...] = ()
    """Plain text files in the language to be read: books, or lists of words. --language-model counts books
    besides the training texts; with --compose and --fonts, lines say what is in them, and teach words that no
    line of the data shows."""
    fonts: Path | None = None
    """Folder of fonts (.ttf, .otf): besides the lines of the data, an epoch has lines rendered in these,
    always new ones, as scans show them. They teach hands that the data lacks."""
    rendered: float = 0.5
    """Share of rendered lines among those of an epoch, with --fonts."""
    views: int = 0
    """With --freeze: run the front end over this many variants of each line before training and keep its
    output on disk, about 60 kB per line and variant; epochs take half the time. 0 runs it in every epoch."""
    model: ModelOptions = field(default_factory=ModelOptions)
    augmentation: LineAugmentation = field(default_factory=LineAugmentation)

    def __post_init__(self):
        super().__post_init__()
        if self.views < 0 or (self.views and not self.freeze):
            raise ValueError(f"views must be 0, or more with --freeze, not {self.views}")
        if self.views and self.teacher:
            raise ValueError("a teacher reads lines, but views are no longer lines: leave out one of them")
        if self.views and self.augmentation.small_capitals:
            raise ValueError("small_capitals are drawn, which views cannot be: leave out one of them")
        check_shares(self, "rendered")
        if self.views and self.fonts:
            raise ValueError(
                "rendered lines are new ones each time, but views are not: leave out one of them"
            )

    def uses_of_texts(self) -> dict[str, bool]:
        lines = {"--compose": self.augmentation.compose > 0, "--fonts": self.fonts is not None}
        return super().uses_of_texts() | lines
