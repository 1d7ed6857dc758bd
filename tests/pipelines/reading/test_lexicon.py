"""A lexicon, from Python and from the shell: what is read is made of words that there are."""

import math

import pytest
from PIL import Image

from pipelines import align, recognize, transcribe
from pipelines.commands import cli
from pipelines.errors import DataError
from pipelines.reading.language import fusion
from pipelines.reading.settings import SearchOptions
from tests.data.bar_reader import BarReader, Doubtful
from tests.data.media import tone
from tests.data.pictures import bars


def test_words_that_there_are_decide_what_is_in_doubt(tmp_path):
    path = tmp_path / "words"
    path.write_text("bb\nab  bab\n")
    model = Doubtful()
    for lexicon in ("bb, ab", ["bb ab"], ["ab", "bb"], path, str(path)):
        assert recognize(bars("aa ba"), model, lexicon=lexicon).text.split()[1] == "bb"
    assert recognize(bars("aa ba"), model, lexicon=["bb", "ba"]).text == "ba ba"
    assert recognize(bars("aa ba"), model, lexicon=["bb"], lexicon_cost=0).text == "aa ba"


def test_what_is_certain_stays_unless_there_are_no_other_words():
    assert recognize(bars("aa"), BarReader(), lexicon=["bb"]).text == "aa"
    assert recognize(bars("aa"), BarReader(), lexicon=["bb"], lexicon_cost=math.inf).text != "aa"


def test_hotwords_are_words_that_there_are():
    model = Doubtful()
    only = {"lexicon": ["bb"], "lexicon_cost": math.inf}
    assert recognize(bars("aa ba"), model, **only).text == "bb bb"
    assert recognize(bars("aa ba"), model, **only, hotwords="ab").text == "ab bb"


def test_a_word_may_begin_with_a_capital_or_be_in_capitals():
    words = fusion(BarReader(alphabet=" abAB"), SearchOptions(lexicon=["ab"])).lexicon
    model = BarReader(alphabet=" abAB")

    def cost(text):
        place, total = words.start, 0.0
        for label in model.encode(text):
            total += words.gains(place)[label]
            place = words.behind(place, label)
        return total + words.ended(place)

    assert [cost(text) for text in ("ab", "Ab", "AB", "ab AB", "aB")] == [0, 0, 0, 0, -words.cost]


def test_from_the_right_and_without_spaces():
    from_the_right = Doubtful(right_to_left=True, alphabet=" אב")
    assert recognize(bars("ba aa"), from_the_right, lexicon="בא").text == "בא אב"
    unspaced = Doubtful(alphabet="xab")
    read = recognize(bars("aaba"), unspaced, lexicon="ab, ba").text
    assert {read[:2], read[2:]} <= {"ab", "ba"}


def test_words_that_the_model_cannot_write_are_passed_over(tmp_path):
    """A dictionary has words in letters that a model has never met."""
    assert recognize(bars("aa"), Doubtful(), lexicon=["ab", "bé", "日"]).text == "ab"
    with pytest.raises(DataError, match="lexicon: holds no word that bars can write"):
        recognize(bars("aa"), Doubtful(), lexicon=["é", "日"])
    with pytest.raises(DataError, match="lexicon: holds no word; give some"):
        recognize(bars("aa"), Doubtful(), lexicon=", ,")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"lexicon": "a", "lexicon_cost": -1.0}, "lexicon_cost must be 0 or more, not -1"),
        ({"lexicon": "a", "lexicon_cost": math.nan}, "lexicon_cost must be 0 or more, not nan"),
    ],
)
def test_wrong_options_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        recognize(bars("ab"), BarReader(), **options)


def test_speech_takes_one_and_a_known_text_does_not():
    said = transcribe(tone(1.0), sample_rate=16000, strict=False, lexicon="ONE, TWO")
    assert said.duration == pytest.approx(1.0)
    with pytest.raises(TypeError, match="no option 'lexicon'"):
        align(tone(0.5), "A", sample_rate=16000, lexicon="A")


def test_the_command(tmp_path, capsys):
    Image.fromarray(bars("ab")).save(tmp_path / "x.png")
    given = ["recognize", str(tmp_path / "x.png"), "-o", str(tmp_path / "out"), "--skip-existing"]
    for more, made in (
        ([], 1),
        (["--lexicon", "kew, gardens"], 1),
        (["--lexicon", "kew, gardens"], 0),
        (["--lexicon", "kew, gardens", "--lexicon-cost", "inf"], 1),
    ):
        assert cli.main([*given, *more]) == 0
        assert f"{made} recognised" in capsys.readouterr().out
    assert cli.main([*given, "--lexicon", "nowhere/words"]) == 1
    assert "nowhere/words: does not exist; give a text file or words as lexicon" in capsys.readouterr().err


def test_lists_of_words_are_bounded(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("ab\n" * 3_400_000)
    with pytest.raises(DataError, match="holds too much text; give a part of it, of at most 10 MB"):
        fusion(BarReader(), SearchOptions(lexicon=path))
    with pytest.raises(DataError, match="holds too much text; give a part of it, of at most 1 MB"):
        fusion(BarReader(), SearchOptions(hotwords=path))
    path.write_text("ab\n" * 300_000)  # once is as good
    assert fusion(BarReader(), SearchOptions(hotwords=path, lexicon=path)).hotwords
