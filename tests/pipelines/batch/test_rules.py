"""Rules for the files of mixed folders: patterns, `triscribe.toml`, formats, options."""

import pytest

from pipelines.batch.rules import (
    Rule,
    Rules,
    chosen_formats,
    formats_given,
    options_for,
    read_rules,
    set_options,
)
from pipelines.errors import DataError
from pipelines.tasks import TASKS


@pytest.mark.parametrize(
    "pattern,names,others",
    [
        ("*.mp4", ["a.mp4", "x/y/A.MP4"], ["a.mp4.txt", "amp4"]),
        ("scans/**", ["scans/a.png", "scans/b/c.tif"], ["old/scans/a.png", "scans"]),
        ("scans/", ["scans/a.png", "scans/b/c.tif"], ["a/scans/b.png"]),
        ("scans/*.png", ["scans/a.png"], ["scans/b/a.png", "a.png"]),
        ("**/scans/*.png", ["scans/a.png", "x/y/scans/a.png"], ["scans/b/a.png"]),
        ("a?.wav", ["ab.wav", "x/ac.wav"], ["a.wav", "abc.wav"]),
        ("[x](1).wav", ["[x](1).wav"], ["x1.wav"]),
        ("./a.wav", ["a.wav"], ["x/b.wav"]),
    ],
)
def test_patterns(pattern, names, others):
    rule = Rule(pattern, "speech")
    assert [name for name in names if not rule.matches(name)] == []
    assert [name for name in others if rule.matches(name)] == []


def test_the_last_rule_that_matches_counts():
    rules = Rules(rules=(Rule("*.png", "captioning"), Rule("scans/**", "handwriting"), Rule("x/**", "skip")))
    assert rules.rule_for("scans/a.png").task == "handwriting"
    assert rules.rule_for("a.png").task == "captioning" and rules.rule_for("a.wav") is None


@pytest.mark.parametrize(
    "target,message",
    [("speach", "no task 'speach', did you mean 'speech'?"), ("", "no task ''"), ("pdf:m", "no task 'pdf'")],
)
def test_a_rule_that_names_no_task(target, message):
    with pytest.raises(ValueError, match=message.replace("?", r"\?")):
        Rule.of("*.x", target)
    with pytest.raises(ValueError, match="needs a pattern"):
        Rule.of(" ", "speech")


def test_a_whole_file_of_rules(tmp_path):
    (tmp_path / "words.txt").write_text("Kew\n")
    (tmp_path / "triscribe.toml").write_text(
        'tasks = ["speech", "handwriting"]\nmodel = "auto"\nformats = "srt,page"\n'
        '[map]\n"a/**" = "handwriting:handwriting-en"\n"*.mp4" = "skip"\n'
        '[options.speech]\nhotwords = "words.txt"\nwidth = 7\n'
    )
    rules = read_rules(tmp_path)
    assert rules.tasks == ("speech", "handwriting") and rules.models == ("auto",)
    assert rules.rules == (Rule("a/**", "handwriting", "handwriting-en"), Rule("*.mp4", "skip"))
    assert rules.formats == {"": ("srt", "page")}
    options = options_for("speech", [rules.options["speech"]])
    assert options.hotwords == str(tmp_path / "words.txt") and options.width == 7
    assert read_rules(tmp_path / "nowhere") is None


@pytest.mark.parametrize(
    "content,message",
    [
        ("tasks = [", "cannot be read"),
        ('task = "speech"', "no key 'task', did you mean 'tasks'?"),
        ('tasks = ["speach"]', "did you mean 'speech'?"),
        ("tasks = 3", "tasks must be a text or a list of texts"),
        ('map = "x"', r"[map] must be a table of texts"),
        ("[map]\nx = 3", r"[map] must be a table of texts"),
        ('[map]\n"*.x" = "pdf"', "no task 'pdf'"),
        ("[options]\nspeech = 3", r"[options] must be a table of tables"),
        ("[options.pdf]\nx = 3", "no task 'pdf'"),
        ("formats = 3", "formats must be a text or a list of texts"),
        ('[formats]\nspeach = "srt"', "did you mean 'speech'?"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(tmp_path, content, message):
    (tmp_path / "triscribe.toml").write_text(content)
    with pytest.raises(DataError) as caught:
        read_rules(tmp_path)
    assert message in str(caught.value) and "triscribe.toml" in str(caught.value)


def test_json_is_always_written_and_what_goes_before_counts():
    usual = chosen_formats([Rules()])
    assert usual == {task: list(row.usual) for task, row in TASKS.items()}
    everywhere = Rules(formats=formats_given(["srt"]))
    assert chosen_formats([everywhere])["speech"] == ["json", "srt"]
    assert chosen_formats([everywhere])["handwriting"] == ["json"]
    both = [Rules(formats=formats_given(["handwriting=alto, txt", "speech=vtt"])), everywhere]
    assert chosen_formats(both)["handwriting"] == ["json", "alto", "txt"]
    assert (
        chosen_formats(both)["speech"] == ["json", "vtt"] and chosen_formats(both)["captioning"][1] == "srt"
    )


@pytest.mark.parametrize(
    "given,message",
    [
        (["srr"], "no format 'srr', did you mean 'srt'?"),
        (["handwriting=srt"], "no format 'srt' for handwriting"),
        (["pdf=srt"], "no task 'pdf'"),
        (["speech="], "name no format"),
    ],
)
def test_formats_that_do_not_exist(given, message):
    with pytest.raises(ValueError) as caught:
        chosen_formats([Rules(formats=formats_given(given))])
    assert message in str(caught.value)


def test_options_are_typed_and_checked():
    given = set_options(
        ["speech.width=9", "speech.hotwords=Kew,1,5", "speech.strict=no", "ink.alternatives=2"]
    )
    options = options_for("speech", [given["speech"]])
    assert (options.width, options.hotwords, options.strict) == (9, "Kew,1,5", False)
    assert options_for("ink", [given["ink"], {"width": 3}]).width == 3
    assert options_for("action", [{"window": "2.5"}]).window == 2.5
    assert options_for("speech", [{"width": 4}, {"width": 5}]).width == 4  # the first layer goes before
    for wrong, message in (
        ({"widht": "9"}, "did you mean 'width'"),
        ({"width": "many"}, "'many' is no value"),
        ({"width": "0"}, "width must be at least 1"),
    ):
        with pytest.raises(ValueError, match=message):
            options_for("speech", [wrong])
    with pytest.raises(ValueError, match="TASK.OPTION=VALUE"):
        set_options(["width=9"])
