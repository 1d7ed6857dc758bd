"""Policies: an environment of gymnasium in, a model file out.

    python -m recipes.policy --env CartPole-v1 --hide velocity --out exp/cartpole

Recurrent proximal policy optimisation on the shared core. There are no items to read and to split, so the
run is the recipe's own; training loop, checkpoints, options, presets and model file are those of all recipes.
"""

from __future__ import annotations

import csv
import platform
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from decoders.vocabulary import Classes
from pipelines.errors import DataError
from pipelines.model import load
from pipelines.policy import PolicyModel
from pipelines.writers import write_atomically
from pipelines.writers.videos import write_video
from recipes.learning.checkpoint import NAME as CHECKPOINT
from recipes.learning.checkpoint import matching
from recipes.learning.fingerprint import Fingerprint
from recipes.learning.locking import locked
from recipes.learning.presets import kept_options
from recipes.learning.resizing import changes, refuse
from recipes.learning.training import checked_device, kept_settings, train
from recipes.policy.environments import acted, episode_seed, hidden_of, make, names_of, observed
from recipes.policy.episodes import Episode, interval, mean_reward, pictures, played
from recipes.policy.options import PolicyOptions
from recipes.policy.page import write_curve, write_policy_page
from recipes.policy.task import PolicyTask

TEST = 2  # follows the seed of a run for that of its test episodes
EPISODES = "episodes.csv"


@dataclass(frozen=True)
class PolicyScores:
    """What a policy earned in test episodes, and in as many with random actions."""

    episodes: list[Episode]
    random: list[Episode]

    def summary(self) -> str:
        """For a terminal."""
        return (
            f"{len(self.episodes)} test episodes: reward {told(self.episodes)}; "
            f"before training, actions drawn at random: {told(self.random)}"
        )


class PolicyRecipe:
    """The recipe for policies, with its options.

    Attributes:
        validations: the rows of the history that have a validation, after `run`.
        seconds: of the processor that training took, after `run`.
    """

    task = PolicyOptions.task
    validations: list[dict]
    seconds: float

    def __init__(self, options: PolicyOptions):
        self.options = options

    def run(self) -> PolicyScores:
        """Train, save `<out>/<name>.safetensors`, and score it on new episodes.

        Besides these are written `report.html`, `curve.png`, `episodes.csv`, and `episode.mp4` where the
        environment can be drawn.

        Raises:
            DataError: the environment or a checkpoint does not fit; or another training is at work in `out`.
            ModelError: `load` names no usable model.
        """
        training = self.options.training
        with locked(self.options.out), kept_settings(training.threads, checked_device(training)):
            return self._run()

    def _run(self) -> PolicyScores:
        options = self.options
        if not options.env:
            raise DataError("--env", "names no environment", "give one, such as CartPole-v1")
        torch.manual_seed(options.training.seed)
        model = self.build()
        per_rollout = options.ppo.environments * options.ppo.rollout
        epochs = options.training.epochs or -(-options.steps // per_rollout)
        options = self.options = replace(options, training=replace(options.training, epochs=epochs))
        print(f"{options.env}: {_seen(model)}; {_done(model)}")
        print(f"{epochs * per_rollout:,} steps in {epochs} rollouts of {per_rollout:,}")
        print(f"{model.parameters_count:,} parameters\n")
        made_from = Fingerprint.of(options, model)
        matching(options.out / CHECKPOINT, made_from, options.training.resume)
        seed = episode_seed(options.training.seed, TEST)
        random = played(model, options.env, options.test_episodes, seed, sample=True)
        started = time.process_time()
        history = train(PolicyTask(model, options), options.training, options.out, made_from)
        self.seconds = time.process_time() - started
        self.validations = [row for row in history if "reward" in row]
        model.name = options.name
        model.training_facts = self.facts(history)
        path = options.out / f"{options.name}.safetensors"
        model.save(path, options.bits)
        trained = load(path)
        found = PolicyScores(played(trained, options.env, options.test_episodes, seed), random)
        model.metrics = {"test": {"reward": told(found.episodes), "episodes": len(found.episodes)}}
        model.save(path, options.bits)
        print("\n" + found.summary())
        video = self.filmed(trained, seed)
        report = self.write_report(found, history, model.training_facts, video)
        for name, file in {"model": path, "report": report, "video": video}.items():
            if file:
                print(f"{name + ':':8}{file}")
        return found

    def build(self) -> PolicyModel:
        """A new policy for the environment, or the loaded one, if it fits."""
        options = self.options
        world = make(options.env)
        try:
            observation = observed(options.env, world.observation_space)
            action = acted(options.env, world.action_space)
        finally:
            world.close()
        observation["hidden"] = hidden_of(options.env, options.hide, observation)
        if options.load:
            return self._loaded(observation, action)
        sizes = options.model.filled()
        numbers = {"deviation": options.ppo.deviation} if "shape" in action else {}
        return PolicyModel(
            self.task,
            {"kind": "observations", "output_size": sizes.input_size, **observation},
            sizes.core(),
            {"kind": "policy", "hidden_size": sizes.decoder_size, **action, **numbers},
            Classes(names_of(action)),
            name=options.name,
        )

    def _loaded(self, observation: dict, action: dict) -> PolicyModel:
        options = self.options
        base = load(options.load)
        if base.task != self.task:
            cause = f"is a model for {base.task}, not for {self.task}"
            raise DataError(options.load, cause, f"give --load a model for {self.task}")
        for part, wanted in (("front_end", observation), ("decoder", action)):
            for name, value in wanted.items():
                had = base.sizes[part].get(name)
                if had != value:
                    cause = f"{name} is {value}, and in the model {had}"
                    raise DataError(f"--env {options.env}", cause, "take another one, or train a new model")
        refuse(base, changes(base, options.model))
        return base

    def facts(self, history: list[dict]) -> dict:
        """Plain values about the training, for the model file and the report."""
        options, threads = self.options, torch.get_num_threads()
        steps = len(history) * options.ppo.environments * options.ppo.rollout
        computed = f"{threads} thread{'s' * (threads != 1)}", platform.machine(), f"torch {torch.__version__}"
        return {
            "data": options.env,
            "licence": options.licence,
            **({"hidden": ", ".join(options.hide)} if options.hide else {}),
            "steps": steps,
            "epochs": len(history),
            "minutes": round(sum(row["seconds"] for row in history) / 60, 1),
            "machine": ", ".join(computed),
            "base": Path(options.load).name if options.load else "none",
            "options": kept_options(options),
        }

    def filmed(self, model: PolicyModel, seed: int) -> Path | None:
        """The video of the first test episode, if it can be drawn."""
        path = self.options.out / "episode.mp4"
        if not self.options.video:
            return None
        try:
            with write_atomically(path, "wb") as file:
                write_video(file, pictures(model, self.options.env, episode_seed(seed, 0, 0)), model.name)
        except DataError as error:
            print(f"no video: {error.cause}", file=sys.stderr)
            return None
        return path

    def write_report(self, found: PolicyScores, history: list[dict], facts: dict, video: Path | None) -> Path:
        """Write the scores of all test episodes, the learning curve, and the report; returns its path."""
        out = self.options.out
        with write_atomically(out / EPISODES, "w") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(("seed", "reward", "steps"))
            rows.writerows((each.seed, f"{each.reward:.6g}", each.steps) for each in found.episodes)
        curve = write_curve(out / "curve.png", history, mean_reward(found.random), self.options.env)
        facts = {"model": self.options.name, **facts}
        facts.pop("options")
        return write_policy_page(out / "report.html", found.episodes, found.random, facts, curve, video)


def told(episodes: list[Episode]) -> str:
    """The mean reward of episodes with its interval."""
    low, high = interval(episodes)
    return f"{mean_reward(episodes):.4g} [{low:.4g}, {high:.4g}]"


def _seen(model: PolicyModel) -> str:
    front_end = model.front_end
    parts = "choices" if front_end.choices else "numbers"
    hidden = f", of which {len(front_end.hidden)} hidden" if front_end.hidden else ""
    return f"observations of {front_end.size} {parts}{hidden}"


def _done(model: PolicyModel) -> str:
    decoder = model.decoder
    if not decoder.choices:
        return f"actions of {decoder.size} number{'s' * (decoder.size > 1)}"
    return f"actions: one of {' x '.join(map(str, decoder.choices))}"
