"""The progress bar of a run: how much is done, how fast, and how long the rest takes."""

from __future__ import annotations

import time
from collections.abc import Sequence

from tqdm import tqdm

FORMAT = "{percentage:3.0f} % |{bar:20}| {desc}, {remaining} left"


class Progress:
    """Progress by the work done, which is what the time left follows from.

    The clock starts when reading begins: neither imports nor the loading of models count in rates. Without a
    terminal nothing is shown.

    Args:
        title: of the bar.
        lengths: of each source in order: seconds, 0 where not known; or 1 for each.
        timed: whether they are seconds.
    """

    def __init__(self, title: str, lengths: Sequence[float], timed: bool):
        known = [length for length in lengths if length > 0]
        usual = sum(known) / len(known) if known else 1.0
        self.title, self.timed = title, timed
        self.lengths = [length if length > 0 else usual for length in lengths]
        self.finished = 0
        self._before = 0.0  # length of what is finished
        self._started: float | None = None
        self._bar: tqdm | None = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.close()

    @property
    def seconds(self) -> float:
        """Since reading began."""
        return 0.0 if self._started is None else time.monotonic() - self._started

    def reached(self, position: float) -> None:
        """Reading has begun, or is so many seconds into the current source."""
        if self._started is None:
            self._started = time.monotonic()
            self._bar = tqdm(
                desc=f"{self.title}: 0 of {len(self.lengths)}",
                total=sum(self.lengths),
                bar_format=FORMAT,
                smoothing=0,  # the time left follows from the rate of the whole run
                mininterval=0.2,
                miniters=0,
                disable=None,
            )
        length = self.lengths[self.finished] if self.timed and self.finished < len(self.lengths) else 0.0
        self._show(self._before + min(max(position, 0.0), length))

    def finish(self) -> None:
        """The current source is done."""
        if self.finished < len(self.lengths):  # what is said of files that hold several is no source
            self._before += self.lengths[self.finished]
            self.finished += 1
        self.reached(0.0)

    def _show(self, done: float) -> None:
        told = f"{self.title}: {self.finished} of {len(self.lengths)}"
        if self.timed and done and self.seconds:
            told += f", {done / self.seconds:.1f} x real time"
        if not self._bar.disable:
            self._bar.set_description_str(told, refresh=False)
        self._bar.update(done - self._bar.n)
