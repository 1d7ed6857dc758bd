"""Phrases: plain capitals, numbers as they are spoken, the same again from one seed."""

import random
import re

from recipes.asr.phrases import cardinal, phrase, spelled, two_digits
from recipes.asr.voices import HELD_OUT, VOICES, spoken


def test_texts_are_words_in_capitals():
    chooser = random.Random(1)
    texts = [phrase(chooser, ["we dined, he said, at eight"])[1] for _ in range(500)]
    assert all(re.fullmatch(r"[A-Z]+( [A-Z]+)*", text) for text in texts)
    assert len(set(texts)) > 300
    assert [phrase(random.Random(4)) for _ in range(3)] == [phrase(random.Random(4)) for _ in range(3)]


def test_numbers():
    assert [two_digits(number) for number in (7, 13, 40, 99)] == ["seven", "thirteen", "forty", "ninety nine"]
    assert cardinal(0) == "zero" and cardinal(100) == "one hundred"
    assert cardinal(12_345) == "twelve thousand three hundred and forty five"


def test_letters_are_said_by_their_names():
    said, text = spelled(random.Random(2))
    assert said.replace(", ", " ").lower() == text


def test_voices_held_out_are_others(tmp_path):
    for program, voices in VOICES.items():
        assert not set(voices) & set(HELD_OUT[program])
        one = spoken(random.Random(1), program, False, [], tmp_path / "a.wav")
        assert str(tmp_path / "a.wav") in one.command and one.text
