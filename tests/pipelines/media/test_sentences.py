"""Sentences of CoNLL and CoNLL-U files, and of others."""

import gzip

import pytest

from pipelines.errors import MediaError
from pipelines.media.passages import Passages
from pipelines.media.sentences import Sentence, Sentences, open_sentences, read_sentences
from pipelines.reading.settings import TaggingOptions

CONLLU = """# sent_id = 1
1-2\tDu\t_\t_\t_\t_\t_\t_\t_\t_
1\tDe\tde\tADP\tP\t_\t_\t_\t_\t_
2\tle\tle\tDET\tD\t_\t_\t_\t_\t_
2.1\tnode\t_\tX\t_\t_\t_\t_\t_\t_
3\tNew York\t_\tPROPN\tN\t_\t_\t_\t_\t_

1\tOui\t_\tINTJ\tI\t_\t_\t_\t_\t_
"""


def test_conllu(tmp_path):
    path = tmp_path / "a.conllu.gz"
    path.write_bytes(gzip.compress(CONLLU.encode()))
    first, second = read_sentences(path)
    assert first == Sentence(1, ("De", "le", "New York"), ("ADP", "DET", "PROPN"))
    assert second == Sentence(8, ("Oui",), ("INTJ",))
    assert [each.labels for each in read_sentences(path, "xpos")] == [("P", "D", "N"), ("I",)]
    assert read_sentences(path, "lemma")[1].labels == (), "no lemma is known"


@pytest.mark.parametrize(
    "text", ["John\tB-per\nleft\tO\n\n\nHe\tO\n", "-DOCSTART- O\n\nJohn NNP B-per\r\nleft VBD O\n\nHe PRP O"]
)
def test_columns(tmp_path, text):
    path = tmp_path / "a.conll"
    path.write_text(text)
    assert [(each.words, each.labels) for each in read_sentences(path)] == [
        (("John", "left"), ("B-per", "O")),
        (("He",), ("O",)),
    ]


def test_tokens_without_labels(tmp_path):
    path = tmp_path / "a.conll"
    path.write_text("John\nleft\n\nHe\n")
    assert [each.words for each in read_sentences(path)] == [("John", "left"), ("He",)]
    assert not any(each.labels for each in read_sentences(path))
    with pytest.raises(MediaError, match="line 1 has no column 3"):
        read_sentences(path, "3")
    path.write_text("# only a comment\n")
    with pytest.raises(MediaError, match="holds no sentence"):
        read_sentences(path)


def test_what_is_opened(tmp_path):
    (tmp_path / "a.txt").write_text("John left\nHe\n")
    (tmp_path / "a.conll").write_text("John O\n")
    opened = [open_sentences(tmp_path / name, "text", TaggingOptions())[0] for name in ("a.txt", "a.conll")]
    assert isinstance(opened[0], Passages) and opened[0].texts == ("John left", "He")
    assert isinstance(opened[1], Sentences) and opened[1].found[0].words == ("John",)


def test_lines_with_other_columns_cost_their_sentence(tmp_path):
    path = tmp_path / "x.conll"
    path.write_text("EU\tB-ORG\n# a remark\ncalls\tO\n\nPeter\n left it\n\nIt\tO\n")
    first, second, third = read_sentences(path)
    assert first.words == ("EU", "calls") and first.labels == ("B-ORG", "O")
    assert second.labels == () and third.labels == ("O",)


def test_tables_with_lists_of_tokens(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(
        '{"tokens": ["EU", "calls"], "ner_tags": ["B-ORG", "O"]}\n{"tokens": ["a"], "ner_tags": []}\n'
    )
    first, second = read_sentences(path)
    assert first == Sentence(1, ("EU", "calls"), ("B-ORG", "O")) and second.labels == ()
    path.write_text('{"text": "EU calls", "label": [[0, 2, "ORG"]]}\n')
    with pytest.raises(MediaError, match="call them tokens and tags"):
        read_sentences(path)
