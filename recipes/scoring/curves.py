"""Learning curves as SVG drawings that stand in a web page and take on its colours."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Mapping, Sequence
from itertools import cycle

INK = "#123456"  # stands for the page's text colour
SHOWN = {
    "cer": "CER",
    "wer": "WER",
    "wrong": "not exact",
    "missed_bleu4": "100 - BLEU-4",
    "error": "wrong class",
    "brier": "Brier score",
    "order_error": "order of actions",
}
OTHERS = ("epoch", "loss", "seconds", "learning_rate", "nats")  # columns that are no error rate
PLAIN = ("loss", "nats")  # columns that are no shares
COLOURS = ("#2f7fc1", "#cf6a1c", "#3f9a5f", "#a44fb5", "#b08a00")
STYLES = ("-", "--", ":")
WIDTH, HEIGHT, LINE = 5.2, 3.1, 0.19  # inches of a drawing, and of a line of its legend
STEEP = 50.0  # a loss that falls by a larger factor is drawn on a logarithmic axis
CROWDED = 40  # epochs from which points have no mark of their own


def learning_curves(history: Sequence[Mapping[str, float]]) -> list[str]:
    """SVG elements: the training loss, and the error rates on the validation data, both over epochs.

    Axes start at 0, except that of a loss which falls by a factor of more than 50: it is logarithmic.
    Epochs whose loss is not finite are marked.

    Args:
        history: one row an epoch; every column but the epoch, the loss, the learning rate, the seconds and
            the nats of a symbol is an error rate as a share of 1. `averaged_*` in the last row becomes a mark
            of its own.
    """
    columns = dict.fromkeys(name for row in history for name in row)
    rates = [name for name in columns if name not in OTHERS and not name.startswith("averaged_")]
    panels = {"Loss on the training data": ["loss"], "Nats a symbol on the validation data": ["nats"]}
    panels |= {"Error rates on the validation data (%)": rates}
    return [_drawn(history, title, names) for title, names in panels.items() if columns.keys() & set(names)]


def _drawn(history: Sequence[Mapping[str, float]], title: str, names: Sequence[str]) -> str:
    import matplotlib
    from matplotlib.figure import Figure

    inks = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
    settings = {"svg.fonttype": "none", "svg.hashsalt": title, "font.size": 10, "axes.grid": True}
    settings |= {"grid.alpha": 0.25, "axes.spines.top": False, "axes.spines.right": False}
    with matplotlib.rc_context(settings | dict.fromkeys(inks, INK)):
        figure = Figure((WIDTH, HEIGHT), layout="constrained")
        axes = figure.add_subplot()
        for name, colour, style in zip(names, cycle(COLOURS), cycle(STYLES)):
            _draw(axes, history, name, colour, style)
        title += _scale(axes, history, names)
        axes.set_title(title, fontsize=10, loc="left")
        axes.set_xlabel("epoch")
        labels = axes.get_legend_handles_labels()[1]
        if labels:
            figure.legend(loc="outside lower left", frameon=False, fontsize=9, ncols=2)
            figure.set_figheight(HEIGHT + LINE * math.ceil(len(labels) / 2))
        file = io.StringIO()
        no_metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(file, format="svg", transparent=True, metadata=no_metadata)
    return _inline(file.getvalue(), title)


def _draw(axes, history: Sequence[Mapping[str, float]], name: str, colour: str, style: str) -> None:
    scale = 1 if name in PLAIN else 100
    rows = [row for row in history if name in row]
    epochs, values = [row["epoch"] for row in rows], [scale * row[name] for row in rows]
    finite = [value for value in values if math.isfinite(value)]
    mark = "." if len(rows) < CROWDED else ""
    shown = SHOWN.get(name, name.replace("_", " "))
    unit = "" if name in PLAIN else " %"
    label = None if name == "loss" or not finite else f"{shown}, lowest {min(finite):.2f}{unit}"
    whole = [value if math.isfinite(value) else math.nan for value in values]
    axes.plot(epochs, whole, style, color=colour, marker=mark, label=label, clip_on=False)
    lost = [epoch for epoch, value in zip(epochs, values, strict=True) if not math.isfinite(value)]
    if lost:
        what = "" if name == "loss" else f"{shown} "
        where = axes.get_xaxis_transform()  # across in epochs, down in shares of the drawing
        label = f"{what}not finite"
        axes.plot(lost, [0.04] * len(lost), "x", color=colour, transform=where, label=label)
    averaged = history[-1].get(f"averaged_{name}")
    if averaged is not None and math.isfinite(averaged):
        label = f"with averaged weights {scale * averaged:.2f}{unit}"
        style = {"color": colour, "markerfacecolor": "none", "clip_on": False}
        axes.plot(history[-1]["epoch"], scale * averaged, "D", label=label, **style)


def _scale(axes, history: Sequence[Mapping[str, float]], names: Sequence[str]) -> str:
    """Fit the axes to all that is drawn; returns what the title has to add."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlim(0, max(1, history[-1]["epoch"]))
    drawn = [*names, *(f"averaged_{name}" for name in names)]
    values = [row[name] for row in history for name in drawn if name in row and math.isfinite(row[name])]
    low, high = min(values, default=0.0), max(values, default=0.0)
    if list(names) == ["loss"] and low > 0 and high / low > STEEP:
        axes.set_yscale("log")
        axes.set_ylim(low / 1.2, high * 1.2)
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
        return ", logarithmic axis"
    if low >= 0:
        axes.set_ylim(0, 1.05 * high * (1 if names[0] in PLAIN else 100) or 1)
    return ""


def _inline(svg: str, title: str) -> str:
    """A drawing as an element of an HTML page: without its head, namespaces and names that occur twice."""
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    svg = re.sub(r' xmlns(:\w+)?="[^"]*"', "", svg)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    svg = re.sub(r"font-family: [^;\"]*", "font-family: inherit", svg)
    return re.sub(r'width="[^"]*" height="[^"]*"', f'role="img" aria-label="{title}"', svg, count=1)
