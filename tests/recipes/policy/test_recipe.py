"""The recipe for policies: learning, resuming, the command, what is refused."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces

from pipelines import load
from pipelines.batch.routing import known_models
from pipelines.commands import cli
from pipelines.errors import DataError, ModelError
from recipes.learning.interruption import Interrupted
from recipes.learning.training import train
from recipes.policy.environments import acted, hidden_of, make, names_of, observed
from recipes.policy.episodes import mean_reward, played
from recipes.policy.options import ModelOptions, PolicyOptions, PolicyTraining, PpoOptions
from recipes.policy.recipe import PolicyRecipe
from recipes.policy.task import PolicyTask
from tests.data.recall import NAME, NUMBERS

ROOT = Path(__file__).parents[3]


def options_of(out, env=NAME, memory="lstm", steps=4096, **more):
    return PolicyOptions(
        env=env,
        steps=steps,
        out=out,
        model=ModelOptions(memory, input_size=16, hidden_size=16, decoder_size=16),
        ppo=PpoOptions(environments=16, rollout=32, passes=4),
        training=PolicyTraining(batch_size=128, learning_rate=1e-2, valid_every=4),
        test_episodes=40,
        **more,
    )


def learnt(options, epochs):
    """Mean reward of 40 new episodes after training."""
    torch.manual_seed(1)
    model = PolicyRecipe(options).build()
    train(PolicyTask(model, options), replace(options.training, epochs=epochs, average=0.0), options.out)
    return mean_reward(played(model, options.env, 40, 7))


@pytest.mark.learns
def test_what_was_seen_first_is_learnt_with_memory_only(tmp_path):
    assert learnt(options_of(tmp_path / "with"), 6) > 0.95
    assert learnt(options_of(tmp_path / "without", memory="none"), 2) < 0.8


def test_the_command_writes_what_it_says_and_the_file_acts_like_the_model(tmp_path, capsys):
    out = tmp_path / "out"
    command = (
        f"train policy --env {NUMBERS} --hide 1 --steps 128 --environments 4 --rollout 16 --hidden-size 8"
    )
    command += f" --test-episodes 5 --valid-episodes 2 --out {out}"
    run = subprocess.run(
        [sys.executable, "-m", "pipelines.commands.cli", *command.split()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    assert "observations of 2 numbers, of which 1 hidden; actions of 1 number" in run.stdout
    names = {path.name for path in out.iterdir()}
    wanted = {"model.safetensors", "report.html", "curve.png", "episodes.csv", "episode.mp4", "checkpoint.pt"}
    assert wanted <= names
    assert len((out / "episodes.csv").read_text().splitlines()) == 6
    assert "Learning curve" in (out / "report.html").read_text()
    model = load(out / "model.safetensors")
    assert model.sizes["front_end"] == {
        "kind": "observations",
        "output_size": 64,
        "shape": [2],
        "hidden": [1],
    }
    assert (model.sizes["decoder"]["low"], model.sizes["decoder"]["high"]) == ([-2.0], [2.0])
    scored = [line.split(",") for line in (out / "episodes.csv").read_text().splitlines()[1:]]
    world = make(NUMBERS)
    for seed, reward, steps in scored:
        seen, _ = world.reset(seed=int(seed))
        model.reset()
        total, count, over = 0.0, 0, False
        while not over:
            seen, earned, done, cut, _ = world.step(model.act(seen))
            total, count, over = total + earned, count + 1, done or cut
        assert (total, count) == (pytest.approx(float(reward), abs=1e-5), int(steps))
    assert cli.main(["info", str(out / "model.safetensors")]) == 0
    told = capsys.readouterr().out
    assert '"hidden": [' in told and '"high": [' in told
    for command in (["evaluate"], ["transcribe", "x.wav", "-m"]):
        assert cli.main([*command, str(out / "model.safetensors")]) in (1, 2)
        assert "policy" in capsys.readouterr().err
    with pytest.raises(ModelError, match="a model for policy, which reads no files"):
        known_models([str(out)])


class Stopped(PolicyTask):
    """Is interrupted in its sixth batch."""

    count = 0

    def forward(self, chosen):
        self.count += 1
        if self.count == 6:
            os.kill(os.getpid(), 2)
        return super().forward(chosen)


def test_an_interrupted_run_ends_with_the_same_weights(tmp_path):
    weights = []
    for kind, out in ((PolicyTask, "a"), (Stopped, "b"), (PolicyTask, "b")):
        options = options_of(tmp_path / out, NUMBERS)
        training = PolicyTraining(epochs=3, batch_size=128, valid_every=1)
        torch.manual_seed(1)
        model = PolicyRecipe(options).build()
        task = kind(model, options)
        if kind is Stopped:
            with pytest.raises(Interrupted):
                train(task, training, options.out)
        else:
            history = train(task, training, options.out)
            weights.append(model.state_dict())
            assert [row["epoch"] for row in history] == [1, 2, 3]
    for name, weight in weights[0].items():
        assert torch.equal(weight, weights[1][name]), name


def test_a_loaded_policy_learns_on_and_must_fit(tmp_path):
    model = PolicyRecipe(options_of(tmp_path)).build()
    path = model.save(tmp_path / "base.safetensors", bits=32)
    sizes = {"model": ModelOptions(), "steps": 512, "video": False}
    options = PolicyOptions(
        env=NAME, load=str(path), out=tmp_path / "on", test_episodes=5, ppo=PpoOptions(passes=1), **sizes
    )
    PolicyRecipe(options).run()
    assert load(tmp_path / "on/model.safetensors").training_facts["base"] == "base.safetensors"
    with pytest.raises(DataError, match="in the model None"):
        PolicyRecipe(PolicyOptions(env=NUMBERS, load=str(path), out=tmp_path / "x")).run()
    with pytest.raises(DataError, match="--memory: cannot be none"):
        PolicyRecipe(
            PolicyOptions(env=NAME, load=str(path), out=tmp_path / "x", model=ModelOptions(memory="none"))
        ).run()


@pytest.mark.parametrize(
    ("env", "hide", "message"),
    [
        ("", (), "names no environment"),
        ("NoSuchThing-v0", (), "there is no such environment"),
        ("no.such.module:X-v0", (), "there is no such environment"),
        ("CartPole-v99", (), "there is no such environment"),
        (NAME, ("velocity",), "where .* has its velocities; give their places, from 0 to 0"),
        (NUMBERS, ("2",), "is no part of the observations"),
        (NUMBERS, ("0", "1"), "hides all"),
        ("tests.data.recall:Failing-v0", (), "failed in step: RuntimeError: the wheel came off"),
    ],
)
def test_what_cannot_be_trained_is_said_in_a_line(env, hide, message, tmp_path):
    with pytest.raises(DataError, match=message):
        PolicyRecipe(options_of(tmp_path / "out", env, hide=hide)).run()


def test_without_gymnasium_the_way_to_it_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    with pytest.raises(DataError, match=r"gymnasium: is not installed; pip install 'triscribe\[policy\]'"):
        PolicyRecipe(options_of(tmp_path)).run()


@pytest.mark.parametrize(
    ("space", "message"),
    [
        (spaces.Dict({"a": spaces.Discrete(2)}), "are a Dict.*FlattenObservation"),
        (spaces.Tuple([spaces.Discrete(2)]), "are a Tuple.*FlattenObservation"),
        (spaces.Text(5), "are a Text"),
        (spaces.Box(0, 255, (84, 84, 3), np.uint8), "images of shape"),
        (spaces.Box(0, 1, (9999,)), "9,999 numbers"),
        (spaces.MultiDiscrete([2] * 65), "64 choices"),
    ],
)
def test_observations_that_are_refused(space, message):
    with pytest.raises(DataError, match=message):
        observed("X-v0", space)


@pytest.mark.parametrize(
    "space",
    [spaces.Dict({"a": spaces.Discrete(2)}), spaces.Box(0, 9, (2,), np.int64), spaces.Box(0, 1, (65,))],
)
def test_actions_that_are_refused(space):
    with pytest.raises(DataError, match="its actions are"):
        acted("X-v0", space)


@pytest.mark.parametrize(
    ("observation", "action", "names"),
    [
        (spaces.Box(-np.inf, np.inf, (2, 3)), spaces.Discrete(3, start=-1), ["-1", "0", "1"]),
        (spaces.Box(0, 1, ()), spaces.MultiDiscrete([2, 2]), ["0: 0", "0: 1", "1: 0", "1: 1"]),
        (spaces.Discrete(4, start=2), spaces.MultiBinary(1), ["0: 0", "0: 1"]),
        (spaces.MultiDiscrete([3, 2]), spaces.Box(-np.inf, np.inf, (2, 1)), ["number 0", "number 1"]),
        (spaces.MultiBinary(3), spaces.Box(0, 4, (1,), np.float64), ["number 0"]),
    ],
)
def test_every_kind_of_space_is_played_and_stored(observation, action, names, tmp_path):
    assert names_of(acted("X-v0", action)) == names
    name = "Played-v0"
    gymnasium.register(
        name,
        "tests.data.recall:Spaced",
        kwargs={"observation_space": observation, "action_space": action},
    )
    try:
        options = options_of(tmp_path, name)
        model = PolicyRecipe(options).build()
        task = PolicyTask(model, options)
        task.begin(0)
        loaded = load(model.save(tmp_path / "a.safetensors", bits=32))
        before = [played(each, name, 3, 1) for each in (model, loaded)]
        assert before[0] == before[1] and len(before[0]) == 3
        found = loaded.act(observation.sample())
        assert action.contains(found.astype(action.dtype) if isinstance(found, np.ndarray) else found)
    finally:
        del gymnasium.registry[name]


def test_velocities_are_known_by_name():
    observation = {"shape": [4]}
    assert hidden_of("CartPole-v1", ("velocity",), observation) == [1, 3]
    assert hidden_of("gymnasium.envs:CartPole-v0", ("velocity", "0"), observation) == [0, 1, 3]
