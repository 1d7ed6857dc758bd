"""The page of a batch run."""

import re
from html.parser import HTMLParser
from pathlib import Path

from pipelines.results import Segment, Transcript, Word
from pipelines.writers import results_page as module
from pipelines.writers.markup import clock
from pipelines.writers.results_page import Entry, write_results_page
from tests.data.media import tone, write_audio


class Elements(HTMLParser):
    """All start tags as (tag, attributes), and the text."""

    def __init__(self, text: str):
        super().__init__()
        self.found, self.text, self.depth = [], "", 0
        self.feed(text)
        self.close()
        assert self.depth == 0

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        self.depth += tag not in ("meta", "link")

    def handle_endtag(self, tag):
        self.depth -= 1

    def handle_data(self, data):
        self.text += data

    def all(self, tag: str, of: str = "") -> list[dict]:
        return [attrs for name, attrs in self.found if name == tag and of in attrs.get("class", "")]


def transcript(*words: tuple[str, float]) -> Transcript:
    numbered = enumerate(words)
    placed = tuple(Word(text, 0.5 * place, 0.5 * place + 0.4, share) for place, (text, share) in numbered)
    text = " ".join(word.text for word in placed)
    segment = Segment(text, 0.0, 0.5 * len(placed), 0.9, placed)
    missing = Segment("never said", 0.0, 0.0, 0.0, found=False)
    return Transcript((segment, missing), 90.0, "small")


def written(path: Path, entries: list[Entry], **options) -> Elements:
    text = write_results_page(path, entries, **options).read_text(encoding="utf-8")
    assert not re.search(r"https?:", text)
    return Elements(text)


def test_words_carry_time_and_confidence(tmp_path):
    source = write_audio(tmp_path / "a.wav", tone(0.2))
    result = transcript(("sure", 0.95), ("maybe", 0.8), ("<script>", 0.2))
    elements = written(tmp_path / "index.html", [Entry(source, result, None, reference="sure & true")])
    words = elements.all("span", of="word")
    assert [word["class"] for word in words] == ["word sure", "word unsure", "word doubtful"]
    assert (words[1]["data-start"], words[1]["data-end"]) == ("0.500", "0.900")
    assert words[1]["title"] == "0.50 to 0.90 s, confidence 80 %"
    assert len(elements.all("script")) == 1
    said = " ".join(elements.text.split())
    for part in (
        "<script>",
        "never said",
        "sure & true",
        "1 file, 1.5 minutes of audio, none failed",
        "small",
    ):
        assert part in said


def test_failed_files_come_last_with_their_error(tmp_path):
    source = write_audio(tmp_path / "a.wav", tone(0.2))
    bad = Entry(tmp_path / "b<.wav", None, "b<.wav: is empty; record it again")
    good = Entry(source, transcript(("one", 0.9)), None)
    elements = written(tmp_path / "index.html", [bad, good], title="A & B")
    assert elements.text.index("a.wav") < elements.text.index("Failed: b<.wav: is empty")
    assert "1 failed" in elements.text
    assert "A & B" in elements.text
    assert [article.get("id") for article in elements.all("article")] == [None, "failed"]
    assert len(elements.all("audio")) == 1


def test_long_recordings_and_outputs_are_linked(tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    short = write_audio(tmp_path / "in" / "short.wav", tone(0.1))
    long = write_audio(tmp_path / "in" / "50% long #1.wav", tone(1.0))
    monkeypatch.setattr(module, "EMBEDDED", 10_000)
    outputs = (tmp_path / "out" / "x y.srt",)
    entries = [Entry(source, transcript(("one", 0.9)), None, outputs) for source in (short, long)]
    elements = written(tmp_path / "out" / "index.html", entries)
    sources = [player["src"] for player in elements.all("audio")]
    assert sources[0].startswith("data:audio/wav;base64,")
    assert sources[1] == "../in/50%25%20long%20%231.wav"
    assert [link["href"] for link in elements.all("a")] == ["x%20y.srt"] * 2


def test_the_page_stays_of_bounded_size(tmp_path, monkeypatch):
    sources = [write_audio(tmp_path / f"{number}.wav", tone(0.1)) for number in range(4)]
    monkeypatch.setattr(module, "PAGE", 2.5 * sources[0].stat().st_size)
    entries = [Entry(source, transcript(("one", 0.9)), None) for source in sources]
    players = written(tmp_path / "index.html", entries).all("audio")
    assert [player["src"].startswith("data:") for player in players] == [True, True, False, False]


def test_names_that_are_not_unicode_and_empty_transcripts(tmp_path):
    source = tmp_path / "caf\udce9.wav"
    elements = written(tmp_path / "index.html", [Entry(source, Transcript((), 1.0, "small"), None)])
    assert "caf?.wav" in elements.text
    assert "No speech found." in elements.text
    assert not elements.all("audio")


def test_clock():
    assert [clock(seconds) for seconds in (0.9, 61, 3600, 7325.9)] == ["0:00", "1:01", "1:00:00", "2:02:05"]
