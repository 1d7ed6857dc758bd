"""Text files in other encodings than UTF-8, where one is given."""

import io

import pytest

from pipelines import classify
from pipelines.commands import cli
from pipelines.errors import DataError, MediaError
from pipelines.media.text import check_encoding, decoding, read_text
from recipes.text.__main__ import main
from tests.data.notices import notices


def test_an_encoding_is_for_files_that_are_not_utf8(tmp_path):
    old, new = tmp_path / "old.txt", tmp_path / "new.txt"
    old.write_bytes("caf\u00e9 \u20ac\n".encode("cp1252"))
    new.write_text("caf\u00e9 \u20ac\n", encoding="utf-8")
    with pytest.raises(DataError, match="save it as UTF-8$"):
        read_text(old)
    with decoding(None), pytest.raises(DataError, match="say --encoding"):
        read_text(old)
    with decoding("windows-1252"):
        assert read_text(old) == read_text(new) == "caf\u00e9 \u20ac\n"
    with decoding("ascii"), pytest.raises(DataError, match="neither UTF-8 nor ascii"):
        read_text(old)


@pytest.mark.parametrize("name", ["latin-1", "windows-1252", "koi8-r", "shift_jis", "gb18030", "euc_kr"])
def test_known_encodings(name):
    check_encoding(name)


@pytest.mark.parametrize("name", ["", "no-such", "utf-7", "hz", "iso2022_jp", "base64", "cp037", "ascii"])
def test_names_of_none_are_refused(name):
    with pytest.raises(ValueError, match="give one such as"):
        check_encoding(name)


def test_training_and_commands_take_it(tmp_path, monkeypatch, capsys):
    for name, count, seed in (("train", 60, 1), ("valid", 20, 2), ("test", 20, 3)):
        lines = [f"{text} caf\u00e9\t{label}\n" for text, label in notices(count, seed)]
        (tmp_path / f"data/{name}.tsv").parent.mkdir(exist_ok=True)
        (tmp_path / f"data/{name}.tsv").write_bytes(b"text\tlabel\n" + "".join(lines).encode("cp1252"))
    out = tmp_path / "out"
    given = ["--data", str(tmp_path / "data"), "--out", str(out), "--epochs", "1", "--hidden-size", "8"]
    assert main(given) == 1
    assert "say --encoding" in capsys.readouterr().err
    assert main([*given, "--input-size", "8", "--encoding", "windows-1252"]) == 0
    model = str(out / "model.safetensors")
    assert cli.main(["evaluate", model, "--data", str(tmp_path / "data")]) == 0
    (tmp_path / "a.txt").write_bytes("caf\u00e9\n".encode("cp1252"))
    found = classify(tmp_path / "a.txt", model, encoding="windows-1252")
    assert found.texts[0].text == "caf\u00e9"
    capsys.readouterr()
    with pytest.raises(MediaError, match="a text, but not in UTF-8; .*windows-1252"):
        classify(tmp_path / "a.txt", model)
    asked = ["classify", str(tmp_path / "a.txt"), "-m", model, "-o", str(tmp_path / "o")]
    assert cli.main([*asked, "--encoding", "windows-1252"]) == 0
    assert "caf\u00e9" in (tmp_path / "o/a.txt").read_text(encoding="utf-8")
    assert cli.main([*asked, "--encoding", "nonsense"]) == 2
    capsys.readouterr()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("caf\u00e9".encode("cp1252"))))
    assert cli.main(["classify", "--text", "-", "-m", model, "--encoding", "windows-1252"]) == 0
    assert capsys.readouterr().out.endswith("\tcaf\u00e9\n")
