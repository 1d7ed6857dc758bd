"""The public Python surface: what reads, what writes, `load`, and their errors."""

from importlib import import_module

__version__ = "0.1.0"

_HOMES = {
    "transcribe": "pipelines.speech",
    "recognize": "pipelines.recognition",
    "caption": "pipelines.captioning",
    "align": "pipelines.aligning",
    "classify": "pipelines.text",
    "tag": "pipelines.tagging",
    "forecast": "pipelines.forecasting",
    "detect": "pipelines.detection",
    "translate": "pipelines.translation",
    "score": "pipelines.likelihood",
    "generate": "pipelines.generation",
    "annotate": "pipelines.annotating",
    "risk": "pipelines.assessing",
    "load": "pipelines.model",
    "MediaError": "pipelines.errors",
    "ModelError": "pipelines.errors",
    "DataError": "pipelines.errors",
}

__all__ = list(_HOMES)


def __getattr__(name: str):
    """Import on first use, so that `triscribe --help` need not wait for torch."""
    if name not in _HOMES:
        raise AttributeError(f"module 'pipelines' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
