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
