"""transcribe(): whatever holds samples gives one transcript, length, rate and neighbours do not matter."""

import copy
import io
from pathlib import Path
from types import GeneratorType

import numpy as np
import pytest
import soundfile
import torch

from decoders.alphabet import Alphabet
from decoders.contract import Labels
from pipelines import speech
from pipelines.errors import MediaError, ModelError
from pipelines.media.audio import open_audio, read_audio
from pipelines.media.recording import Audio
from pipelines.model import SequenceModel
from pipelines.reading import batches as reading
from pipelines.reading.batches import log_probabilities
from pipelines.results import Transcript
from pipelines.speech import Piece, SpeechOptions, cut, segment, sureness, transcribe
from tests.data.media import cut as cut_file
from tests.data.media import noise, tone, write_audio

RATE = 16000


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(3)
    model = SequenceModel(
        "speech",
        {"kind": "spectrogram", "n_mels": 8, "output_size": 6, "channels": 2},
        {"kind": "bilstm", "hidden_size": 5, "num_layers": 1},
        {"kind": "ctc"},
        Alphabet("ab é"),
        name="small",
    )
    with torch.no_grad():
        model.decoder.project.weight.mul_(8)  # so that it says many words
    return model.eval()


def silence(seconds, sample_rate=RATE):
    return np.zeros(round(seconds * sample_rate), np.float32)


def bursts(*seconds, pause=1.0, sample_rate=RATE):
    """Noise of these lengths after pauses: the samples, and where each begins and ends, in seconds."""
    parts, places, now = [], [], 0.0
    for index, length in enumerate(seconds):
        parts += [silence(pause, sample_rate), noise(length, sample_rate, seed=index)]
        places.append((now + pause, now + pause + length))
        now += pause + length
    return np.concatenate([*parts, silence(pause, sample_rate)]), places


def same(one, two, tolerance=1e-5):
    """Whether two transcripts say the same at the same times."""
    assert one.text == two.text
    assert one.duration == pytest.approx(two.duration)
    for a, b in zip(one.words, two.words, strict=True):
        assert (a.start, a.end, a.confidence) == pytest.approx((b.start, b.end, b.confidence), abs=tolerance)
    return True


# What goes in


def test_every_kind_of_source_gives_the_same_transcript(tmp_path, model):
    samples = noise(2.0)
    path = write_audio(tmp_path / "x.wav", samples, subtype="FLOAT")
    expected = transcribe(path, model)
    assert isinstance(expected, Transcript)
    assert len(expected.words) > 3
    assert (expected.source, expected.model, expected.duration) == (str(path), "small", 2.0)

    class Elsewhere:
        def __fspath__(self):
            return str(path)

    for source in (str(path), Elsewhere()):
        assert transcribe(source, model) == expected
    with open(path, "rb") as file:
        assert transcribe(file, model) == expected
    memory = transcribe(io.BytesIO(path.read_bytes()), model)
    assert memory.source is None and memory.segments == expected.segments
    samples.setflags(write=False)
    for source in (samples, samples[None], samples[:, None], samples.astype(np.float64)):
        found = transcribe(source, model, sample_rate=RATE)
        assert found.source is None and same(found, expected)
        assert same(transcribe(torch.tensor(source), model, sample_rate=RATE), expected)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("sample_rate", [8000, 11025, 22050, 44100, 48000, 96000])
def test_any_rate_and_number_of_channels(tmp_path, model, sample_rate, channels):
    samples = tone(1.0, sample_rate, channels=channels)
    path = write_audio(tmp_path / "x.wav", samples, sample_rate, subtype="FLOAT")
    found = transcribe(path, model)
    assert found.duration == pytest.approx(1.0)
    assert all(0 <= word.start < word.end <= 1.0 for word in found.words)
    assert same(found, transcribe(tone(1.0, sample_rate), model, sample_rate=sample_rate))


def test_samples_are_heard_at_the_models_rate(model):
    (piece,) = cut(open_audio(tone(1.0, 44100, 440.0), 44100), 15.0, RATE)
    assert len(piece.samples) == RATE and piece.offset == 0
    np.testing.assert_allclose(piece.samples[100:-100], tone(1.0, RATE, 440.0)[100:-100], atol=0.01)


@pytest.mark.parametrize("samples", [1, 2, 160, 161])
@pytest.mark.parametrize("sample_rate", [8000, 16000, 48000])
def test_very_short_recordings(model, samples, sample_rate):
    found = transcribe(np.full(samples, 0.3, np.float32), model, sample_rate=sample_rate)
    assert found.duration == samples / sample_rate
    for word in found.words:
        assert 0 <= word.start < word.end <= found.duration + 1 / RATE


@pytest.mark.parametrize("seconds", [1.0, 40.0])
def test_a_silent_recording(tmp_path, model, seconds):
    path = write_audio(tmp_path / "x.wav", silence(seconds))
    with pytest.raises(MediaError, match="silent"):
        transcribe(path, model)
    found = transcribe(path, model, strict=False)
    assert (found.segments, found.text, found.duration) == ((), "", seconds)


def test_a_damaged_recording(tmp_path, model):
    path = cut_file(write_audio(tmp_path / "x.wav", noise(2.0)), 0.6)
    with pytest.raises(MediaError, match="strict=False"):
        transcribe(path, model)
    found = transcribe(path, model, strict=False)
    assert found.words and 1.0 < found.duration < 1.5


@pytest.mark.parametrize("source", ["no/such/file.wav", Path("nothing.wav"), np.zeros((0,), np.float32)])
def test_what_cannot_be_read(model, source):
    with pytest.raises(MediaError):
        transcribe(source, model, sample_rate=None if isinstance(source, (str, Path)) else RATE)


def test_a_model_for_something_else(model, tmp_path):
    path = model.save(tmp_path / "mine.safetensors")
    assert transcribe(noise(), path, sample_rate=RATE).model == "mine"
    with pytest.raises(ModelError, match="no such model"):
        transcribe(noise(), tmp_path / "other.safetensors", sample_rate=RATE)
    path.write_bytes(path.read_bytes().replace(b"speech", b"spoken"))
    with pytest.raises(ModelError, match="task must be one of"):
        transcribe(noise(), path, sample_rate=RATE)
    other = copy.copy(model)
    other.task = "handwriting"
    with pytest.raises(ModelError, match="is a model for handwriting; name a speech model"):
        transcribe(noise(), other, sample_rate=RATE)


# Options


@pytest.mark.parametrize(
    ("option", "hint"),
    [("batchsize", "'batch_size'"), ("error", "'errors'"), ("longst", "'longest'"), ("xyz", "options are")],
)
def test_an_unknown_option_is_refused_with_the_nearest(model, option, hint):
    for source in (noise(), [noise()]):  # at once, before a generator is asked for its first
        with pytest.raises(TypeError, match=f"no option '{option}'.*{hint}"):
            transcribe(source, model, **{option: 1})


@pytest.mark.parametrize("options", [{"batch_size": 0}, {"longest": 0.5}, {"errors": "ignore"}])
def test_an_option_out_of_range_is_refused(model, options):
    with pytest.raises(ValueError, match="must be"):
        transcribe(noise(), model, **options)


# Many sources


def test_many_sources_come_in_order(tmp_path, model):
    lengths = [1.0, 0.2, 3.0, 0.5]
    paths = [
        write_audio(tmp_path / f"{index}.wav", noise(seconds, seed=index))
        for index, seconds in enumerate(lengths)
    ]
    results = transcribe(paths, model)
    assert isinstance(results, GeneratorType)
    results = list(results)
    assert [result.source for result in results] == [str(path) for path in paths]
    for path, result in zip(paths, results, strict=True):
        assert same(result, transcribe(path, model), 1e-4)
    assert list(transcribe(iter(paths), model)) == results
    assert list(transcribe([], model)) == []


def test_a_bad_source_fails_at_its_turn(tmp_path, model):
    good = write_audio(tmp_path / "good.wav", noise())
    sources = [good, tmp_path / "missing.wav", good]
    results = transcribe(sources, model)
    first = next(results)
    with pytest.raises(MediaError, match="missing.wav"):
        next(results)
    again = list(transcribe(sources, model, errors="return"))
    assert isinstance(again[1], MediaError) and again[1].path.endswith("missing.wav")
    assert again[0].segments == first.segments and same(again[2], first)


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_the_batch_size_changes_nothing(model, batch_size):
    pieces = [Piece(noise(seconds, seed=index), 0.0) for index, seconds in enumerate([1.0, 0.01, 2.0, 0.5])]
    together = log_probabilities(
        model, [piece.inputs for piece in pieces], SpeechOptions(batch_size=batch_size, device="cpu")
    )
    for piece, log_probs in zip(pieces, together, strict=True):
        (alone,) = log_probabilities(model, [piece.inputs], SpeechOptions(device="cpu"))
        torch.testing.assert_close(log_probs, alone, atol=1e-5, rtol=0)


def test_results_do_not_wait_for_sources_that_come_later(model, monkeypatch):
    monkeypatch.setattr(reading, "BUFFERED", 4)
    read = []

    def sources():
        yield noise(0.2)  # one piece
        for index in range(10):
            read.append(index)
            yield bursts(0.5, 0.5, 0.5, 0.5)[0]  # four: the buffer is never empty when one ends

    results = transcribe(sources(), model, sample_rate=RATE, longest=1)
    for expected in range(1, 11):
        next(results)
        assert len(read) <= expected + 2
    assert len(list(results)) == 1


@pytest.mark.parametrize(("count", "size", "expected"), [(3, 10**9, [3, 3, 1]), (100, 500, [3, 3, 1])])
def test_pieces_are_read_ahead_up_to_a_number_or_a_size(monkeypatch, count, size, expected):
    monkeypatch.setattr(reading, "BUFFERED", count)
    monkeypatch.setattr(reading, "BUFFERED_BYTES", size)
    pieces = [Piece(np.zeros(50, np.float32), float(number)) for number in range(7)]  # 200 bytes each
    found = list(reading.buffered(pieces, lambda piece: piece))
    assert [len(some) for some, _ in found] == expected
    assert [full for _, full in found] == [True, True, False]
    assert [piece.offset for some, _ in found for piece in some] == list(range(7))
    assert list(reading.buffered([], lambda piece: piece)) == []


def test_groups_grow_where_pieces_differ_in_length_only():
    for lengths, expected in (([50] * 100, [32, 32, 32, 4]), ([50, 60] * 50, [32, 64, 4])):
        pieces = [Piece(np.zeros(length, np.float32), 0.0) for length in lengths]
        assert [len(some) for some, _ in reading.buffered(pieces, lambda piece: piece)] == expected


def test_errors_do_not_wait_for_sources_that_come_later(model, monkeypatch):
    monkeypatch.setattr(reading, "BUFFERED", 4)
    asked = []

    def missing():
        for number in range(40):
            asked.append(number)
            yield f"no-{number}.wav"

    first = next(transcribe(missing(), model, errors="return"))
    assert isinstance(first, MediaError) and len(asked) <= 9


# Long recordings


def covered(pieces, start, end, slack=0.0):
    """Whether a stretch lies within the pieces put together."""
    for piece in pieces:
        if piece.offset <= start + slack:
            start = max(start, piece.offset + len(piece.samples) / RATE)
    return start >= end - slack


@pytest.mark.parametrize("sample_rate", [RATE, 8000])
@pytest.mark.parametrize("longest", [2.0, 5.0])
def test_a_long_recording_is_cut_at_pauses(sample_rate, longest):
    lengths = np.random.default_rng(0).uniform(0.2, 8.0, 24)
    samples, places = bursts(*lengths, sample_rate=sample_rate)
    pieces = list(cut(open_audio(samples, sample_rate), longest, RATE))
    assert max(len(piece.samples) for piece in pieces) <= longest * RATE + 1
    for before, after in zip(pieces, pieces[1:], strict=False):
        assert before.offset + len(before.samples) / RATE <= after.offset + 1.5 / RATE  # no sample twice
    for start, end in places:
        assert covered(pieces, start, end, slack=2 / RATE)
    short = [(start, end) for start, end in places if end - start < longest - 0.6]
    assert len(short) > 3
    for start, end in short:  # what fits into a piece is not cut
        assert any(
            piece.offset <= start and end <= piece.offset + len(piece.samples) / RATE for piece in pieces
        )
    quiet = sum(len(piece.samples) for piece in pieces) / RATE - lengths.sum()
    assert 0 < quiet < 0.7 * len(lengths)  # most of the pauses is left out


@pytest.mark.parametrize("pause", [1.0, 0.3])  # the shorter has no room for the margins of both sides
def test_pieces_are_the_recordings_samples_at_their_offsets(pause):
    samples, places = bursts(*[1.5] * 12, pause=pause)
    pieces = list(cut(open_audio(samples, RATE), 2.0, RATE))
    end = 0
    for piece in pieces:
        start = round(piece.offset * RATE)
        assert start >= end
        end = start + len(piece.samples)
        np.testing.assert_array_equal(piece.samples, samples[start:end])
    assert all(covered(pieces, *place) for place in places)


def test_sound_without_a_pause_is_cut_without_loss_at_its_quietest():
    samples = noise(31.0)
    for second in range(1, 31):
        samples[second * RATE - 800 : second * RATE + 800] *= 0.1  # too short a dip to be a pause
    pieces = list(cut(open_audio(samples, RATE), 4.0, RATE))
    np.testing.assert_array_equal(np.concatenate([piece.samples for piece in pieces]), samples)
    borders = [piece.offset for piece in pieces[1:]]
    assert len(borders) >= 7
    assert borders == pytest.approx(np.round(borders), abs=0.1)
    assert max(len(piece.samples) for piece in pieces) <= 4 * RATE


@pytest.mark.parametrize("decibels", [12, 20, 30])
def test_who_speaks_quietly_in_a_short_recording_is_read_apart(decibels):
    share = 10 ** (-decibels / 20)
    loud, pause = noise(1.0), silence(1.0)
    samples = np.concatenate([loud, pause, loud, pause, loud * share, pause, loud])
    pieces = list(cut(open_audio(samples, RATE), 20.0, RATE))
    if decibels < 15:
        assert len(pieces) == 1
        return
    first, quiet, last = pieces
    assert covered([first], 0.0, 3.0) and covered([quiet], 4.0, 5.0) and covered([last], 6.0, 7.0)
    assert np.abs(quiet.samples).max() <= np.abs(loud).max() * share


@pytest.mark.parametrize("seconds", [0.3, 4.9, 5.0])
def test_a_recording_that_is_short_enough_stays_whole(seconds):
    samples = np.concatenate([noise(seconds / 2), silence(seconds / 3), noise(seconds / 6)])
    (piece,) = cut(open_audio(samples, RATE), 5.0, RATE)
    assert piece.span(RATE) == pytest.approx((0.0, len(samples) / RATE))
    start = round(piece.lead * RATE)
    np.testing.assert_array_equal(piece.samples[start : start + len(samples)], samples)


def test_silence_around_the_words_changes_nothing(model):
    said = noise(1.0)
    for before, after in ((0.0, 3.0), (2.0, 0.0), (3.0, 3.0)):
        samples = np.concatenate([silence(before), said, silence(after)])
        (piece,) = cut(open_audio(samples, RATE), 15.0, RATE)
        assert before - 0.3 < piece.offset <= before
        assert len(piece.samples) < 1.7 * RATE
    around = [transcribe(np.concatenate([silence(x), said, silence(x)]), model, RATE) for x in (1.0, 4.0)]
    assert around[0].text == around[1].text
    for one, other in zip(*(transcript.words for transcript in around), strict=True):
        assert other.start - one.start == pytest.approx(3.0, abs=0.04)


def spoken(offset=0.0):
    """A second of syllables that are cut tightly, on a constant."""
    samples = noise(1.0) * np.repeat([1.0, 0.02, 0.5, 0.01, 1.0], RATE // 5)
    return (samples + offset).astype(np.float32)


@pytest.mark.parametrize("offset", [0.0, 0.3])
def test_speech_that_is_cut_tightly_gets_silence_and_keeps_its_times(model, offset):
    samples = spoken(offset)
    (piece,) = cut(open_audio(samples, RATE), 5.0, RATE)
    assert piece.lead > 0 and piece.trail > 0
    assert piece.span(RATE) == pytest.approx((0.0, 1.0))
    inner = piece.samples[round(piece.lead * RATE) :][:RATE]
    np.testing.assert_allclose(inner, spoken(), atol=2e-3)
    assert not piece.samples[: round(piece.lead * RATE)].any()
    found = transcribe(samples, model, RATE)
    assert found.words and found.duration == 1.0
    now = 0.0
    for character in (each for word in found.words for each in word.characters):
        assert now - 1e-9 <= character.start < character.end <= 1.0
        now = character.end


def test_only_the_ends_of_a_recording_get_silence():
    samples = np.concatenate([spoken(), *[part for _ in range(20) for part in (silence(1.0), spoken())]])
    pieces = list(cut(open_audio(samples, RATE), 2.0, RATE))
    assert len(pieces) > 10
    assert [piece.lead > 0 for piece in pieces] == [True, *[False] * (len(pieces) - 1)]
    assert [piece.trail > 0 for piece in pieces] == [*[False] * (len(pieces) - 1), True]
    quiet = np.concatenate([silence(0.5), spoken(), silence(0.5)])
    (piece,) = cut(open_audio(quiet, RATE), 2.0, RATE)
    assert (piece.lead, piece.trail) == (0.0, 0.0)


def test_labels_in_the_silence_that_was_added_share_the_edge(model):
    piece = Piece(silence(1.0), 9.76, lead=0.24, trail=0.24)
    inside = segment(model, Labels([1, 2], [10, 12], [11, 13], [0.5] * 2), piece)
    times = [(each.start, each.end) for each in inside.words[0].characters]
    assert times == [pytest.approx((10.045, 10.075)), pytest.approx((10.105, 10.135))]  # as without silence
    found = segment(model, Labels([1, 2, 1, 2], [3, 5, 27, 29], [4, 6, 28, 30], [0.5] * 4), piece)
    times = [each for letter in found.words[0].characters for each in (letter.start, letter.end)]
    assert times == sorted(set(times)) and times[0] == 10.0 and times[-1] == pytest.approx(10.52)


@pytest.mark.parametrize("name", ["digits.wav", "dictation.m4a"])
def test_a_constant_beneath_a_recording_changes_nothing(name):
    path = Path(__file__).parents[2] / "examples" / "speech" / name
    samples = read_audio(path, RATE)[: 20 * RATE]
    pieces = list(cut(open_audio(samples, RATE), 15.0, RATE))
    for offset in (-0.02, 0.2):
        found = list(cut(open_audio(samples + np.float32(offset), RATE), 15.0, RATE))
        assert [piece.offset for piece in found] == [piece.offset for piece in pieces]
        for one, other in zip(found, pieces, strict=True):
            np.testing.assert_allclose(one.samples, other.samples, atol=1e-3)


def test_what_the_model_is_not_sure_of_is_no_speech(model):
    sounds = [noise(1.0, seed=seed) for seed in range(6)]
    sure = [segment.confidence for sound in sounds for segment in transcribe(sound, model, RATE).segments]
    least = sorted(sure)[len(sure) // 2]
    kept = [transcribe(sound, model, RATE, min_confidence=least) for sound in sounds]
    assert [s.confidence for each in kept for s in each.segments] == [each for each in sure if each >= least]
    assert any(not each.segments for each in kept)
    for name in ("min_confidence", "min_clear"):
        careful = copy.deepcopy(model)
        setattr(careful, name, 1.0)
        assert transcribe(sounds[0], careful, RATE).text == ""
        assert (
            transcribe(sounds[0], careful, RATE, min_confidence=0.0).text
            == transcribe(sounds[0], model, RATE).text
        )


def source_of(*parts, sample_rate=4000):
    """A recording made while it is read, and how much of it was: (Audio, [seconds])."""
    read = [0.0]

    def pieces(fault):
        for seconds, loud in parts:
            for _ in range(seconds):
                read[0] += 1.0
                yield noise(1.0, sample_rate) if loud else silence(1.0, sample_rate)

    return Audio("<made>", sample_rate, None, pieces), read


@pytest.mark.parametrize(
    "parts",
    [
        [(300, True)],
        [(1, True), (1, False)] * 150,
        [(2, True), (300, False), (2, True)],
        [(300, False), (2, True), (300, False)],
    ],
    ids=["noise", "bursts", "a burst at each end", "a burst amid silence"],
)
def test_memory_does_not_grow_with_the_recording(monkeypatch, parts):
    held = []
    spans = speech._spans
    monkeypatch.setattr(
        speech, "_spans", lambda rest, *rest_of: held.append(len(rest)) or spans(rest, *rest_of)
    )
    audio, read = source_of(*parts)
    pieces = []
    for piece in cut(audio, 4.0, 4000):
        pieces.append(piece)
        assert read[0] - piece.offset < 40 or read[0] >= sum(seconds for seconds, _ in parts)
    assert max(held) <= 6 * 4.0 * 4000 + 4000
    loud = sum(seconds for seconds, is_loud in parts if is_loud)
    total = sum(len(piece.samples) for piece in pieces) / 4000
    assert loud <= total <= 2.5 * loud + 2


def test_a_long_recording_is_transcribed_in_its_own_time(model):
    samples, places = bursts(*np.random.default_rng(1).uniform(0.5, 4.0, 20))
    found = transcribe(samples, model, sample_rate=RATE, longest=3)
    assert found.duration == pytest.approx(len(samples) / RATE)
    assert len(found.segments) >= 20
    before = 0.0
    for part in found.segments:
        assert before <= part.start < part.end <= found.duration
        before = part.end - 1e-3  # a cut amid sound may fall within a frame
        assert any(start - 0.5 < part.end and part.start < end + 0.5 for start, end in places)
        assert part.text == " ".join(word.text for word in part.words)
    assert same(transcribe(samples, model, sample_rate=RATE, longest=3, batch_size=2), found)


# What comes out


def test_times_and_confidences_are_in_order(model):
    found = transcribe(noise(5.0), model, sample_rate=RATE)
    assert len(found.words) > 5
    for part in found.segments:
        assert (part.start, part.end) == (part.words[0].start, part.words[-1].end)
        for unit in (part, *part.words, *(letter for word in part.words for letter in word.characters)):
            assert 0 <= unit.confidence <= 1
            assert 0 <= unit.start < unit.end <= found.duration
        letters = [letter for word in part.words for letter in word.characters]
        for one, two in zip(letters, letters[1:], strict=False):
            assert one.end <= two.start + 1e-9
        for word in part.words:
            assert word.text == "".join(letter.text for letter in word.characters)
            assert " " not in word.text
            assert word.confidence == pytest.approx(np.mean([c.confidence for c in word.characters]))


def test_how_surely_words_are_read():
    assert sureness([[0.9, 0.5], [0.9]]) == (pytest.approx(0.8), pytest.approx(2 / 3))
    assert sureness([]) == (0.0, 0.0)


@pytest.mark.parametrize("name", ["min_confidence", "min_clear"])
def test_no_language_model_decides_whether_somebody_speaks(model, name):
    """Hotwords that nobody says are read with little confidence; what is heard without them counts."""
    sound, rare = noise(1.0), {"hotwords": "éba", "hotword_weight": 10.0}
    plain = transcribe(sound, model, RATE)
    forced = transcribe(sound, model, RATE, **rare)
    figures = [
        sureness([[character.confidence for character in word.characters] for word in each.words])
        for each in (plain.segments[0], forced.segments[0])
    ]
    place = ("min_confidence", "min_clear").index(name)
    judged = copy.deepcopy(model)
    setattr(judged, name, figures[0][place])
    assert transcribe(sound, judged, RATE, **rare).text == forced.text != plain.text
    setattr(judged, name, min(1.0, figures[0][place] + 1e-6))
    assert transcribe(sound, judged, RATE, **rare).text == ""
    assert transcribe(sound, judged, RATE, **rare, min_confidence=figures[1][0]).text == forced.text
    assert transcribe(sound, judged, RATE, **rare, min_confidence=figures[1][0] + 1e-6).text == ""


def test_labels_become_words_at_their_seconds(model):
    piece = Piece(silence(0.5), 10.0)
    # "ab é": a frame is 0.03 s, and stands for the half step before and after it
    labels = Labels([3, 1, 2, 3, 3, 4, 3], [0, 1, 3, 4, 5, 6, 15], [1, 3, 4, 5, 6, 8, 17], [0.5] * 7)
    found = segment(model, labels, piece)
    assert found.text == "ab é"
    assert [(word.start, word.end) for word in found.words] == [
        pytest.approx((10.015, 10.105)),
        pytest.approx((10.165, 10.225)),
    ]
    assert segment(model, Labels([3, 3], [0, 4], [1, 5], [0.9, 0.9]), piece) is None
    assert segment(model, Labels([], [], [], []), piece) is None


def test_a_tensor_that_needs_a_gradient_and_integers_are_heard(model):
    samples = noise()
    expected = transcribe(samples, model, sample_rate=RATE)
    again = transcribe(torch.from_numpy(samples).requires_grad_(), model, sample_rate=RATE)
    assert same(again, expected)
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, RATE, format="WAV", subtype="PCM_16")
    integers = (samples * 32768).round().astype(np.int16)
    from_file = transcribe(io.BytesIO(buffer.getvalue()), model)
    assert from_file.text == transcribe(integers, model, sample_rate=RATE).text
