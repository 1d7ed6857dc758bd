"""The options of every recognition function as dataclasses, importable without torch.

The keyword arguments of Python and the options of the command line are both made from them: the docstring
below a field is its only help text, whose first sentence must be enough.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pipelines.errors import DataError
from pipelines.options import Options
from pipelines.reading.precision import meant

AUTO, OWN, NONE = "auto", "own", "none"  # language models that are not files
LEXICON_COST = 3.0  # nats
MOST = 100  # alternatives of one reading
TOLD = (
    "language_model",
    "language_weight",
    "hotwords",
    "hotword_weight",
    "lexicon",
    "lexicon_cost",
    "alternatives",
)  # options that records name where they differ from the default


@dataclass(frozen=True)
class BatchOptions(Options):
    """How the model is run."""

    batch_size: int = 16
    """Segments, lines or frames that the model reads at once."""
    device: str = "auto"
    """Where the model runs: cpu, cuda, or auto for CUDA if available."""
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    """Floating-point format of the computation; auto takes the faster one for each part of the model. It is
    measured once for the machine; bf16 is slow without hardware for it."""

    def __post_init__(self):
        if self.batch_size < 1:
            raise ValueError("batch_size must be at least 1")
        meant(self.precision)
        check_device(self.device)

    def signed(self, name: str, carries_language: bool = False) -> str:
        """What records of how a result was made say of the model: its name, and options that matter."""
        return name


@dataclass(frozen=True)
class ManyOptions(BatchOptions):
    """What happens with many sources."""

    errors: Literal["raise", "return"] = "raise"
    """With many sources: raise the error of a bad one, or return it in place of its result and go on."""

    def __post_init__(self):
        super().__post_init__()
        if self.errors not in ("raise", "return"):
            raise ValueError(f"errors must be 'raise' or 'return', not {self.errors!r}")


@dataclass(frozen=True)
class SearchOptions(BatchOptions):
    """How text is decoded."""

    language_model: str | os.PathLike | None = AUTO
    """Language model: auto (the model's own, if it carries one), own, none, or a file: a text, ARPA, or a
    model of `train language`. A plain text is turned into character n-grams, an ARPA file must hold such, and
    a model tell characters; each is interpolated with the model's own. None is the same as none."""
    language_weight: float | None = None
    """Weight of the language model, from 0 to 2 (default: tuned in training; of an ARPA file, 0.7)."""
    hotwords: str | os.PathLike | Sequence[str] = ()
    """Words and names to favour: separated by commas, or a file with one on each line."""
    hotword_weight: float = 1.0
    """Bonus in nats for each letter of a hotword, from 0 to 10. A higher one finds more of them, and also
    takes more other words for them."""
    lexicon: str | os.PathLike | Sequence[str] = ()
    """Known words, given like hotwords; any other word is penalised. They match as given, capitalised and in
    capitals; numbers, punctuation and hotwords are never penalised."""
    lexicon_cost: float = LEXICON_COST
    """Out-of-vocabulary penalty in nats; inf forbids all other words."""
    width: int = 5
    """Beam width. It is doubled with a language model or hotwords, quadrupled where the language model knows
    words, and six times as large with a lexicon. CTC alone is read greedily; a hybrid model with a width of 1
    is read by its CTC decoder."""
    alternatives: int = 0
    """Number of alternative readings to give with their probabilities."""

    def __post_init__(self):
        super().__post_init__()
        if self.width < 1:
            raise ValueError("width must be at least 1")
        given = self.language_model
        if given is not None and str(given) not in (AUTO, OWN, NONE):
            _check_file("language_model", given, "own, none, or a text, ARPA or model file")
        if self.language_weight is not None and not 0 <= self.language_weight <= 2:
            raise ValueError(f"language_weight must be from 0 to 2, not {self.language_weight}")
        for name in ("hotwords", "lexicon"):
            words = getattr(self, name)
            if isinstance(words, (str, os.PathLike)) and _is_path(words):
                _check_file(name, words, "a text file or words")
        if not self.lexicon_cost >= 0:
            raise ValueError(f"lexicon_cost must be 0 or more, not {self.lexicon_cost}")
        if not 0 <= self.hotword_weight <= 10:
            raise ValueError(f"hotword_weight must be from 0 to 10, not {self.hotword_weight}")
        if not 0 <= self.alternatives <= MOST:
            raise ValueError(f"alternatives must be from 0 to {MOST}, not {self.alternatives}")

    def signed(self, name: str, carries_language: bool = False) -> str:
        """A model's name and the search options that matter, for records of how a result was made.

        Args:
            name: of the model.
            carries_language: whether `auto` stands for the model's own language model.
        """
        told = {option: getattr(self, option) for option in TOLD}
        if told["language_model"] in (AUTO, None):
            told["language_model"] = OWN if carries_language and told["language_model"] else NONE
        plain = SearchOptions(language_model=NONE)
        changed = [
            f"{option} {value}" for option, value in told.items() if value not in (getattr(plain, option), "")
        ]
        return ", ".join([name, *changed])


@dataclass(frozen=True)
class ListeningOptions(BatchOptions):
    """How a recording is segmented."""

    longest: float = 15.0
    """Longest segment in seconds; longer recordings are cut at pauses."""
    strict: bool = True
    """Refuse damaged or silent recordings; otherwise read what can be read of them."""
    track: int | None = None
    """Audio track of a file that has several, from 1 (default: the main one, or the first audible one)."""

    def __post_init__(self):
        super().__post_init__()
        if self.longest < 1:
            raise ValueError("longest must be at least 1 second")
        if self.track is not None and self.track < 1:
            raise ValueError(f"track must be 1 or more, not {self.track}")


@dataclass(frozen=True)
class SpeechOptions(ManyOptions, ListeningOptions, SearchOptions):
    """How to transcribe."""

    min_confidence: float | None = None
    """Mean confidence of a segment's words below which it is no speech and left out, from 0 to 1 (default:
    found in training together with the share of clear characters, where the model has them, else 0)."""

    def __post_init__(self):
        super().__post_init__()
        if self.min_confidence is not None and not 0 <= self.min_confidence <= 1:
            raise ValueError(f"min_confidence must lie between 0 and 1, not {self.min_confidence}")


@dataclass(frozen=True)
class AlignmentOptions(ListeningOptions):
    """How to align a text with a recording."""

    min_confidence: float = 0.1
    """Confidence below which a line is reported as not in the recording. It is the geometric mean, over the
    line's worst stretch, of its symbols' probabilities relative to the best ones there. Of AN4's test
    speakers, all 61 lines that are said have more than 0.25, and 0.4 % of 696 other texts more than 0.1."""
    language: str = "en"
    """Language in which numbers are spoken: a code of num2words, such as fr."""

    def __post_init__(self):
        super().__post_init__()
        if not 0 <= self.min_confidence <= 1:
            raise ValueError(f"min_confidence must lie between 0 and 1, not {self.min_confidence}")


@dataclass(frozen=True)
class HandwritingOptions(SearchOptions):
    """How handwriting is read."""

    layout: str | os.PathLike = "auto"
    """Where the lines are: auto, line, page, or a PAGE or ALTO file or a folder of them. With line,
    the image is one line; with page, lines are detected. The default takes the PAGE or ALTO file of the
    image's name beside it, if there is one; otherwise an image less than 200 pixels high, or at least 4 times
    as wide as high, is a line."""
    rotate: Literal["auto", "0", "90", "180", "270"] = "auto"
    """Degrees clockwise by which the image is turned to be upright. With auto, pages whose lines are detected
    are turned where they lie on a side or upside down. Results are in pixels of the image as it was given."""

    def __post_init__(self):
        super().__post_init__()
        if str(self.rotate) not in ("auto", "0", "90", "180", "270"):
            raise ValueError(f"rotate must be auto, 0, 90, 180 or 270, not {self.rotate!r}")
        if self.layout not in ("auto", "line", "page") and not os.path.isdir(self.layout):
            _check_file("layout", self.layout, "auto, line, page, or a PAGE or ALTO file or a folder of them")


@dataclass(frozen=True)
class VideoOptions(BatchOptions):
    """How actions in videos are recognised."""

    window: float | None = None
    """Window in seconds over which a long video is classified (default: as in training)."""
    switch: float = 4.0
    """Penalty in nats for a change of label within a video; a higher one gives fewer segments."""
    top: int = 5
    """Number of classes to list with their scores."""
    strict: bool = True
    """Refuse damaged videos; otherwise read what can be read of them."""

    def __post_init__(self):
        super().__post_init__()
        if self.window is not None and not 0 < self.window < math.inf:
            raise ValueError(f"window must be above 0 seconds, not {self.window}")
        if not self.switch >= 0 or self.top < 1:
            raise ValueError(f"switch must be 0 or more and top at least 1, not {self.switch} and {self.top}")


@dataclass(frozen=True)
class RecognitionOptions(ManyOptions, HandwritingOptions, VideoOptions):
    """How to recognise; options that do not apply to a source are ignored."""

    pages: str | None = None
    """Pages of PDF documents, such as 2-5,7 (default: all)."""
    dpi: float | None = None
    """Resolution in pixels per inch at which PDF pages are rendered; by default that of the images where a
    page consists of them, or else 300."""

    def __post_init__(self):
        super().__post_init__()
        if self.pages is not None:
            from pipelines.media.documents import page_ranges

            page_ranges(self.pages)
        if self.dpi is not None and not 0 < self.dpi < math.inf:
            raise ValueError(f"dpi must be above 0, not {self.dpi}")


@dataclass(frozen=True)
class CaptionOptions(ManyOptions, BatchOptions):
    """How pictures and videos are captioned."""

    width: int = 3
    """Beam width. A wider beam finds likelier sentences, but duller ones."""
    length_power: float = 0.6
    """Exponent of the length normalisation: 0 is none, 1 the mean over labels."""
    coverage: float = 0.0
    """Weight of the coverage penalty, in nats for each place of the picture."""
    longest: int = 100
    """Longest sentence, in labels."""
    window: float | None = None
    """Longest stretch of a video that one sentence describes, in seconds (default: as in training)."""
    change: float = 0.25
    """Cosine distance between frames at which a new sentence begins; 0 cuts videos evenly."""
    strict: bool = True
    """Refuse damaged videos; otherwise read what can be read of them."""

    def __post_init__(self):
        super().__post_init__()
        if min(self.length_power, self.coverage, self.change) < 0 or min(self.width, self.longest) < 1:
            raise ValueError("length_power, coverage and change must be 0 or more, width and longest 1")
        if self.window is not None and not 0 < self.window < math.inf:
            raise ValueError(f"window must be above 0 seconds, not {self.window}")


@dataclass(frozen=True)
class TaggingOptions(ManyOptions):
    """How texts are tagged."""

    batch_size: int = 64
    """Texts that the model reads at once."""
    unit: Literal["line", "file"] = "line"
    """What one text is: a line of a text file, or the whole file."""
    column: str | None = None
    """Column of a table that holds the texts: its name, or its number where the table has no head (default:
    the one called text, sentence, review and the like)."""

    def __post_init__(self):
        super().__post_init__()
        if self.unit not in ("line", "file"):
            raise ValueError(f"unit must be line or file, not {self.unit!r}")


@dataclass(frozen=True)
class TextOptions(TaggingOptions):
    """How texts are classified."""

    top: int = 5
    """Number of classes to list with their scores."""
    threshold: float | None = None
    """Score below which a text is rejected, as it is none of the classes, or where a text may have several, a
    class is not one of them (default: as found in training)."""

    def __post_init__(self):
        super().__post_init__()
        if self.top < 1 or not 0 <= (self.threshold or 0.0) <= 1:
            raise ValueError(
                f"top must be at least 1 and threshold from 0 to 1, not {self.top} and {self.threshold}"
            )


@dataclass(frozen=True)
class SeriesOptions(ManyOptions):
    """Which columns of a table are read."""

    batch_size: int = 256
    """Windows that the model reads at once."""
    time: str | None = None
    """Column of the times (default: the one called time, date, ds and the like, or one with dates)."""
    id: str | None = None
    """Column of the names of series in a long table (default: unique_id and the like)."""
    target: str | None = None
    """Columns of values, separated by commas (default: y in a long table, all numbers in a wide one)."""

    def columns(self, known: Sequence[str] = (), static: Sequence[str] = ()) -> object:
        """The columns as `pipelines.media.series` takes them."""
        from pipelines.media.series import Columns

        target = tuple(name.strip() for name in (self.target or "").split(",") if name.strip())
        return Columns(self.time, self.id, target, tuple(known), tuple(static))


@dataclass(frozen=True)
class ForecastOptions(SeriesOptions):
    """How series are forecast."""

    horizon: int | None = None
    """Steps to forecast (default: as many as the model was trained for). Longer ones go on from their own
    median, whose uncertainty they do not carry on."""
    level: float = 0.8
    """Share of the values that the interval is to hold; the model has quantiles for 0.8, 0.6, 0.4 and 0.2."""

    def __post_init__(self):
        super().__post_init__()
        if self.horizon is not None and self.horizon < 1:
            raise ValueError(f"horizon must be at least 1 step, not {self.horizon}")
        if not 0 < self.level < 1:
            raise ValueError(f"level must lie between 0 and 1, not {self.level}")


@dataclass(frozen=True)
class DetectOptions(SeriesOptions):
    """What counts as an event."""

    threshold: float | None = None
    """Score from which a step belongs to an event, from 0 to 1 (default: chosen for each series by the tail
    of its scores)."""
    share: float = 0.0005
    """Share of the steps that may begin an event by chance, where the threshold is chosen."""
    max_alarms: int | None = None
    """Most events of a series; those with the highest scores remain."""

    def __post_init__(self):
        super().__post_init__()
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold must lie between 0 and 1, not {self.threshold}")
        if not 0 < self.share < 1:
            raise ValueError(f"share must lie between 0 and 1, not {self.share}")
        if self.max_alarms is not None and self.max_alarms < 0:
            raise ValueError(f"max_alarms must be 0 or more, not {self.max_alarms}")

    def columns(self, known: Sequence[str] = (), static: Sequence[str] = ()) -> object:
        """The columns, whose times need not be evenly spaced."""
        return replace(super().columns(known, static), even=False)


@dataclass(frozen=True)
class TranslationOptions(ManyOptions):
    """How texts are translated."""

    batch_size: int = 32
    """Sentences that the model reads at once."""
    column: str | None = None
    """Column of a table that holds the texts: its name, or its number where the table has no head (default:
    the one called text, sentence, review and the like)."""
    width: int = 5
    """Beam width."""
    length_power: float = 1.0
    """Exponent of the length normalisation (Wu et al. 2016): 0 is none; the higher, the longer translations
    become."""
    coverage: float = 0.1
    """Weight of the coverage penalty (Wu et al. 2016), against words that are left out; 0 is none."""
    alternatives: int = 0
    """Number of other translations of each sentence to return, at most the beam width less one."""

    def __post_init__(self):
        super().__post_init__()
        if not 0 <= self.length_power < math.inf or not 0 <= self.coverage < math.inf:
            found = f"{self.length_power} and {self.coverage}"
            raise ValueError(f"length_power and coverage must be 0 or more, not {found}")
        if self.width < 1 or not self.alternatives >= 0:
            found = f"{self.width} and {self.alternatives}"
            raise ValueError(f"width must be at least 1 and alternatives 0 or more, not {found}")


@dataclass(frozen=True)
class LanguageOptions(ManyOptions):
    """How texts are scored."""

    unit: Literal["file", "line"] = "file"
    """What one text is: the whole file, or a line of it."""
    precision: Literal["auto", "bf16", "fp32"] = "fp32"
    """Floating-point format of the computation; with fp32, figures agree on all machines."""

    def __post_init__(self):
        super().__post_init__()
        if self.unit not in ("file", "line"):
            raise ValueError(f"unit must be file or line, not {self.unit!r}")


@dataclass(frozen=True)
class GenerationOptions(Options):
    """How texts are written."""

    length: int = 500
    """Characters to write; a subword or word that begins before may end behind."""
    temperature: float = 0.8
    """Below 1 the text is more ordinary, above 1 more varied; 0 always takes the most probable symbol."""
    top_p: float = 1.0
    """Share of the probability that the symbols to choose from have together (nucleus sampling, Holtzman et
    al. 2020)."""
    seed: int = 1
    """Seed of the choices; the same one gives the same text."""
    device: str = "cpu"
    """Where the model runs: cpu, cuda, or auto for CUDA if available."""

    def __post_init__(self):
        if self.length < 1:
            raise ValueError(f"length must be at least 1, not {self.length}")
        if not 0 <= self.temperature < math.inf:
            raise ValueError(f"temperature must be 0 or more, not {self.temperature}")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p must be above 0 and at most 1, not {self.top_p}")
        check_device(self.device)


def check_device(device: str) -> None:
    """Check the name of a device, and that it is there.

    Raises:
        ValueError: it is no such name, or there is no such device.
    """
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", device):
        raise ValueError(f"device must be auto, cpu or cuda, not {device!r}")
    if device.startswith("cuda"):
        import torch

        if not torch.cuda.is_available():
            raise ValueError(f"device {device}: torch finds no CUDA device here")


@dataclass(frozen=True)
class AnnotationOptions(ManyOptions):
    """How signals are annotated."""

    leads: str | Sequence[str] = ()
    """Names of the channels to annotate, separated by commas (default: all that the model can read). A model
    of several leads reads those that it knows, and takes a lead that is not there for missing."""
    switch: float = 2.0
    """Nats that a change of the label costs; the higher, the fewer marks."""
    rate: float | None = None
    """Samples a second of tables that have no column of times."""
    strict: bool = True
    """Refuse damaged recordings; otherwise read what can be read of them."""

    def __post_init__(self):
        super().__post_init__()
        if not self.switch >= 0:
            raise ValueError(f"switch must be 0 or more, not {self.switch}")
        if self.rate is not None and not 0 < self.rate < math.inf:
            raise ValueError(f"rate must be above 0 hertz, not {self.rate}")

    @property
    def lead_names(self) -> tuple[str, ...]:
        """The names of the leads, without spaces around them."""
        names = self.leads.split(",") if isinstance(self.leads, str) else self.leads
        return tuple(filter(None, (name.strip() for name in names)))


@dataclass(frozen=True)
class RiskOptions(ManyOptions):
    """How risks are told."""

    static: str | os.PathLike | None = None
    """Table with a row a person of what does not change: age, sex, height; its rows are found by the name of
    the person."""

    def __post_init__(self):
        super().__post_init__()
        if self.static is not None:
            _check_file("static", self.static, "a table")


def _is_path(given: str | os.PathLike) -> bool:
    """Whether this is meant as a path, rather than as words or a choice."""
    return isinstance(given, os.PathLike) or os.sep in given or given.endswith(".txt")


def _check_file(name: str, given: str | os.PathLike, choices: str) -> None:
    """Refuse an option that is to be a file and is none.

    Raises:
        DataError: it is meant as a path.
        ValueError: it may be meant as something else.
    """
    if os.path.isfile(given):
        return
    if _is_path(given) or os.path.splitext(given)[1] or os.path.exists(given):
        cause = (
            "is a folder"
            if os.path.isdir(given)
            else "is no file"
            if os.path.exists(given)
            else "does not exist"
        )
        raise DataError(str(given), cause, f"give {choices} as {name}")
    raise ValueError(f"{name} must be {choices}, not {str(given)!r}")
