"""Recognition of speech, handwriting, ink and video: `from triscribe import transcribe, recognize, caption`.

The same names as in `pipelines`, and imported on first use as there. `python -m triscribe` is the command.
"""

import pipelines
from pipelines import __version__

__all__ = ["__version__", *pipelines.__all__]


def __getattr__(name: str):
    if name not in pipelines.__all__:
        raise AttributeError(f"module 'triscribe' has no attribute {name!r}")
    return getattr(pipelines, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *pipelines.__all__})


if __name__ == "__main__":
    import sys

    from pipelines.commands.cli import main

    sys.exit(main())
