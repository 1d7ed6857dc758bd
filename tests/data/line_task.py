"""The smallest task that has everything a resumed run must get right."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import nn

from recipes.learning.options import TrainingOptions
from recipes.learning.training import Maker

EPOCHS, STEPS = 6, 5
OPTIONS = TrainingOptions(epochs=EPOCHS, valid_every=1, precision="fp32", learning_rate=0.05, average=0.4)


class Line(nn.Module):
    """A task as small as can be, with all that a resumed run must get right: dropout (the global
    generator), noise in its batches (their own), and a state beside the model that validation changes."""

    criterion = "error"
    laborious = False

    def __init__(self, stop_at: int | None = None, pause: Callable[[str], None] = lambda place: None):
        super().__init__()
        self.pause = pause
        torch.manual_seed(0)
        self.model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(0.3), nn.Linear(8, 1))
        self.register_buffer("looks", torch.tensor(0.0))
        self.stop_at, self.steps, self.made, self.losses = stop_at, 0, 0, []

    def forward(self, batch):
        if self.steps == self.stop_at:
            raise KeyboardInterrupt
        self.steps += 1
        self.pause(f"step {self.steps}")
        x, y = batch
        loss = (self.model(x) - y).square().mean() * (1 + 0.1 * self.looks)
        self.losses.append(loss.item())
        return loss

    def batches(self, epoch):
        def make(step):
            self.made += 1
            self.pause(f"batch {epoch * STEPS + step}")
            generator = torch.Generator().manual_seed(STEPS * epoch + step)
            x = torch.randn(8, 4, generator=generator)
            return x, x.sum(dim=1, keepdim=True) + 0.1 * torch.randn(8, 1, generator=generator)

        return [Maker(partial(make, step)) for step in range(STEPS)]

    def begin(self, epoch):
        torch.rand(3)

    def judge(self, scores):
        self.looks += 1

    def evaluate(self):
        self.model.eval()
        self.pause("validation")
        x = torch.linspace(-1, 1, 40).reshape(10, 4)
        with torch.no_grad():
            return {"error": float((self.model(x) - x.sum(dim=1, keepdim=True)).square().mean())}


def weights(task):
    return torch.cat([parameter.detach().flatten() for parameter in task.model.parameters()])
