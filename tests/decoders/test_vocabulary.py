"""decoders.vocabulary: words and pieces of words go both ways, into a model's header and back."""

import json
import sys

import pytest

from decoders.alphabet import BLANK, Alphabet
from decoders.vocabulary import UNKNOWN, Classes, Subwords, Words, from_plain, to_plain

TEXTS = [
    "a dog runs over the grass",
    "a brown dog runs after a ball",
    "the girl throws a ball over the grass",
    "größe und maße",
    "שלום עולם",
]


@pytest.fixture(scope="module")
def subwords():
    pytest.importorskip("sentencepiece", reason="the optional package sentencepiece is not installed")
    return Subwords.of(TEXTS * 3, size=60)


def test_words_go_both_ways():
    words = Words.of(TEXTS)
    for text in TEXTS:
        ids = words.encode(text)
        assert len(ids) == len(text.split())
        assert words.decode(ids) == words.decode([BLANK, *ids, BLANK]) == text
        assert min(ids) > 0 and max(ids) < len(words)
    assert words.encode("") == [] and words.decode([]) == ""


def test_rare_words_are_unknown():
    words = Words.of(TEXTS, min_count=2)
    assert words.symbols == (UNKNOWN, "a", "the", "ball", "dog", "grass", "over", "runs")
    assert words.decode(words.encode("the girl runs")) == f"the {UNKNOWN} runs"
    assert words.encode("girl") == [words.unknown_id]
    assert words.unknown("the girl runs brown") == ["brown", "girl"]
    assert "dog" in words and "girl" not in words
    assert Words.of([f"{UNKNOWN} a"]).symbols == (UNKNOWN, "a")


def test_closed_words_refuse_others():
    words = Words(["b", "a"])
    assert words.encode("a b a") == [2, 1, 2] and len(words) == 3 and words.unknown_id is None
    with pytest.raises(ValueError, match="'c' 'd'"):
        words.encode("a d c")


@pytest.mark.parametrize(
    ("symbols", "message"),
    [
        ([], "at least one"),
        (["a b"], "not one word"),
        ([""], "not one word"),
        ([" a"], "not one word"),
        ([1], "not one word"),
        (["a", "a"], "appears 2 times"),
        (["a\x00"], "control character"),
    ],
)
def test_what_cannot_be_words_is_refused(symbols, message):
    with pytest.raises(ValueError, match=message):
        Words(symbols)


def test_classes_go_both_ways():
    classes = Classes.of(["stand up", "sit", "stand up"])
    assert classes.symbols == ("sit", "stand up") and len(classes) == 3 and "sit" in classes
    assert classes.encode("stand up") == [2] and classes.decode([0, 2, 1]) == "stand up, sit"
    assert classes.unknown("run") == ["run"] and classes.unknown("sit") == []
    with pytest.raises(ValueError, match="'run' is none of the classes: sit, stand up"):
        classes.encode("run")
    for symbols in ([], [" a"], ["a", "a"], [""], ["a\x00"], [1]):
        with pytest.raises(ValueError):
            Classes(symbols)


def test_subwords_go_both_ways(subwords):
    for text in [*TEXTS, "dogs throw grass"]:
        ids = subwords.encode(text)
        assert subwords.decode(ids) == subwords.decode([BLANK, *ids, BLANK]) == text
        assert min(ids) > 0 and max(ids) < len(subwords) <= 60
        assert "".join(subwords.symbols[index - 1] for index in ids) == "▁" + text.replace(" ", "▁")
    assert subwords.unknown("dogs, 7") == [",", "7"]
    assert subwords.unknown_id in subwords.encode("7")
    assert len(subwords.symbols) == len(subwords) - 1


@pytest.mark.parametrize("kind", ["characters", "words", "subwords", "classes"])
def test_all_kinds_go_through_a_header(kind, request):
    made = {
        "characters": lambda: Alphabet("ab "),
        "words": lambda: Words.of(TEXTS),
        "classes": lambda: Classes("ab"),
    }
    alphabet = made[kind]() if kind in made else request.getfixturevalue(kind)
    same = from_plain(json.loads(json.dumps(to_plain(alphabet))))
    assert same == alphabet and hash(same) == hash(alphabet) and len(same) == len(alphabet)
    assert same.encode("a") == alphabet.encode("a")


@pytest.mark.parametrize(
    "value", [None, "ab", {"kind": "words"}, {"kind": "letters", "symbols": []}, [1], []]
)
def test_a_header_that_is_none_is_refused(value):
    with pytest.raises(ValueError):
        from_plain(value)


@pytest.mark.parametrize("model", ["?", "", "AAAA"])
def test_a_damaged_subword_model_is_refused(subwords, model):
    with pytest.raises(ValueError, match="base64|not a sentencepiece|not for padding"):
        from_plain({"kind": "subwords", "model": model})


def test_subwords_that_cannot_be_made_are_refused(subwords):
    with pytest.raises(ValueError, match="unigram or bpe"):
        Subwords.of(TEXTS, kind="word")
    with pytest.raises(ValueError, match="pieces of these texts"):
        Subwords.of([], size=50)


def test_without_the_package_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    with pytest.raises(RuntimeError, match="pip install sentencepiece"):
        Subwords(b"")
