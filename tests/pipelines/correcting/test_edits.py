"""What a correction makes of a result."""

import re
from dataclasses import replace

import pytest

from pipelines.correcting.edits import corrected
from pipelines.results import (
    Actions,
    ActionSegment,
    Caption,
    CaptionWord,
    Character,
    Check,
    Glyph,
    Page,
    Segment,
    Sentence,
    StrokeSpan,
    TextLine,
    TextRegion,
    Transcript,
    Word,
    WrittenWord,
)
from pipelines.writers import formats

CHECK = Check("Ada", "2026-11-28T12:00:00+00:00")


def box(left, top, right, bottom):
    return (left, top), (right, top), (right, bottom), (left, bottom)


def spoken(text: str, start: float, end: float) -> Word:
    step = (end - start) / len(text)
    signs = (
        Character(sign, start + place * step, start + (place + 1) * step, 0.5)
        for place, sign in enumerate(text)
    )
    return Word(text, start, end, 0.5, tuple(signs))


def written(text: str, left: float, right: float, **strokes) -> WrittenWord:
    step = (right - left) / len(text)
    glyphs = tuple(
        Glyph(
            sign, 0.5, box(left + place * step, 10, left + (place + 1) * step, 30), (StrokeSpan(place, 0, 4),)
        )
        for place, sign in enumerate(text)
    )
    return WrittenWord(text, 0.5, box(left, 10, right, 30), glyphs)


SEGMENT = Segment("too birds", 0, 4, 0.5, (spoken("too", 0, 1), spoken("birds", 2, 4)), True, (("x", 0.5),))
HEARD = Transcript((SEGMENT, replace(SEGMENT, text="other")), 9.0, "m", "a.wav")
WRITTEN = (written("too", 0, 30), written("birds", 40, 90))
LINE = TextLine("too birds", 0.5, box(0, 0, 100, 40), ((0, 30), (100, 30)), WRITTEN, "l")
PAGE = Page((TextRegion(()), TextRegion((LINE, LINE)), TextRegion((LINE,))), 200, 100, "m", "a.png")
CLIP = Actions((("fall", 0.7), ("rise", 0.3)), (ActionSegment("fall", 0, 2, 0.7),), 2.0, "m", "a.mp4")
WORDS = tuple(CaptionWord(text, 0.5, ((0.25, 0.75),)) for text in ("a", "red", "hat"))
TOLD = Caption((Sentence("a red hat", 0.5, WORDS, (("b", 0.2),)),), 0.0, "m", "a.png")


def test_a_segment():
    result = corrected(HEARD, 0, " two  birds ", CHECK)
    segment = result.segments[0]
    assert (segment.text, segment.start, segment.end, segment.confidence) == ("two birds", 0, 4, 1.0)
    assert (segment.alternatives, segment.checked) == ((), CHECK)
    assert [(word.text, word.start, word.end) for word in segment.words] == [("two", 0, 1), ("birds", 2, 4)]
    assert [len(word.characters) for word in segment.words] == [3, 5]
    assert replace(result, segments=HEARD.segments) == HEARD and result.segments[1] == HEARD.segments[1]


def test_a_line_of_a_page_keeps_places_and_strokes():
    result = corrected(PAGE, 2, "two birds", CHECK)
    line = result.lines[2]
    assert result.regions[:2] == PAGE.regions[:2]
    assert (line.text, line.polygon, line.baseline, line.id) == (
        "two birds",
        LINE.polygon,
        LINE.baseline,
        "l",
    )
    assert [word.box for word in line.words] == [(0, 10, 30, 30), (40, 10, 90, 30)]
    assert [glyph.text for glyph in line.words[0].glyphs] == ["t", "w", "o"]
    assert line.words[0].strokes == LINE.words[0].strokes
    assert line.words[1].glyphs[0].box == LINE.words[1].glyphs[0].box


def test_lines_from_right_to_left_and_top_to_bottom():
    words = (written("שלום", 60, 100), written("עולם", 0, 50))
    line = replace(LINE, text="שלום עולם", words=words)
    result = corrected(replace(PAGE, regions=(TextRegion((line,)),)), 0, "שלום עו לם", CHECK)
    assert [word.box[::2] for word in result.words] == [(60, 100), (25, 50), (0, 25)]
    down = WrittenWord("ab", 0.5, box(10, 0, 30, 80))
    line = replace(LINE, text="ab", baseline=((30, 0), (30, 80)), words=(down,))
    result = corrected(replace(PAGE, regions=(TextRegion((line,)),)), 0, "a b", CHECK)
    assert [word.box for word in result.words] == [(10, 0, 30, 40), (10, 40, 30, 80)]


def test_lines_without_words_or_places():
    bare = replace(PAGE, regions=(TextRegion((replace(LINE, words=()),)),))
    assert corrected(bare, 0, "two birds", CHECK).lines[0].words == ()
    unplaced = replace(LINE, words=(WrittenWord("too", 0.5), WrittenWord("birds", 0.5)))
    result = corrected(replace(PAGE, regions=(TextRegion((unplaced,)),)), 0, "two more birds", CHECK)
    assert [(word.text, word.polygon) for word in result.words] == [("two", ()), ("more", ()), ("birds", ())]


def test_a_draft_is_not_checked_and_leaves_other_words_in_doubt():
    line = corrected(PAGE, 0, "two birds", None).lines[0]
    assert line.checked is None and [word.confidence for word in line.words] == [1.0, 0.5]
    assert line.confidence == 0.75


def test_a_clip():
    result = corrected(CLIP, 0, "rise", CHECK)
    assert (result.label, result.score, result.checked) == ("rise", 1.0, CHECK)
    assert result.segments == (ActionSegment("rise", 0, 2, 1.0),) and result.top[1] == ("fall", 0.0)
    several = replace(CLIP, segments=(*CLIP.segments, ActionSegment("rise", 2, 3, 0.4)))
    result = corrected(several, 1, "jump", None)
    assert [segment.label for segment in result.segments] == ["fall", "jump"]
    assert result.top == several.top and result.checked is None
    with pytest.raises(ValueError, match="needs a label"):
        corrected(CLIP, 0, "  ", CHECK)


def test_a_sentence():
    (sentence,) = corrected(TOLD, 0, "a blue hat today", CHECK).sentences
    assert (sentence.text, sentence.confidence, sentence.alternatives) == ("a blue hat today", 1.0, ())
    assert [word.text for word in sentence.words] == ["a", "blue", "hat", "today"]
    assert {word.attention for word in sentence.words} == {((0.25, 0.75),)}


@pytest.mark.parametrize("result", [HEARD, PAGE, CLIP, TOLD])
@pytest.mark.parametrize("text", ["", "too", "entirely other words than before"])
def test_every_text_format_writes_what_was_corrected(result, text, tmp_path):
    if result is CLIP and not text:
        return
    result = corrected(result, 0, text, CHECK)
    for name, kind in formats(type(result)).items():
        if getattr(kind, "mode", "w") == "w":
            path = result.save(tmp_path / f"x.{kind.extension}")
            content = path.read_text("utf-8")
            content += re.sub("<[^>]*>", "", content)  # hOCR marks each character
            assert all(word in content for word in text.split()), name


@pytest.mark.parametrize("result", [HEARD, PAGE, CLIP, TOLD])
@pytest.mark.parametrize("place", [-1, 7])
def test_there_must_be_such_a_line(result, place):
    with pytest.raises(ValueError, match=f"there is no line {place}"):
        corrected(result, place, "x", CHECK)
