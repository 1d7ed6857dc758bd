"""Options of the recipe for policies. Importing this module does not import torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from recipes.learning.options import RunOptions, Sizes, TrainingOptions, check_choices


@dataclass(frozen=True)
class ModelOptions(Sizes):
    """Sizes of a new model. A loaded model keeps its own."""

    new: ClassVar[Mapping[str, object]] = {
        "memory": "lstm",
        "frames": 4,
        "hidden_size": 64,
        "num_layers": 1,
        "input_size": 64,
        "decoder_size": 64,
    }

    memory: Literal["lstm", "gru", "stacked", "none"] | None = None
    """What the policy remembers of an episode: a recurrent state; the last observations, stacked; or only
    the present one."""
    frames: int | None = None
    """Observations that are stacked."""
    hidden_size: int | None = None
    """Hidden units per layer of the core."""
    num_layers: int | None = None
    """Layers of the core."""
    input_size: int | None = None
    """Features of an observation that the core reads."""
    decoder_size: int | None = None
    """Hidden units of the actor and of the critic."""

    def __post_init__(self):
        check_choices(self)
        for name in ("frames", "hidden_size", "num_layers", "input_size", "decoder_size"):
            if getattr(self, name) is not None and getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")

    def core(self) -> dict:
        """Kind and sizes of the core."""
        sizes = {"hidden_size": self.hidden_size, "num_layers": self.num_layers}
        if self.memory in ("lstm", "gru"):
            return {"kind": "bilstm", **sizes, "cell": self.memory, "bidirectional": False}
        return {"kind": "window", **sizes, "frames": self.frames if self.memory == "stacked" else 1}


@dataclass(frozen=True)
class PpoOptions:
    """Proximal policy optimisation (Schulman et al. 2017)."""

    environments: int = 8
    """Environments side by side."""
    rollout: int = 64
    """Steps of each environment between two updates. Gradients go back through time as far."""
    passes: int = 20
    """Passes over each rollout."""
    gamma: float = 0.98
    """Discount: what a reward is worth one step later."""
    gae_lambda: float = 0.9
    """Lambda of the generalised advantage estimates: 1 trusts rewards only, 0 the critic."""
    clip_range: float = 0.2
    """How far from 1 the ratio of new to old probabilities of actions is used."""
    entropy: float = 0.0
    """Weight of the entropy of the policy, which keeps it from settling too early."""
    value_weight: float = 0.5
    """Weight of the loss of the critic."""
    deviation: float = 1.0
    """Standard deviation with which a new policy tries out actions that are numbers, whose limits count as
    -1 and 1."""
    correlation: float = 0.0
    """Correlation of what is tried out in one step with the next one, for actions that are numbers: above 0
    finds goals that need a steady push (Hollenstein et al. 2024)."""

    def __post_init__(self):
        for name in ("environments", "rollout", "passes", "clip_range", "deviation"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0, not {getattr(self, name)}")
        for name in ("gamma", "gae_lambda"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a share from 0 to 1, not {getattr(self, name)}")
        for name in ("entropy", "value_weight"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must be 0 or more, not {getattr(self, name)}")
        if not 0 <= self.correlation < 1:
            raise ValueError(f"correlation is a share from 0 to below 1, not {self.correlation}")


@dataclass(frozen=True)
class PolicyTraining(TrainingOptions):
    """Training: schedule, optimiser, checkpoints."""

    epochs: int = 0
    """Rollouts, each of which is learnt from several times. 0 takes as many as the steps make."""
    batch_size: int = 512
    """Steps per batch, in whole pieces of episodes."""
    learning_rate: float = 1e-3
    """Peak learning rate of the one-cycle schedule (Smith 2018)."""
    warmup: float = 0.05
    """Share of the run in which the learning rate rises to its peak."""
    weight_decay: float = 0.0
    """Weight decay of AdamW (Loshchilov & Hutter 2019)."""
    clip: float = 0.5
    """Gradients are clipped to this norm."""
    average: float = 0.3
    """Last share of the run over which the weights are averaged (Izmailov et al. 2018); 0 turns it off."""
    valid_every: int = 4
    """Rollouts from one validation to the next."""
    precision: Literal["auto", "bf16", "fp32"] = "fp32"
    """Precision of the computation; these networks are too small to gain by bf16."""
    device: Literal["cpu"] = "cpu"
    """Device to train on; these networks are too small to gain by another one."""


@dataclass(frozen=True)
class PolicyOptions(RunOptions):
    """Train a policy that acts in an environment of gymnasium and remembers.

    It needs no data.
    """

    task: ClassVar[str] = "policy"
    needs: ClassVar[str] = "--env ID"

    env: str = ""
    """Environment, as gymnasium.make takes it: CartPole-v1, or module:name-v0 to import a module first."""
    hide: tuple[str, ...] = ()
    """Parts of the observations that the policy does not see: velocity, or their places from 0."""
    steps: int = 100_000
    """Steps in the environment in all."""
    out: Path = Path("exp/policy")
    """Folder for the model, checkpoints, log, report and video."""
    bits: Literal[8, 16, 32] = 32
    """Bits per weight in the model file."""
    load: str | None = None
    """Train this policy further, a model file. Observations and actions must be of the same kind."""
    licence: str = "not stated"
    """Licence of the environment, kept in the model file."""
    valid_episodes: int = 20
    """Episodes of each validation, which chooses the best weights."""
    test_episodes: int = 100
    """Episodes that the trained policy is scored on."""
    video: bool = True
    """Write a video of an episode, if the environment can be drawn."""
    model: ModelOptions = field(default_factory=ModelOptions)
    ppo: PpoOptions = field(default_factory=PpoOptions)
    training: PolicyTraining = field(default_factory=PolicyTraining)

    def __post_init__(self):
        super().__post_init__()
        for name in ("steps", "valid_episodes", "test_episodes"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
