"""Pictures of data on its way into a network: the pipeline, filled rows, and what the arithmetic costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.patches import Rectangle

from bertlib.errors import InputError
from bertlib.viz.figure import arrow, write
from bertlib.viz.style import (
    COLOURS,
    FAINT,
    GROUND,
    INK,
    NORMAL,
    SMALL,
    Colour,
    bare,
    prepare,
    readable_on,
    tint,
)

# what a cell of a row holds, by number: filling, a mark, a piece of A or of B, a piece to be guessed
CELLS = ("filling", "mark", "A", "B", "to guess")
STAGES = ("txt", "documents and sentences", "token arrays", "a batch")
WIDTH, GAP = 10.0, 1.6  # of a stage and between two, in data units; the ground is 6 high
MOST_LINES, MOST_IDS = 7, 5


def cell_colours() -> list[Colour]:
    """Return a colour for each of :data:`CELLS`."""
    return [FAINT, COLOURS["sum"], tint("segment", 0.35), tint("segment", 0.85), COLOURS["selected"]]


def draw_rows(ax: Axes, cells: Any, *, title: str = "") -> Axes:
    """Draw rows of positions, each cell in the colour of what it holds.

    Args:
        ax: where to draw.
        cells: (B, T) whole numbers, indices into :data:`CELLS`.
        title: above the rows.

    Raises:
        InputError: another number of dimensions, or a number that means nothing.
    """
    grid = as_grid(cells)
    prepare(ax)
    paint(ax, grid, (0, grid.shape[1], grid.shape[0], 0))
    ax.set_xlabel("position", fontsize=SMALL)
    ax.set_yticks([])
    ax.set_title(title, fontsize=NORMAL, loc="left")
    return ax


def as_grid(cells: Any) -> np.ndarray:
    """Return rows of cells as an array, checked."""
    grid = np.asarray(cells)
    if grid.ndim != 2 or grid.size == 0 or grid.min() < 0 or grid.max() >= len(CELLS):
        names = ", ".join(f"{number} {name}" for number, name in enumerate(CELLS))
        raise InputError(f"cells of shape {grid.shape}; expected (B, T) with {names}")
    return grid


def paint(ax: Axes, grid: np.ndarray, extent: tuple[float, float, float, float]) -> None:
    """Fill a rectangle (left, right, bottom, top) with cells and the lines between the rows."""
    colours = ListedColormap(cell_colours())
    ax.imshow(
        grid, cmap=colours, vmin=-0.5, vmax=len(CELLS) - 0.5, extent=extent, aspect="auto",
        interpolation="nearest",
    )  # fmt: skip
    left, right, bottom, top = extent
    for edge in np.linspace(top, bottom, len(grid) + 1):
        ax.plot([left, right], [edge, edge], color=GROUND, linewidth=1.2)


def draw_pipeline(
    ax: Axes,
    *,
    text: Sequence[str],
    lengths: Sequence[Sequence[int]],
    ids: Sequence[int],
    cells: Any,
    captions: Sequence[str],
) -> Axes:
    """Draw the way of a corpus: txt, documents of sentences, rows of numbers, a batch.

    Args:
        ax: where to draw.
        text: some lines as they stand in a file; long ones are cut.
        lengths: for some documents the numbers of pieces in their sentences.
        ids: the first numbers of the array.
        cells: (B, T) a batch, as in :func:`draw_rows`.
        captions: a line for each of the four stages, with its numbers.

    Raises:
        InputError: not four captions, or cells that mean nothing.
    """
    if len(captions) != len(STAGES):
        raise InputError(f"{len(captions)} captions; expected one for each of: {', '.join(STAGES)}")
    grid = as_grid(cells)
    bare(ax)
    for number, (name, caption) in enumerate(zip(STAGES, captions, strict=True)):
        draw_frame(ax, number, name, caption)
    draw_text(ax, text)
    draw_documents(ax, lengths, left=WIDTH + GAP)
    draw_ids(ax, ids, left=2 * (WIDTH + GAP))
    start = 3 * (WIDTH + GAP)
    paint(ax, grid, (start + 0.4, start + WIDTH - 0.4, 0.5, 5.5))
    ax.set_xlim(-0.2, 4 * WIDTH + 3 * GAP + 0.2)
    ax.set_ylim(-1.3, 7.1)
    ax.set_aspect("auto")
    return ax


def draw_frame(ax: Axes, number: int, name: str, caption: str) -> None:
    """Draw the box of one stage, its name and caption, and the arrow that leads to it."""
    left = number * (WIDTH + GAP)
    ax.add_patch(Rectangle((left, 0), WIDTH, 6, facecolor="none", edgecolor=INK, linewidth=1))
    middle = left + WIDTH / 2
    write(ax, middle, 6.35, name, va="bottom", fontsize=NORMAL, weight="bold")
    write(ax, middle, -0.35, caption, va="top")
    if number:
        arrow(ax, (left - GAP + 0.15, 3), (left - 0.15, 3), mutation_scale=12)


def draw_text(ax: Axes, text: Sequence[str]) -> None:
    """Write the first lines of a file, as far as they fit."""
    for row, line in enumerate(text[:MOST_LINES]):
        shown = line if len(line) < 27 else line[:25] + "…"
        write(ax, 0.3, 5.5 - 0.8 * row, shown, ha="left", fontsize=SMALL - 0.5)


def draw_documents(ax: Axes, lengths: Sequence[Sequence[int]], *, left: float) -> None:
    """Draw a bar for each sentence, as long as it has pieces; documents stand apart."""
    longest = max((length for document in lengths for length in document), default=1)
    lines = sum(len(document) + 1 for document in lengths)
    height, top = 5.2 / max(lines - 1, 1), 5.6
    for document in lengths:
        for length in document:
            bar = Rectangle(
                (left + 0.4, top - 0.85 * height), (WIDTH - 0.8) * length / longest, 0.7 * height,
                facecolor=COLOURS["token"], linewidth=0,
            )  # fmt: skip
            ax.add_patch(bar)
            top -= height
        top -= height


def draw_ids(ax: Axes, ids: Sequence[int], *, left: float) -> None:
    """Write the first numbers of the array into cells that go on beyond the frame."""
    size = (WIDTH - 0.8) / MOST_IDS
    for row in range(4):
        for column, number in enumerate(ids[row * MOST_IDS : (row + 1) * MOST_IDS]):
            x, y, colour = left + 0.4 + column * size, 4.4 - 1.25 * row, tint("token", 0.25)
            ax.add_patch(Rectangle((x, y), size * 0.94, 1.05, facecolor=colour, linewidth=0))
            write(ax, x + size * 0.47, y + 0.5, str(number), fontsize=SMALL - 1, color=readable_on(colour))


def draw_cost(ax: Axes, costs: Mapping[str, Mapping[str, float]]) -> Axes:
    """Draw a bar for each model: how its arithmetic is shared out among the parts, its sum beside it.

    Args:
        ax: where to draw.
        costs: for each name the FLOPs of its parts, see :func:`bertlib.flops.flops_by_part`; the parts are
            the same everywhere.

    Raises:
        InputError: nothing to draw, or parts that differ.
    """
    parts = list(next(iter(costs.values()), {}))
    if not parts or any(list(cost) != parts for cost in costs.values()):
        raise InputError(
            f"parts {', '.join(parts) or 'none'}; expected the same for all of {', '.join(costs)}"
        )
    prepare(ax)
    names = ("key", "query", "segment", "value")
    for row, cost in enumerate(costs.values()):
        total, start = sum(cost.values()), 0.0
        for part, colour in zip(parts, names, strict=False):
            share = cost[part] / total
            ax.barh(
                row, share, left=start, height=0.7, color=COLOURS[colour], label=part if row == 0 else None
            )
            start += share
        write(ax, 1.01, row, f"{total / 1e6:,.0f} M", ha="left")
    ax.set_yticks(range(len(costs)), list(costs))
    ax.invert_yaxis()
    ax.set_xlim(0, 1.12)
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])
    ax.legend(loc="upper center", bbox_to_anchor=(0.45, 1.24), ncols=4, frameon=False, fontsize=SMALL)
    return ax
