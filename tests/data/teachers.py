"""What a teacher adds to the loss of a model that says the same already, or something else."""

import torch

from decoders.alphabet import Alphabet
from pipelines.model import SequenceModel
from recipes.learning.fitting import remade
from recipes.learning.reading_task import ReadingTask
from recipes.learning.teacher import Teacher


def knowing_more(model: SequenceModel, more: str) -> SequenceModel:
    """The model with more symbols, which it never writes, and all of them in another order."""
    symbols = (*more, *reversed(model.alphabet.symbols))
    larger = remade(model, alphabet=Alphabet(symbols))
    places = [0] + [1 + symbols.index(symbol) for symbol in model.alphabet.symbols]
    weights = {**larger.state_dict(), **model.state_dict()}
    for name, outside in (("decoder.project.weight", 0.0), ("decoder.project.bias", -30.0)):
        wider = torch.full_like(larger.state_dict()[name], outside)
        wider[places] = model.state_dict()[name]
        weights[name] = wider
    larger.load_state_dict(weights)
    return larger


def sure_of_another(model: SequenceModel, **core: int) -> SequenceModel:
    """A model with another core that finds its first symbol nearly everywhere, whatever its weights."""
    other = remade(model, core={**model.sizes["core"], **core})
    with torch.no_grad():
        other.decoder.project.bias[1] += 5
    return other


def losses_of(task: ReadingTask, *teachers: SequenceModel | None) -> list[float]:
    """Of the first batch, which is not varied at random behind the front end, with each of some teachers."""
    task.eval()
    task.precision = "fp32"  # of the teacher, as of the task here
    found = []
    for model in teachers:
        task.teacher = model and Teacher(model, task.model.alphabet.symbols, 1.0)
        with torch.no_grad():
            found.append(task(task.batches(0)[0]()).item())
    return found
