"""The options of every recognition function as dataclasses, importable without torch.

The keyword arguments of Python and the options of the command line are both made from them: the docstring
below a field is its only help text, whose first sentence must be enough.
"""

from pipelines.reading.settings.listening import AlignmentOptions, ListeningOptions, SpeechOptions
from pipelines.reading.settings.measurements import (
    AnnotationOptions,
    DetectOptions,
    ForecastOptions,
    RiskOptions,
    SeriesOptions,
)
from pipelines.reading.settings.running import BatchOptions, ManyOptions
from pipelines.reading.settings.search import AUTO, NONE, OWN, SearchOptions
from pipelines.reading.settings.seeing import (
    CaptionOptions,
    HandwritingOptions,
    RecognitionOptions,
    VideoOptions,
)
from pipelines.reading.settings.texts import (
    GenerationOptions,
    LanguageOptions,
    TaggingOptions,
    TextOptions,
    TranslationOptions,
)

__all__ = [
    "AUTO",
    "AlignmentOptions",
    "AnnotationOptions",
    "BatchOptions",
    "CaptionOptions",
    "DetectOptions",
    "ForecastOptions",
    "GenerationOptions",
    "HandwritingOptions",
    "LanguageOptions",
    "ListeningOptions",
    "ManyOptions",
    "NONE",
    "OWN",
    "RecognitionOptions",
    "RiskOptions",
    "SearchOptions",
    "SeriesOptions",
    "SpeechOptions",
    "TaggingOptions",
    "TextOptions",
    "TranslationOptions",
    "VideoOptions",
]
