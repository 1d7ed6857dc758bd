"""Learning curves: nothing is cut off, axes start at 0, and what is not finite is marked."""

import math

import pytest
from matplotlib.figure import Figure

from recipes.scoring.curves import learning_curves
from tests.data.web import WebPage


def history(losses, **rates):
    rows = [{"epoch": place + 1, "loss": loss, "seconds": 1.0} for place, loss in enumerate(losses)]
    for name, values in rates.items():
        for row, value in zip(rows, values, strict=True):
            row[name] = value
    return rows


def drawn(rows, monkeypatch) -> list:
    """The axes of the drawings, after what a browser is given was found valid."""
    figures, savefig = [], Figure.savefig

    def keep(figure, *args, **options):
        figures.append(figure)
        return savefig(figure, *args, **options)

    monkeypatch.setattr(Figure, "savefig", keep)
    for curve in learning_curves(rows):
        page = WebPage(curve)
        assert page.tags[0] == "svg" and "currentColor" in curve
    return [figure.axes[0] for figure in figures]


@pytest.mark.parametrize(
    "rows",
    [
        history([3.0, 1.5, 1.0], cer=[1.3, 0.4, 0.02], wer=[1.9, 0.9, 0.08], averaged_cer=[1.0, 0.5, 0.01]),
        history([2.0], cer=[0.5]),
        history([20000.0, 60.0, 2.0, 1.0], cer=[9.0, 0.5, 0.2, 0.001]),
        history([0.0, 0.0], cer=[0.0, 0.0]),
        history([math.inf, math.nan, 3.0], cer=[math.nan, 0.5, 0.2]),
        history([math.nan, math.nan]),
        history([1.0, -2.0]),
        history([5.0 - place / 100 for place in range(200)], **{f"rate{n}": [n / 9] * 200 for n in range(7)}),
    ],
    ids=["usual", "one epoch", "huge first", "zeros", "not finite", "never finite", "negative", "many"],
)
def test_no_curve_is_cut_off(rows, monkeypatch):
    for axes in drawn(rows, monkeypatch):
        (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
        assert left == 0 and (bottom == 0 or axes.get_yscale() == "log" or min(r["loss"] for r in rows) < 0)
        for line in axes.lines:
            if line.get_transform() == axes.transData:
                points = [point for point in zip(*line.get_data(), strict=True) if math.isfinite(point[1])]
                assert all(left <= x <= right and bottom <= y <= top for x, y in points)


def test_every_rate_is_drawn_and_named(monkeypatch):
    rows = history([3.0, 1.5], **{f"rate{number}": [0.9, number / 10] for number in range(7)})
    _, axes = drawn(rows, monkeypatch)
    assert len(axes.lines) == 7
    assert [line.get_label() for line in axes.lines][3] == "rate3, lowest 30.00 %"


def test_rates_are_linear_and_a_steep_loss_is_not(monkeypatch):
    loss, rates = drawn(history([900.0, 1.0], cer=[1.0, 0.001]), monkeypatch)
    assert (loss.get_yscale(), rates.get_yscale()) == ("log", "linear")
    assert "logarithmic" in loss.get_title(loc="left")


def test_epochs_that_are_not_finite_are_marked(monkeypatch):
    (axes,) = drawn(history([math.inf, 2.0, math.nan, 1.0]), monkeypatch)
    (marks,) = [line for line in axes.lines if line.get_label() == "not finite"]
    assert list(marks.get_xdata()) == [1, 3]


def test_names_and_the_lowest_value_are_told():
    rows = history([3.0, 1.0], cer=[0.4, 0.02])
    rows[-1]["averaged_cer"] = 0.01
    loss, rates = learning_curves(rows)
    assert "Loss on the training data" in loss
    for part in ("CER, lowest 2.00 %", "with averaged weights 1.00 %", "epoch"):
        assert part in rates
    assert learning_curves([]) == [] and len(learning_curves(history([1.0]))) == 1
