"""Plots as SVG that stands inline in a page: light, plain, and without anything fetched."""

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from eval.metrics import Bin

BLUE, ORANGE, GREEN, RED, GREY = "#2b6cb0", "#c05621", "#2f855a", "#c53030", "#718096"
LINES = (BLUE, ORANGE, GREEN, RED, GREY)
STYLE: dict[Any, Any] = {
    "font.size": 9, "font.family": "sans-serif", "svg.fonttype": "none", "axes.spines.top": False,
    "axes.spines.right": False, "axes.edgecolor": "#a0aec0", "axes.grid": True, "grid.color": "#edf2f7",
    "axes.axisbelow": True, "legend.frameon": False, "figure.facecolor": "white",
}  # fmt: skip


def svg(figure: Figure, name: str) -> str:
    """The figure as an ``<svg>`` element; ids carry ``name``, so that several fit one page."""
    buffer = io.StringIO()
    with mpl.rc_context(STYLE | {"svg.hashsalt": name}):
        figure.savefig(
            buffer, format="svg", bbox_inches="tight", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type"))
        )
    text = buffer.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.S)
    text = re.sub(r'\b(id="|url\(#|href="#)', rf"\g<1>{name}-", text)
    return text.replace("<svg ", '<svg aria-hidden="true" ', 1)


def _figure(width: float = 5.2, height: float = 3.6, **grid: Any) -> tuple[Figure, np.ndarray]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, np.atleast_1d(figure.subplots(**grid))


def confusion(matrix: np.ndarray, names: Sequence[str], name: str) -> str:
    """Shares of each true row, with counts written in."""
    with mpl.rc_context(STYLE | {"axes.grid": False}):
        figure, axes = _figure(5.0, 4.2)
        share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
        axes[0].imshow(share, cmap="Blues", vmin=0, vmax=1)
        for (i, j), count in np.ndenumerate(matrix):
            colour = "white" if share[i, j] > 0.6 else "#1a202c"
            axes[0].text(j, i, f"{count}\n{share[i, j]:.0%}", ha="center", va="center", color=colour, fontsize=8)
        axes[0].set_xticks(range(len(names)), names, rotation=30, ha="right")
        axes[0].set_yticks(range(len(names)), names)
        axes[0].set(xlabel="read as", ylabel="labelled as")
        return svg(figure, name)


def reliability(curves: Mapping[str, Sequence[Bin]], name: str, what: str = "right") -> str:
    """Confidence against what came true; the diagonal is perfect."""
    with mpl.rc_context(STYLE):
        figure, axes = _figure(4.6, 4.0)
        axes[0].plot([0, 1], [0, 1], color=GREY, lw=1, ls="--", label="perfect")
        for (label, bins), colour in zip(curves.items(), LINES, strict=False):
            axes[0].plot([b.confidence for b in bins], [b.right for b in bins], marker="o", color=colour, label=label)
        axes[0].set(xlabel="probability that was stated", ylabel=f"share that was {what}", xlim=(0, 1), ylim=(0, 1.02))
        axes[0].legend()
        return svg(figure, name)


def precision_recall(
    curves: Mapping[str, tuple[np.ndarray, np.ndarray]], chosen: tuple[str, float, float], name: str
) -> str:
    """(precision, recall) by reader, and the point that the chosen threshold gives: (label, precision, recall)."""
    with mpl.rc_context(STYLE):
        figure, axes = _figure()
        for (label, (precision, recall)), colour in zip(curves.items(), LINES, strict=False):
            axes[0].plot(recall, precision, color=colour, label=label)
        axes[0].plot(chosen[2], chosen[1], marker="D", ms=8, color=RED, ls="", label=chosen[0])
        axes[0].set(xlabel="recall", ylabel="precision", xlim=(0, 1.02), ylim=(0, 1.02))
        axes[0].legend(loc="lower left")
        return svg(figure, name)


def curve(x: np.ndarray, y: np.ndarray, chosen: tuple[float, float], x_label: str, y_label: str, name: str) -> str:
    """One quantity against another, both shares, and the point that is chosen."""
    with mpl.rc_context(STYLE):
        figure, axes = _figure(4.6, 3.6)
        axes[0].plot(x, y, color=BLUE, marker="o", ms=3)
        axes[0].plot(*chosen, marker="D", ms=8, color=RED, ls="", label="as shipped")
        axes[0].set(xlabel=x_label, ylabel=y_label, xlim=(0, 1.02), ylim=(0, 1.02))
        axes[0].legend(loc="lower right")
        return svg(figure, name)


def bars(labels: Sequence[str], values: Sequence[tuple[float, float, float]], what: str, name: str) -> str:
    """Horizontal bars with (value, low, high)."""
    with mpl.rc_context(STYLE):
        figure, axes = _figure(6.2, 1.0 + 0.24 * len(labels))
        value, low, high = (np.nan_to_num(np.array(v, dtype=float)) for v in zip(*values, strict=True))
        spread = np.maximum(np.stack([value - low, high - value]), 0)
        axes[0].barh(range(len(labels)), value, color="#90cdf4", xerr=spread, error_kw={"ecolor": GREY, "lw": 1})
        axes[0].set_yticks(range(len(labels)), labels)
        axes[0].invert_yaxis()
        axes[0].set(xlabel=what, xlim=(0, None))
        return svg(figure, name)


def moods(curves: Sequence[tuple[str, Sequence[float], tuple[int, int]]], threshold: float, name: str) -> str:
    """Small multiples: (title, P(frustrated) by turn, window) of each dialogue; the window is shaded."""
    with mpl.rc_context(STYLE):
        columns = min(3, len(curves))
        rows = -(-len(curves) // columns)
        figure, grid = _figure(2.6 * columns, 0.4 + 1.7 * rows, nrows=rows, ncols=columns, sharey=True, squeeze=False)
        for axis, (title, values, window) in zip(grid.flat, curves, strict=False):
            axis.axvspan(window[0] - 0.5, window[1] + 0.5, color="#fefcbf")
            axis.axhline(threshold, color=RED, lw=1, ls="--")
            axis.plot(range(1, len(values) + 1), values, marker="o", ms=4, color=BLUE)
            axis.set(title=title, ylim=(0, 1.02), xticks=range(1, len(values) + 1))
        for axis in list(grid.flat)[len(curves) :]:
            axis.set_axis_off()
        figure.supxlabel("customer turn", fontsize=9)
        figure.supylabel("P(frustrated)", fontsize=9)
        return svg(figure, name)


def steps(series: Mapping[str, tuple[np.ndarray, np.ndarray]], xlabel: str, ylabel: str, name: str) -> str:
    """One line for each (x, y)."""
    with mpl.rc_context(STYLE):
        figure, axes = _figure()
        for (label, (x, y)), colour in zip(series.items(), LINES, strict=False):
            axes[0].plot(x, y, color=colour, label=label)
        axes[0].set(xlabel=xlabel, ylabel=ylabel, xlim=(0, None), ylim=(0, None))
        axes[0].legend()
        return svg(figure, name)
