"""Learning curves as drawings that stand in a web page and take on its colours."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence

INK = "#123456"  # stands for the page's text colour
SHOWN = {"cer": "CER", "wer": "WER", "wrong": "not exact", "missed_bleu4": "100 - BLEU-4"}
COLOURS, STYLES = ("#2f7fc1", "#cf6a1c", "#3f9a5f"), ("-", "--", ":")


def learning_curves(history: Sequence[Mapping[str, float]]) -> list[str]:
    """SVG elements: the training loss, and the error rates on the validation data, both over epochs.

    Args:
        history: what `train` returned; every column but `epoch`, `loss` and `seconds` is an error
            rate as a share of 1. `averaged_*` in the last row becomes a mark of its own.
    """
    columns = {name: None for row in history for name in row}
    rates = [name for name in columns if name not in ("epoch", "loss", "seconds")]
    rates = [name for name in rates if not name.startswith("averaged_")]
    panels = {"Loss on the training data": ["loss"], "Error rates on the validation data, %": rates}
    return [_drawn(history, title, names) for title, names in panels.items() if columns.keys() & set(names)]


def _drawn(history: Sequence[Mapping[str, float]], title: str, names: Sequence[str]) -> str:
    import matplotlib
    from matplotlib.figure import Figure

    inks = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
    settings = {"svg.fonttype": "none", "svg.hashsalt": title, "font.size": 10, "axes.grid": True}
    settings |= {"grid.alpha": 0.25, "axes.spines.top": False, "axes.spines.right": False}
    with matplotlib.rc_context(settings | dict.fromkeys(inks, INK)):
        figure = Figure((5.2, 3.1), layout="constrained")
        axes = figure.add_subplot()
        for name, colour, style in zip(names, COLOURS, STYLES, strict=False):
            _draw(axes, history, name, colour, style)
        _scale(axes)
        axes.set_title(title, fontsize=10, loc="left")
        axes.set_xlabel("epoch")
        if axes.get_legend_handles_labels()[0]:
            axes.legend(frameon=False, fontsize=9)
        file = io.StringIO()
        no_metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(file, format="svg", transparent=True, metadata=no_metadata)
    return _inline(file.getvalue(), title)


def _draw(axes, history: Sequence[Mapping[str, float]], name: str, colour: str, style: str) -> None:
    scale = 1 if name == "loss" else 100
    rows = [row for row in history if name in row]
    epochs, values = [row["epoch"] for row in rows], [scale * row[name] for row in rows]
    shown = SHOWN.get(name, name)
    label = None if name == "loss" else f"{shown}, lowest {min(values):.2f} %"
    axes.plot(epochs, values, style, color=colour, marker="." if len(rows) < 40 else "", label=label)
    averaged = history[-1].get(f"averaged_{name}")
    if averaged is not None:
        label = f"{shown} with averaged weights, {scale * averaged:.2f} %"
        axes.plot(epochs[-1], scale * averaged, "D", color=colour, markerfacecolor="none", label=label)


def _scale(axes) -> None:
    """Whole epochs; a logarithmic axis where the values span more than a factor of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    values = [value for line in axes.lines for value in line.get_ydata()]
    if min(values) > 0 and max(values) / min(values) > 10:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
    elif min(values) >= 0:
        axes.set_ylim(bottom=0)


def _inline(svg: str, title: str) -> str:
    """A drawing as an element of an HTML page: without its head, namespaces and names that occur twice."""
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    svg = re.sub(r' xmlns(:\w+)?="[^"]*"', "", svg)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    svg = re.sub(r"font-family: [^;\"]*", "font-family: inherit", svg)
    return re.sub(r'width="[^"]*" height="[^"]*"', f'role="img" aria-label="{title}"', svg, count=1)
