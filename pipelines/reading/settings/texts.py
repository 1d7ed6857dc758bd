"""How texts are classified, tagged, translated, scored and written."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from pipelines.media.text import check_encoding
from pipelines.options import Options
from pipelines.reading.settings.running import ManyOptions, check_device


@dataclass(frozen=True)
class ProseOptions(ManyOptions):
    """How texts are read."""

    encoding: str | None = None
    """Encoding of text files that are not UTF-8, such as windows-1252 or shift_jis."""

    def __post_init__(self):
        super().__post_init__()
        check_encoding(self.encoding)


@dataclass(frozen=True)
class TaggingOptions(ProseOptions):
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
class TranslationOptions(ProseOptions):
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
class LanguageOptions(ProseOptions):
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
