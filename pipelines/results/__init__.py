"""Results of the pipelines: frozen dataclasses, every number of which has a unit.

Times are seconds from the start of the media. Positions are pixels of the original image, after its EXIF
orientation has been applied, or the ink's own units; x grows to the right and y downwards. Confidences are
probabilities in [0, 1].
"""

from pipelines.results.actions import Actions, ActionSegment
from pipelines.results.anomalies import Anomalies, AnomalyEvent, SeriesAnomalies
from pipelines.results.captions import Caption, CaptionWord, Sentence
from pipelines.results.classes import Classified, ClassifiedText
from pipelines.results.forecasts import Forecast, SeriesForecast
from pipelines.results.foundation import Check, Readings, Result
from pipelines.results.likelihoods import Generated, Likelihood, ScoredText, ScoredToken
from pipelines.results.marks import Annotated, Mark
from pipelines.results.outlines import Box, Point, box
from pipelines.results.pages import Glyph, Page, StrokeSpan, TextLine, TextRegion, WrittenWord
from pipelines.results.risks import RiskCurve, Risks
from pipelines.results.tags import Tagged, TaggedText, TaggedToken, TextSpan
from pipelines.results.transcripts import Character, Segment, Transcript, Word
from pipelines.results.translations import Translated, TranslatedSentence, TranslatedToken

__all__ = [
    "ActionSegment",
    "Actions",
    "Annotated",
    "Anomalies",
    "AnomalyEvent",
    "Box",
    "Caption",
    "CaptionWord",
    "Character",
    "Check",
    "Classified",
    "ClassifiedText",
    "Forecast",
    "Generated",
    "Glyph",
    "Likelihood",
    "Mark",
    "Page",
    "Point",
    "Readings",
    "Result",
    "RiskCurve",
    "Risks",
    "ScoredText",
    "ScoredToken",
    "Segment",
    "Sentence",
    "SeriesAnomalies",
    "SeriesForecast",
    "StrokeSpan",
    "Tagged",
    "TaggedText",
    "TaggedToken",
    "TextLine",
    "TextRegion",
    "TextSpan",
    "Transcript",
    "Translated",
    "TranslatedSentence",
    "TranslatedToken",
    "Word",
    "WrittenWord",
    "box",
]
