"""A tiny environment that needs memory: say, until the end, which card was shown first."""

import gymnasium
import numpy as np
from gymnasium import spaces

LENGTH = 4
BLANK = 2


class Recall(gymnasium.Env):
    """A card, 0 or 1, then blanks; the reward for naming the card is shared among all steps.

    Args:
        numbers: observations are an array of the card and of noise, and actions a number below or above 0.
        limit: the time limit cuts episodes off, which else end by themselves.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 5}

    def __init__(self, numbers=False, limit=False, render_mode=None):
        self.numbers, self.limit, self.render_mode = numbers, limit, render_mode
        self.observation_space = spaces.Box(-9, 9, (2,)) if numbers else spaces.Discrete(3)
        self.action_space = spaces.Box(-2, 2, (1,)) if numbers else spaces.Discrete(2)

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.card, self.left = int(self.np_random.integers(2)), LENGTH
        return self._seen(self.card), {}

    def step(self, action):
        said = int(float(np.asarray(action).reshape(-1)[0]) > 0) if self.numbers else action
        self.left -= 1
        over = self.left == 0
        reward = (said == self.card) / LENGTH
        return self._seen(BLANK), reward, over and not self.limit, over and self.limit, {}

    def render(self):
        return np.full((32, 48, 3), 60 * self.left, np.uint8)

    def _seen(self, card):
        if not self.numbers:
            return card
        return np.array([{0: -1.0, 1: 1.0, BLANK: 0.0}[card], self.np_random.normal()], np.float32)


class Failing(Recall):
    """Raises an error in its third step."""

    def step(self, action):
        if self.left == LENGTH - 2:
            raise RuntimeError("the wheel came off")
        return super().step(action)


class Spaced(Recall):
    """Has any spaces."""

    def __init__(self, observation_space=None, action_space=None):
        super().__init__()
        self.observation_space = observation_space or self.observation_space
        self.action_space = action_space or self.action_space

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.observation_space.seed(int(self.np_random.integers(1000)))
        return self.observation_space.sample(), {}

    def step(self, action):
        assert self.action_space.contains(action), action
        _, reward, over, cut, _ = super().step(0)
        return self.observation_space.sample(), reward, over, cut, {}


gymnasium.register("Recall-v0", Recall)
gymnasium.register("RecallNumbers-v0", Recall, kwargs={"numbers": True, "limit": True})
gymnasium.register("Failing-v0", Failing)
gymnasium.register("Spaced-v0", Spaced)
NAME, NUMBERS = "tests.data.recall:Recall-v0", "tests.data.recall:RecallNumbers-v0"
