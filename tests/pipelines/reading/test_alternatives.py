"""Other readings of a line or of a stretch of speech: which, how likely, and in what files."""

import json

import pytest
import torch
from lxml import etree
from PIL import Image

from pipelines import align, load, recognize, transcribe
from pipelines.commands import cli
from pipelines.layout.given import read_layout
from pipelines.reading.words import joined
from recipes.learning.fitting import with_decoder
from tests.data.bar_reader import BarReader, Doubtful
from tests.data.media import tone
from tests.data.pictures import bars
from tests.pipelines.writers.test_page_alto import schema

SHARE = 0.5 / 0.95  # of a, where Doubtful is in doubt


def test_a_line_comes_with_its_likeliest_readings():
    line = recognize(bars("ba a"), Doubtful(), alternatives=3).lines[0]
    texts, shares = zip(*line.alternatives, strict=True)
    assert texts == ("ba a", "ba b", "bb a") or texts == ("ba a", "bb a", "ba b")
    assert shares == pytest.approx([SHARE**2, SHARE * (1 - SHARE), SHARE * (1 - SHARE)], abs=0.02)
    plain = recognize(bars("ba a"), Doubtful()).lines[0]
    assert (line.text, line.words) == (plain.text, plain.words) and plain.alternatives == ()


def test_one_reading_is_the_text_itself():
    line = recognize(bars("ab"), BarReader(), alternatives=1).lines[0]
    assert line.alternatives == ((line.text, pytest.approx(1, abs=0.01)),)


def test_the_language_model_has_a_say(tmp_path):
    language = tmp_path / "language.txt"
    language.write_text("bb ba bb\n" * 20)
    line = recognize(bars("aa"), Doubtful(), alternatives=4, language_model=language).lines[0]
    assert line.text == line.alternatives[0][0] == "bb"
    assert {text for text, _ in line.alternatives} == {"aa", "ab", "ba", "bb"}


def test_from_the_right():
    model = Doubtful(right_to_left=True, alphabet=" אב")
    line = recognize(bars("ab bb"), model, alternatives=2).lines[0]
    assert [text for text, _ in line.alternatives] == [line.text, line.text.replace("א", "ב")]


def test_parts_of_a_long_line_are_joined():
    assert joined([(("a", 0.6), ("b", 0.3), ("c", 0.1)), (("x", 0.9), ("", 0.1))]) == (
        ("a x", pytest.approx(0.54)),
        ("b x", pytest.approx(0.27)),
        ("c x", pytest.approx(0.09)),
    )
    assert joined([]) == (("", 1.0),)
    long = recognize(bars("ba ab " * 25), Doubtful(), alternatives=2).lines[0]
    assert len(long.alternatives) == 2 and long.alternatives[0][0] == long.text


@pytest.mark.parametrize("kind", ["attention", "hybrid"])
def test_models_that_search_anyway_give_theirs(kind):
    torch.manual_seed(1)
    decoder = {"kind": kind, "hidden_size": 8}
    model = with_decoder(load("speech-en-an4"), decoder).eval()
    segment = transcribe(tone(1.0), model, sample_rate=16000, width=2, alternatives=3).segments[0]
    texts, shares = zip(*segment.alternatives, strict=True)
    assert texts[0] == segment.text and 1 <= len(texts) <= 3 and len(set(texts)) == len(texts)
    assert sum(shares) == pytest.approx(1) or sum(shares) < 1


def test_speech_and_ink_have_them_too(tmp_path):
    said = transcribe(tone(1.0), sample_rate=16000, alternatives=3, strict=False)
    assert all(segment.alternatives[0][0] == segment.text for segment in said.segments)
    path = said.save(tmp_path / "said.json")
    for segment, read in zip(said.segments, json.loads(path.read_text())["segments"], strict=True):
        assert [each["text"] for each in read["alternatives"]] == [text for text, _ in segment.alternatives]


def test_page_xml_ranks_them_and_json_lists_them(tmp_path):
    page = recognize(bars("ba a"), Doubtful(), alternatives=3)
    path = page.save(tmp_path / "x.xml")
    tree = etree.parse(path)
    assert schema("page").validate(tree)
    line = tree.find(".//{*}TextLine")
    equivalents = line.findall("{*}TextEquiv")
    assert [each.get("index") for each in equivalents] == ["0", "1", "2"]
    assert [each.findtext("{*}Unicode") for each in equivalents] == [
        text for text, _ in page.lines[0].alternatives
    ]
    assert [float(each.get("conf")) for each in equivalents] == pytest.approx(
        [share for _, share in page.lines[0].alternatives], abs=1e-4
    )
    assert read_layout(path).regions[0].lines[0].text == "ba a"
    listed = json.loads(page.save(tmp_path / "x.json").read_text())["regions"][0]["lines"][0]["alternatives"]
    assert [(each["text"], each["probability"]) for each in listed] == [
        (text, round(share, 4)) for text, share in page.lines[0].alternatives
    ]


@pytest.mark.parametrize("wrong", [-1, 101])
def test_so_many_are_refused(wrong):
    with pytest.raises(ValueError, match=f"alternatives must be from 0 to 100, not {wrong}"):
        recognize(bars("ab"), BarReader(), alternatives=wrong)


def test_a_known_text_has_none():
    with pytest.raises(TypeError, match="no option 'alternatives'"):
        align(tone(0.5), "A", sample_rate=16000, alternatives=2)


def test_the_command(tmp_path, capsys):
    Image.fromarray(bars("ab")).save(tmp_path / "x.png")
    given = [
        "recognize",
        str(tmp_path / "x.png"),
        "-o",
        str(tmp_path / "out"),
        "-f",
        "json",
        "--skip-existing",
    ]
    for more, made in (([], 1), (["--alternatives", "2"], 1), (["--alternatives", "2"], 0)):
        assert cli.main([*given, *more]) == 0
        assert f"{made} recognised" in capsys.readouterr().out
    found = json.loads((tmp_path / "out" / "x.json").read_text())["regions"][0]["lines"][0]
    assert len(found["alternatives"]) == 2 and found["alternatives"][0]["text"] == found["text"]
    assert cli.main([*given, "--alternatives", "-2"]) == 2
