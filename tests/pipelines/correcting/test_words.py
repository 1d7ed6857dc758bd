"""Places of the words of a corrected text."""

import itertools

import pytest

from pipelines.correcting.words import place_words

OLD = ["Wehave", "had", "no", "rain"]
SPANS = [(0.0, 60.0), (70.0, 100.0), (110.0, 130.0), (140.0, 180.0)]


def placed(new: str, old=OLD, spans=SPANS) -> list[tuple]:
    return [(each.text, each.kept, each.edges[0], each.edges[-1]) for each in place_words(old, spans, new)]


def test_words_that_stay_keep_their_places():
    found = placed("Wehave had  no\nrain")
    assert found == [(text, index, *span) for index, (text, span) in enumerate(zip(OLD, SPANS, strict=True))]
    assert placed("Wehave no rain") == [("Wehave", 0, 0, 60), ("no", 2, 110, 130), ("rain", 3, 140, 180)]
    assert placed("") == [] and placed("new", [], []) == []


def test_one_word_for_another_has_its_place():
    assert placed("Wehave had any reign")[2:] == [("any", None, 110, 130), ("reign", None, 140, 180)]


def test_a_word_that_is_split_or_joined_shares_the_place_by_its_characters():
    assert placed("We have had no rain")[:2] == [("We", None, 0, 20), ("have", None, 20, 60)]
    assert placed("Wehave hadno rain")[1] == ("hadno", None, 70, 130)


def test_a_new_word_goes_into_a_gap_or_shares_the_place_of_its_neighbour():
    assert placed("a x b", ["a", "b"], [(0, 10), (90, 100)])[1] == ("x", None, 10, 90)
    assert placed("Wehave had no heavy rain")[2:4] == [("no", None, 110, 115), ("heavy", None, 117.5, 130)]
    assert placed("x Wehave")[0][2:] == (0, 7.5)
    assert placed("x a y", ["a"], [(0, 1)]) == [
        ("x", None, 0, 0.2),
        ("a", None, 0.4, 0.6),
        ("y", None, 0.8, 1),
    ]


def test_from_right_to_left_places_go_down():
    assert placed("abc d e", ["abc", "de"], [(100, 70), (60, 40)]) == [
        ("abc", 0, 100, 70), ("d", None, 60, 50), ("e", None, 50, 40)
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_all_places_are_in_order_and_within_the_line(seed):
    vocabulary = ["", "no", "rain", "x", "Wehave", "we have", "snow and ice", "rains"]
    for parts in itertools.permutations(vocabulary[seed:], 3):
        words = place_words(OLD, SPANS, " ".join(parts))
        assert [word.text for word in words] == " ".join(parts).split()
        edges = [edge for word in words for edge in word.edges]
        assert edges == sorted(edges) and all(0 <= edge <= 180 for edge in edges)
        assert all(word.edges[-1] > word.edges[0] for word in words)
        assert all(len(word.edges) == len(word.text) + 1 == len(word.likes) + 1 for word in words)
        likes = [like for word in words for like in word.likes if like is not None]
        assert len(set(likes)) == len(likes)
