"""decoders.language.arpa: scores as the format defines them, and files that are none."""

import io
import math

import numpy as np
import pytest

from decoders.language.arpa import Arpa, is_arpa, tokens_of

LABELS = {"a": 1, "b": 2, "<space>": 3, "\u00a0": 4}
NUM_LABELS = 6  # one that the file says nothing of
FILE = """made by hand

\\data\\
ngram 1=7
ngram 2=4
ngram 3=1

\\1-grams:
-1.5\t<unk>
-99\t<s>\t-0.2
-1.0\t</s>
-0.5\ta\t-0.3
-0.7\tb\t-0.1
-0.6\t<space>
-2.0\t\u00a0

\\2-grams:
-0.4\ta b\t-0.6
-0.2\tb a\t0.25
-0.9\tb </s>
-0.3\t<s> a

\\3-grams:
-0.1\ta b a

\\end\\
"""
TOKENS = {label: token for token, label in LABELS.items()}
SCORES, BACKOFFS = {}, {}
for line in FILE.splitlines():
    if line[:1] == "-":
        score, tokens, *backoff = line.split("\t")
        SCORES[tuple(tokens.split(" "))] = float(score)
        BACKOFFS[tuple(tokens.split(" "))] = float(backoff[0]) if backoff else 0.0


def by_definition(context: tuple[str, ...], token: str) -> float:
    if (*context, token) in SCORES:
        return SCORES[*context, token]
    if not context:
        return SCORES["<unk>",]
    return BACKOFFS.get(context, 0.0) + by_definition(context[1:], token)


def arpa(text: str = FILE, ends: tuple[int, ...] = ()) -> Arpa:
    return Arpa(io.BytesIO(text.encode()), LABELS, ends, NUM_LABELS)


@pytest.mark.parametrize(
    "context", [(), (1,), (2,), (1, 2), (2, 1), (3, 1, 2), (3,), (5,), (1, 5), (4, 2, 2)]
)
def test_scores_are_those_of_the_definition(context):
    model = arpa()
    assert model.order == 3
    tokens = tuple(TOKENS.get(label, "<unk>") for label in context[-2:])
    expected = [by_definition(tokens, TOKENS.get(label, "<unk>")) for label in range(1, NUM_LABELS)]
    found = model.log_probs(context)
    assert found.shape == (NUM_LABELS,) and found[1:] / math.log(10) == pytest.approx(expected, abs=1e-5)


def test_the_end_of_a_text_counts_as_the_space_behind_it():
    plain, ended = arpa().log_probs((2,)), arpa(ends=(3,)).log_probs((2,))
    assert np.exp(ended[3]) == pytest.approx(np.exp(plain[3]) + 10**-0.9, rel=1e-5)
    assert (np.delete(ended, 3) == np.delete(plain, 3)).all()


def test_what_is_kept_does_not_change():
    model = arpa(ends=(3,))
    assert (model.log_probs((2,)) == model.log_probs((2,))).all()


def test_its_tokens_and_how_it_is_told_from_text():
    assert tokens_of(io.BytesIO(FILE.encode())) == ["<unk>", "<s>", "</s>", "a", "b", "<space>", "\u00a0"]
    assert is_arpa(io.BytesIO(FILE.encode()))
    assert not is_arpa(io.BytesIO(b"a letter on \\data\\ and such\n"))
    assert not is_arpa(io.BytesIO(b""))


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("\\end\\", "", "line 27: it ends too early"),
        ("ngram 2=4", "ngram 2=5", "line 23: .* is no 2-gram"),
        ("ngram 2=4", "ngram 2=3", r"stands where \\3-grams: should"),
        ("ngram 3=1", "ngram 4=1", "counts no 3-grams"),
        ("ngram 3=1", "ngram 3=99999999999", "none or too many"),
        ("ngram 1=7\nngram 2=4\nngram 3=1\n", "", "none or too many"),
        ("-0.4\ta b\t-0.6", "0.4\ta b\t-0.6", "is no 2-gram"),
        ("-0.4\ta b\t-0.6", "-0.4\ta b\tnan", "is no 2-gram"),
        ("-0.4\ta b\t-0.6", "nan\ta b\t-0.6", "is no 2-gram"),
        ("-0.4\ta b\t-0.6", "-0.4\ta", "is no 2-gram"),
        ("-0.4\ta b\t-0.6", "-0.4\ta b c d", "is no 2-gram"),
        ("-0.4\ta b", "-0.4\t" + 20_000 * "a", "it is too long"),
        ("\\data\\", "data", "it ends too early"),
    ],
)
def test_a_damaged_file_is_refused(before, after, told):
    with pytest.raises(ValueError, match=told):
        arpa(FILE.replace(before, after))


def test_it_must_be_utf_8():
    with pytest.raises(ValueError, match="line 12: it is not UTF-8"):
        Arpa(io.BytesIO(FILE.replace("\ta\t", "\tä\t").encode("latin-1")), LABELS, (), NUM_LABELS)
