"""pipelines.reading.language: the language decides where the model is in doubt, and nothing else changes."""

import gc
import gzip
import json
import math
import os
import weakref
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save

from decoders.alphabet import Alphabet
from decoders.language.profile import WEIGHT, Language
from pipelines import align, recognize, transcribe
from pipelines.commands import cli
from pipelines.errors import DataError, ModelError
from pipelines.model import SequenceModel, load
from pipelines.reading.language import ARPA_WEIGHT, fusion
from pipelines.reading.settings import SearchOptions
from tests.data.bar_reader import SIZES, A, B, BarReader, Doubtful
from tests.data.clips import write_video
from tests.data.media import tone
from tests.data.pictures import bars


def fused(model, source=None, weight=None, **options):
    return fusion(model, SearchOptions(language_model=source, language_weight=weight, **options))


@pytest.fixture
def text(tmp_path):
    """A language in which bb is usual, and aa unheard of."""
    path = tmp_path / "language.txt"
    path.write_text("bb bb\nbb ba bb\nÖ!\n" * 20, encoding="utf-8")
    return path


@pytest.fixture
def own():
    model = Doubtful()
    model.language = Language.of(model.alphabet, model.encode, ["bb bb ba bb"] * 20, order=3)
    return model


def small():
    torch.manual_seed(0)
    front_end, core, decoder = SIZES
    return SequenceModel("handwriting", front_end, core, decoder, Alphabet(" ab")).eval()


def test_a_text_decides_what_is_in_doubt(text):
    model = Doubtful()
    assert recognize(bars("ba aa"), model).text == "ba aa"
    assert recognize(bars("ba aa"), model, language_model=text).text == "bb bb"
    assert recognize(bars("ba aa"), model, language_model=str(text), language_weight=0).text == "ba aa"


def test_what_is_certain_stays(text):
    assert recognize(bars("ba aa"), BarReader(), language_model=text).text == "ba aa"


def test_the_language_model_that_a_model_carries(own, tmp_path):
    assert recognize(bars("ba aa"), own, language_model="own").text == "bb bb"
    assert recognize(bars("ba aa"), own).text == "bb bb"  # it is the default
    assert recognize(bars("ba aa"), own, language_model="none").text == "ba aa"
    assert recognize(bars("ba aa"), own, language_model=None).text == "ba aa"
    assert recognize(bars("ba aa"), Doubtful()).text == "ba aa"
    other = tmp_path / "other.txt"
    other.write_text("aa aa\n" * 50)
    assert recognize(bars("aa"), Doubtful(), language_model=other).text == "aa"
    both = fused(own, other, 0.5)
    alone = fused(Doubtful(), other, 0.5)
    assert (
        alone.model.log_probs((A,))[B]
        < both.model.log_probs((A,))[B]
        < own.language.ngrams.log_probs((A,))[B]
    )


def test_places_and_confidences_are_those_of_the_image(text):
    plain = recognize(bars("bb a"), BarReader()).lines[0]
    helped = recognize(bars("bb a"), BarReader(), language_model=text).lines[0]
    assert helped == plain


def test_the_weight_is_that_of_the_validation_unless_it_is_given(own, text):
    own.language = Language(own.language.ngrams, 0.45)
    assert fused(own, "own").weight == fused(own, text).weight == 0.45
    assert fused(own, "own", 0.1).weight == 0.1
    assert fused(Doubtful(), text).weight == WEIGHT


def test_the_weight_of_an_arpa_file_is_its_own(own, tmp_path):
    path = write_arpa(tmp_path / "letters.arpa", {"a": -1, "b": -1, "<space>": -1})
    assert fused(own, path).weight == fused(Doubtful(), path).weight == ARPA_WEIGHT
    assert fused(own, path, 0.1).weight == 0.1
    assert fused(own, None) is None


def test_words_that_come_twice_are_carried_and_others_cost():
    model = Doubtful()
    language = Language.of(model.alphabet, model.encode, ["ab bb, ab", "bb ba"], order=1)
    assert language.words == ("ab", "bb"), "ba comes once"
    model.language = Language(language.ngrams, 0.4)
    assert fused(model, "own").lexicon is None, "words are optional"
    model.language = Language(language.ngrams, 0.4, language.words, 3.0)
    assert fused(model, "own").lexicon.cost == 3.0
    assert fused(model, "own", 0.2).lexicon.cost == 1.5, "both are as sure as each other"
    assert fused(model, "own", 0.0).lexicon.cost == 0.0
    assert fused(model, "own", lexicon="ba", lexicon_cost=7.0).lexicon.cost == 7.0, "a list given goes first"
    assert fused(model, None) is None
    model.language = Language(language.ngrams, 0.01, ("ab", "bb"), 9.0)
    assert recognize(bars("ba aa"), model, language_model="own").text == "bb ab"
    unspaced = Doubtful(alphabet="xab")
    assert Language.of(unspaced.alphabet, unspaced.encode, ["abx", "abx"], order=1).words == (), (
        "a script without spaces has none"
    )


def test_words_of_a_given_text_are_known_beside_the_models_own(tmp_path):
    model, text = Doubtful(), tmp_path / "text.txt"
    text.write_text("ba\nba\n")
    model.language = Language(
        Language.of(model.alphabet, model.encode, ["bb bb"], order=1).ngrams, 0.01, ("bb",), 9.0
    )
    assert recognize(bars("aa ba"), model, language_model="own").text.split()[1] == "bb"
    assert recognize(bars("aa ba"), model, language_model=text).text == "ba ba"


def test_a_text_that_changes_is_counted_again(text):
    model = Doubtful()
    assert recognize(bars("aa"), model, language_model=text).text == "bb"
    text.write_text("aa aa\n" * 50)
    os.utime(text, (1, 1))
    assert recognize(bars("aa"), model, language_model=text).text == "aa"


def write_arpa(path: Path, ngrams: dict[str, float], opened=open) -> Path:
    """log10 probabilities of single tokens."""
    lines = [f"{score}\t{token}" for token, score in ngrams.items()]
    with opened(path, "wt", encoding="utf-8") as file:
        file.write(f"\\data\\\nngram 1={len(lines)}\n\n\\1-grams:\n" + "\n".join(lines) + "\n\n\\end\\\n")
    return path


@pytest.mark.parametrize("opened", [open, gzip.open])
@pytest.mark.parametrize("space", ["<space>", "|", "▁"])
def test_an_arpa_file_of_characters_serves_as_well(own, tmp_path, opened, space):
    path = write_arpa(tmp_path / "letters.arpa", {"<s>": -99, "a": -3, "b": -0.1, space: -0.9}, opened)
    assert recognize(bars("ba aa"), Doubtful(), language_model=path).text == "bb bb"
    found = fused(Doubtful(), path).model.log_probs(())
    assert found[A] / math.log(10) == pytest.approx(-3) and found[B] / math.log(10) == pytest.approx(-0.1)
    assert found[Doubtful().alphabet.encode(" ")[0]] / math.log(10) == pytest.approx(-0.9)
    both = fused(own, path).model.log_probs(())
    assert math.exp(both[A]) == pytest.approx(
        (math.exp(found[A]) + math.exp(own.language.ngrams.log_probs(())[A])) / 2
    )


def test_a_character_of_an_arpa_file_may_look_like_a_mark(tmp_path):
    model = SequenceModel("handwriting", *SIZES, Alphabet(" <a")).eval()
    path = write_arpa(tmp_path / "letters.arpa", {"<s>": -99, "<unk>": -5, "<": -0.2, "a": -1, "<space>": -1})
    scores = fused(model, path).model.log_probs(())
    assert scores[model.alphabet.encode("<")] / math.log(10) == pytest.approx(-0.2)


def test_words_that_an_arpa_file_may_know_cost_nothing(own, tmp_path):
    own.language = Language(own.language.ngrams, words=("bb",), cost=2.0)
    path = write_arpa(tmp_path / "letters.arpa", {"a": -1, "b": -1, "<space>": -1})
    assert fused(own, "own").lexicon and not fused(own, path).lexicon


def test_an_arpa_file_that_cannot_serve_is_named(tmp_path):
    words = write_arpa(tmp_path / "words.arpa", {"ab": -1, "bab": -1})
    with pytest.raises(DataError, match="words.arpa: counts 'ab' and other words; count characters"):
        recognize(bars("ab"), Doubtful(), language_model=words)
    foreign = write_arpa(tmp_path / "foreign.arpa", {"я": -1})
    with pytest.raises(DataError, match="foreign.arpa: knows no character of bars"):
        recognize(bars("ab"), Doubtful(), language_model=foreign)
    damaged = write_arpa(tmp_path / "damaged.arpa", {"a": "x"})
    with pytest.raises(DataError, match="damaged.arpa: is a damaged ARPA file: line 5: 'x a' is no 1-gram"):
        recognize(bars("ab"), Doubtful(), language_model=damaged)
    short = write_arpa(tmp_path / "short.arpa.gz", {"a": -1}, gzip.open)
    os.truncate(short, short.stat().st_size - 12)
    with pytest.raises(DataError, match="short.arpa.gz: cannot be read"):
        recognize(bars("ab"), Doubtful(), language_model=short)


def test_hotwords_are_found_where_the_model_is_in_doubt(tmp_path):
    model, path = Doubtful(), tmp_path / "names.txt"
    path.write_text("ab\n\n", encoding="utf-8")
    for hotwords in ("ab", "ab, bbb", ["ab"], ["ab", "b"], ("bbb", "ab"), path, str(path)):
        assert recognize(bars("ba aa"), model, hotwords=hotwords).text == "ba ab"
    assert recognize(bars("ba aa"), model, hotwords="ab", hotword_weight=0.0).text == "ba aa"
    assert recognize(bars("ba aa"), model, hotwords="aa ab").text == "ba aa"
    assert recognize(bars("aa aa"), model, hotwords="aa ab").text == "aa ab"


def test_hotwords_from_the_right_and_without_spaces():
    from_the_right = Doubtful(right_to_left=True, alphabet=" אב")
    assert recognize(bars("ba aa"), from_the_right).text == "אא אב"
    assert recognize(bars("ba aa"), from_the_right, hotwords="בא").text == "בא אב"
    unspaced = Doubtful(alphabet="xab")
    assert recognize(bars("ba aa"), unspaced).text == "baxaa"
    assert recognize(bars("ba aa"), unspaced, hotwords="ab").text == "baxab"


def test_hotwords_count_beside_a_language_model(text):
    model = Doubtful()
    unheard_of = {"language_model": text, "hotwords": ["aa"]}
    assert recognize(bars("aa"), model, **unheard_of).text == "bb"
    assert recognize(bars("aa"), model, **unheard_of, hotword_weight=6.0).text == "aa"


def test_letters_of_the_other_case_serve_where_the_model_knows_but_one(tmp_path):
    path = tmp_path / "capitals.txt"
    path.write_text("BB BB\nBB BA BB\n" * 20, encoding="utf-8")
    assert recognize(bars("ba aa"), Doubtful(), language_model=path).text == "bb bb"
    assert recognize(bars("ba aa"), Doubtful(), hotwords="AB").text == "ba ab"
    both = Doubtful(alphabet=" abA")
    assert recognize(bars("ba aa"), both, hotwords="Ab").text == "ba aa"


def test_hotwords_that_the_model_cannot_write_are_named(tmp_path):
    with pytest.raises(DataError, match="hotwords: bars cannot write 'é' of 'bé', '日' of '日'; leave"):
        recognize(bars("ab"), Doubtful(), hotwords=["ab", "bé", "日"])
    path = tmp_path / "names.txt"
    path.write_text(" \n", encoding="utf-8")
    with pytest.raises(DataError, match="names.txt: holds no text"):
        recognize(bars("ab"), Doubtful(), hotwords=path)
    with pytest.raises(DataError, match="hotwords: holds no word"):
        recognize(bars("ab"), Doubtful(), hotwords=", ,")
    front_end, core, _ = SIZES
    attentive = SequenceModel("handwriting", front_end, core, {"kind": "attention"}, Alphabet(" ab"))
    with pytest.raises(ModelError, match="read without language model, hotwords and lexicon"):
        recognize(bars("ab"), attentive.eval(), hotwords="ab")


def test_to_align_takes_neither():
    with pytest.raises(TypeError, match="no option 'language_model'"):
        align(tone(0.5), "A", sample_rate=16000, language_model="own")
    with pytest.raises(TypeError, match="no option 'hotwords'"):
        align(tone(0.5), "A", sample_rate=16000, hotwords="A")


def test_right_to_left_texts_are_counted_as_they_are_met(tmp_path):
    """From the right, a number's digits come last first."""
    text = tmp_path / "numbers.txt"
    text.write_text("א 12 א\n" * 20, encoding="utf-8")
    model = BarReader(right_to_left=True, alphabet=" 12א")
    one, two = (model.alphabet.encode(digit)[0] for digit in "12")
    used = fused(model, text).model
    assert used.log_probs((two,))[one] > math.log(0.9)
    assert used.log_probs((one,))[two] < math.log(0.1)


@pytest.mark.parametrize(
    "options,words",
    [
        (
            {"language_model": "nowhere"},
            "language_model must be own, none, or a text, ARPA or model file, not 'now",
        ),
        ({"language_weight": 3.0}, "language_weight"),
        ({"hotwords": "a", "hotword_weight": -1.0}, "hotword_weight must be from 0 to 10, not -1.0"),
    ],
)
def test_options_out_of_range(options, words):
    with pytest.raises(ValueError, match=words):
        recognize(bars("ab"), Doubtful(), **options)


@pytest.mark.parametrize("name", ["language_model", "hotwords", "lexicon", "layout"])
@pytest.mark.parametrize("given", ["nowhere.txt", "some/where", Path("nowhere")])
def test_a_file_that_is_not_there_is_named_with_the_way_out(name, given):
    with pytest.raises(DataError, match=rf"{given}: does not exist; give .* as {name}"):
        recognize(bars("ab"), Doubtful(), **{name: given})


def test_what_cannot_serve_is_named(tmp_path, text):
    with pytest.raises(ModelError, match="carries no language model; give a text file"):
        recognize(bars("ab"), Doubtful(), language_model="own")
    foreign = tmp_path / "foreign.txt"
    foreign.write_text("日本語\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"foreign.txt: holds nothing that bars can write"):
        recognize(bars("ab"), Doubtful(), language_model=foreign)
    front_end, core, _ = SIZES
    attentive = SequenceModel("handwriting", front_end, core, {"kind": "attention"}, Alphabet(" ab"))
    with pytest.raises(ModelError, match="label after label"):
        recognize(bars("ab"), attentive.eval(), language_model=text)


def test_a_text_too_large_to_count(tmp_path):
    path = tmp_path / "library.txt"
    path.write_text("ab")
    os.truncate(path, 60_000_000)
    with pytest.raises(
        DataError, match=r"library.txt: holds too much text; give a part of it, of at most 50 MB"
    ):
        recognize(bars("ab"), Doubtful(), language_model=path)


def test_a_hybrid_decoder_reads_by_its_ctc(text):
    torch.manual_seed(0)
    front_end, core, _ = SIZES
    sizes = {"kind": "hybrid", "hidden_size": 4, "embedding_size": 4, "attention_size": 4}
    hybrid = SequenceModel("handwriting", front_end, core, sizes, Alphabet(" ab")).eval()
    alone = SequenceModel("handwriting", *SIZES, Alphabet(" ab")).eval()
    alone.front_end, alone.core, alone.decoder = hybrid.front_end, hybrid.core, hybrid.decoder.ctc
    found = recognize(bars("ab ba"), hybrid, language_model=text)
    assert found.regions == recognize(bars("ab ba"), alone, language_model=text).regions


def test_speech_takes_one_too(tmp_path):
    text = tmp_path / "letters.txt"
    text.write_text("A B C\n" * 9)
    sound = tone(0.5)
    given = {"language_model": text, "hotwords": "Kew Gardens", "strict": False}
    assert transcribe(sound, sample_rate=16000, **given).duration == pytest.approx(0.5)


# In files


def test_a_model_file_carries_it(tmp_path):
    model = small()
    model.language = Language.of(model.alphabet, model.encode, ["ab ba ab"] * 5, 4, discreet=True)
    assert model.language.words == ("ab", "ba") and model.language.cost
    again = load(model.save(tmp_path / "x.safetensors"))
    for told in ("weight", "words", "cost"):
        assert getattr(again.language, told) == getattr(model.language, told)
    for context in [(), (A,), (B, A), (A, B, 1)]:
        assert (again.language.ngrams.log_probs(context) == model.language.ngrams.log_probs(context)).all()
    second = again.save(tmp_path / "y.safetensors")
    assert second.read_bytes() == (tmp_path / "x.safetensors").read_bytes()
    assert load(small().save(tmp_path / "z.safetensors")).language is None


WRONG = {
    "no object": lambda header, data: (3, data),
    "no sizes": lambda header, data: ({"total": 1, "weight": 0.3}, data),
    "sizes of another kind": lambda header, data: (header | {"sizes": ["a"]}, data),
    "sizes that lie": lambda header, data: (header | {"sizes": [10**7] * 2}, data),
    "no end of sizes": lambda header, data: (header | {"sizes": [0] * 100_000}, data),
    "a total past all numbers": lambda header, data: (header | {"total": 10**400}, data),
    "a weight past all numbers": lambda header, data: (header | {"weight": 10**400}, data),
    "true": lambda header, data: (header | {"total": True}, data),
    "an endless weight": lambda header, data: (header | {"weight": float("nan")}, data),
    "no weight": lambda header, data: (header | {"weight": None}, data),
    "words that are none": lambda header, data: (header | {"words": ["ab"]}, data),
    "a cost below 0": lambda header, data: (header | {"cost": -1.0}, data),
    "a cost that is no number": lambda header, data: (header | {"cost": float("nan")}, data),
    "an endless cost": lambda header, data: (header | {"cost": float("inf")}, data),
    "no cost": lambda header, data: (header | {"cost": None}, data),
    "floats": lambda header, data: (header, data.float()),
    "cut off": lambda header, data: (header, data[:-9].clone()),
    "none": lambda header, data: (header, None),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_damaged_one_is_refused(tmp_path, kind):
    model = small()
    model.language = Language.of(model.alphabet, model.encode, ["ab ba ab"] * 5, 3)
    with safe_open(model.save(tmp_path / "x.safetensors"), "pt") as file:
        header = json.loads(file.metadata()["triscribe"])
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    header["language_model"], changed = WRONG[kind](header["language_model"], weights.pop("language_model"))
    if changed is not None:
        weights["language_model"] = changed
    path = tmp_path / "wrong.safetensors"
    path.write_bytes(save(weights, {"triscribe": json.dumps(header)}))
    with pytest.raises(ModelError, match="wrong.safetensors: its language model cannot be used"):
        load(path)


# The command


def test_the_command_says_what_is_wrong(tmp_path, capsys):
    from PIL import Image

    Image.fromarray(bars("ab")).save(tmp_path / "x.png")
    given = ["recognize", str(tmp_path / "x.png"), "-o", str(tmp_path / "out")]
    model = str(small().save(tmp_path / "m.safetensors"))
    assert cli.main([*given, "-m", model, "--language-model", "own"]) == 1
    assert "m: carries no language model" in capsys.readouterr().err
    assert cli.main([*given, "-m", model, "--language-model", "nowhere.txt"]) == 1
    assert cli.main([*given, "-m", model, "--hotwords", "ab,xy"]) == 1
    assert "hotwords: m cannot write 'x' of 'xy'" in capsys.readouterr().err
    assert cli.main([*given, "-m", model, "--hotwords", "names.txt"]) == 1
    assert "names.txt: does not exist; give a text file or words as hotwords" in capsys.readouterr().err
    assert cli.main([*given, "-m", model, "--hotwords", "ab, ba"]) == 0
    clip = write_video(tmp_path / "clip.mp4", 5)
    for option in (
        ["--language-model", "own"],
        ["--hotwords", "own"],
        ["--lexicon", "own"],
        ["--alternatives", "3"],
    ):
        assert cli.main(["recognize", str(clip), *option]) == 2
        assert "not for videos" in capsys.readouterr().err


def test_what_another_language_model_made_is_made_again(tmp_path, capsys):
    from PIL import Image

    Image.fromarray(bars("ab")).save(tmp_path / "x.png")
    names = tmp_path / "names.txt"
    names.write_text("ab\nba\n")
    model = small()
    model.language = Language.of(model.alphabet, model.encode, ["ab ba ab"] * 5, 3)
    given = ["recognize", str(tmp_path / "x.png"), "-o", str(tmp_path / "out"), "--skip-existing"]
    given += ["-m", str(model.save(tmp_path / "m.safetensors"))]
    for more in (["--language-model", "none"], [], ["--hotwords", str(names)]):
        assert cli.main([*given, *more]) == 0
        assert "1 recognised" in capsys.readouterr().out
        assert cli.main([*given, *more]) == 0
        assert "0 recognised" in capsys.readouterr().out


# What is kept


def test_what_is_made_of_a_file_goes_with_the_model(text):
    model = Doubtful()
    assert recognize(bars("aa"), model, language_model=text, lexicon="ab,bb").text == "bb"
    one, again = (fused(model, text, lexicon="ab,bb") for _ in range(2))
    assert one.model is again.model and one.lexicon is again.lexicon, "made once"
    ghost = weakref.ref(model)
    del model
    gc.collect()
    assert ghost() is None
