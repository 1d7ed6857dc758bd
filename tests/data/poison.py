"""Files that do something to whoever opens them in another process than the one that made them."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Poison:
    """A path that hangs, crashes, or fills the memory of a process that opens it.

    Args:
        path: of the file.
        effect: name of one of the methods.
    """

    path: Path
    effect: str
    owner: int = field(default_factory=os.getpid)

    def __fspath__(self) -> str:
        if os.getpid() != self.owner:
            self.path.with_suffix(f".{os.getpid()}.opened").touch()
            getattr(self, self.effect)()
        return str(self.path)

    def __str__(self) -> str:
        return str(self.path)

    def hang(self) -> None:
        while True:
            time.sleep(1)

    def crash(self) -> None:
        os.kill(os.getpid(), signal.SIGSEGV)
        self.hang()

    def leave(self) -> None:
        os._exit(0)

    def fail(self) -> None:
        raise ZeroDivisionError("by chance")

    def fill(self) -> None:
        held = []
        while True:
            held.append(bytearray(os.urandom(1) * 20_000_000))
            time.sleep(0.01)

    def openings(self) -> list[int]:
        """Processes that opened it, one for each time."""
        return [int(each.suffixes[-2][1:]) for each in self.path.parent.glob(f"{self.path.stem}.*.opened")]


def is_gone(process: int) -> bool:
    """Whether a process has ended; one that nobody has waited for counts."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True
