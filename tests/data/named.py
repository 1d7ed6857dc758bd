"""Models that are in no file, under names that commands take."""

from __future__ import annotations

import pytest

from pipelines.batch import work
from pipelines.model import SequenceModel
from pipelines.reading import batches


def named(monkeypatch: pytest.MonkeyPatch, model: SequenceModel) -> None:
    """Whatever model is named, this one is found."""
    monkeypatch.setattr(batches, "load", lambda name: model)
    monkeypatch.setattr(work, "read_header", lambda name: {"task": model.task})
    monkeypatch.setattr(work, "header_for", lambda task, name: (model.name, {}))
