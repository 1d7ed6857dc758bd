"""Tokens of texts: words and signs, subwords, characters; what is unknown has id 0."""

import pytest

from decoders.alphabet import Alphabet
from decoders.vocabulary import Subwords, Words
from pipelines.reading.tokens import Tokenizer, ids_of, plain


def test_words_and_signs():
    tokens = Tokenizer(Words(["don't", "stop", "!"]))("Don't  STOP now!")
    assert [token.text for token in tokens] == ["don't", "stop", "now", "!"]
    assert ids_of(tokens).tolist() == [1, 2, 0, 3]


def test_the_case_is_kept_where_the_model_was_taught_so():
    assert ids_of(Tokenizer(Words(["Us", "us"]), lower=False)("Us us")).tolist() == [1, 2]


@pytest.mark.parametrize("text", ["日本語", "שלום", "x\u0301"])
def test_characters_of_any_script(text):
    text = plain(text, lower=True)
    assert ids_of(Tokenizer(Alphabet.of([text]))(text)).tolist().count(0) == 0
    assert set(ids_of(Tokenizer(Alphabet("q"))(text)).tolist()) == {0}


def test_subwords():
    pytest.importorskip("sentencepiece")
    vocabulary = Subwords.of(["low lower lowest newer wider"] * 20, size=30)
    tokens = Tokenizer(vocabulary)("lower newest \u20ac")
    assert "".join(token.text for token in tokens).replace(" ", "").startswith("lowernew")
    assert 0 in ids_of(tokens) and max(ids_of(tokens)) < len(vocabulary)


def test_a_text_without_tokens_has_one_id():
    assert ids_of(Tokenizer(Words(["a"]))("  \x00 ")).tolist() == [0]
