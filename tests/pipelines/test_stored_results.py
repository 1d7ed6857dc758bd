"""Results read back from their JSON: nothing is lost, and what is no result is refused by name."""

import io
import json
import math
import random
from array import array

import pytest

from pipelines import results
from pipelines.errors import DataError
from pipelines.results import (
    Actions,
    ActionSegment,
    Annotated,
    Anomalies,
    AnomalyEvent,
    Caption,
    CaptionWord,
    Character,
    Check,
    Classified,
    ClassifiedText,
    Forecast,
    Glyph,
    Likelihood,
    Mark,
    Page,
    Result,
    RiskCurve,
    Risks,
    ScoredText,
    Segment,
    Sentence,
    SeriesAnomalies,
    SeriesForecast,
    StrokeSpan,
    Tagged,
    TaggedText,
    TaggedToken,
    TextLine,
    TextRegion,
    Transcript,
    Translated,
    TranslatedSentence,
    TranslatedToken,
    Word,
    WrittenWord,
)
from pipelines.stored_results import read_result
from pipelines.tasks import TASKS, formats, resolve
from pipelines.writers import save, writer

SEEDS = range(20)
TEXTS = [
    "",
    "a",
    "R&D <b>",
    "שלום",
    "e\u0301te\u0301",
    "नमस्ते।",
    "two\nlines",
    "\x00\t\u2028",
    '"\\',
    "x" * 300,
]
PEOPLE = ["", "Anna", "B. Ö. {x}; y: \\z", "שרה"]
TIMES = ["", "2026-11-28T19:45:00Z", "2026-02-28T23:59:59.125+05:30"]


class Chance:
    """Random parts of results, as exact as JSON keeps them."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)

    def text(self) -> str:
        return self.random.choice(TEXTS)

    def share(self) -> float:
        return self.random.choice([0.0, 1.0, round(self.random.random(), 4)])

    def time(self) -> float:
        return round(self.random.uniform(0, 5000), 3)

    def value(self, gap: bool = False) -> float:
        """With a gap, perhaps the NaN of `math`, which equals itself within tuples."""
        return self.random.choice([0.0, -1.5e-7, self.random.gauss(0, 1e6), math.nan if gap else 3])

    def many(self, make, least: int = 0) -> tuple:
        return tuple(make() for _ in range(self.random.randrange(least, 4)))

    def check(self) -> Check | None:
        return self.random.choice([None, Check(self.random.choice(PEOPLE), self.random.choice(TIMES))])

    def points(self) -> tuple:
        return self.many(lambda: tuple(round(self.random.uniform(-9, 9999), 2) for _ in "xy"))

    def about(self) -> dict:
        source = self.random.choice([None, "a b/é.png"])
        return {"model": self.text(), "source": source, "notes": self.many(self.text)}


def transcript(chance: Chance) -> Transcript:
    def span() -> tuple:
        return chance.text(), chance.time(), chance.time(), chance.share()

    def word() -> Word:
        return Word(*span(), chance.many(lambda: Character(*span())))

    def segment() -> Segment:
        readings = chance.many(lambda: (chance.text(), chance.share()))
        found = chance.random.random() < 0.5
        return Segment(*span(), chance.many(word), found, readings, chance.check())

    return Transcript(chance.many(segment), chance.time(), **chance.about())


def page(chance: Chance) -> Page:
    def said() -> tuple:
        return chance.text(), chance.share(), chance.points()

    def glyph() -> Glyph:
        counts = (chance.random.randrange(9) for _ in range(3))
        return Glyph(*said(), (StrokeSpan(*counts),) if chance.random.random() < 0.5 else ())

    def line() -> TextLine:
        words = chance.many(lambda: WrittenWord(*said(), chance.many(glyph)))
        readings = chance.many(lambda: (chance.text(), chance.share()))
        return TextLine(*said(), chance.points(), words, chance.text(), readings, chance.check())

    def region() -> TextRegion:
        return TextRegion(chance.many(line), chance.points(), chance.text(), chance.text())

    number = chance.random.choice([None, 7])
    return Page(chance.many(region), 1000, 1400, **chance.about(), number=number)


def actions(chance: Chance) -> Actions:
    def segment() -> ActionSegment:
        return ActionSegment(chance.text(), chance.time(), chance.time(), chance.share())

    return Actions(
        chance.many(lambda: (chance.text(), chance.share()), least=1),
        chance.many(segment),
        chance.time(),
        **chance.about(),
        attention=chance.many(lambda: (chance.time(), chance.share())),
        damaged=chance.random.randrange(3),
        checked=chance.check(),
    )


def caption(chance: Chance) -> Caption:
    def word() -> CaptionWord:
        return CaptionWord(chance.text(), chance.share(), chance.many(lambda: chance.many(chance.share)))

    def sentence() -> Sentence:
        others = chance.many(lambda: (chance.text(), chance.share()))
        times = chance.time(), chance.time()
        return Sentence(chance.text(), chance.share(), chance.many(word), others, *times, chance.check())

    return Caption(chance.many(sentence), chance.time(), **chance.about())


def classified(chance: Chance) -> Classified:
    def text() -> ClassifiedText:
        top = chance.many(lambda: (chance.text(), chance.share()), least=1)
        shares = chance.many(lambda: (chance.text(), chance.share()))
        several = chance.random.choice([(), (top[0][0],), tuple(label for label, _ in top)])
        return ClassifiedText(chance.text(), top, chance.random.random() < 0.5, shares, several)

    return Classified(chance.many(text, least=1), **chance.about())


def tagged(chance: Chance) -> Tagged:
    def text() -> TaggedText:
        tokens = (("a", "B-x"), ("bc", "I-x"), ("d", "O"))
        chosen = chance.random.sample(tokens, 3)
        said = "".join(token for token, _ in chosen)
        places = [said.index(token) for token, _ in chosen]
        return TaggedText(
            said,
            tuple(
                TaggedToken(token, label, chance.share(), place, place + len(token))
                for (token, label), place in zip(chosen, places, strict=True)
            ),
        )

    return Tagged(chance.many(text, least=1), **chance.about())


def likelihood(chance: Chance) -> Likelihood:
    def text() -> ScoredText:
        nats = array("f", (chance.share() for _ in range(3)))
        return ScoredText("ab\nd", array("I", (0, 1, 3)), nats, chance.random.choice([(), (1,)]), "word")

    return Likelihood(chance.many(text, least=1), **chance.about())


def translated(chance: Chance) -> Translated:
    def token() -> TranslatedToken:
        return TranslatedToken(chance.text(), chance.share(), chance.many(chance.share))

    def sentence() -> TranslatedSentence:
        said = chance.text(), chance.text(), chance.share(), chance.random.randrange(1, 4)
        others = chance.many(lambda: (chance.text(), chance.share()))
        return TranslatedSentence(*said, chance.many(chance.text), chance.many(token), others)

    return Translated(chance.many(sentence), 3, **chance.about())


def forecast(chance: Chance) -> Forecast:
    def series() -> SeriesForecast:
        past = chance.many(lambda: (chance.text(), chance.value(gap=True)))
        times = chance.many(chance.text)
        mean, low, high = (tuple(chance.value() for _ in times) for _ in range(3))
        levels = chance.random.choice([((0.5, low),), ((0.05, low), (0.5, mean), (1 / 3 + 0.5, high))])
        return SeriesForecast(chance.text(), times, mean, levels, past)

    return Forecast(chance.many(series, least=1), **chance.about(), level=chance.random.choice([0.8, 1 / 3]))


def anomalies(chance: Chance) -> Anomalies:
    def event() -> AnomalyEvent:
        places = chance.random.randrange(9), chance.random.randrange(9)
        return AnomalyEvent(chance.text(), chance.text(), *places, chance.share())

    def series() -> SeriesAnomalies:
        times = chance.many(chance.text)
        values, scores = tuple(chance.value(gap=True) for _ in times), tuple(chance.share() for _ in times)
        return SeriesAnomalies(chance.text(), times, values, scores, chance.share(), chance.many(event))

    return Anomalies(chance.many(series, least=1), **chance.about())


def annotated(chance: Chance) -> Annotated:
    def mark() -> Mark:
        times = chance.time(), chance.time(), chance.time()
        return Mark(chance.text(), *times, chance.share(), chance.random.choice([None, "II", ""]))

    size = chance.time(), chance.random.choice([250.0, 128, 1 / 3]), chance.many(chance.text)
    number = chance.random.choice([None, 2])
    return Annotated(chance.many(mark), *size, **chance.about(), number=number)


def risks(chance: Chance) -> Risks:
    def curve() -> RiskCurve:
        times = chance.many(chance.time, least=1)
        return RiskCurve(chance.text(), times, tuple(chance.share() for _ in times))

    return Risks(chance.many(curve), chance.text(), **chance.about())


MAKERS = [
    transcript,
    page,
    actions,
    caption,
    classified,
    tagged,
    likelihood,
    translated,
    forecast,
    anomalies,
    annotated,
    risks,
]
every_kind = pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)


def written(result, **options) -> dict:
    file = io.StringIO()
    writer("json", type(result), **options).write(result, file)
    return json.loads(file.getvalue())


def test_every_type_of_result_with_a_json_format_is_here():
    """So that the next one is not forgotten."""
    made = {type(make(Chance(0))) for make in MAKERS}
    named = [value for value in vars(results).values() if isinstance(value, type)]
    known = {kind for kind in named if issubclass(kind, Result)} - {Result}
    assert known == {resolve(row.result) for row in TASKS.values()}
    assert {kind for kind in known if "json" in formats(kind)} == made


@every_kind
@pytest.mark.parametrize("seed", SEEDS)
def test_a_result_is_read_as_it_was_written(make, seed, tmp_path):
    result = make(Chance(seed))
    assert read_result(written(result)) == result
    path = save(result, tmp_path / "result.json")
    assert read_result(path) == read_result(str(path)) == result
    assert save(read_result(path), tmp_path / "again.json").read_bytes() == path.read_bytes()


@every_kind
def test_random_results_fill_every_field(make):
    """So that what is compared above is not empty in all of them."""
    texts = [json.dumps(written(make(Chance(seed)))) for seed in SEEDS]
    checked = ("checked",) if make in (transcript, page, actions, caption) else ()
    for field in (*checked, "notes"):
        assert any(f'"{field}"' in text for text in texts) and any(f'"{field}"' not in text for text in texts)


def test_what_options_leave_out_is_empty():
    chance = Chance(3)
    glyph = Glyph("x", 0.5, ((0, 0), (1, 0), (1, 1)))
    line = TextLine("x", 0.5, words=(WrittenWord("x", 0.5, (), (glyph,)),))
    short = read_result(written(Page((TextRegion((line,)),), 9, 9, "m"), glyphs=False))
    assert short.words == (WrittenWord("x", 0.5),)
    assert read_result(written(actions(chance), attention=False)).attention == ()


@every_kind
@pytest.mark.parametrize("seed", range(3))
def test_each_field_of_another_type_is_refused_by_its_name(make, seed):
    """Whatever value is exchanged for one of no type that JSON text could mean, the message says where."""
    content = written(make(Chance(seed)))
    derived = {"text", "label", "score"}  # of the whole, which are read from the parts
    places = [
        place
        for place in _places(content)
        if not (len(place) == 1 and place[0] in derived)
        and not (place[0] == "texts" and place[2:3] and place[2] in ("label", "score", "spans"))
        and place[2:3] != ("figures",)
        and place != ("notice",)
    ]
    assert len(places) > 5
    for place in places:
        changed = json.loads(json.dumps(content))
        inner = changed
        for step in place[:-1]:
            inner = inner[step]
        inner[place[-1]] = {"a": [None]}
        with pytest.raises(DataError) as error:
            read_result(changed)
        name = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)[1:]
        said = error.value.cause
        assert name in said or name.rpartition("[")[0] in said or f"{name}." in said


def _places(value, above=()):
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*above, key)
        yield from _places(each, (*above, key))


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        ("{", "is not JSON"),
        ("[]", "holds no result"),
        ("{}", "holds no result"),
        ('{"segments": [], "model": "m"}', "duration is missing"),
        ('{"segments": [], "model": "m", "duration": NaN}', "duration is 'nan', not a number"),
        ('{"top": [], "segments": [], "duration": 1, "model": "m"}', "top names no class"),
        ("[" * 100_000, "is not JSON"),
        ("\udcff", "is not JSON"),
        ('{"forecasts": [], "level": 0.8, "model": "m"}', "forecasts names no series"),
        (
            '{"forecasts": [{"name": "", "mean": [], "quantiles": {"high": []}}], "level": 0.8}',
            "quantiles.high",
        ),
        (
            '{"anomalies": [{"name": "", "scores": [["1", 0], ["2", 0]], "values": [1]}]}',
            r"values is '\[1\]'",
        ),
    ],
)
def test_what_is_no_result_is_refused(content, cause, tmp_path):
    path = tmp_path / "x.json"
    path.write_text(content, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(DataError, match=cause) as error:
        read_result(path)
    assert error.value.path == str(path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_result(tmp_path / "none.json")


@pytest.mark.parametrize(
    "when", ["2026-11-28", "2026-11-28T19:45:00", "2026-13-28T19:45:00Z", "now", "20261128T194500Z"]
)
def test_times_of_checks_have_a_zone(when):
    with pytest.raises(ValueError):
        Check("Anna", when)
    with pytest.raises(DataError, match=r"segments\[0\].checked"):
        read_result(
            {
                "segments": [
                    {"text": "a", "start": 0, "end": 1, "confidence": 1, "checked": {"by": "", "when": when}}
                ],
                "duration": 1,
                "model": "m",
            }
        )
