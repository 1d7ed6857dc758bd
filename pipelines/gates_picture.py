"""A picture of the core at work: its memory cells and gates over the spectrogram that it reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from encoders.gates import look_inside
from pipelines.errors import MediaError
from pipelines.media.audio import Source, open_audio, read_audio
from pipelines.model import SequenceModel
from pipelines.reading.batches import labels_of
from pipelines.reading.inference import for_inference
from pipelines.reading.settings import NONE, SearchOptions
from pipelines.speech import speech_model

LONGEST = 20.0  # seconds that fit on one picture
WIDTH, NARROWEST = 1.6, 10.0  # inches a second, and at least
TICKS = (250, 500, 1000, 2000, 4000, 8000)  # Hz
PANELS = {
    "input": ("input gate i", "how much is written"),
    "forget": ("forget gate f", "how much is kept"),
    "output": ("output gate o", "how much is shown"),
    "memory": ("memory cell c", "what is stored"),
    "reset": ("reset gate r", "how much past the candidate sees"),
    "update": ("update gate z", "how much is kept"),
    "hidden": ("hidden state h", "what is stored and shown"),
}
HEADING = {"loc": "left", "fontsize": 10}
COLOURS = {"input": "tab:green", "forget": "tab:red", "output": "tab:blue"}
COLOURS |= {"reset": "tab:green", "update": "tab:red"}


def draw(
    source: Source,
    out: str | Path,
    model: SequenceModel | str | Path | None = None,
    layer: int = 1,
    cells: int = 60,
    direction: str = "ahead",
) -> Path:
    """Draw the gates and memory cells of one layer over a recording.

    From the top: the log-mel spectrogram with the characters where they are recognised; each gate and the
    memory as a map of cells over time, the cells in the order in which their memory peaks; and the gates and
    memory of the most active cell as curves.

    Args:
        source: a recording of at most 20 seconds.
        out: .png, .svg or .pdf.
        layer: from 1, the lowest.
        cells: number of cells to show, those whose memory varies most.
        direction: "ahead" or "back" in time.

    Raises:
        MediaError: the recording cannot be read or is too long.
        ValueError: no such layer or direction, or no cells.
    """
    import matplotlib.pyplot as plt

    model = for_inference(speech_model(model), "cpu")
    core = model.core
    if not 1 <= layer <= core.num_layers:
        raise ValueError(f"layer {layer}: the core has layers 1 to {core.num_layers}")
    if cells < 1:
        raise ValueError(f"cells must be at least 1, not {cells}")
    rate = model.front_end.sample_rate
    audio = open_audio(source)
    if audio.duration and audio.duration > LONGEST:
        raise MediaError(audio.name, f"lasts {audio.duration:.0f} s", f"cut out at most {LONGEST:.0f} s")
    samples = read_audio(source, rate)
    with torch.inference_mode():
        waveform, length = torch.from_numpy(samples).unsqueeze(0), torch.tensor([len(samples)])
        features, frames = model.front_end.log_mel(waveform, length)
        x, steps = model.front_end.subsampling(features, frames)
        both = look_inside(core, x, steps)[layer - 1]
    (labels,) = labels_of(model, [waveform[0]], SearchOptions(language_model=NONE))
    if direction not in both:
        raise ValueError(f"direction {direction!r}: this core runs {' and '.join(both)}")
    gates = {name: value[0] for name, value in both[direction]._asdict().items() if name in PANELS}
    if "memory" in gates:
        del gates["hidden"]
    stored = "memory" if "memory" in gates else "hidden"
    shown = _most_active(gates[stored], cells)

    figure, axes = plt.subplots(
        len(gates) + 2,
        1,
        figsize=(max(NARROWEST, WIDTH * len(samples) / rate), 1.7 * (len(gates) + 2)),
        sharex=True,
        layout="constrained",
        gridspec_kw={"height_ratios": [1.5] + [1.0] * len(gates) + [1.2]},
    )
    step, end = model.front_end.frame_seconds, len(samples) / rate
    _draw_spectrogram(axes[0], features[0].T.numpy(), model, end)
    axes[0].set_title("spectrogram and recognised characters\n", **HEADING)
    for frame, label in zip(labels.starts, labels.ids, strict=True):
        symbol = model.alphabet.decode([label]).replace(" ", "␣")
        axes[0].annotate(
            symbol, (frame * step, 1.02), xycoords=("data", "axes fraction"), ha="center", va="bottom"
        )
    extent = (-step / 2, (len(gates[stored]) - 0.5) * step, 0, len(shown))
    for axis, (name, values) in zip(axes[1:], gates.items(), strict=False):
        _draw_map(figure, axis, values[:, shown].T.numpy(), extent, name, name == stored)
    _draw_cell(axes[-1], gates, stored, shown, step)
    axes[-1].set_xlim(0, end)
    axes[-1].set_xlabel("time in seconds")
    way = {"ahead": "forwards", "back": "backwards"}[direction]
    figure.suptitle(
        f"{Path(audio.name).name}: layer {layer} of {core.num_layers}, reading {way}, "
        f"{len(shown)} of {core.hidden_size} {core.cell.upper()} cells"
    )
    out = Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=120)
    plt.close(figure)
    return out


def _most_active(stored: Tensor, cells: int) -> Tensor:
    """The cells whose memory varies most, ordered by when it is largest.

    The memory is squashed by tanh, as the output gate sees it, so that a cell which only counts up does not
    stand out.
    """
    chosen = stored.tanh().std(dim=0).topk(min(cells, stored.size(1))).indices
    return chosen[stored[:, chosen].abs().argmax(dim=0).argsort()]


def _draw_spectrogram(axis, features: np.ndarray, model: SequenceModel, end: float) -> None:
    """(bands, frames) of log-mel energy, with the frequencies that lie at the bands."""
    log_mel = model.front_end.log_mel
    hop = log_mel.hop / log_mel.sample_rate
    low, high = (_mel(frequency) for frequency in (20.0, log_mel.sample_rate / 2 - 100.0))
    extent = (-hop / 2, (features.shape[1] - 0.5) * hop, low, high)
    axis.imshow(features, origin="lower", aspect="auto", extent=extent, interpolation="nearest", cmap="magma")
    ticks = [frequency for frequency in TICKS if low <= _mel(frequency) <= high]
    axis.set_yticks([_mel(frequency) for frequency in ticks], [f"{frequency}" for frequency in ticks])
    axis.set(ylabel="frequency in Hz", xlim=(0, end))


def _mel(frequency: float) -> float:
    """On the scale of HTK, as the front end has it."""
    return 2595.0 * float(np.log10(1.0 + frequency / 700.0))


def _draw_map(figure, axis, values: np.ndarray, extent: tuple, name: str, signed: bool) -> None:
    """A gate from 0 (closed) to 1 (open), or the memory from negative to positive with white between."""
    largest = float(np.quantile(np.abs(values), 0.995)) if signed else 1.0
    image = axis.imshow(
        values,
        origin="lower",
        aspect="auto",
        extent=extent,
        interpolation="nearest",
        cmap="RdBu_r" if signed else "viridis",
        vmin=-largest if signed else 0.0,
        vmax=largest,
    )
    title, meaning = PANELS[name]
    axis.set_title(f"{title}: {meaning}", **HEADING)
    axis.set(ylabel="cells", yticks=[0.5, len(values) - 0.5])
    axis.set_yticklabels(["1", f"{len(values)}"])
    figure.colorbar(image, ax=axis, pad=0.01, label="value" if signed else "0 closed, 1 open")


def _draw_cell(axis, gates: dict[str, Tensor], stored: str, shown: Tensor, step: float) -> None:
    """The gates of the most active cell as curves, its memory on an axis of its own."""
    cell = int(shown[gates[stored][:, shown].tanh().std(dim=0).argmax()])
    seconds = np.arange(len(gates[stored])) * step
    for name, colour in COLOURS.items():
        if name in gates:
            axis.plot(seconds, gates[name][:, cell], color=colour, label=PANELS[name][0], linewidth=1.2)
    axis.set(ylim=(-0.03, 1.03), ylabel="gates, 0 to 1")
    axis.set_title(f"cell {cell}", **HEADING)
    memory = axis.twinx()
    memory.plot(seconds, gates[stored][:, cell], color="black", label=PANELS[stored][0], linewidth=1.8)
    memory.set_ylabel(PANELS[stored][0])
    lines = axis.get_lines() + memory.get_lines()
    axis.legend(
        lines,
        [line.get_label() for line in lines],
        ncols=4,
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        fontsize=8,
        frameon=False,
    )
