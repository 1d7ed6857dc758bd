"""Reads web pages as strictly as the tests need: every element closed in order, nothing fetched."""

import re
from html.parser import HTMLParser
from pathlib import Path

VOID = {"meta", "link", "img", "br", "input"}


class WebPage(HTMLParser):
    """A page whose elements are closed in order; keeps tags, attributes and text."""

    def __init__(self, text: str):
        super().__init__()
        self.open, self.tags, self.attributes, self.text = [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.attributes += attrs

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.attributes if key == name]

    @property
    def said(self) -> str:
        """All text outside of tags."""
        return "".join(self.text)


def read_page(path: Path, most: int = 8_000_000) -> WebPage:
    """A page that is no larger than allowed, names nothing outside itself, and repeats no id."""
    assert path.stat().st_size < most
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"https?:|//\w", re.sub(r"base64,[\w+/=]*", "", text))
    page = WebPage(text)
    assert len(set(page.all("id"))) == len(page.all("id"))
    return page
