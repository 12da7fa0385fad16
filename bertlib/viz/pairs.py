"""Pictures of pairs: how they are cut from documents, who can tell them apart, what [CLS] knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from bertlib.errors import InputError
from bertlib.viz.figure import arrow, rounded_box, write
from bertlib.viz.style import COLOURS, FAINT, INK, LINES, SMALL, bare, prepare, tint

Place = tuple[int, int]  # document, sentence
IS_NEXT, NOT_NEXT = ("IsNext (0)", "segment"), ("NotNext (1)", "query")
WIDE, HIGH, ACROSS, DOWN = 3.4, 0.62, 4.6, 1.0  # a box, and the way to the next one


def draw_pairs(
    ax: Axes, documents: Sequence[Sequence[str]], pairs: Sequence[tuple[Place, Place, int]]
) -> Axes:
    """Draw documents as columns of sentences, and an arrow from each A to its B.

    Args:
        ax: where to draw.
        documents: lists of sentences, short enough for a box.
        pairs: where A stands, where B stands, 0 for IsNext or 1 for NotNext.

    Raises:
        InputError: a place where no sentence is.
    """
    bare(ax)
    for number, document in enumerate(documents):
        write(ax, number * ACROSS + WIDE / 2, -0.3, f"document {number + 1}", va="baseline", weight="bold")
        for row, sentence in enumerate(document):
            draw_sentence(ax, number * ACROSS, row * DOWN, sentence)
    for first, second, label in pairs:
        for home, place in (first, second):
            if not (0 <= home < len(documents) and 0 <= place < len(documents[home])):
                raise InputError(
                    f"there is no sentence {place} in document {home}; expected a place in the documents"
                )
        draw_arrow(ax, first, second, label)
    for name, colour in (IS_NEXT, NOT_NEXT):
        ax.plot([], [], color=COLOURS[colour], linewidth=2, label=name)
    ax.legend(frameon=False, fontsize=SMALL, ncols=2, loc="lower center", labelcolor=INK,
              bbox_to_anchor=(0.5, -0.12))  # fmt: skip
    longest = max(len(document) for document in documents)
    ax.set_xlim(-0.3, (len(documents) - 1) * ACROSS + WIDE + 0.3)
    ax.set_ylim(longest * DOWN + 0.05, -0.75)
    return ax


def draw_sentence(ax: Axes, x: float, y: float, sentence: str) -> None:
    """Write one sentence into a box."""
    rounded_box(ax, x, y, WIDE, HIGH, facecolor=tint("token", 0.13), linewidth=0)
    write(ax, x + WIDE / 2, y + HIGH / 2 + 0.02, sentence)


def draw_arrow(ax: Axes, first: Place, second: Place, label: int) -> None:
    """Draw an arrow down the left edge to the follower, or over to another document."""
    if label == 0:
        x = first[0] * ACROSS + 0.35
        start, end, bend = (x, first[1] * DOWN + HIGH), (x, second[1] * DOWN), 0.0
    else:
        forward = second[0] > first[0]
        start = (first[0] * ACROSS + (WIDE if forward else 0), first[1] * DOWN + 0.62 * HIGH)
        end = (second[0] * ACROSS + (0 if forward else WIDE), second[1] * DOWN + 0.38 * HIGH)
        bend = 0.12
    colour = COLOURS[(IS_NEXT, NOT_NEXT)[label][1]]
    look = {"mutation_scale": 11, "linewidth": 1.8, "color": colour, "shrinkA": 1, "shrinkB": 1}
    arrow(ax, start, end, connectionstyle=f"arc3,rad={bend}", **look)


def draw_overlaps(ax: Axes, scores: Any, labels: Any, *, names: Sequence[str], title: str = "") -> Axes:
    """Draw how often each word overlap occurs, for pairs with label 0 and for those with label 1.

    Args:
        ax: where to draw.
        scores: (n,) overlaps from 0 to 1.
        labels: (n,) zeros and ones.
        names: what the two labels mean.
        title: above the plot.

    Raises:
        InputError: not one label a score.
    """
    scores, labels = np.asarray(scores, dtype=float), np.asarray(labels)
    if scores.shape != labels.shape or scores.ndim != 1:
        raise InputError(f"{scores.shape} scores and {labels.shape} labels; expected one label a score")
    edges = np.linspace(0, max(float(scores.max()), 0.05), 13)
    prepare(ax).spines[["top", "right"]].set_visible(False)
    middles, width = (edges[:-1] + edges[1:]) / 2, 0.4 * (edges[1] - edges[0])
    for label, (_, colour) in enumerate((IS_NEXT, NOT_NEXT)):
        chosen = scores[labels == label]
        shares = np.histogram(chosen, edges)[0] / max(len(chosen), 1)
        place = middles + (label - 0.5) * width
        ax.bar(place, 100 * shares, width, color=COLOURS[colour], label=names[label])
    ax.set_xlabel("word overlap of A and B", fontsize=SMALL)
    ax.set_ylabel("% of the pairs", fontsize=SMALL)
    ax.set_title(title)
    ax.legend(frameon=False, fontsize=SMALL, labelcolor=INK)
    return ax


def draw_lessons(ax: Axes, curves: Mapping[str, Any], steps: Any, *, chance: float = 0.5) -> Axes:
    """Draw exam marks while several models learn: a faint line a seed, a strong one for their mean.

    Args:
        ax: where to draw.
        curves: name: (seeds, points) shares of right answers.
        steps: (points,) when they were examined.
        chance: what a coin gets, dashed.

    Raises:
        InputError: not one mark a point.
    """
    prepare(ax).spines[["top", "right"]].set_visible(False)
    steps = np.asarray(steps)
    for number, (name, marks) in enumerate(curves.items()):
        rows = np.atleast_2d(np.asarray(marks, dtype=float))
        if rows.shape[1] != len(steps):
            raise InputError(
                f"{name}: marks of shape {rows.shape} for {len(steps)} points; expected (seeds, points)"
            )
        colour = COLOURS[LINES[number % len(LINES)]]
        ax.plot(steps, 100 * rows.T, color=colour, linewidth=0.8, alpha=0.4)
        ax.plot(steps, 100 * rows.mean(axis=0), color=colour, linewidth=2, label=name)
    ax.axhline(100 * chance, color=COLOURS["sum"], linewidth=1, linestyle=(0, (4, 3)), label="a coin")
    ax.set_xlabel("step", fontsize=SMALL)
    ax.set_ylabel("% of the pairs judged right", fontsize=SMALL)
    ax.legend(frameon=False, fontsize=SMALL, labelcolor=INK)
    return ax


def draw_probes(ax: Axes, marks: Mapping[str, Any], *, chance: float, colours: Sequence[str] = ()) -> Axes:
    """Draw one point a probe, with its standard deviation over repetitions.

    Args:
        ax: where to draw.
        marks: name: shares of right answers, one a repetition; from top to bottom.
        chance: what the commonest answer alone would get, dashed.
        colours: role of each point in the colour language; blue where none is given.
    """
    prepare(ax).spines[["top", "right"]].set_visible(False)
    for row, (name, values) in enumerate(marks.items()):
        mean, spread = 100 * np.mean(values), 100 * np.std(values)
        colour = COLOURS[colours[row] if row < len(colours) else "token"]
        ax.errorbar(mean, row, xerr=spread, fmt="o", color=colour, markersize=7, capsize=4, label=name)
        ax.annotate(f"{mean:.0f}", (mean, row), xytext=(0, 7), textcoords="offset points", ha="center",
                    fontsize=SMALL, color=INK)  # fmt: skip
    ax.axvline(100 * chance, color=COLOURS["sum"], linewidth=1, linestyle=(0, (4, 3)))
    ax.grid(axis="y", color=FAINT, linewidth=0.8)
    ax.set_axisbelow(True)
    ax.set_yticks(range(len(marks)), list(marks))
    ax.set_ylim(len(marks) - 0.5, -0.7)
    ax.set_xlabel("% right on the exam (dashed: always the commonest answer)", fontsize=SMALL)
    return ax


def draw_cloud(ax: Axes, vectors: Any, labels: Any, *, names: Sequence[str], title: str = "") -> Axes:
    """Draw vectors in the two directions in which they differ most, one colour a label.

    Args:
        ax: where to draw.
        vectors: (n, H).
        labels: (n,) zeros and ones.
        names: what the two labels mean.
        title: above the plot.

    Raises:
        InputError: fewer than three vectors, or not one label a vector.
    """
    points, labels = np.asarray(vectors, dtype=float), np.asarray(labels)
    if points.ndim != 2 or len(points) < 3 or labels.shape != points.shape[:1]:
        raise InputError(
            f"vectors {points.shape} and labels {labels.shape}; expected (n, H) and (n,), n of 3 or more"
        )
    points = points - points.mean(axis=0)
    directions = np.linalg.svd(points, full_matrices=False)[2][:2]
    directions *= np.sign(directions[np.arange(2), np.abs(directions).argmax(axis=1)])[:, None]
    flat = points @ directions.T  # (n, 2)
    prepare(ax)
    for label, colour in enumerate(("query", "segment")):
        chosen = flat[labels == label]
        ax.plot(*chosen.T, "os"[label], color=COLOURS[colour], markersize=3.5, alpha=0.7, label=names[label])
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_title(title)
    ax.legend(frameon=False, fontsize=SMALL, labelcolor=INK)
    return ax
