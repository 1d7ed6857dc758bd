"""Layouts of texts with translations, each read to the same pairs; what is not understood is said."""

import gzip
import json

import pytest

from pipelines.errors import DataError
from recipes.data.datasets import read_pairs
from recipes.data.languages import Languages, language_in
from recipes.data.pair_layouts import texts_in

PAIRS = [("a dog", "ein Hund"), ('two "cats", here', "zwei Katzen"), ("the end", "das Ende")]
ENGLISH, GERMAN = zip(*PAIRS, strict=True)


def write(path, content, encoding="utf-8"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content.encode()) if path.suffix == ".gz" else content.encode(encoding))


def parallel(name, *others, encoding="utf-8"):
    def made(folder):
        for one, texts in zip((name, *others), (ENGLISH, GERMAN), strict=True):
            write(folder / one, "".join(f"{text}\n" for text in texts), encoding)

    return made


def table(name, delimiter, *head):
    def made(folder):
        rows = [head] * bool(head) + [list(pair) for pair in PAIRS]
        if delimiter == "\t":
            lines = ("\t".join(row) for row in rows)
        else:
            lines = (delimiter.join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows)
        write(folder / name, "\n".join(lines))

    return made


def json_lines(shape):
    def made(folder):
        write(folder / "a.jsonl", "".join(f"{json.dumps(shape(*pair))}\n" for pair in PAIRS))

    return made


def memory(codes, head="en", name="a.tmx"):
    def made(folder):
        units = (
            f'<tu><tuv xml:lang="{codes[0]}"><seg>{source}<ph>{{1}}</ph></seg></tuv>'
            f'<tuv xml:lang="{codes[1]}"><seg><hi>{target}</hi></seg></tuv></tu>'
            for source, target in PAIRS
        )
        body = "".join(units)
        text = f'<?xml version="1.0"?><tmx version="1.4"><header srclang="{head}"/><body>{body}</body></tmx>'
        write(folder / name, text)

    return made


ENDE = Languages("en", "de")


@pytest.mark.parametrize(
    ("made", "languages"),
    [
        (parallel("train.en", "train.de"), ENDE),
        (parallel("train.en", "train.de"), Languages("en")),
        (parallel("train.en.gz", "train.de.gz"), Languages(None, "DE")),
        (parallel("train.en.txt", "train.de.txt"), ENDE),
        (parallel("train_en.txt", "train_de.txt"), ENDE),
        (parallel("train.en-US", "train.de-DE"), ENDE),
        (parallel("en.txt", "de.txt", encoding="utf-16"), ENDE),
        (parallel("en/train.txt", "de/train.txt"), ENDE),
        (parallel("train.xx", "train.yyy"), Languages("xx", "yyy")),
        (parallel("corpus.src", "corpus.tgt"), Languages()),
        (parallel("sub/train.eng", "sub/train.deu"), Languages("eng", "deu")),
        (table("a.tsv", "\t"), Languages()),
        (table("a.tsv", "\t", "en", "de"), Languages()),
        (table("a.tsv", "\t", "en", "de"), ENDE),
        (table("a.csv", ";", "de", "en"), Languages("de", "en")),
        (table("a.csv", ",", "source", "target"), Languages()),
        (table("a.csv", ",", "English", "German"), Languages("english", "german")),
        (table("pairs.tsv.gz", "\t"), Languages("1", "2")),
        (json_lines(lambda source, target: {"src": source, "tgt": target}), Languages()),
        (json_lines(lambda source, target: {"de": target, "id": 7, "en": source}), ENDE),
        (json_lines(lambda source, target: {"translation": {"de": target, "en": source}}), ENDE),
        (memory(("en", "de")), Languages()),
        (memory(("en-GB", "de-AT"), "en-gb", "m.tmx.gz"), ENDE),
        (memory(("de", "en"), "en"), Languages("de", "en")),
    ],
)
def test_the_same_pairs(tmp_path, made, languages):
    made(tmp_path)
    manifest = read_pairs(tmp_path, None, languages)
    assert [item.target for item in manifest.items] == [" ".join(text.split()) for text in GERMAN]
    texts = [texts_in(item.path, languages)[item.index] for item in manifest.items]
    assert texts == [*ENGLISH] and not manifest.rejected


def test_two_files_and_lines_with_tabs_by_themselves(tmp_path):
    parallel("one", "other")(tmp_path)
    manifest = read_pairs(tmp_path / "one", None, Languages(), tmp_path / "other")
    assert [item.target for item in manifest.items] == [*GERMAN] and manifest.layout == "parallel"
    table("pairs.txt", "\t")(tmp_path)
    manifest = read_pairs(tmp_path / "pairs.txt")
    assert [item.target for item in manifest.items] == [*GERMAN] and manifest.layout == "table"


def test_empty_lines_are_left_out_and_counted(tmp_path):
    write(tmp_path / "a.en", "one\n\nthree\n\n")
    write(tmp_path / "a.de", "eins\nzwei\n\n\nf\u00fcnf\n")
    with pytest.raises(DataError, match=r"a.en: has 4 lines, and a.de 5"):
        read_pairs(tmp_path, None, ENDE)
    write(tmp_path / "a.en", "one\n\nthree\n\nfive\n")
    manifest = read_pairs(tmp_path, None, ENDE)
    assert [item.index for item in manifest.items] == [0, 4]
    assert [(bad.path, bad.reason) for bad in manifest.rejected] == [
        ("a.en:2", "empty line"),
        ("a.de:3", "empty line"),
        ("a.en:4", "empty line in both files"),
    ]


def test_names_give_splits(tmp_path):
    for name in ("train", "newsdev2016", "test2017", "testcoco"):
        write(tmp_path / f"{name}.en", f"{name}\n")
        write(tmp_path / f"{name}.de", f"{name}\n")
    splits = {item.path.stem: item.split for item in read_pairs(tmp_path, None, ENDE).items}
    assert splits == {"train": "train", "newsdev2016": "valid", "test2017": "test", "testcoco": "test"}


def test_what_else_lies_there_does_no_harm(tmp_path):
    parallel("train.en", "train.de")(tmp_path)
    write(tmp_path / "README.md", "about\n")
    write(tmp_path / "train.fr", "un\ndeux\ntrois\n")
    write(tmp_path / "valid.en", "alone\n")
    assert len(read_pairs(tmp_path, None, ENDE).items) == 3
    with pytest.raises(DataError, match="holds de, en, fr, and nobody says which is the source"):
        read_pairs(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "cause"),
    [
        ("a.tmx", "<tmx><body>", "is no readable TMX"),
        ("a.tmx", "<tmx><body/></tmx>", "holds no translation unit"),
        ("a.tmx", '<tmx><tu><tuv xml:lang="en"><seg>x</seg></tuv></tu></tmx>', "has no en and de, only en"),
        ("a.csv", "id,remark,grade\n1,x,y\n", "has no en and de"),
        ("a.tsv", "a\tb\tc\n1\t2\t3\n", "has no en and de"),
        ("a.jsonl", "[1]\n", "line 1 is no JSON object"),
        ("a.tsv", "one\n", "has no en and de"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path, name, content, cause):
    write(tmp_path / name, content)
    with pytest.raises(DataError, match=cause) as caught:
        read_pairs(tmp_path / name, None, ENDE)
    assert "\n" not in str(caught.value) and "a." in str(caught.value)


def test_units_without_one_of_the_languages_and_hostile_entities(tmp_path):
    unit = '<tu><tuv xml:lang="en"><seg>x &lt; y</seg></tuv>{}</tu>'
    german = '<tuv xml:lang="de"><seg>&boom;z</seg></tuv>'
    entity = '<!DOCTYPE tmx [<!ENTITY boom SYSTEM "/etc/passwd">]>'
    body = unit.format("") + unit.format(german)
    write(tmp_path / "a.tmx", f"{entity}<tmx><header srclang='en'/><body>{body}</body></tmx>")
    manifest = read_pairs(tmp_path / "a.tmx", None, ENDE)
    assert [item.target for item in manifest.items] == ["z"] and manifest.items[0].index == 1
    assert [(bad.path, bad.reason) for bad in manifest.rejected] == [("a.tmx: unit 1", "no de")]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("train.en", ("train", "en")),
        ("train.en.gz", ("train", "en")),
        ("newstest2014-deen-src.en", ("newstest2014-deen-src", "en")),
        ("europarl.pt-BR", ("europarl", "pt-br")),
        ("README.txt", None),
        ("LICENSE", None),
        ("notes.csv", None),
    ],
)
def test_languages_in_names(name, found):
    assert language_in(name) == found
