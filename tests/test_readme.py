"""What the README tells a newcomer to type works as it stands there."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return [block for named, block in fenced if named == language]


def commands() -> list[str]:
    lines = [line.split("#")[0] for block in blocks("") for line in block.splitlines()]
    found = [part.strip() for line in lines for part in line.split(";")]
    return [line for line in found if line.startswith("triscribe") and "examples/" in line or "info" in line]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    return tmp_path


def run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )


def test_python(folder):
    (block,) = blocks("python")
    done = run(["-c", block], folder)
    assert done.returncode == 0, done.stderr
    assert "-->" in (folder / "digits.srt").read_text()


def test_there_are_commands_to_try():
    assert len(commands()) >= 4


@pytest.mark.parametrize("command", commands())
def test_command(command, folder):
    program, *arguments = shlex.split(command)
    assert program == "triscribe"
    done = run(["-m", "pipelines.commands.cli", *arguments], folder)
    assert done.returncode == 0, done.stderr


def test_recipe_and_its_layouts_are_named_as_they_are(folder):
    done = run(["-m", "pipelines.commands.cli", "train", "asr", "--help"], folder)
    assert done.returncode == 0, done.stderr
    for option in ("--data", "--out", "--load", "--alphabet"):
        assert option in done.stdout
