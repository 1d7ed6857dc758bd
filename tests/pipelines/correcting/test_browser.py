"""The page as a person uses it, in Chromium: reading it from disk, and correcting on it with the keyboard."""

import json
import socket
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("uvicorn", reason='uvicorn is not installed: pip install "triscribe[correct]"')
pytest.importorskip("websocket", reason="websocket-client is not installed, which drives the browser")

import uvicorn

from pipelines.batch import work
from pipelines.batch.index import write_index
from pipelines.commands import cli
from pipelines.correcting.folder import Folder
from pipelines.correcting.server import HOST, application
from pipelines.reading import readers
from pipelines.results import Page, TextLine, TextRegion
from pipelines.stored_results import read_result
from pipelines.teaching_order import next_to_correct
from tests.data.bar_reader import Doubtful
from tests.data.browser import CHROMIUM, Browser
from tests.data.pictures import bars

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium"
)

CONTRASTS = """(() => {
  const light = colour => {
    const parts = colour.match(/[\\d.]+/g).slice(0, 3).map(value => value / 255);
    const linear = parts.map(share => share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const behind = element => {
    for (let each = element; each; each = each.parentElement) {
      const colour = getComputedStyle(each).backgroundColor;
      if (!/, 0\\)/.test(colour)) return light(colour);
    }
  };
  const texts = "h1, h3, p, span, button, a, label, select, input, textarea, kbd";
  const seen = [...document.querySelectorAll(texts)].filter(each => each.offsetParent);
  return seen.map(each => {
    const [one, other] = [light(getComputedStyle(each).color), behind(each)].sort((a, b) => b - a);
    return [(one + 0.05) / (other + 0.05), each.outerHTML.slice(0, 80)];
  });
})()"""
"""Contrast of each text with what is behind it, as WCAG 2.1 defines it, which asks for 4.5 at level AA."""

TEXTS = ("bb ab bb", "bb bb bb", "ba bb bb")  # the reader is unsure of every a
FIELD = "document.querySelector('.editor textarea')"
MARKED = f"{FIELD}.value.slice({FIELD}.selectionStart, {FIELD}.selectionEnd)"


@contextmanager
def serving(out: Path):
    """The address of the page to correct a folder on."""
    with socket.socket() as listening:
        listening.bind((HOST, 0))
        app = application(Folder(out, "Ada"), "token")
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://{HOST}:{listening.getsockname()[1]}/token/"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def scans(tmp_path, monkeypatch):
    """A page of three lines, a layout beside it that says where they are, and a model that reads them."""
    model = Doubtful()
    monkeypatch.setattr(readers, "model_for", lambda task, name: model)
    monkeypatch.setattr(work, "header_for", lambda task, name: ("bars", {}))
    folder = tmp_path / "in"
    folder.mkdir()
    lines = [np.pad(bars(text), 20, constant_values=230) for text in TEXTS]
    height, width = lines[0].shape
    Image.fromarray(np.concatenate(lines)).save(folder / "scan.png")
    layout = []
    for number in range(len(TEXTS)):
        top, base = number * height + 18, (number + 1) * height - 20
        outline = ((18, top), (width - 18, top), (width - 18, base + 2), (18, base + 2))
        layout.append(TextLine("", 0.0, outline, ((20, base), (width - 20, base))))
    Page((TextRegion(tuple(layout)),), width, 3 * height, "").save(folder / "scan.xml")
    return folder


def read(folder: Path, out: Path) -> int:
    return cli.main(["recognize", str(folder / "scan.png"), "-o", str(out), "-f", "json,txt,page,alto"])


def test_three_lines_are_corrected_reloaded_and_kept_by_the_next_run(scans, tmp_path, capsys):
    out = tmp_path / "out"
    assert read(scans, out) == 0
    assert (out / "scan.txt").read_text().splitlines() == list(TEXTS)
    capsys.readouterr()
    with serving(out) as address, Browser() as browser:
        browser.go(address)
        browser.run("document.querySelector('.name').click()")
        browser.wait("document.querySelectorAll('.line.editable').length === 3")
        browser.run("document.querySelector('.line.editable').focus()")
        browser.press("Enter")
        assert browser.run(MARKED) == "ab"  # the first unsure word
        assert browser.run("document.querySelectorAll('.editor svg image').length") == 1
        browser.type("first")
        browser.press("Tab")  # to the next, in another line; what was typed is saved and checked
        browser.wait(f"{FIELD}.value === 'ba bb bb'")
        assert browser.run(MARKED) == "ba"
        browser.press("Tab", "Shift")
        assert browser.run(MARKED) == "ba"  # there is no other
        browser.press("ArrowUp", "Alt")
        browser.wait(f"{FIELD}.value === 'bb bb bb'")
        browser.press("Enter")  # it is right as it is; on to the next line that is not checked
        browser.wait(f"{FIELD}?.value === 'ba bb bb'")
        browser.type("third")
        browser.press("Enter")
        browser.wait("document.querySelector('.state.checked')")
        wanted = ["bb first bb", "bb bb bb", "third bb bb"]
        assert _holds(out / "scan.txt", "\n".join(wanted))
        browser.wait("document.getElementById('tell').textContent === 'Saved and checked.'")
        browser.go(address)
        browser.wait("document.querySelector('.gist')?.textContent.includes('third')")
        assert browser.run("items[0].lines.map(line => line.t)") == wanted
        assert browser.run("items[0].lines.every(line => line.k[0] === 'Ada')")
        assert browser.faults == []
    files = {path.name: path.read_bytes() for path in out.glob("scan.*")}
    assert len(files) == 4
    assert read(scans, out) == 0
    assert "4 edited, kept" in capsys.readouterr().out
    assert {path.name: path.read_bytes() for path in out.glob("scan.*")} == files
    assert [line.checked.by for line in read_result(out / "scan.json").lines] == ["Ada"] * 3
    with Browser() as browser:
        browser.go(write_index(out).as_uri())
        assert browser.run("items[0].state") == "checked"
        assert browser.run("document.querySelector('.said').textContent.trim()") == wanted[0]
        assert browser.faults == []


def _holds(path: Path, text: str) -> bool:
    """Whether a file comes to hold a text, which the server writes after the page has shown it."""
    until = time.monotonic() + 30
    while text not in path.read_text() and time.monotonic() < until:
        time.sleep(0.02)
    return text in path.read_text()


def test_undo_and_leaving(out):
    with serving(out) as address, Browser() as browser:
        browser.go(address)
        browser.run("edit(0, 1, 'first')")
        assert browser.run(MARKED) == "lime"
        browser.type("lane")
        browser.press("Escape")  # nothing is kept
        browser.wait("!document.querySelector('.editor')")
        assert browser.run("document.activeElement.dataset.line") == "1"
        browser.press("Enter")
        browser.type("line")
        browser.press("Enter")
        assert _holds(out / "page.txt", "second line here")
        browser.press("z", "Control")
        browser.wait("!items[0].lines[1].k")  # which the server's answer says
        assert _holds(out / "page.txt", "second lime here")
        browser.wait("items[0].lines[1].t === 'second lime here'")
        assert browser.faults == []


def test_what_is_typed_is_saved_without_a_key_and_when_the_page_is_left(out):
    with serving(out) as address, Browser() as browser:
        browser.go(address)
        browser.run("edit(0, 1, 'first')")
        browser.type("line")
        browser.wait("document.getElementById('tell').textContent === 'Draft saved.'")
        assert "second line here" in (out / "page.txt").read_text()
        assert read_result(out / "page.json").lines[1].checked is None
        browser.type("s")
        browser.go(write_index(out).as_uri())
        browser.go(address)
        assert browser.run("items[0].lines[1].t") == "second lines here"
        assert read_result(out / "page.json").lines[1].checked.by == "Ada"


def test_a_conflict_is_shown_and_resolved(out):
    with serving(out) as address, Browser() as browser:
        browser.go(address)
        browser.run("edit(0, 1, 'first')")
        browser.run("void saving.then(() => { window.settled = true; })")
        browser.wait("window.settled")  # it has been told what is on disk
        theirs = (out / "page.json").read_text().replace("lime", "theirs")
        (out / "page.json").write_text(theirs)
        browser.type("mine")
        browser.press("Enter")
        browser.wait("document.querySelector('.tell.bad')?.textContent.includes('changed on disk')")
        assert (out / "page.json").read_text() == theirs
        browser.run("document.querySelector('.tell button').click()")  # Load it
        browser.wait("items[0].lines[1].t === 'second theirs here'")
        assert browser.faults == []


def test_the_label_of_a_clip_and_the_sound_of_a_segment(out):
    with serving(out) as address, Browser() as browser:
        browser.go(address)
        browser.run("edit(2, 0, 'first')")
        labels = browser.run("[...document.querySelectorAll('.editor option')].map(each => each.value)")
        assert labels == ["approach", "bounce", "fall", "rise", "rotate"]
        browser.run("active.field.value = 'rise'; typed()")
        browser.press("Enter")
        browser.wait("items[2].state === 'checked'")
        assert read_result(out / "c.json").label == "rise"
        browser.run("edit(1, 0, 'first')")
        assert browser.run(MARKED) == "too"
        browser.wait("playerOf(1).currentTime > 0.3")
        browser.press("Space", "Control")
        browser.wait("playerOf(1).paused")
        assert browser.faults == []


def test_search_sort_and_filters(out):
    with Browser() as browser:
        browser.go(write_index(out).as_uri())

        def names() -> list[str]:
            return browser.run("[...document.querySelectorAll('.item h3')].map(each => each.textContent)")

        assert names() == ["page.png", "talk.wav", "c.mp4", "x.wav"]
        browser.run("document.getElementById('search').focus()")
        browser.type("too ONE")
        assert names() == ["talk.wav"]
        assert browser.run("document.getElementById('found').textContent") == "1 result of 4"
        browser.run("by('search').value = ''; by('sort').value = 'unsure'; choose()")
        assert names() == ["c.mp4", "talk.wav", "page.png", "x.wav"]
        browser.run("by('sort').value = 'sure'; by('task').value = 'speech'; choose()")
        assert names() == ["talk.wav", "x.wav"]
        browser.run("by('state').value = 'failed'; choose()")
        assert names() == ["x.wav"] and browser.faults == []


def test_what_teaches_most_comes_first(out):
    with serving(out) as address, Browser() as browser:
        browser.go(address)
        wanted = [(each.source.name, each.place) for each in next_to_correct(out)]
        browser.run("by('sort').value = 'next'; by('sort').dispatchEvent(new Event('change'))")
        browser.wait("document.querySelector('.editor')")
        for number, (name, place) in enumerate(wanted):
            at = "[items[active.number].name, active.place]"
            browser.wait(f"active && {at}[0] === {json.dumps(name)} && {at}[1] === {place}")
            if not number:
                assert browser.run("shown.lessons.length") == len(wanted) == 5
                seen = browser.run("[...document.querySelectorAll('.item h3')].map(each => each.textContent)")
                assert seen == list(dict.fromkeys(each for each, _ in wanted))
                browser.press("ArrowDown", "Alt")  # to a neighbour, which may teach less
                browser.press("ArrowUp", "Alt")
            browser.press("Enter")
        browser.wait("document.getElementById('tell').textContent.includes('nothing left to learn')")
        assert browser.run("items.filter(item => item.state === 'checked').length") == 3
        assert browser.faults == []
    assert next_to_correct(out) == []


def test_hostile_names_and_texts_are_only_texts(out):
    hostile = "<img src=x onerror=alert(1)></script><script>alert(2)</script>{{ 7*7 }}&amp;"
    rows = [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]
    rows += [{"source": f"/in/{hostile}.wav", "task": hostile, "status": "failed", "error": hostile}]
    (out / "results.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (out / "talk.json").write_text((out / "talk.json").read_text().replace("one", hostile))
    with Browser() as browser:
        browser.go(write_index(out).as_uri())
        assert browser.run("document.querySelectorAll('img[src=x], script').length") == 2
        assert browser.run(f"document.body.innerText.includes({json.dumps(hostile)})")
        assert browser.run(
            "[...document.querySelectorAll('.said')].some(each => each.textContent.includes('onerror'))"
        )
        assert browser.faults == []


@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_nothing_is_wider_than_the_window_and_texts_stand_out(out, width, dark):
    with serving(out) as address, Browser((width, 800), dark) as browser:
        browser.go(address)
        browser.run("edit(0, 1, 'first')")
        assert browser.run("document.documentElement.scrollWidth <= innerWidth")
        contrasts = browser.run(CONTRASTS)
        assert len(contrasts) > 20 and [each for each in contrasts if each[0] < 4.5] == []
        named = "field.labels?.length || field.getAttribute('aria-label') || field.textContent.trim()"
        fields = "[...document.querySelectorAll('input, select, textarea, button')]"
        assert browser.run(f"{fields}.every(field => {named})")
