"""align(): given texts come back as written, in their place, on a code for speech and on AN4."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from decoders.alphabet import Alphabet, Normalisation
from pipelines.aligning import AlignmentOptions, _written, align
from pipelines.errors import DataError, MediaError, ModelError
from pipelines.media.cues import read_cues
from pipelines.model import SequenceModel, load
from pipelines.reading.spelling import Spelling
from tests.data.given import Given

RATE, FRAME = 16000, 480  # a frame is 0.03 s
LETTERS = Alphabet(" 'ABCDEFGHIJKLMNOPQRSTUVWXYZ")


class Ideal(SequenceModel):
    """Hears perfectly what `spoken` says: a level for each symbol, one frame long, then two of silence."""

    def __init__(self, alphabet=LETTERS):
        sizes = {"kind": "spectrogram", "output_size": 8, "channels": 1}
        super().__init__("speech", sizes, {"kind": "bilstm", "hidden_size": 4}, {"kind": "ctc"}, alphabet)
        self.decoder = Given()

    def states(self, x, lengths):
        frames = self.front_end.output_lengths(lengths)
        levels = torch.nn.functional.pad(x, (0, FRAME))[:, ::FRAME][:, : int(frames.max())]
        heard = ((levels.abs() - 0.1) / 0.02).round().long().clamp(min=0)
        table = torch.full((*heard.shape, len(self.alphabet)), 0.01 / (len(self.alphabet) - 1))
        return table.scatter(2, heard.unsqueeze(2), 0.99).log(), frames


def spoken(text, alphabet=LETTERS):
    """Samples in which `Ideal` hears the text."""
    frames = [frame for label in alphabet.encode(text) for frame in (0.1 + 0.02 * label, 0, 0)]
    sound = np.repeat(np.array(frames, np.float32), FRAME)
    sound[1::2] *= -1  # a constant would be no sound
    return sound


def silence(seconds):
    return np.zeros(round(seconds * RATE), np.float32)


def words(transcript):
    return [(word.text, round(word.start, 3), round(word.end, 3)) for word in transcript.words]


@pytest.fixture(scope="module")
def ideal():
    return Ideal()


def test_words_as_written_in_their_place(ideal):
    samples = np.concatenate([silence(0.3), spoken("WELL DONE"), silence(0.6), spoken("MR O'NEIL")])
    result = align(samples, "Well done,\n\n  Mr. O’Neil!  \n", ideal, sample_rate=RATE)
    assert [segment.text for segment in result.segments] == ["Well done,", "Mr. O’Neil!"]
    texts, starts, ends = zip(*words(result), strict=True)
    assert texts == ("Well", "done,", "Mr.", "O’Neil!")
    assert starts == pytest.approx((0.3, 0.75, 1.71, 1.98), abs=FRAME / RATE)
    assert ends == pytest.approx((0.6, 1.05, 1.83, 2.46), abs=FRAME / RATE)
    assert "".join(c.text for c in result.segments[1].words[1].characters) == "O'NEIL"
    for segment in result.segments:
        assert segment.found
        assert segment.start == segment.words[0].start
        assert segment.end == segment.words[-1].end
        assert 0.9 < segment.confidence <= 1
        assert all(0.9 < word.confidence <= 1 for word in segment.words)
    assert result.duration == pytest.approx(len(samples) / RATE)
    assert result.model == ideal.name
    assert result.source is None


@pytest.mark.parametrize(
    "written, said",
    [
        ("July 24th, 1962.", "JULY TWENTY FOURTH NINETEEN SIXTY TWO"),
        ("in 1962", "IN ONE NINE SIX TWO"),
        ("1962 stones", "ONE THOUSAND NINE HUNDRED AND SIXTY TWO STONES"),
        ("at 10:30", "AT TEN THIRTY"),
        ("3.14", "THREE POINT ONE FOUR"),
        ("3,000", "THREE THOUSAND"),
        ("Room 507", "ROOM FIVE ZERO SEVEN"),
    ],
)
def test_the_recording_decides_how_numbers_are_read(ideal, written, said):
    samples = np.concatenate([spoken("BEFORE"), silence(1), spoken(said), silence(1), spoken("BEHIND")])
    result = align(samples, ["before", written, "behind"], ideal, sample_rate=RATE)
    line = result.segments[1]
    assert [word.text for word in line.words] == written.split()
    assert line.start == pytest.approx(6 * 0.09 + 1, abs=0.02)
    assert line.end == pytest.approx(6 * 0.09 + 1 + len(said) * 0.09 - 0.06, abs=0.02)
    assert line.confidence > 0.9


def test_words_without_a_sound_lie_between_their_neighbours(ideal):
    result = align(spoken("AB CD"), ["♪ Ab — cd …"], ideal, sample_rate=RATE)
    assert words(result) == [
        ("♪", 0, 0),
        ("Ab", 0, 0.105),
        ("—", 0.105, 0.255),
        ("cd", 0.255, 0.375),
        ("…", 0.375, 0.375),
    ]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_lines_that_are_not_in_the_audio(ideal, place):
    samples = np.concatenate([spoken("GOOD MORNING"), silence(1), spoken("GOOD NIGHT")])
    alone = align(samples, ["good morning", "good night"], ideal, sample_rate=RATE)
    lines = ["good morning", "good night"]
    lines.insert(place, "quite another thing")
    result = align(samples, lines, ideal, sample_rate=RATE)
    assert [segment.text for segment in result.segments] == lines
    assert [segment.found for segment in result.segments] == [index != place for index in range(3)]
    missing = result.segments[place]
    assert missing.confidence == 0
    assert missing.words == ()
    assert missing.start == missing.end == (result.segments[place - 1].end if place else 0)
    assert words(result) == words(alone)


def test_nothing_of_the_text_is_in_the_audio(ideal):
    result = align(spoken("GOOD MORNING EVERYONE"), "zyx\n♪\n你好", ideal, sample_rate=RATE)
    assert [segment.found for segment in result.segments] == [False, True, False]  # nobody says a sign
    assert result.words == ()


def test_a_text_that_is_longer_than_the_audio_is_not_in_it(ideal):
    result = align(spoken("GOOD"), ["good", "morning to you all " * 9], ideal, sample_rate=RATE)
    assert [segment.found for segment in result.segments] == [True, False]


def test_min_confidence_decides(ideal):
    samples = spoken("GOOD MORNING")
    (line,) = align(samples, "bad evening", ideal, sample_rate=RATE, min_confidence=0).segments
    assert line.found and [word.text for word in line.words] == ["bad", "evening"]


def test_long_recordings_keep_their_times(ideal):
    parts, lines, starts = [], [], []
    for index in range(12):
        text = " ".join("ABCDEFGHIJKL"[(index + k) % 12] * 3 for k in range(5))
        parts += [silence(0.4 + index), spoken(text)]
        starts.append((sum(map(len, parts)) - len(parts[-1])) / RATE)
        lines.append(text.lower())
    result = align(np.concatenate(parts), lines, ideal, sample_rate=RATE, longest=4)
    assert all(segment.found for segment in result.segments)
    assert [segment.start for segment in result.segments] == pytest.approx(starts, abs=0.03)


def test_text_files(ideal, tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes("\ufeffGood\r\n\r\nmorning\r\n".encode())
    soundfile.write(tmp_path / "a.wav", spoken("GOOD MORNING"), RATE, "FLOAT")
    result = align(tmp_path / "a.wav", path, ideal)
    assert [segment.text for segment in result.segments] == ["Good", "morning"]
    assert result.source == str(tmp_path / "a.wav")


@pytest.mark.parametrize(
    "content, cause", [(None, "does not exist"), (b"caf\xe9", "not UTF-8"), (b" \n\n", "holds no text")]
)
def test_unusable_text_files_are_named(ideal, tmp_path, content, cause):
    path = tmp_path / "text.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=rf"text\.txt: .*{cause}"):
        align(spoken("GOOD"), path, ideal, sample_rate=RATE)


def test_unusable_texts_and_options(ideal):
    samples = spoken("GOOD MORNING")
    with pytest.raises(DataError, match="holds no text"):
        align(samples, [], ideal, sample_rate=RATE)
    with pytest.raises(DataError, match="alphabet"):
        align(samples, "доброе утро", ideal, sample_rate=RATE)
    with pytest.raises(DataError, match=r"too long for the 1\.1 seconds of <array>"):
        align(samples, "good morning " * 20, ideal, sample_rate=RATE, min_confidence=0)
    with pytest.raises(TypeError, match="did you mean 'min_confidence'"):
        align(samples, "good", ideal, sample_rate=RATE, min_confidense=0.1)
    with pytest.raises(ValueError, match="language"):
        align(samples, "good", ideal, sample_rate=RATE, language="xx")
    with pytest.raises(ValueError, match="min_confidence"):
        AlignmentOptions(min_confidence=2)
    with pytest.raises(MediaError):
        align("nowhere.wav", "good", ideal)
    with pytest.raises(ModelError):
        align(samples, "good", "no-such-model", sample_rate=RATE)


@pytest.mark.parametrize(
    "word, readings",
    [
        ("don't", ["DON'T"]),
        ("U.S.", ["U S"]),
        ("well-known", ["WELL KNOWN"]),
        ("Çédille", ["CEDILLE"]),
        ("straße", ["STRASSE"]),
        ("2nd", ["SECOND", "TWO"]),
        ("42%", ["FORTY TWO PERCENT", "FORTY TWO", "FOUR TWO PERCENT", "FOUR TWO"]),
        ("007", ["ZERO ZERO SEVEN", "OH OH SEVEN", "SEVEN"]),
        ("0", ["ZERO", "OH"]),
        ("$20", ["TWENTY DOLLARS", "TWENTY", "TWO ZERO", "TWO OH"]),
        ("\u00a35.50", ["FIVE POUNDS FIFTY PENCE", "FIVE POUNDS STERLING FIFTY PENCE", "FIVE FIFTY"]),
        ("&", ["AND"]),
        ("R&D", ["R AND D", "R D"]),
        ("1990s", ["NINETEEN NINETIES", "ONE THOUSAND NINE HUNDRED AND NINETIES"]),
        ("\u00d8rsted", ["ORSTED"]),
        ("\u0141\u00f3d\u017a", ["LODZ"]),
        ("\u00c6sop", ["AESOP"]),
        ("\u00bd", ["ONE HALF", "A HALF", "HALF", "ONE TWO"]),
        ("3/4", ["THREE QUARTERS", "THREE FOUR"]),
        ("A4", ["A FOUR"]),
        ("9" * 30, [" ".join(["NINE"] * 30)]),
        ("—", []),
    ],
)
def test_readings(word, readings):
    assert Spelling(LETTERS, Normalisation()).readings(word)[: len(readings)] == readings
    if not readings:
        assert Spelling(LETTERS, Normalisation()).readings(word) == []


def test_signs_in_other_languages():
    plain = Alphabet("abcdefghijklmnopqrstuvwxyz\u00e4\u00f6\u00fc ")
    assert Spelling(plain, Normalisation(), "de").readings("50%")[0] == "f\u00fcnfzig prozent"
    assert Spelling(plain, Normalisation(), "de").readings("20\u20ac")[0] == "zwanzig euro"
    assert Spelling(plain, Normalisation(), "fr").readings("&") == ["et"]
    assert Spelling(plain, Normalisation(), "cs").readings("&") == []


def test_lines_end_at_line_feeds_only_and_subtitles_are_read_by_cue():
    assert _written("one\u2028two\x0bthree\x0cfour\x85five\r\nsix\rseven")[1] == [
        "one two three four five",
        "six",
        "seven",
    ]
    srt = "1\r\n00:00:01,000 --> 00:00:02,000\r\none\r\n<i>two</i>\r\n\r\n"
    srt += "2\r\n00:00:03,000 --> 00:00:04,000\r\nsix\r\n"
    assert [cue.text for cue in read_cues(srt)] == ["one two", "six"]
    assert [
        cue.text for cue in read_cues("WEBVTT\n\nNOTE x\n\n00:01.000 --> 00:02.000 align:start\none\n")
    ] == ["one"]
    assert read_cues("one --> two\n\nthree") == []


@pytest.mark.parametrize(
    "content",
    [
        {"text": " one two six", "segments": [{"id": 0, "text": " one two"}, {"id": 1, "text": "six"}]},
        [{"text": "one two"}, {"text": "six"}],
        {"text": "one two\nsix"},
        "start\tend\ttext\n0\t900\tone two\n900\t1500\tsix\n",
    ],
)
def test_transcripts_of_other_tools_are_read_by_segment(content, tmp_path):
    text = content if isinstance(content, str) else json.dumps(content, indent=1)
    (tmp_path / "x").write_text(text)
    assert " ".join(_written(tmp_path / "x")[1]) == "one two six"


def test_json_of_something_else_is_no_text(tmp_path):
    (tmp_path / "x.json").write_text('{"segments": [], "duration": 5}')
    with pytest.raises(DataError, match="is JSON without the texts of segments"):
        _written(tmp_path / "x.json")
    assert _written("[laughs] one\n{two")[1] == ["[laughs] one", "{two"]


def test_readings_follow_the_alphabet_and_the_language():
    german = Spelling(Alphabet("abcdefghijklmnopqrstuvwxyzäöüß 0123456789"), Normalisation(), "de")
    assert german.readings("Größe") == ["größe"]
    assert german.readings("24.") == ["24", "vierundzwanzigste", "vierundzwanzig"]
    assert german.readings("3,5")[1] == "drei komma fünf"
    unspaced = Spelling(Alphabet("abcdefghijklmnopqrstuvwxyz"), Normalisation())
    assert unspaced.readings("well-known 5") == ["wellknownfive"]


@pytest.fixture(scope="module")
def an4():
    """The bundled model, and a function (number) -> samples and text of a training utterance."""
    if "TRISCRIBE_DATA" not in os.environ:
        pytest.skip("TRISCRIBE_DATA is not set")
    try:
        model = load("speech-en-an4")
    except ModelError as error:
        pytest.skip(str(error))
    from recipes.data.datasets import read_speech

    items = read_speech(Path(os.environ["TRISCRIBE_DATA"]) / "an4").split("train")

    def utterance(number):
        samples, rate = soundfile.read(items[number].path, dtype="float32")
        assert rate == RATE
        return samples, items[number].target

    return model, utterance


def test_an4_joined_with_pauses(an4):
    model, utterance = an4
    chooser = np.random.default_rng(4)
    parts, lines, expected = [], [], []
    for number in range(5, 900, 60):
        samples, text = utterance(number)
        offset = sum(map(len, parts)) / RATE
        single = align(samples, text, model, sample_rate=RATE)
        expected += [(word.start + offset, word.end + offset) for word in single.words]
        lines.append(text)
        parts += [samples, silence(chooser.uniform(0.5, 3))]
    joined = np.concatenate(parts)
    joined += chooser.normal(0, 1e-4, len(joined)).astype(np.float32)
    result = align(joined, lines, model, sample_rate=RATE)
    assert all(segment.found for segment in result.segments)
    found = [(word.start, word.end) for word in result.words]
    difference = np.abs(np.array(found) - np.array(expected))
    assert np.median(difference) < 0.06
    assert np.quantile(difference, 0.95) < 0.2


def test_an4_foreign_line(an4):
    model, utterance = an4
    (first, one), (second, two), (_, other) = (utterance(number) for number in (100, 400, 700))
    joined = np.concatenate([first, silence(1), second])
    result = align(joined, [one, other, two], model, sample_rate=RATE)
    assert [segment.found for segment in result.segments] == [True, False, True]
    assert result.segments[1].confidence < result.segments[0].confidence
