"""Tokens of texts: words and signs, subwords, characters; what is unknown has id 0."""

import pytest
import torch

from decoders.alphabet import Alphabet
from decoders.vocabulary import Subwords, Words
from pipelines.reading.tokens import AFFIX, Tokenizer, affixes_of, plain, shape


def ids(vocabulary, text, **options):
    tokenizer = Tokenizer(vocabulary, **options)
    return tokenizer.inputs(tokenizer(text)).tolist()


def test_words_and_signs():
    words = Words(["don't", "stop", "!"])
    assert [token.text for token in Tokenizer(words)("Don't  STOP now!")] == ["don't", "stop", "now", "!"]
    assert ids(words, "Don't  STOP now!") == [1, 2, 0, 3]


def test_the_case_is_kept_where_the_model_was_taught_so():
    assert ids(Words(["Us", "us"]), "Us us", lower=False) == [1, 2]


@pytest.mark.parametrize("text", ["日本語", "שלום", "x\u0301"])
def test_characters_of_any_script(text):
    text = plain(text, lower=True)
    assert 0 not in ids(Alphabet.of([text]), text)
    assert set(ids(Alphabet("q"), text)) == {0}


def test_subwords():
    pytest.importorskip("sentencepiece")
    vocabulary = Subwords.of(["low lower lowest newer wider"] * 20, size=30)
    tokens = Tokenizer(vocabulary)("lower newest \u20ac")
    assert "".join(token.text for token in tokens).replace(" ", "").startswith("lowernew")
    found = ids(vocabulary, "lower newest \u20ac")
    assert 0 in found and max(found) < len(vocabulary)


def test_a_text_without_tokens_has_one_id():
    assert ids(Words(["a"]), "  \x00 ") == [0]
    assert Tokenizer(Words(["a"]), affixes=50).inputs([]).shape == (1, 2 + 2 * AFFIX)


def test_beginnings_and_ends_of_words():
    walking, talking, of = (affixes_of(word, 1000) for word in ("walking", "talking", "of"))
    assert len(walking) == len(of) == 2 * AFFIX + 1 and all(0 <= row < 1000 for row in walking + of)
    assert walking[1::2] == talking[1::2] and walking[0] != talking[0], "ends are alike, beginnings are not"
    assert of[4:8] == [0, 0, 0, 0], "it has no three letters"
    assert affixes_of("walking", 1000) == walking, "whatever the process"
    assert [shape(word) for word in ("Paris", "McKay", "10-12", "USA", "été")] == [
        "Xx",
        "XxXx",
        "0-0",
        "X",
        "x",
    ]


def test_words_keep_their_own_case_beside_their_id():
    tokens = Tokenizer(Words(["paris"]), affixes=1000).words(["Paris", "paris"])
    assert [token.id for token in tokens] == [1, 1] and tokens[0].text == "Paris"
    first, second = Tokenizer(Words(["paris"]), affixes=1000).inputs(tokens)
    assert torch.equal(first[:-1], second[:-1]) and first[-1] != second[-1]
