"""Models that act: observations in, actions out, with the core's state carried from step to step."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from decoders.policy import Judged, Policy
from encoders.observations import Observations
from encoders.window import Window
from pipelines.model import CORES, SequenceModel

if TYPE_CHECKING:
    import numpy as np


class PolicyModel(SequenceModel):
    """A policy: `act` for each observation of an episode, `reset` before the next episode.

    What is kept between two calls of `act` belongs to this object, not to the model file.
    """

    front_ends: ClassVar = {"observations": Observations}
    cores: ClassVar = {**CORES, "window": Window}
    decoders: ClassVar = {"policy": Policy}
    front_end: Observations
    decoder: Policy

    def __init__(self, *args, **keywords):
        super().__init__(*args, **keywords)
        if self.core.bidirectional:
            raise ValueError("a policy cannot read ahead: core.bidirectional must be false")
        self._state: list | None = None

    def reset(self) -> None:
        """Forget the episode so far."""
        self._state = None

    def act(self, observation: object, sample: bool = False) -> int | np.ndarray:
        """The action for the next observation of this episode.

        Args:
            observation: as the environment gives it: an array of numbers, or one or several choices. Parts
                that are hidden from the policy may have any value.
            sample: draw the action from its distribution, as in training, instead of the most probable one.

        Returns:
            The action as the environment takes it: an int, an array of ints, or of float32 within its limits.

        Raises:
            ValueError: an observation of another shape, or with numbers that are not finite.
        """
        x = self.flattened(observation).to(next(self.parameters()).device)
        training = self.training
        self.eval()
        try:
            with torch.no_grad():
                judged, self._state = self.step(x[None], self._state)
                noise = self.decoder.noise(1)
                chosen = self.decoder.sample(judged.outputs, noise) if sample else self.best(judged)
        finally:
            self.train(training)
        return self.action(chosen[0])

    def step(self, x: Tensor, state: list | None) -> tuple[Judged, list]:
        """One step of several episodes.

        Args:
            x: (episodes, size) flattened observations.
            state: of the core after the step before; None where all episodes begin.

        Returns:
            What the policy makes of each, and the state.
        """
        y, state = self.core.stream(self.front_end(x[:, None], x)[0], state)
        return self.decoder(y[:, 0]), state

    def best(self, judged: Judged) -> Tensor:
        """(..., size) the most probable actions."""
        return self.decoder.best(judged.outputs)

    def action(self, chosen: Tensor) -> int | np.ndarray:
        """One action, (size,), as the environment takes it."""
        action = self.decoder.in_units(chosen).cpu()
        if self.decoder.single:
            return int(action)
        return action.numpy().reshape(self.decoder.shape or -1)

    def flattened(self, observation: object) -> Tensor:
        """(size,) an observation as numbers; raises ValueError where it does not fit."""
        wanted = self.front_end.shape or ((len(self.front_end.choices),) if self.front_end.choices else ())
        try:
            x = torch.as_tensor(observation, dtype=torch.float32)
        except (TypeError, ValueError, RuntimeError) as error:
            raise ValueError(
                f"an observation is {_told(wanted)}, not {type(observation).__name__}"
            ) from error
        if x.shape != wanted and not (x.dim() == 0 and wanted == (1,)):
            raise ValueError(f"an observation is {_told(wanted)}, not {_told(tuple(x.shape))}")
        x = x.reshape(-1)
        seen = x[self.front_end.seen]
        if not seen.isfinite().all():
            raise ValueError("the observation has numbers that are not finite")
        for place in self.front_end.seen if self.front_end.choices else ():
            first = self.front_end.starts[place]
            last = first + self.front_end.choices[place] - 1
            if not first <= x[place] <= last:
                raise ValueError(f"component {place} of an observation is from {first} to {last}")
        return x


def _told(shape: tuple[int, ...]) -> str:
    return f"an array of shape {shape}" if shape else "a number"
