"""Pictures of a trained model's inside: scores of heads, one word in two senses, probes layer by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from bertlib.errors import InputError
from bertlib.viz.figure import write
from bertlib.viz.style import COLOURS, FAINT, GROUND, NORMAL, SMALL, bare, prepare, readable_on, tint

MARKERS = ("o", "^", "s", "D")  # senses are told apart by shape as well as by colour
SENSES = ("token", "query", "segment", "value")


def draw_head_scores(
    ax: Axes, scores: Any, heads: Sequence[str], measures: Sequence[str], *, chance: Any
) -> Axes:
    """Draw a table of scores, a row for each head; a cell is darker the further it lies above chance.

    Args:
        ax: where to draw.
        scores: (heads, measures), each from 0 to 1.
        heads: names of the rows.
        measures: names of the columns.
        chance: (measures,) what a head would score that looks everywhere alike; it becomes the last row.

    Raises:
        InputError: the numbers do not fit the names.
    """
    values, expected = np.asarray(scores, dtype=float), np.asarray(chance, dtype=float)
    if values.shape != (len(heads), len(measures)) or expected.shape != (len(measures),):
        raise InputError(
            f"scores of shape {values.shape} and chance of shape {expected.shape} for {len(heads)} heads and "
            f"{len(measures)} measures; expected ({len(heads)}, {len(measures)}) and ({len(measures)},)"
        )
    bare(ax)
    above = np.clip((values - expected) / np.maximum(1 - expected, 1e-9), 0, 1)
    for row, name in enumerate([*heads, "chance"]):
        last = row == len(heads)
        write(ax, -0.1, row + 0.52 + 0.25 * last, name, ha="right")
        for column in range(len(measures)):
            number = expected[column] if last else values[row, column]
            colour = GROUND if last else tint("query", 0.05 + 0.95 * above[row, column])
            draw_cell(ax, row + 0.25 * last, column, f"{number:.2f}", colour)
    for column, name in enumerate(measures):
        write(ax, column + 0.5, -0.15, name, va="bottom")
    ax.set_xlim(-1.1, len(measures))
    ax.set_ylim(len(heads) + 1.3, -0.75)
    return ax


def draw_cell(ax: Axes, row: float, column: int, text: str, colour: Any) -> None:
    """Draw one numbered cell; the frame is for the row that lies apart."""
    edge = FAINT if colour == GROUND else GROUND
    ax.add_patch(Rectangle((column + 0.02, row + 0.03), 0.96, 0.94, facecolor=colour, edgecolor=edge))
    write(ax, column + 0.5, row + 0.52, text, fontsize=NORMAL, color=readable_on(colour))


def flattened(vectors: Any) -> np.ndarray:
    """Return vectors (N, H) in the two directions in which they differ most (SVD, centred): (N, 2).

    A direction has no sign of its own: the entry farthest from 0 is made positive, so that a picture is the
    same every time.
    """
    rows = np.asarray(vectors, dtype=float)
    rows = rows - rows.mean(0)
    _, _, directions = np.linalg.svd(rows, full_matrices=False)
    flat = rows @ directions[:2].T
    signs = np.sign(flat[np.abs(flat).argmax(0), np.arange(flat.shape[1])])
    return flat * np.where(signs == 0, 1, signs)


def draw_senses(
    ax: Axes, vectors: Any, senses: Sequence[str], *, title: str = "", legend: bool = False
) -> Axes:
    """Draw the vectors of one word in several sentences as points, a shape and a colour for each sense.

    Args:
        ax: where to draw.
        vectors: (N, H), one for each sentence.
        senses: N names; at most four different ones.
        title: printed above.
        legend: whether to name the senses.

    Raises:
        InputError: not one sense a vector, or more than four senses.
    """
    flat, names = flattened(vectors), list(dict.fromkeys(senses))
    if len(flat) != len(senses) or len(names) > len(SENSES):
        raise InputError(
            f"{len(flat)} vectors with {len(senses)} names of {len(names)} senses; expected a name for each "
            f"vector and at most {len(SENSES)} senses"
        )
    prepare(ax)
    for name, role, marker in zip(names, SENSES, MARKERS, strict=False):
        rows = [n for n, sense in enumerate(senses) if sense == name]
        x, y = flat[rows].T
        ax.scatter(x, y, s=46, marker=marker, color=COLOURS[role], label=name, alpha=0.85, linewidth=0)
    ax.set(xticks=[], yticks=[])
    ax.margins(0.15)
    ax.set_title(title, fontsize=NORMAL)
    if legend:
        ax.legend(frameon=False, fontsize=SMALL, loc="best")
    return ax


def draw_probe_curves(
    ax: Axes, task: Mapping[str, Sequence[float]], control: Mapping[str, Sequence[float]], *, floor: float
) -> Axes:
    """Draw accuracy by layer: a solid line for the task, a dashed one for its control, a colour a model.

    Args:
        ax: where to draw.
        task: for each model L + 1 shares, the embeddings first.
        control: likewise, with random labels for each word (Hewitt and Liang 2019).
        floor: what always saying the commoner label gets.

    Raises:
        InputError: the two have not the same models, or curves of different lengths.
    """
    lengths = {len(curve) for curve in (*task.values(), *control.values())}
    if list(task) != list(control) or len(lengths) != 1:
        raise InputError(
            f"curves for {list(task)} and {list(control)} of lengths {sorted(lengths)}; expected the same "
            "models in both, and one share a layer"
        )
    prepare(ax)
    places = range(lengths.pop())
    for (name, curve), role in zip(task.items(), ("token", "sum", "query"), strict=False):
        ax.plot(places, curve, "o-", color=COLOURS[role], label=f"{name}: task")
        ax.plot(places, control[name], "^--", color=COLOURS[role], label=f"{name}: control", alpha=0.75)
    ax.axhline(floor, color=FAINT, linewidth=1.5, zorder=0)
    write(ax, places[-1], floor, "always the commoner label", ha="right", va="bottom")
    ax.set_xticks(places, ["embeddings", *(f"block {n}" for n in places[:-1])])
    ax.set_ylabel("share right on new sentences")
    ax.margins(x=0.08)
    ax.legend(frameon=False, fontsize=SMALL, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax
