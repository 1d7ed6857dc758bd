"""Policies in environments that hide something: rewards with and without memory, and steps a second.

    python -m benchmarks.policy [--rows cartpole ...] [--seeds 3] [--memories lstm stacked none]

Each row trains `triscribe train policy` with its preset and prints the mean reward of 100 new episodes with
its interval, the CPU seconds, and the lowest validation after the goal was first reached, which tells whether
it stayed there. Beside the recurrent policy stand one that sees the last observations stacked, and one
without memory.

If sb3-contrib is installed, its RecurrentPPO is trained with the same sizes and settings for some thousand
steps, and the ratio of the steps per CPU second is printed. The rows of popgym need popgym. Neither is a
dependency of this project.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import sys
import time
from pathlib import Path

import torch

from recipes.learning.arguments import parse
from recipes.policy.episodes import interval, mean_reward
from recipes.policy.options import PolicyOptions
from recipes.policy.recipe import PolicyRecipe

ROWS = {
    "cartpole": ("--env CartPole-v1 --hide velocity --steps 20480", 475.0),
    "pendulum": ("--env Pendulum-v1 --hide velocity --preset continuous", -218.0),
    "mountaincar": ("--env MountainCarContinuous-v0 --hide velocity --preset sparse", 91.0),
    "repeat-first": ("--env popgym:popgym-RepeatFirstEasy-v0 --preset recall", 0.9),
    "repeat-previous": (
        "--env popgym:popgym-RepeatPreviousEasy-v0 --preset recall --steps 1000000 --gamma 0.3 --passes 6",
        0.8,
    ),
}
"""Command line and goal of each row."""


def trained(row: str, memory: str, seed: int, out: Path) -> tuple[PolicyRecipe, list, list, float]:
    """The recipe after its run, the test episodes, the validations, and CPU seconds of the training."""
    command, _ = ROWS[row]
    given = f"{command} --memory {memory} --seed {seed} --resume no --no-video --out {out}"
    options = parse(PolicyOptions, "policy", given.split())
    recipe = PolicyRecipe(options)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        found = recipe.run()
    return recipe, found.episodes, recipe.validations, recipe.seconds


def sb3_steps_a_second(options: PolicyOptions, steps: int) -> float | None:
    """Steps per CPU second of sb3-contrib's RecurrentPPO with the same sizes; None without it."""
    if not importlib.util.find_spec("sb3_contrib"):
        return None
    import gymnasium
    import numpy as np
    from sb3_contrib import RecurrentPPO
    from stable_baselines3.common.vec_env import DummyVecEnv

    from recipes.policy.environments import hidden_of, observed

    def world():
        made = gymnasium.make(options.env)
        hidden = hidden_of(options.env, options.hide, observed(options.env, made.observation_space))
        mask = np.ones(made.observation_space.shape, np.float32)
        mask[hidden] = 0
        return gymnasium.wrappers.TransformObservation(made, lambda x: x * mask, made.observation_space)

    ppo, training, sizes = options.ppo, options.training, options.model.filled()
    heads = {"net_arch": {"pi": [sizes.decoder_size], "vf": [sizes.decoder_size]}}
    model = RecurrentPPO(
        "MlpLstmPolicy",
        DummyVecEnv([world] * ppo.environments),
        n_steps=ppo.rollout,
        batch_size=training.batch_size,
        n_epochs=ppo.passes,
        learning_rate=training.learning_rate,
        gamma=ppo.gamma,
        gae_lambda=ppo.gae_lambda,
        policy_kwargs={"lstm_hidden_size": sizes.hidden_size, **heads},
        seed=1,
        device="cpu",
    )
    started = time.process_time()
    model.learn(steps)
    return model.num_timesteps / (time.process_time() - started)


def main() -> None:
    """Run the rows and print their figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--memories", nargs="+", default=["lstm", "stacked", "none"])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--sb3-steps", type=int, default=4096, help="steps of sb3-contrib; 0 leaves it out")
    parser.add_argument("--out", type=Path, default=Path("exp/benchmark-policy"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    for row in given.rows:
        if "popgym" in ROWS[row][0] and not importlib.util.find_spec("popgym"):
            print(f"{row}: popgym is not installed")
            continue
        goal = ROWS[row][1]
        for memory in given.memories:
            for seed in range(1, given.seeds + 1):
                out = given.out / f"{row}-{memory}-{seed}"
                recipe, episodes, validations, seconds = trained(row, memory, seed, out)
                low, high = interval(episodes)
                steps = validations[-1]["steps"]
                reached = next((i for i, each in enumerate(validations) if each["reward"] >= goal), None)
                stayed = "goal not reached in a validation"
                if reached is not None:
                    lowest = min(each["reward"] for each in validations[reached:])
                    stayed = f"goal reached after {validations[reached]['steps']:,}, lowest then {lowest:.4g}"
                print(
                    f"{row:16} {memory:8} seed {seed}: {mean_reward(episodes):.4g} [{low:.4g}, {high:.4g}] "
                    f"(goal {goal:g}) after {steps:,} steps, {seconds:.0f} CPU s, "
                    f"{steps / seconds:,.0f} steps a CPU second; {stayed}",
                    flush=True,
                )
                if memory == "lstm" and seed == 1 and given.sb3_steps and row == "cartpole":
                    other = sb3_steps_a_second(recipe.options, given.sb3_steps)
                    if other is None:
                        print("sb3-contrib is not installed: no comparison", file=sys.stderr)
                    else:
                        ours = steps / seconds
                        print(
                            f"{row:16} steps a CPU second: {ours:,.0f}, sb3-contrib {other:,.0f}: "
                            f"{ours / other:.1f} times as many",
                            flush=True,
                        )


if __name__ == "__main__":
    main()
