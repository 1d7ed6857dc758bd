"""Results: what they hold, that they cannot be changed, and that they save themselves."""

import dataclasses

import pytest

from pipelines.results import Character, Segment, Transcript, Word

WORDS = (
    Word("good", 0.1, 0.4, 0.9, (Character("g", 0.1, 0.2, 0.9),)),
    Word("morning", 0.5, 1.0, 0.8),
)
SEGMENTS = (
    Segment("good morning", 0.1, 1.0, 0.85, WORDS),
    Segment("", 1.2, 1.3, 0.0),
    Segment("all", 1.5, 2.0, 0.7),
)
TALK = Transcript(SEGMENTS, duration=2.5, model="small")


def test_text_joins_what_was_said():
    assert TALK.text == "good morning all"


def test_words_of_all_segments_in_order():
    assert TALK.words == WORDS


def test_an_empty_transcript_has_no_text_and_no_words():
    empty = Transcript((), 0.0, "small")
    assert (empty.text, empty.words, empty.source) == ("", (), None)


def test_results_are_frozen():
    for thing in (TALK, SEGMENTS[0], WORDS[0], WORDS[0].characters[0]):
        for field in dataclasses.fields(thing):
            with pytest.raises(dataclasses.FrozenInstanceError):
                setattr(thing, field.name, None)


def test_save_picks_the_format_by_the_ending_and_returns_the_path(tmp_path):
    path = TALK.save(tmp_path / "talk.txt")
    assert path == tmp_path / "talk.txt"
    assert path.read_text(encoding="utf-8") == "good morning\n\nall\n"


def test_save_takes_a_string_and_options(tmp_path):
    TALK.save(str(tmp_path / "talk.srt"), max_words=1)
    assert (tmp_path / "talk.srt").read_text(encoding="utf-8").count(" --> ") == 3


def test_save_refuses_an_unknown_ending(tmp_path):
    with pytest.raises(ValueError, match="docx.*srt"):
        TALK.save(tmp_path / "talk.docx")
    assert list(tmp_path.iterdir()) == []
