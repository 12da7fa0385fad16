"""Attention step by step: arcs and lines, the boxes that move into heads, who can reach whom, the cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Arc, Rectangle

from bertlib.errors import InputError
from bertlib.viz.figure import name_cells, write
from bertlib.viz.style import FAINT, GROUND, LINES, NORMAL, SMALL, bare, prepare, readable_on, tint

THICKEST = 7.0  # points, for a weight of 1


def draw_arcs(ax: Axes, words: Sequence[str], source: int, weights: Any, *, title: str = "") -> Axes:
    """Draw how one word looks at all: an arc to each, as thick as its weight.

    Args:
        ax: where to draw.
        words: T words, from left to right.
        source: place of the word that looks.
        weights: T numbers from 0 to 1.
        title: printed above.

    Raises:
        InputError: not one weight a word, or a source outside the text.
    """
    values = np.asarray(weights, dtype=float)
    if values.shape != (len(words),) or not 0 <= source < len(words):
        raise InputError(
            f"{len(words)} words, weights of shape {values.shape}, source {source}; expected one weight "
            "a word and a source among them"
        )
    bare(ax)
    highest = 0.35 + 0.22 * max(source, len(words) - 1 - source)
    for t in np.argsort(values).tolist():  # the thickest last, on top of the others
        middle, span = (source + t) / 2, abs(source - t)
        size = (span, 2 * (0.22 * span + 0.35)) if span else (0.4, 0.9)
        colour, width = tint("query", 0.22 + 0.78 * float(values[t])), 0.8 + THICKEST * values[t]
        ax.add_patch(Arc((middle, 0), *size, theta1=0, theta2=180, color=colour, linewidth=width))
    for t, word in enumerate(words):
        weight = "bold" if t == source else "normal"
        write(ax, t, -0.12, word, va="top", fontsize=NORMAL, weight=weight)
    ax.set_xlim(-0.6, len(words) - 0.4)
    ax.set_ylim(-0.5, highest + 0.1)
    ax.set_title(title, fontsize=NORMAL)
    return ax


def draw_lines(ax: Axes, weights: Any, words: Sequence[str], *, title: str = "", least: float = 0.1) -> Axes:
    """Draw one head as lines from the words that look (left) to the words looked at (right).

    Args:
        ax: where to draw.
        weights: (T, T) numbers from 0 to 1.
        words: T words.
        title: printed above.
        least: smaller weights are left out; they would only be fog.

    Raises:
        InputError: ``weights`` is not (T, T) for T words.
    """
    values = square(weights, words)
    bare(ax)
    for i, j in sorted(np.ndindex(values.shape), key=lambda place: values[place]):
        weight = float(values[i, j])
        if weight >= least:
            colour, width = tint("query", 0.15 + 0.85 * weight), 0.3 + 4 * weight
            ax.plot([0.02, 0.98], [i, j], color=colour, linewidth=width, solid_capstyle="round")
    for t, word in enumerate(words):
        write(ax, -0.04, t, word, ha="right")
        write(ax, 1.04, t, word, ha="left")
    ax.set_xlim(-0.6, 1.6)
    ax.set_ylim(len(words) - 0.4, -0.6)
    ax.set_title(title, fontsize=NORMAL)
    return ax


def draw_split(axes: Any, columns: Any, heads: Any, words: Sequence[str], *, name: str = "") -> Any:
    """Draw where every number of a text went when it was split into heads.

    A number keeps the colour of the word it came from, so a head that mixes words shows it.

    Args:
        axes: 1 + A axes: the text first, then one for each head.
        columns: (T, H) numbers, all different.
        heads: (A, T, d), the same numbers.
        words: T words.
        name: printed above the heads, before their number.

    Raises:
        InputError: too few axes, or numbers in ``heads`` that are not in ``columns``.
    """
    before, after = np.asarray(columns), np.asarray(heads)
    places = np.atleast_1d(np.asarray(axes, dtype=object)).ravel()
    if len(places) < 1 + len(after) or sorted(before.ravel()) != sorted(after.ravel()):
        raise InputError(
            f"{len(places)} axes, text of shape {before.shape}, heads of shape {after.shape}; expected one "
            "axis more than heads, and the same numbers in both"
        )
    origin = {number: t for t, row in enumerate(before.tolist()) for number in row}
    draw_table(places[0], before, origin, title="text")
    for t, word in enumerate(words):
        write(places[0], -0.2, t + 0.5, word, ha="right")
    for head, (ax, table) in enumerate(zip(places[1:], after, strict=False)):
        draw_table(ax, table, origin, title=f"{name}head {head}")
    widest = max(before.shape[1], after.shape[2])
    for ax in places:
        ax.set_xlim(-1.6, widest + 0.1)
        ax.set_ylim(len(before) + 0.05, -0.75)
    return axes


def draw_table(ax: Axes, values: np.ndarray, origin: dict[Any, int], *, title: str) -> None:
    """Draw numbers in cells, each in the colour of the word it came from."""
    bare(ax)
    for (t, h), number in np.ndenumerate(values):
        colour = tint(LINES[origin[number] % len(LINES)], 0.4)
        cell = Rectangle((h + 0.03, t + 0.06), 0.94, 0.88, facecolor=colour, edgecolor=GROUND)
        ax.add_patch(cell)
        text = f"{number:02.0f}"
        ink = readable_on(colour)
        write(ax, h + 0.5, t + 0.52, text, color=ink)
    middle = values.shape[1] / 2
    write(ax, middle, -0.12, title, va="bottom", fontsize=NORMAL)


def draw_visibility(ax: Axes, seen: Any, words: Sequence[str], *, other: Any = None, title: str = "") -> Axes:
    """Draw which input (across) can move which output (down): a filled cell where it can.

    Args:
        ax: where to draw.
        seen: (T, T), not 0 where column j moves column i.
        words: the T words.
        other: (T, T) likewise for a second network; its cells are hatched.
        title: printed above.

    Raises:
        InputError: ``seen`` or ``other`` is not (T, T) for T words.
    """
    values = square(seen, words)
    second = np.zeros_like(values) if other is None else square(other, words)
    prepare(ax)
    for i, j in np.ndindex(values.shape):
        colour = tint("key", 0.75 if values[i, j] else 0.05)
        cell = Rectangle((j - 0.46, i - 0.46), 0.92, 0.92, facecolor=colour, edgecolor=FAINT, linewidth=0.5)
        if second[i, j]:
            cell.set(hatch="////", edgecolor=tint("query", 0.8))
        ax.add_patch(cell)
    name_cells(ax, words, words)
    ax.set(xlim=(-0.6, len(words) - 0.4), ylim=(len(words) - 0.4, -0.6), aspect="equal")
    ax.set_title(title, fontsize=NORMAL)
    return ax


def draw_growth(ax: Axes, lengths: Sequence[int], costs: dict[str, Any], *, unit: str = "") -> Axes:
    """Draw costs against length, both axes logarithmic: a straight line's slope is its exponent.

    Args:
        ax: where to draw.
        lengths: of the texts.
        costs: name of a line: one positive number for each length.
        unit: of the numbers, written at the axis.

    Raises:
        InputError: a line with another number of points than there are lengths.
    """
    prepare(ax)
    for (name, values), role in zip(costs.items(), ("query", "token", "segment", "sum"), strict=False):
        if len(values) != len(lengths):
            raise InputError(
                f"{len(values)} numbers of {name!r} for {len(lengths)} lengths; expected as many"
            )
        ax.loglog(lengths, values, "o-", color=tint(role, 1), label=name, markersize=4)
    ax.set_xticks(lengths, [str(length) for length in lengths], fontsize=SMALL)
    ax.minorticks_off()
    ax.set(xlabel="length of the text, T", ylabel=unit)
    ax.legend(frameon=False, fontsize=SMALL)
    return ax


def square(values: Any, words: Sequence[str]) -> np.ndarray:
    """Return (T, T) numbers.

    Raises:
        InputError: another shape than T words ask for.
    """
    table = np.asarray(values, dtype=float)
    if table.shape != (len(words), len(words)):
        raise InputError(
            f"a map of shape {table.shape} for {len(words)} words; expected one row and column a word"
        )
    return table
