"""Pictures of the input: the ten-column sum, and how alike positions are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from bertlib.errors import InputError
from bertlib.viz.figure import rounded_box, write
from bertlib.viz.style import COLOURS, GROUND, INK, NORMAL, SMALL, bare, prepare, readable_on, tint, two_sided

ROWS = ("token", "segment", "position", "sum")
GAP = 0.75  # between two layers, in cells; the signs + and = stand there


def draw_input_embeddings(ax: Axes, pieces: Sequence[str], token: Any, segment: Any, position: Any) -> Axes:
    """Draw token + segment + position = sum, one column a piece (Devlin et al. 2019, figure 2).

    Args:
        ax: where to draw.
        pieces: T word pieces.
        token: (T, H) numbers, one vector a piece; likewise ``segment`` and ``position``.
        segment: (T, H).
        position: (T, H).

    Raises:
        InputError: the three arrays have not one shape, or not one row a piece.
    """
    layers = [np.asarray(layer, dtype=float) for layer in (token, segment, position)]
    if any(layer.shape != (len(pieces), layers[0].shape[-1]) for layer in layers):
        shapes = ", ".join(str(layer.shape) for layer in layers)
        raise InputError(
            f"{len(pieces)} pieces with vectors of shapes {shapes}; expected ({len(pieces)}, H) each"
        )
    bare(ax)
    height = layers[0].shape[1]
    for row, (name, layer) in enumerate(zip(ROWS, [*layers, np.sum(layers, axis=0)], strict=True)):
        draw_layer(ax, layer, name=name, top=1 + row * (height + GAP))
    for t, piece in enumerate(pieces):
        draw_piece(ax, t, piece)
    ax.set_xlim(-1.75, len(pieces) + 0.1)
    ax.set_ylim(1 + 4 * height + 3 * GAP + 0.1, -0.1)
    return ax


def draw_layer(ax: Axes, values: np.ndarray, *, name: str, top: float) -> None:
    """Draw one (T, H) array as columns of numbered cells, its name to the left."""
    length, height = values.shape
    largest = max(float(np.abs(values).max()), 1e-9)
    places = next((p for p in (0, 1) if np.allclose(values, values.round(p), atol=1e-6)), 2)
    for t in range(length):
        for h in range(height):
            colour = tint(name, 0.08 + 0.5 * abs(values[t, h]) / largest)
            cell = Rectangle((t + 0.03, top + h), 0.94, 1, facecolor=colour, edgecolor=GROUND, linewidth=1)
            ax.add_patch(cell)
            text = f"{values[t, h]:.{places}f}"
            write(ax, t + 0.5, top + h + 0.52, text, color=readable_on(colour))
    middle = top + height / 2
    write(ax, -0.12, middle, name, ha="right", fontsize=NORMAL, weight="bold")
    if name != "sum":
        sign = "=" if name == "position" else "+"
        write(ax, length / 2, top + height + GAP / 2, sign, fontsize=NORMAL)
    ax.add_patch(Rectangle((-0.08, top), 0.06, height, facecolor=COLOURS[name], linewidth=0))


def draw_piece(ax: Axes, t: int, piece: str) -> None:
    """Write a word piece on top of its column."""
    rounded_box(ax, t + 0.06, 0.05, 0.88, 0.7, corner=0.15, facecolor="#e9e6dd", linewidth=0)
    write(ax, t + 0.5, 0.42, piece)


def draw_one_hots(ax: Axes, pieces: Sequence[str], rows: Any, sizes: Sequence[int]) -> Axes:
    """Draw stacked one-hot rows: three blocks side by side, a filled cell for each one.

    Args:
        ax: where to draw.
        pieces: T word pieces, written to the left.
        rows: (T, V + 2 + P) zeros and ones.
        sizes: widths of the three blocks: V tokens, 2 segments, P positions.

    Raises:
        InputError: ``rows`` is not as high as there are pieces or not as wide as the blocks.
    """
    values = np.asarray(rows, dtype=float)
    if values.shape != (len(pieces), sum(sizes)) or len(sizes) != 3:
        raise InputError(
            f"rows of shape {values.shape} for {len(pieces)} pieces and blocks of {tuple(sizes)}; "
            f"expected ({len(pieces)}, {sum(sizes)}) and three blocks"
        )
    bare(ax)
    start = 0
    for name, width in zip(ROWS, sizes, strict=False):
        write(ax, start + width / 2, -0.3, name, va="bottom", fontsize=NORMAL, weight="bold")
        for t, h in np.ndindex(len(pieces), width):
            colour = tint(name, 0.06 + 0.94 * values[t, start + h])
            ax.add_patch(Rectangle((start + h + 0.04, t + 0.04), 0.92, 0.92, facecolor=colour, linewidth=0))
        start += width
        if start < sum(sizes):
            ax.plot([start, start], [0, len(pieces)], color=INK, linewidth=1)
    for t, piece in enumerate(pieces):
        write(ax, -0.3, t + 0.52, piece, ha="right")
    ax.set_xlim(-3.2, start + 0.1)
    ax.set_ylim(len(pieces) + 0.1, -1.2)
    return ax


def draw_position_similarity(ax: Axes, table: Any, *, title: str = "") -> Axes:
    """Draw the cosine between every two rows of a position table (P, H), from -1 to 1."""
    rows = np.asarray(table, dtype=float)
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    prepare(ax)
    image = ax.imshow(unit @ unit.T, vmin=-1, vmax=1, cmap=two_sided(), interpolation="nearest")
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.85, ticks=[-1, 0, 1])
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=SMALL, colors=INK, length=0)
    ax.set_xlabel("position", fontsize=SMALL)
    ax.set_ylabel("position", fontsize=SMALL)
    ax.set_title(title, fontsize=NORMAL)
    return ax
