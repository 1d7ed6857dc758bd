"""What the README and docs/ tell a reader to type works as it stands there."""

import os
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from pipelines.commands.cli import COMMANDS
from pipelines.tasks import recipes

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md")), ROOT / "examples" / "README.md"]
CARDS = sorted((ROOT / "pipelines" / "models").glob("*.md"))
RUN = {"triscribe": ["-m", "triscribe"], "python": []}
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]+")

every_page = pytest.mark.parametrize("page", PAGES + CARDS, ids=lambda path: str(path.relative_to(ROOT)))


def blocks(page: Path, language: str) -> list[str]:
    """Fenced blocks of one language, "" for those of none."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [block for named, block in fenced if named == language]


def shell_lines(page: Path) -> list[str]:
    return [line.split("  #")[0] for block in blocks(page, "sh") for line in block.splitlines()]


def commands(page: Path) -> list[list[str]]:
    """Everything in the page that begins as a command does, in fenced blocks and in the text."""
    text = page.read_text(encoding="utf-8")
    inline = re.findall(r"(?<!`)`([^`\n]+)`", text)
    lines = [
        *inline,
        *shell_lines(page),
        *(line for block in blocks(page, "") for line in block.splitlines()),
    ]
    begin = ("triscribe ", "python -m recipes.", "python benchmarks/", "benchmarks/")
    found = (shlex.split(line) for line in lines if line.startswith(begin))
    return [words if words[0] in RUN else ["python", *words] for words in found if len(words) > 1]


def run(arguments: list[str], folder: Path = ROOT) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )


@cache
def options(program: tuple[str, ...]) -> frozenset[str]:
    """All options that the help of a program names."""
    name, *words = program
    for question in ("--help",) if words[0].startswith("benchmarks/") else ("--help-all", "--help"):
        done = run([*RUN[name], *words, question])
        if done.returncode == 0:
            return frozenset(OPTION.findall(done.stdout))
    raise AssertionError(f"{' '.join(program)} --help: {done.stderr}")


def program(words: list[str]) -> tuple[str, ...]:
    """The words of a command that say what is run: all that come before its options and arguments."""
    if words[0] == "python":
        return tuple(words[: 3 if words[1] == "-m" else 2])
    return tuple(words[: 3 if words[1] == "train" else 2])


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    return tmp_path


def test_the_readme_is_short_and_has_what_a_newcomer_looks_for():
    assert len(README.read_text(encoding="utf-8").split()) <= 600
    assert len(blocks(README, "python")) == len(shell_lines(README)) == 3


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(block, id=f"{page.stem}-{number}")
        for page in PAGES
        for number, block in enumerate(blocks(page, "python"), start=1)
    ],
)
def test_python(code, folder):
    done = run(["-c", code], folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize("line", shell_lines(README))
def test_shell(line, folder):
    name, *arguments = shlex.split(line)
    done = run([*RUN[name], *arguments], folder)
    assert done.returncode == 0, done.stderr
    assert any(path.is_file() for path in (folder / "out").rglob("*"))


def test_the_table_that_the_readme_prints_is_of_the_examples():
    (table,) = blocks(README, "text")
    kind, *rows = table.splitlines()
    for row in rows:
        name, wrong, recognised, true = re.split(r" {2,}", row)
        truth = (ROOT / "examples" / kind.split()[0] / f"{name}.txt").read_text(encoding="utf-8").strip()
        assert true == truth
        assert (recognised == true) == (wrong == "-")


@every_page
def test_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if not link.startswith("https:"):
            assert (page.parent / link.partition("#")[0]).exists(), link


def test_every_page_is_in_the_contents():
    linked = re.findall(r"\]\((\w[\w-]*\.md)\)", (ROOT / "docs" / "README.md").read_text(encoding="utf-8"))
    assert {*linked, "README.md"} == {path.name for path in (ROOT / "docs").glob("*.md")}


def given_options() -> dict[tuple[str, ...], set[str]]:
    """All options that any page gives to a program."""
    given = {}
    for words in (words for page in PAGES + CARDS for words in commands(page)):
        named = {word.partition("=")[0] for word in words if OPTION.match(word)} - {"--help", "--help-all"}
        if named:
            given.setdefault(program(words), set()).update(named)
    return given


@pytest.mark.parametrize(
    "words, given", [pytest.param(*each, id=" ".join(each[0])) for each in given_options().items()]
)
def test_commands_have_the_options_that_they_are_given(words, given):
    assert given <= options(words)


@every_page
def test_options_exist(page):
    text = page.read_text(encoding="utf-8")
    inline = {option for code in re.findall(r"(?<!`)`([^`\n]+)`", text) for option in OPTION.findall(code)}
    programs = [("triscribe", "train", recipe) for recipe in recipes()]
    programs += [("triscribe", name) for name in COMMANDS if name != "train"]
    programs += [program(words) for words in commands(page) if words[0] == "python"]
    known = frozenset().union(*map(options, programs)) if inline else frozenset()
    assert inline <= known
