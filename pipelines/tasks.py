"""The table of tasks: what each one is made of, from the front end of its models to the files it writes.

A new modality is a front end, a reader, a writer, a recipe and a row in this table; nothing else is touched.
Rows name objects by dotted path, `package.module:name`, which `resolve` imports on first use. So this
module costs nothing to import, can be asked by any other without a circle, and a model for speech is loaded
without what only video needs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import import_module


@dataclass(frozen=True, kw_only=True)
class Models:
    """The models of one task. Objects are named by dotted path.

    Attributes:
        name: as model files have it.
        front_end: kind of its models' front end, as model files have it.
        encoder: class of that front end.
        decoder: flags of its models' decoders (see `decoders.contract.Decoder`), one of which they have.
        classes: whether the alphabet of its models is names of classes instead of the symbols of texts.
        model: class of its models.
        recipe: package that trains them.
    """

    name: str
    front_end: str
    encoder: str
    decoder: tuple[str, ...] = ("learns_order",)
    classes: bool = False
    model: str = "pipelines.model:SequenceModel"
    recipe: str | None = None


@dataclass(frozen=True, kw_only=True)
class Task(Models):
    """One row of the table: a task that reads files. Objects are named by dotted path.

    Attributes:
        command: the public function and command that does it.
        kinds: of sources that it reads, as `pipelines.media.kind` names them.
        takes: the same for messages, in words.
        opener: function (source, kind, options) -> list of what is read one by one and gives one result each,
            such as the pages of a PDF; None where that is the source itself. Importable without torch.
        reader: function (sources, model, options) -> iterator of a result or a TriscribeError for each.
        options: dataclass of its options.
        result: dataclass of its results.
        formats: dictionaries of writers for these results, by name and file ending in lower case.
        title: of its results, for reports.
        done: what became of a source, for summaries: "transcribed".
        measure: unit of the results' `extent`, singular and plural.
        length: function (source) -> seconds that it lasts, for the progress of runs; None counts sources.
        sound: whether it reads only sources that may hold sound.
        detect: function of a file's first bytes and name: whether it is of the first of `kinds`. For files
            that `pipelines.media.kind` does not know.
        passes: function (path) -> why a text file in a folder is nothing for it, such as notes beside tables
            of numbers; None if it may be. A file that is named is always read.
        shows: function (result) -> whether a result shows that the source was of this task at all; asked
            where another task has the same first kind, and reads the source if not.
        usual: names of the formats that `triscribe batch` writes by default.
        default: name of the bundled model, if there is one.
        unasked: whether `triscribe batch` takes that model where none is named; not for what is seldom wanted
            of every text.
    """

    command: str
    kinds: tuple[str, ...]
    takes: tuple[str, ...]
    reader: str
    options: str
    result: str
    formats: tuple[str, ...]
    title: str
    done: str
    measure: tuple[str, str]
    opener: str | None = None
    length: str | None = None
    sound: bool = False
    detect: str | None = None
    passes: str | None = None
    shows: str | None = None
    usual: tuple[str, ...] = ("json", "txt")
    default: str | None = None
    unasked: bool = True


_SPEECH = Task(
    name="speech",
    command="transcribe",
    kinds=("recording", "video"),
    takes=("a recording", "a video with sound"),
    reader="pipelines.speech:read_recordings",
    options="pipelines.reading.settings:SpeechOptions",
    front_end="spectrogram",
    encoder="encoders.spectrogram:Spectrogram",
    result="pipelines.results.transcripts:Transcript",
    formats=(
        "pipelines.writers.tables:TRANSCRIPT_FORMATS",
        "pipelines.writers.subtitles:FORMATS",
        "pipelines.writers.phonetics:FORMATS",
    ),
    title="Transcripts",
    done="transcribed",
    measure=("s of audio", "s of audio"),
    length="pipelines.media.audio:seconds_of",
    sound=True,
    usual=("json", "txt", "srt"),
    default="speech-en",
    recipe="recipes.asr",
)

_HANDWRITING = Task(
    name="handwriting",
    command="recognize",
    kinds=("image", "image of several pages", "PDF document"),
    takes=("an image", "a PDF document"),
    opener="pipelines.media.documents:open_pages",
    reader="pipelines.handwriting:read_pages",
    options="pipelines.reading.settings:RecognitionOptions",
    front_end="line_image",
    encoder="encoders.line_image:LineImage",
    result="pipelines.results.pages:Page",
    formats=(
        "pipelines.writers.page_alto:FORMATS",
        "pipelines.writers.hocr:FORMATS",
        "pipelines.writers.searchable_pdf:FORMATS",
        "pipelines.writers.tables:PAGE_FORMATS",
    ),
    title="Handwriting",
    done="recognised",
    measure=("line", "lines"),
    shows="pipelines.batch.looking:shows_writing",
    usual=("json", "txt", "page"),
    default="handwriting",
    recipe="recipes.handwriting",
)

_INK = replace(
    _HANDWRITING,
    name="ink",
    kinds=("ink",),
    takes=("ink (InkML or JSON lines)",),
    opener="pipelines.media.ink:open_ink",
    reader="pipelines.ink:read_inks",
    front_end="strokes",
    encoder="encoders.strokes:Strokes",
    shows=None,
    default=None,
    recipe="recipes.ink",
)

_ACTION = Task(
    name="action",
    command="recognize",
    kinds=("video", "frames", "animated image"),
    takes=("a video",),
    opener="pipelines.media.video:open_clip",
    reader="pipelines.video:watch",
    options="pipelines.reading.settings:RecognitionOptions",
    front_end="frames",
    encoder="encoders.frames:Frames",
    decoder=("pools", "by_frame"),
    classes=True,
    result="pipelines.results.actions:Actions",
    formats=("pipelines.writers.actions:FORMATS", "pipelines.writers.videos:FORMATS"),
    title="Actions",
    done="watched",
    measure=("s of video", "s of video"),
    default="action-shapes",
    recipe="recipes.action",
)

_CAPTIONING = Task(
    name="captioning",
    command="caption",
    kinds=("image", "image of several pages", "animated image", "video", "frames"),
    takes=("an image", "a video"),
    opener="pipelines.media.video:open_scene",
    reader="pipelines.captioning:captions",
    options="pipelines.reading.settings:CaptionOptions",
    front_end="frames",
    encoder="encoders.frames:Frames",
    decoder=("writes",),
    result="pipelines.results.captions:Caption",
    formats=("pipelines.writers.captions:FORMATS", "pipelines.writers.attention_map:FORMATS"),
    title="Captions",
    done="described",
    measure=("sentence", "sentences"),
    default="captioning-emoji",
    recipe="recipes.captioning",
)

_TEXT = Task(
    name="text",
    command="classify",
    kinds=("text",),
    takes=("a text file",),
    opener="pipelines.media.passages:open_passages",
    reader="pipelines.text:read_texts",
    options="pipelines.reading.settings:TextOptions",
    front_end="tokens",
    encoder="encoders.tokens:Tokens",
    decoder=("pools",),
    classes=True,
    result="pipelines.results.classes:Classified",
    formats=("pipelines.writers.classes:FORMATS",),
    title="Classes of texts",
    done="classified",
    measure=("text", "texts"),
    recipe="recipes.text",
)

_TAGGING = replace(
    _TEXT,
    name="tagging",
    command="tag",
    opener="pipelines.media.sentences:open_sentences",
    reader="pipelines.tagging:read_tags",
    options="pipelines.reading.settings:TaggingOptions",
    decoder=("by_frame",),
    result="pipelines.results.tags:Tagged",
    formats=("pipelines.writers.tags:FORMATS",),
    title="Tagged texts",
    done="tagged",
    recipe="recipes.tagging",
)

_SIGNALS = replace(
    _TEXT,
    name="signals",
    kinds=("signal", "recording", "text"),
    takes=("a signal", "a recording", "a table of numbers"),
    opener="pipelines.media.signal_sets:open_signal_set",
    passes="pipelines.media.table_check:why_no_table",
    reader="pipelines.signals:read_signals",
    front_end="signals",
    encoder="encoders.signals:Signals",
    model="pipelines.signal_model:SignalModel",
    title="Classes of signals",
    measure=("signal", "signals"),
    recipe="recipes.signals",
)

_FORECAST = replace(
    _TEXT,
    name="forecast",
    command="forecast",
    takes=("a table of series",),
    opener="pipelines.media.series:open_series",
    passes="pipelines.media.table_check:why_no_table",
    reader="pipelines.forecasting:read_forecasts",
    options="pipelines.reading.settings:ForecastOptions",
    front_end="history",
    encoder="encoders.history:History",
    decoder=("measures",),
    result="pipelines.results.forecasts:Forecast",
    formats=("pipelines.writers.forecasts:FORMATS",),
    title="Forecasts",
    done="forecast",
    measure=("series", "series"),
    usual=("json", "csv"),
    recipe="recipes.forecast",
)

_ANOMALY = replace(
    _FORECAST,
    name="anomaly",
    command="detect",
    reader="pipelines.detection:read_anomalies",
    options="pipelines.reading.settings:DetectOptions",
    result="pipelines.results.anomalies:Anomalies",
    formats=("pipelines.writers.events:FORMATS",),
    title="Anomalies",
    done="searched",
    usual=("json", "txt"),
    recipe="recipes.anomaly",
)


_TRANSLATION = replace(
    _TEXT,
    name="translation",
    command="translate",
    opener="pipelines.media.prose:open_prose",
    reader="pipelines.translation:read_prose",
    options="pipelines.reading.settings:TranslationOptions",
    decoder=("writes",),
    classes=False,
    result="pipelines.results.translations:Translated",
    formats=("pipelines.writers.translations:FORMATS", "pipelines.writers.alignment_map:FORMATS"),
    title="Translations",
    done="translated",
    measure=("sentence", "sentences"),
    recipe="recipes.translation",
)

_LANGUAGE = replace(
    _TEXT,
    name="language",
    command="score",
    opener="pipelines.media.books:open_book",
    reader="pipelines.likelihood:read_books",
    options="pipelines.reading.settings:LanguageOptions",
    decoder=("predicts",),
    classes=False,
    result="pipelines.results.likelihoods:Likelihood",
    formats=("pipelines.writers.surprisals:FORMATS",),
    title="Surprisal of texts",
    done="scored",
    measure=("character", "characters"),
    default="shakespeare-en",
    unasked=False,
    recipe="recipes.language",
)

_ANNOTATE = Task(
    name="annotate",
    command="annotate",
    kinds=("signal", "recording", "text"),
    takes=("a signal", "a recording", "a table of numbers"),
    opener="pipelines.media.signal_files:open_signals",
    reader="pipelines.annotating:read_annotations",
    options="pipelines.reading.settings:AnnotationOptions",
    front_end="signals",
    encoder="encoders.signals:Signals",
    decoder=("by_frame",),
    classes=True,
    passes="pipelines.media.table_check:why_no_table",
    result="pipelines.results.marks:Annotated",
    formats=(
        "pipelines.writers.marks:FORMATS",
        "pipelines.writers.edf_annotations:FORMATS",
        "pipelines.writers.ecg_paper:FORMATS",
    ),
    title="Annotated signals",
    done="annotated",
    measure=("s of signal", "s of signal"),
    usual=("json", "csv"),
    recipe="recipes.annotate",
)

_RISK = Task(
    name="risk",
    command="risk",
    kinds=("Parquet table", "text"),
    takes=("a table of measurements",),
    opener="pipelines.media.stays:open_stays",
    reader="pipelines.assessing:read_risks",
    options="pipelines.reading.settings:RiskOptions",
    front_end="signals",
    encoder="encoders.signals:Signals",
    decoder=("by_frame",),
    classes=True,
    detect="pipelines.media.stays:is_parquet",
    passes="pipelines.media.table_check:why_no_table",
    result="pipelines.results.risks:Risks",
    formats=("pipelines.writers.risks:FORMATS",),
    title="Risks",
    done="assessed",
    measure=("stay", "stays"),
    usual=("json", "csv"),
    recipe="recipes.risk",
)

_ROWS = (
    *(_SPEECH, _HANDWRITING, _INK, _ACTION, _CAPTIONING),
    *(_TEXT, _TAGGING, _TRANSLATION, _LANGUAGE, _SIGNALS, _FORECAST, _ANOMALY),
    *(_ANNOTATE, _RISK),
)

TASKS: dict[str, Task] = {row.name: row for row in _ROWS}
"""All rows by name."""

_POLICY = Models(
    name="policy",
    front_end="observations",
    encoder="encoders.observations:Observations",
    decoder=("acts",),
    classes=True,
    model="pipelines.policy:PolicyModel",
    recipe="recipes.policy",
)

ACTING: dict[str, Models] = {row.name: row for row in (_POLICY,)}
"""Tasks whose models read no files, but act in an environment."""


def models() -> dict[str, Models]:
    """What models there are, by the names of their tasks."""
    return {**TASKS, **ACTING}


def resolve(path: str):
    """The object that a dotted path `package.module:name` names."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


def front_ends() -> dict[str, str]:
    """The class of each kind of front end that reads files, as a dotted path."""
    return {row.front_end: row.encoder for row in TASKS.values()}


def recipes() -> dict[str, str]:
    """The packages of the recipes, by the names that `triscribe train` takes."""
    return {row.recipe.rpartition(".")[2]: row.recipe for row in models().values() if row.recipe}


def formats(result: type) -> dict[str, type]:
    """The writers for a type of result, by name and file ending in lower case.

    Raises:
        TypeError: no row of the table has results of this type.
    """
    path = f"{result.__module__}:{result.__qualname__}"
    for row in TASKS.values():
        if row.result == path:
            return {name: each for group in row.formats for name, each in resolve(group).items()}
    known = dict.fromkeys(row.result.partition(":")[2] for row in TASKS.values())
    raise TypeError(f"no formats for {result.__name__}; there are some for {', '.join(known)}")
