"""Pictures of the encoder: the bend, the block, what happens from block to block, where the numbers sit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, Rectangle

from bertlib.errors import InputError
from bertlib.viz.figure import arrow, rounded_box, write
from bertlib.viz.style import (
    COLOURS,
    FAINT,
    GROUND,
    INK,
    LINES,
    NORMAL,
    SMALL,
    bare,
    prepare,
    readable_on,
    tint,
)

ROAD = 0.95  # how high the residual runs above the block
# The parts of a count, as bertlib.counting names them, under the four headings of the picture.
GROUPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "word table": ("token", ("word_embeddings",)),
    "attention": ("query", ("attention",)),
    "feed-forward": ("value", ("feed_forward",)),
    "the rest": (
        "sum",
        ("position_embeddings", "token_type_embeddings", "embedding_norm", "block_norms", "pooler"),
    ),
}


def draw_bend(ax: Axes, x: Any, y: Any, name: str) -> Axes:
    """Draw one activation function or its slope; the next call on the axis takes the next colour.

    Args:
        ax: where to draw.
        x: (N,) numbers.
        y: (N,) what the function makes of them.
        name: for the legend.
    """
    prepare(ax)
    if not ax.lines:
        ax.axhline(0, color=FAINT, linewidth=1, zorder=0, label="_zero")
    colour = COLOURS[LINES[(len(ax.lines) - 1) % len(LINES)]]
    ax.plot(np.asarray(x), np.asarray(y), color=colour, linewidth=1.8, label=name)
    ax.legend(frameon=False, fontsize=SMALL, loc="upper left")
    return ax


def draw_layers(ax: Axes, runs: Mapping[str, Sequence[float]], *, first: int = 0) -> Axes:
    """Draw one number for each block, one line a run.

    Args:
        ax: where to draw.
        runs: name of the run: its numbers from block to block.
        first: number of the first block; 0 if a run begins before it.

    Raises:
        InputError: nothing to draw.
    """
    if not runs:
        raise InputError("there are no runs to draw; expected {'name': [a number for each block]}")
    prepare(ax)
    for (name, values), colour in zip(runs.items(), LINES, strict=False):
        places = range(first, first + len(values))
        ax.plot(places, list(values), "o-", color=COLOURS[colour], markersize=3.5, linewidth=1.5, label=name)
    ax.legend(frameon=False, fontsize=SMALL)
    return ax


def draw_block(ax: Axes, *, hidden: str = "H", inner: str = "4H") -> Axes:
    """Draw the block in BERT's order: layer, dropout, sum, norm, twice (Vaswani et al. 2017, figure 1).

    Args:
        ax: where to draw.
        hidden: what to call the width between the blocks, e.g. "768".
        inner: what to call the width inside the feed-forward layer, e.g. "3,072".
    """
    bare(ax)
    look = [("query", 2.05, "self-attention")]
    think = [
        ("value", 1.3, f"{hidden} → {inner}"),
        ("value", 0.95, "GELU"),
        ("value", 1.3, f"{inner} → {hidden}"),
    ]
    x = _half(ax, 0.9, look, f"T columns\nof {hidden}")
    x = _half(ax, x, think, "")
    _arrow(ax, (x, 0), (x + 0.7, 0))
    write(ax, x + 0.8, 0, f"T columns\nof {hidden}", ha="left")
    ax.set(xlim=(-0.75, x + 2.25), ylim=(-0.9, 1.5), aspect="equal")
    write(ax, 2.2, -0.52, "here the columns meet", va="top")
    write(ax, x - 5.2, -0.52, "here each thinks alone", va="top")
    return ax


def _half(ax: Axes, x: float, layers: list[tuple[str, float, str]], label: str) -> float:
    """Draw one half of the block from ``x`` on and return where it ends."""
    if label:
        write(ax, x - 0.1, 0, label, ha="right")
    start, boxes = x + 0.12, [*layers, ("", 1.2, "dropout")]
    for name, width, text in boxes:
        _arrow(ax, (x, 0), (x + 0.35, 0))
        _box(ax, x + 0.35, width, text, name)
        x += 0.35 + width
    _arrow(ax, (x, 0), (x + 0.35, 0))
    x += 0.6
    ax.add_patch(Circle((x, 0), 0.25, facecolor=GROUND, edgecolor=INK, linewidth=1.2))
    write(ax, x, -0.02, "+", fontsize=NORMAL)
    colour = COLOURS["token"]
    ax.plot([start, start, x, x], [0, ROAD, ROAD, 0.5], color=colour, linewidth=1.8, solid_joinstyle="round")
    ax.plot([start], [0], "o", color=colour, markersize=4)
    _arrow(ax, (x, 0.55), (x, 0.25), colour=colour)
    write(ax, (start + x) / 2, ROAD + 0.06, "what it was", va="bottom", color=colour)
    _arrow(ax, (x + 0.25, 0), (x + 0.6, 0))
    _box(ax, x + 0.6, 0.85, "norm", "segment")
    return x + 1.45


def _box(ax: Axes, x: float, width: float, text: str, name: str) -> None:
    colour = tint(name, 0.25) if name else GROUND
    edge = COLOURS[name] if name else INK
    rounded_box(ax, x, -0.42, width, 0.84, facecolor=colour, edgecolor=edge, linewidth=1.2)
    write(ax, x + width / 2, -0.02, text)


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], *, colour: str = INK) -> None:
    arrow(ax, start, end, mutation_scale=8, shrinkA=0, shrinkB=0, color=colour, linewidth=1)


def draw_parameters(ax: Axes, counts: Mapping[str, Mapping[str, int]]) -> Axes:
    """Draw where the numbers of each size sit, as shares of a bar of one length; totals stand at its end.

    Args:
        ax: where to draw.
        counts: name of the size: its parts, from :func:`bertlib.counting.count_parameters` without heads.

    Raises:
        InputError: a part that no heading covers.
    """
    prepare(ax)
    known = {part for _, parts in GROUPS.values() for part in parts}
    for row, (size, parts) in enumerate(counts.items()):
        unknown = sorted(set(parts) - known)
        if unknown:
            raise InputError(
                f"{size} has a part {unknown[0]!r}; expected the body: {', '.join(sorted(known))}"
            )
        total, start = sum(parts.values()), 0.0
        for colour, names in GROUPS.values():
            share = sum(parts.get(name, 0) for name in names) / total
            face = tint(colour, 0.75)
            ax.barh(row, share, left=start, color=face, edgecolor=GROUND, height=0.72)
            if share > 0.05:
                write(ax, start + share / 2, row, f"{share:.0%}", color=readable_on(face))
            start += share
        write(ax, 1.01, row, f"{total / 1e6:,.1f}M", ha="left")
    ax.set_yticks(range(len(counts)), list(counts), fontsize=SMALL)
    ax.set(xlim=(0, 1.12), xticks=[])
    ax.invert_yaxis()
    ax.spines[:].set_visible(False)
    handles = [Rectangle((0, 0), 1, 1, color=tint(colour, 0.75)) for colour, _ in GROUPS.values()]
    look = {"frameon": False, "ncols": 4, "fontsize": SMALL, "bbox_to_anchor": (0.45, 1)}
    ax.legend(handles, list(GROUPS), loc="lower center", **look)
    return ax
