"""Options as frozen dataclasses, made from a caller's keywords."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, fields
from typing import Self


@dataclass(frozen=True)
class Options:
    """What every family of options can do."""

    @classmethod
    def of(cls, options: dict) -> Self:
        """From keywords; a TypeError names an unknown one and the nearest that exists."""
        known = [field.name for field in fields(cls)]
        for name in options:
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"options are {', '.join(known)}"
                raise TypeError(f"no option {name!r}; {hint}")
        return cls(**options)


@dataclass(frozen=True)
class ReadingOptions(Options):
    """How a recording is read and run through the model."""

    batch_size: int = 16
    """Pieces that the model reads at once."""
    longest: float = 15.0
    """Seconds; longer recordings are cut at pauses into pieces of at most this."""
    device: str = "auto"
    """cpu, cuda, or auto: cuda where there is one."""
    strict: bool = True
    """Refuse damaged or silent recordings; else give what can be read."""

    def __post_init__(self):
        if self.batch_size < 1 or self.longest < 1:
            raise ValueError("batch_size must be at least 1 and longest at least 1 second")
