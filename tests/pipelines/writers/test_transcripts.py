"""Writers: every format parsed back, on transcripts made at random from fixed seeds."""

import io
import json
import os
import random
import re
import unicodedata
from itertools import pairwise

import pytest

from pipelines.results import Character, Segment, Transcript, Word
from pipelines.writers import formats, save, write_atomically, writer

VOCABULARY = [
    "a",
    "the",
    "river,",
    "stone.",
    "<b>",
    "R&D",
    "-->",
    'say "so"?',
    "שלום",
    "مرحبا،",
    "e\u0301te\u0301",
    "नमस्ते।",
    "straightforwardly",
    "x" * 60,
]
SEEDS = range(25)


def make_transcript(seed: int) -> Transcript:
    """Segments in order of time; some have no words, no text, no length, or are not in the audio."""
    chance = random.Random(seed)
    segments, now = [], 0.0
    for _ in range(chance.randrange(1, 8)):
        words = []
        for _ in range(chance.randrange(0, 40)):
            now += chance.choice([0.0, 0.05, 0.3, 2.0])
            text, end = chance.choice(VOCABULARY), now + chance.choice([0.0, 0.0004, 0.2, 0.9, 9.0])
            step = (end - now) / len(text)
            characters = [
                Character(symbol, now + i * step, now + (i + 1) * step, 0.5) for i, symbol in enumerate(text)
            ]
            words.append(Word(text, now, end, chance.random(), tuple(characters)))
            now = end
        text = " ".join(word.text for word in words)
        start = words[0].start if words else now
        kept = tuple(words) if chance.random() < 0.7 else ()
        segments.append(Segment(text, start, now, chance.random(), kept, found=chance.random() < 0.85))
    duration = now + chance.choice([0.0, 1.2345678])
    return Transcript(tuple(segments), duration, "small", "talks/my  talk.final.wav")


def written(name: str, transcript: Transcript, **options) -> str:
    file = io.StringIO()
    writer(name, Transcript, **options).write(transcript, file)
    return file.getvalue()


def sentence(text: str, seconds_per_word: float = 0.3, gaps: dict[int, float] | None = None) -> Transcript:
    words, now = [], 0.0
    for index, part in enumerate(text.split(" ")):
        now += (gaps or {}).get(index, 0.0)
        words.append(Word(part, now, now + seconds_per_word, 0.9))
        now += seconds_per_word
    return Transcript((Segment(text, 0.0, now, 0.9, tuple(words)),), now, "small")


def seconds(clock: str) -> float:
    hours, minutes, rest = clock.replace(",", ".").split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def parse_srt(text: str) -> list[tuple[float, float, list[str]]]:
    cues = []
    for number, block in enumerate(text.split("\n\n")[:-1], 1):
        index, times, *lines = block.split("\n")
        assert index == str(number)
        start, end = re.fullmatch(r"(\d\d:\d\d:\d\d,\d{3}) --> (\d\d:\d\d:\d\d,\d{3})", times).groups()
        cues.append((seconds(start), seconds(end), lines))
    return cues


def parse_vtt(text: str) -> list[tuple[float, float, list[str]]]:
    header, *blocks, rest = text.split("\n\n")
    assert header == "WEBVTT" and rest == ""
    cues = []
    for block in blocks:
        times, *lines = block.split("\n")
        start, end = re.fullmatch(r"(\d\d:\d\d:\d\d\.\d{3}) --> (\d\d:\d\d:\d\d\.\d{3})", times).groups()
        for line in lines:
            assert "-->" not in line and not re.search(r"&(?!amp;|lt;|gt;)", line)
        plain = [re.sub(r"<[\d:.]+>", "", line) for line in lines]
        assert not any("<" in line or ">" in line for line in plain)
        lines = [line.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") for line in plain]
        cues.append((seconds(start), seconds(end), lines))
    return cues


def parse_textgrid(text: str) -> tuple[float, dict[str, list[tuple[float, float, str]]]]:
    assert text.startswith('File type = "ooTextFile"\nObject class = "TextGrid"\n')
    head, *parts = re.split(r'class = "IntervalTier"', text)
    tiers = {}
    for part in parts:
        found = re.findall(
            r'intervals \[(\d+)\]:\s+xmin = (\S+)\s+xmax = (\S+)\s+text = "((?:[^"]|"")*)"\n', part
        )
        assert [int(row[0]) for row in found] == list(range(1, len(found) + 1))
        assert int(re.search(r"intervals: size = (\d+)", part)[1]) == len(found)
        tiers[re.search(r'name = "(\w+)"', part)[1]] = [
            (float(start), float(end), label.replace('""', '"')) for _, start, end, label in found
        ]
    return float(re.search(r"xmax = (\S+)", head)[1]), tiers


def spoken(transcript: Transcript) -> list[str]:
    """What was found in the audio, cut at spaces."""
    return " ".join(segment.text for segment in transcript.segments if segment.found).split()


def width(line: str) -> int:
    return sum(unicodedata.category(symbol) not in ("Mn", "Me", "Cf") for symbol in line)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("name", "parse"), [("srt", parse_srt), ("vtt", parse_vtt)])
def test_cues_keep_their_limits_and_every_word(seed, name, parse):
    transcript = make_transcript(seed)
    chance = random.Random(seed)
    options = {
        "max_chars": chance.choice([12, 42]),
        "max_lines": chance.choice([1, 2, 3]),
        "max_words": chance.choice([None, 1, 5]),
        "max_seconds": chance.choice([2.0, 7.0]),
    }
    cues = parse(written(name, transcript, **options))
    for start, end, lines in cues:
        assert 0 <= start < end <= transcript.duration
        assert end - start <= options["max_seconds"] + 0.0011
        assert len(lines) <= options["max_lines"]
        # 'say "so"?' is a word that holds a space, unless only its segment's text is known.
        words = " ".join(lines).replace('say "so"?', "so").split(" ")
        assert len(words) <= (options["max_words"] or len(words))
        for line in lines:
            assert line and (width(line) <= options["max_chars"] or " " not in line)
    assert all(before[1] <= after[0] for before, after in pairwise(cues))
    heard = [part.strip("\u200f") for _, _, lines in cues for line in lines for part in line.split(" ")]
    expected = spoken(transcript)
    assert heard == ([part.replace("-->", "->") for part in expected] if name == "srt" else expected)


def test_a_cue_breaks_after_a_sentence_and_at_a_pause():
    text = (
        "We went down to the old harbour. Nobody was there at that hour, "
        "so we walked all the way back home again."
    )
    cues = parse_srt(written("srt", sentence(text)))
    assert cues[0][2] == ["We went down to the old harbour."]
    unmarked = "we went down to the old harbour nobody was there at that hour so we walked back home again"
    cues = parse_srt(written("srt", sentence(unmarked, gaps={7: 0.8})))
    assert cues[0][2] == ["we went down to the old harbour"]


@pytest.mark.parametrize("name", ["srt", "vtt"])
def test_right_to_left_lines_keep_their_direction_in_players_that_look_at_their_ends(name):
    mark = "\u200f"
    for text, before, after in (
        ("نعم، أوافق", "", ""),
        ("قلت نعم!", "", mark),
        ("15 سعر", mark, ""),
        ("Ahmed قال نعم (2)", mark, mark),
        ("The word نعم, yes.", "", ""),
    ):
        assert f"\n{before}{text}{after}\n" in written(name, sentence(text))


def test_a_long_pause_always_ends_a_cue():
    assert len(parse_srt(written("srt", sentence("one two three", gaps={1: 1.6})))) == 2
    assert len(parse_srt(written("srt", sentence("one two three", gaps={1: 1.4})))) == 1


def test_lines_are_even_and_rather_long_at_the_bottom():
    for text, lines in {
        "aaaa bbbb cccc dddd eeee ffff gggg hhhh iiii": ["aaaa bbbb cccc dddd", "eeee ffff gggg hhhh iiii"],
        "If it rains tomorrow, we shall stay at home": ["If it rains tomorrow,", "we shall stay at home"],
        "It rained all day, so we stayed in and read": ["It rained all day,", "so we stayed in and read"],
        "Only one line is needed for so little": ["Only one line is needed for so little"],
    }.items():
        assert [cue[2] for cue in parse_srt(written("srt", sentence(text)))] == [lines]


def test_a_cue_stays_long_enough_to_read_if_the_next_leaves_room():
    said = Transcript((Segment("yes", 1.0, 1.2, 0.9), Segment("no", 1.7, 1.8, 0.9)), 9.0, "small")
    assert [cue[:2] for cue in parse_srt(written("srt", said))] == [(1.0, 1.7), (1.7, 2.7)]
    assert [cue[:2] for cue in parse_srt(written("srt", said, min_seconds=0))] == [(1.0, 1.2), (1.7, 1.8)]


def test_cues_after_a_hundred_hours_keep_their_clock():
    late = Transcript((Segment("late", 360_001.5, 360_003.0, 0.9),), 360_010.0, "small")
    assert "100:00:01,500 --> 100:00:03,000" in written("srt", late)
    assert "100:00:01.500 --> 100:00:03.000" in written("vtt", late)


def test_highlighted_words_carry_rising_times_within_their_cue():
    text = written("vtt", sentence("one two <three>"), highlight_words=True)
    assert "one <00:00:00.300>two <00:00:00.600>&lt;three&gt;\n" in text
    for seed in SEEDS:
        transcript = make_transcript(seed)
        text = written("vtt", transcript, highlight_words=True)
        assert parse_vtt(text) == parse_vtt(written("vtt", transcript))
        for block in text.split("\n\n")[1:-1]:
            start, end, *inside = map(seconds, re.findall(r"\d+:\d\d:\d\d\.\d{3}", block))
            assert all(before < after for before, after in pairwise([start, *inside, end]))


@pytest.mark.parametrize("seed", SEEDS)
def test_textgrid_intervals_tile_the_recording(seed):
    transcript = make_transcript(seed)
    xmax, tiers = parse_textgrid(written("textgrid", transcript))
    assert xmax == pytest.approx(transcript.duration, abs=1e-6)
    assert list(tiers) == ["segments", "words", "characters"]
    for intervals in tiers.values():
        assert (intervals[0][0], intervals[-1][1]) == (0.0, xmax)
        assert all(start < end for start, end, _ in intervals)
        assert all(before[1] == after[0] for before, after in pairwise(intervals))
    found = [segment for segment in transcript.segments if segment.found]
    labels = {name: [label for _, _, label in intervals if label] for name, intervals in tiers.items()}
    assert labels["segments"] == [segment.text for segment in found if segment.text]
    assert " ".join(labels["words"]).split() == spoken(transcript)
    symbols = [symbol.text for segment in found for word in segment.words for symbol in word.characters]
    assert labels["characters"] == symbols


@pytest.mark.parametrize("seed", SEEDS)
def test_json_holds_everything_under_the_names_of_the_fields(seed):
    transcript = make_transcript(seed)
    content = json.loads(written("json", transcript))
    assert list(content) == ["text", "duration", "model", "source", "segments"]
    assert (content["text"], content["source"]) == (transcript.text, transcript.source)
    segments = []
    for segment in content["segments"]:
        words = [
            Word(**{**word, "characters": tuple(Character(**symbol) for symbol in word["characters"])})
            for word in segment["words"]
        ]
        segments.append(Segment(**{**segment, "words": tuple(words)}))
    again = Transcript(tuple(segments), content["duration"], content["model"], content["source"])
    assert [s.found for s in again.segments] == [s.found for s in transcript.segments]
    assert again.text == transcript.text
    for word, original in zip(again.words, transcript.words, strict=True):
        assert (word.text, len(word.characters)) == (original.text, len(original.characters))
        assert (word.start, word.end) == (round(original.start, 3), round(original.end, 3))
        assert word.confidence == round(original.confidence, 4)
    assert json.loads(written("json", again)) == content


def test_json_can_leave_the_characters_out():
    content = json.loads(written("json", make_transcript(3), characters=False))
    words = [word for segment in content["segments"] for word in segment["words"]]
    assert words and all(list(word) == ["text", "start", "end", "confidence"] for word in words)


def test_json_never_holds_what_json_cannot():
    with pytest.raises(ValueError, match="JSON"):
        written("json", Transcript((Segment("x", 0.0, 1.0, float("nan")),), 1.0, "small"))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("level", ["segments", "words"])
def test_tsv_has_a_row_for_each_unit(seed, level):
    transcript = make_transcript(seed)
    header, *rows = written("tsv", transcript, level=level).splitlines()
    assert header == "start\tend\tconfidence\ttext"
    rows = [row.split("\t") for row in rows]
    assert all(len(row) == 4 for row in rows)
    if level == "segments":
        assert [row[3] for row in rows] == [segment.text for segment in transcript.segments]
        for row, segment in zip(rows, transcript.segments, strict=True):
            assert row[0] == (f"{segment.start:.3f}" if segment.found else "")
    else:
        assert " ".join(row[3] for row in rows).split() == transcript.text.split()


@pytest.mark.parametrize("seed", SEEDS)
def test_ctm_lines_have_six_fields_in_order_of_time(seed):
    transcript = make_transcript(seed)
    rows = [line.split(" ") for line in written("ctm", transcript).splitlines()]
    assert all(len(row) == 6 and row[:2] == ["my_talk.final", "1"] for row in rows)
    starts = [float(row[2]) for row in rows]
    assert starts == sorted(starts)
    assert all(float(row[3]) >= 0 and 0 <= float(row[5]) <= 1 for row in rows)
    assert "_".join(row[4] for row in rows) == "_".join(spoken(transcript))


def test_ctm_of_an_array_names_the_recording_audio():
    assert written("ctm", sentence("hello")) == "audio 1 0.000 0.300 hello 0.9000\n"


def test_a_text_that_is_not_in_the_audio_has_no_time_anywhere():
    lines = (Segment("here", 1.0, 2.0, 0.9), Segment("absent", 0.0, 0.0, 0.0, found=False))
    transcript = Transcript(lines, 3.0, "small")
    for name in ("srt", "vtt", "ctm", "textgrid"):
        assert "here" in written(name, transcript) and "absent" not in written(name, transcript)
    assert written("txt", transcript) == "here\nabsent\n"
    assert written("tsv", transcript).endswith("\t\t0.0000\tabsent\n")
    assert json.loads(written("json", transcript))["segments"][1]["found"] is False


def test_line_breaks_in_a_text_break_no_format():
    words = (Word("one\n\ntwo", 0.0, 0.5, 0.9), Word("three\tfour\u2028", 0.5, 1.0, 0.9))
    transcript = Transcript((Segment("one\n\ntwo three\tfour\u2028", 0.0, 1.0, 0.9, words),), 1.0, "small")
    assert written("txt", transcript).splitlines() == ["one two three four "]
    assert len(written("tsv", transcript).splitlines()) == 2
    assert len(written("tsv", transcript, level="words").splitlines()) == 3
    assert len(written("ctm", transcript).splitlines()) == 2
    assert len(parse_srt(written("srt", transcript))) == len(parse_vtt(written("vtt", transcript))) == 1
    tiers = parse_textgrid(written("textgrid", transcript))[1]
    assert [row[2] for row in tiers["words"]] == ["one two", "three four "]


@pytest.mark.parametrize("duration", [0.0, 2.5])
def test_an_empty_transcript_is_a_valid_file(duration):
    empty = Transcript((), duration, "small")
    assert written("txt", empty) == written("srt", empty) == written("ctm", empty) == ""
    assert parse_vtt(written("vtt", empty)) == []
    assert written("tsv", empty) == "start\tend\tconfidence\ttext\n"
    assert json.loads(written("json", empty))["segments"] == []
    xmax, tiers = parse_textgrid(written("textgrid", empty))
    assert xmax == duration or (duration == 0 and xmax > 0)
    assert all(intervals == [(0.0, xmax, "")] for intervals in tiers.values())


def test_words_without_time_to_stand_in_still_get_a_place():
    words = tuple(Word(text, 5.0, 5.0, 0.9) for text in "abc")
    crowded = Transcript((Segment("a b c", 5.0, 5.0, 0.9, words),), 5.0, "small")
    cues = parse_srt(written("srt", crowded, max_words=1))
    assert [cue[2] for cue in cues] == [["a"], ["b"], ["c"]]
    assert all(start < end <= 5.0 for start, end, _ in cues)
    assert [row[2] for row in parse_textgrid(written("textgrid", crowded))[1]["words"]] == ["", "a", "b", "c"]


@pytest.mark.parametrize("ending", ["txt", "json", "srt", "vtt", "tsv", "ctm", "TextGrid", "textgrid", "SRT"])
def test_save_knows_each_ending_in_any_case(tmp_path, ending):
    path = save(make_transcript(1), tmp_path / "new" / "folder" / f"talk.{ending}")
    raw = path.read_bytes()
    assert raw.decode("utf-8") == written(ending, make_transcript(1)) and b"\r" not in raw
    assert [entry.name for entry in path.parent.iterdir()] == [f"talk.{ending}"]


def test_every_format_is_found_by_its_extension():
    assert [kind.extension.lower() for kind in formats(Transcript).values()] == list(formats(Transcript))


def test_an_unknown_ending_is_answered_with_the_choices(tmp_path):
    with pytest.raises(ValueError, match="'srtt'.*'srt'.*txt, json, tsv, srt, vtt, ctm, TextGrid"):
        save(make_transcript(1), tmp_path / "talk.srtt")
    with pytest.raises(ValueError, match="no ending.*TextGrid"):
        save(make_transcript(1), tmp_path / "talk")


def test_an_unknown_option_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match="srt has no option 'max_char', did you mean 'max_chars'.*max_gap"):
        writer("srt", Transcript, max_char=37)
    with pytest.raises(ValueError, match="txt has no option 'zzz'; it has no options"):
        writer("txt", Transcript, zzz=1)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("srt", {"max_chars": 0}),
        ("srt", {"max_chars": "42"}),
        ("srt", {"max_chars": True}),
        ("vtt", {"max_lines": -1}),
        ("vtt", {"max_lines": None}),
        ("srt", {"max_words": 0}),
        ("srt", {"max_seconds": 0.0}),
        ("srt", {"max_gap": -1.0}),
        ("srt", {"max_gap": float("nan")}),
        ("srt", {"min_seconds": -0.1}),
        ("srt", {"min_seconds": 8.0}),
        ("vtt", {"highlight_words": "yes"}),
        ("json", {"characters": 1}),
        ("tsv", {"level": "lines"}),
    ],
)
def test_a_wrong_value_is_refused_by_name(name, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        writer(name, Transcript, **options)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "talk.json"
    path.write_text("old")
    with pytest.raises(ValueError):
        save(Transcript((Segment("x", 0.0, 1.0, float("inf")),), 1.0, "small"), path)
    for failure in (RuntimeError, KeyboardInterrupt):
        with pytest.raises(failure), write_atomically(path) as file:
            file.write("half")
            raise failure
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_a_write_over_a_folder_leaves_nothing_behind(tmp_path):
    (tmp_path / "talk.txt").mkdir()
    with pytest.raises(OSError):
        save(make_transcript(1), tmp_path / "talk.txt")
    assert [entry.name for entry in tmp_path.iterdir()] == ["talk.txt"]


def test_until_the_end_the_old_file_is_there(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(b"old")
    with write_atomically(path, "wb") as file:
        file.write(b"\x00\r\n")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"\x00\r\n"
    with pytest.raises(ValueError, match="'a'"), write_atomically(path, "a"):
        pass


@pytest.mark.skipif(os.name != "posix", reason="permissions and links are POSIX")
def test_a_written_file_is_like_any_new_file_and_links_stay_links(tmp_path):
    before = os.umask(0o027)
    try:
        path = save(make_transcript(1), tmp_path / ("n" * 251 + ".txt"))
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o640
    link = tmp_path / "latest.txt"
    link.symlink_to(path)
    save(Transcript((), 0.0, "small"), link)
    assert link.is_symlink() and path.read_text() == ""


def test_a_source_whose_name_is_not_utf8_can_be_written(tmp_path):
    source = os.fsdecode(b"caf\xe9.wav")
    transcript = Transcript((Segment("hi", 0.0, 1.0, 0.9),), 1.0, "small", source)
    content = json.loads(save(transcript, tmp_path / "x.json").read_text(encoding="utf-8"))
    assert content["source"] == "caf?.wav"
    assert save(transcript, tmp_path / "x.ctm").read_text(encoding="utf-8").startswith("caf? 1 ")


SPACELESS = {
    "zh": "今天天气很好我们去公园玩吧",
    "ja": "東京へ行きます、「はい」。",
    "th": "สวัสดีครับวันนี้อากาศดีมาก",
}


@pytest.mark.parametrize("language", SPACELESS)
@pytest.mark.parametrize("known", ["characters", "word", "segment"])
def test_scripts_without_spaces_are_broken_between_characters(language, known):
    text = SPACELESS[language] * 4
    step = 18 / len(text)
    characters = tuple(Character(each, i * step, (i + 1) * step, 0.9) for i, each in enumerate(text))
    word = Word(text, 0.0, 18.0, 0.9, characters if known == "characters" else ())
    whole = Transcript((Segment(text, 0.0, 18.0, 0.9, () if known == "segment" else (word,)),), 18.0, "m")
    cues = parse_srt(written("srt", whole, max_chars=16))
    assert len(cues) > 2 and "".join(line for _, _, lines in cues for line in lines) == text
    assert cues[-1][1] == 18.0 and all(end - start <= 7.0 for start, end, _ in cues)
    first = 0
    for start, _, lines in cues:
        assert start == pytest.approx(first * step, abs=0.002)
        assert not any(unicodedata.category(line[0]) in ("Mn", "Pe", "Po") for line in lines)
        visible = [sum(unicodedata.category(each) != "Mn" for each in line) for line in lines]
        assert max(visible) <= 16
        first += sum(map(len, lines))
    assert [lines for *_, lines in parse_vtt(written("vtt", whole, max_chars=16))] == [
        each[2] for each in cues
    ]
    rows = [line.split(" ") for line in written("ctm", whole).splitlines()]
    assert "".join(row[4] for row in rows) == text and len(rows) > 20
    assert float(rows[-1][2]) + float(rows[-1][3]) == pytest.approx(18.0, abs=0.002)


def test_letters_within_a_script_without_spaces_stay_together():
    whole = sentence("我们用 WhatsApp聊天 吧")
    assert [line.split(" ")[4] for line in written("ctm", whole).splitlines()] == [
        *("我", "们", "用", "WhatsApp", "聊", "天", "吧")
    ]
    ((_, _, lines),) = parse_srt(written("srt", whole))
    assert lines == ["我们用 WhatsApp聊天 吧"]
