"""recipes.captioning.scores: known values, and what must hold of any."""

import pytest

from recipes.captioning.scores import Described, bleu, mean, plain, score

for package in ("sacrebleu", "pycocoevalcap"):
    pytest.importorskip(package, reason=f"captions are scored by the optional package {package}")

PEOPLE = ["a dog runs over the green grass", "a brown dog is running on grass", "dog in a meadow"]
OTHERS = ["two men sit on a bench", "a pair of men on a park bench", "men sitting"]


def test_what_people_said_is_perfect():
    items = [Described("a", tuple(PEOPLE), PEOPLE[0]), Described("b", tuple(OTHERS), OTHERS[0])]
    found = score("test", items)
    assert found.exact.value == 1.0 and [rate.value for rate in found.bleu] == pytest.approx([1.0] * 4)
    assert found.rouge.value == pytest.approx(1.0) and found.cider.value > 2
    assert found.table()["BLEU-4"].startswith("100.0 [")
    assert "test: 2 pictures" in found.summary() and PEOPLE[0] in found.summary()


def test_known_values():
    """Papineni et al. (2002): words count as often as one person used them; short sentences pay."""
    (one, two, *_) = bleu(
        [["the cat is on the mat", "there is a cat on the mat"]], ["the the the the the the the"]
    )
    assert one.value == pytest.approx(2 / 7) and two.value == 0.0
    (short, *_) = bleu([["a b c d e f g h"]], ["a b c d"])
    assert short.value == pytest.approx(2.718281828 ** (1 - 8 / 4))
    found = score("test", [Described("a", ("a b c d",), "a c d x"), Described("b", ("e f",), "g")])
    assert found.rouge.value == pytest.approx(0.75 / 2)  # three of four in order, both ways


def test_words_that_few_pictures_have_weigh_more():
    people = [("a dog", "the dog"), ("a cat", "the cat"), ("a cow", "the cow")]
    rare = [Described(str(place), texts, texts[0].split()[1]) for place, texts in enumerate(people)]
    common = [Described(item.name, item.references, "a") for item in rare]
    assert score("test", rare).cider.value > score("test", common).cider.value == 0.0


def test_intervals_hold_their_value_and_shrink():
    few, many = mean([1.0, 0.0] * 5), mean([1.0, 0.0] * 500)
    assert few.low <= few.value == 0.5 == many.value <= few.high
    assert many.high - many.low < (few.high - few.low) / 3
    assert few == mean([1.0, 0.0] * 5)


def test_case_and_punctuation_do_not_count_but_for_exact_matches():
    item = Described("a", ("A dog, running: fast!",), "a dog running fast")
    found = score("test", [item])
    assert found.bleu[3].value == pytest.approx(1.0) and found.exact.value == 0.0
    assert plain("It's a  T-shirt + “hat”") == "its a tshirt hat"


@pytest.mark.parametrize("said", ["", "zebra"])
def test_a_sentence_that_says_nothing_right(said):
    found = score("test", [Described("a", tuple(PEOPLE), said), Described("b", tuple(OTHERS), OTHERS[1])])
    assert 0 <= found.bleu[3].value < 1 and 0 < found.rouge.value <= 0.5 and found.exact.value == 0.5
