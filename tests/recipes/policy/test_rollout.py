"""recipes.policy: what is learnt from at once equals what was lived through step by step."""

import random
from dataclasses import replace

import pytest
import torch

from recipes.policy.options import ModelOptions, PolicyOptions, PolicyTraining, PpoOptions
from recipes.policy.recipe import PolicyRecipe
from recipes.policy.rollout import Rollout, advantages, pieces, through
from recipes.policy.task import PolicyTask, batched, from_plain, to_plain
from tests.data.recall import NAME, NUMBERS

SMALL = {"input_size": 8, "decoder_size": 8, "hidden_size": 8}


def task_of(env=NAME, memory="lstm", **ppo):
    torch.manual_seed(0)
    sizes = ModelOptions(memory=memory, frames=3, **SMALL)
    options = PolicyOptions(
        env=env,
        model=sizes,
        ppo=PpoOptions(environments=3, rollout=11, **ppo),
        training=PolicyTraining(batch_size=8),
    )
    model = PolicyRecipe(options).build()
    with torch.no_grad():
        model.decoder.actor[2].weight.normal_()  # an untrained one is hardly decided
    return PolicyTask(model, options)


def rollout_of(rewards, values, ended, after, final):
    columns = [torch.tensor(each)[:, None] for each in (rewards, values, ended, after)]
    empty = torch.zeros(len(rewards), 1)
    return Rollout(
        empty, empty, empty, columns[1], columns[0], columns[2], columns[3], torch.tensor([final]), []
    )


@pytest.mark.parametrize("env", [NAME, NUMBERS])
@pytest.mark.parametrize("memory", ["lstm", "gru", "stacked", "none"])
def test_whole_sequences_give_what_single_steps_gave(env, memory):
    """In the second rollout, with a state carried over, and resets inside."""
    task = task_of(env, memory)
    task.begin(0)
    task.begin(1)
    rollout = task.position.rollout
    assert rollout.ended.any() and not rollout.ended[-1].all() and len(rollout.state) == 1
    task.model.train()
    found = pieces(rollout.ended)
    for chosen in (found, found[::-1], random.Random(1).sample(found, 3)):
        states, places = through(task.model, chosen, rollout)
        judged = task.model.decoder(states)
        log_probs = task.model.decoder.log_probs(judged.outputs, rollout.actions.flatten(0, 1)[places])
        assert torch.allclose(log_probs, rollout.log_probs.flatten()[places], atol=1e-4)
    assert sorted(places.tolist()) != list(range(33))
    assert sorted(through(task.model, found, rollout)[1].tolist()) == list(range(33))


def test_one_environment_by_the_public_function_acts_as_many_side_by_side():
    task = task_of()
    task.begin(0)
    rollout, model = task.position.rollout, task.model
    for place in range(3):
        model.reset()
        for step in range(11):
            x = rollout.observations[step, place]
            before = model._state
            judged, _ = model.step(x[None], before)
            model.act(int(x))
            log_prob = model.decoder.log_probs(judged.outputs, rollout.actions[step, place][None])
            assert log_prob.item() == pytest.approx(rollout.log_probs[step, place].item(), abs=1e-4)
            if rollout.ended[step, place]:
                model.reset()


def test_advantages_are_those_of_a_plain_loop():
    torch.manual_seed(1)
    rewards, values, after = torch.randn(3, 12).tolist()
    ended = [False, False, True, False, True, True, False, False, False, True, False, False]
    after = [after[step] if end and step % 2 else 0.0 for step, end in enumerate(ended)]
    gamma, share, final = 0.9, 0.7, 0.3
    found = advantages(rollout_of(rewards, values, ended, after, final), gamma, share)[:, 0]
    for start in range(12):
        total, weight = 0.0, 1.0
        for step in range(start, 12):  # the sum of discounted surprises to the end of the episode
            behind = after[step] if ended[step] else (values[step + 1] if step < 11 else final)
            total += weight * (rewards[step] + gamma * behind - values[step])
            weight *= gamma * share
            if ended[step]:
                break
        assert found[start].item() == pytest.approx(total, abs=1e-5)


def test_only_episodes_that_are_cut_off_go_on_in_value():
    over, cut = task_of(NAME), task_of(NUMBERS)
    for task in (over, cut):
        task.begin(0)
    assert over.position.rollout.ended.any() and not over.position.rollout.after.any()
    rollout = cut.position.rollout
    assert torch.equal(rollout.after != 0, rollout.ended)


def test_batches_have_every_piece_once():
    ended = torch.rand(40, 3, generator=torch.Generator().manual_seed(0)) < 0.2
    found = pieces(ended)
    assert sum(piece.length for piece in found) == 120
    batches = batched(found, 30, random.Random(0))
    assert len(batches) == 4 and all(batches)
    assert sorted(map(repr, sum(batches, []))) == sorted(map(repr, found))


@pytest.mark.parametrize("env", [NAME, NUMBERS])
def test_a_run_goes_on_elsewhere_as_it_would_have_here(env):
    """The environments' unfinished episodes are repeated, the core's state and the moments are kept."""
    task = task_of(env, correlation=0.5 if env == NUMBERS else 0.0)
    task.begin(0)
    kept = from_plain(to_plain(task.position))
    other = task_of(env, correlation=0.5 if env == NUMBERS else 0.0)
    other.load_state_dict(task.state_dict())
    assert to_plain(other.position).keys() == to_plain(kept).keys()
    for each in (task, other):
        torch.manual_seed(5)
        each.begin(1)
    for name, value in vars(task.position.rollout).items():
        if isinstance(value, torch.Tensor):
            assert torch.equal(value, getattr(other.position.rollout, name)), name
    assert task.position.places == other.position.places


def test_what_is_tried_out_can_be_correlated():
    task = task_of(NUMBERS, correlation=0.9)
    noise, kept = torch.randn(400, 1), []
    task.ppo = replace(task.ppo, environments=400)
    for _ in range(33):
        new = task._next_noise(noise, torch.zeros(400, dtype=torch.bool))
        kept.append((noise * new).mean().item())
        noise = new
    assert noise.std().item() == pytest.approx(1, abs=0.2)
    assert sum(kept) / 30 == pytest.approx(0.9, abs=0.1)
