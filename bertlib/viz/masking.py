"""Pictures of the masked language model: who sees whom, the 80/10/10 mix, one word's price, the gradient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Polygon, Rectangle

from bertlib.errors import InputError
from bertlib.viz.figure import name_cells, write
from bertlib.viz.style import COLOURS, FAINT, INK, NORMAL, SMALL, bare, prepare, ramp, readable_on, tint

FATES = ("[MASK]", "another word", "left alone")
FATE_COLOURS = ("masked", "query", "key")


def draw_reach(ax: Axes, reach: Any, pieces: Sequence[str], *, title: str = "") -> Axes:
    """Draw how strongly each column's result depends on each column's input; its own cell is framed.

    Args:
        ax: where to draw.
        reach: (T, T), row: whose result; column: which input. Not negative; 0 means "cannot know".
        pieces: T word pieces.
        title: above the picture.

    Raises:
        InputError: ``reach`` is not square or not of the pieces' number.
    """
    values = np.asarray(reach, dtype=float)
    if values.shape != (len(pieces), len(pieces)):
        raise InputError(
            f"reach of shape {values.shape} for {len(pieces)} pieces; expected a square of that size"
        )
    prepare(ax).spines[:].set_visible(False)
    ax.imshow(values, cmap=ramp("token"), vmin=0, vmax=max(values.max(), 1e-12), interpolation="nearest")
    for t in range(len(pieces)):
        box = Rectangle((t - 0.5, t - 0.5), 1, 1, fill=False, edgecolor=COLOURS["query"], linewidth=1.4)
        ax.add_patch(box)
        if values[t, t] == 0:
            write(ax, t, t, "0")
    name_cells(ax, pieces, pieces)
    ax.set_xlabel("input of", fontsize=SMALL)
    ax.set_ylabel("result of", fontsize=SMALL)
    ax.set_title(title, fontsize=NORMAL)
    return ax


def draw_mask_mix(ax: Axes, shares: Mapping[str, float]) -> Axes:
    """Draw all words as a bar, the selected ones cut out, and below them what became of those.

    Args:
        ax: where to draw.
        shares: of *all* words, as parts of one, under the names of :data:`FATES`.

    Raises:
        InputError: another name, or parts that are no parts of one.
    """
    parts = [float(shares.get(name, -1.0)) for name in FATES]
    if set(shares) != set(FATES) or min(parts) < 0 or not 0 < sum(parts) <= 1:
        raise InputError(f"shares {dict(shares)}; expected parts of one called {', '.join(FATES)}")
    selected = sum(parts)
    bare(ax)
    _bar(ax, 0, 1 - selected, 1.9, FAINT, f"not selected {100 * (1 - selected):.1f} %")
    _bar(ax, 1 - selected, selected, 1.9, COLOURS["selected"], f"selected\n{100 * selected:.1f} %")
    zoom = [(1 - selected, 1.9), (1, 1.9), (1, 1), (0, 1)]
    ax.add_patch(Polygon(zoom, facecolor=tint("selected", 0.25), linewidth=0))
    left = 0.0
    for name, role, part in zip(FATES, FATE_COLOURS, parts, strict=True):
        width = part / selected
        _bar(ax, left, width, 0.35, COLOURS[role], f"{100 * width:.1f} %")
        side = {FATES[0]: ("center", 0.5), FATES[1]: ("right", 0.95), FATES[2]: ("left", 0.05)}[name]
        text = f"{name}\n= {100 * part:.1f} % of all"
        write(ax, left + side[1] * width, 0.22, text, ha=side[0], va="top")
        left += width
    ax.set_xlim(-0.01, 1.09)
    ax.set_ylim(-0.35, 2.6)
    return ax


def _bar(ax: Axes, left: float, width: float, bottom: float, colour: str, text: str) -> None:
    """Draw a piece of a bar with its text in it."""
    box = Rectangle((left, bottom), width, 0.65, facecolor=colour, edgecolor="white", linewidth=1.5)
    ax.add_patch(box)
    write(ax, left + width / 2, bottom + 0.325, text, color=readable_on(colour))


def draw_surprise(axes: Sequence[Axes], words: Sequence[str], scores: Any, answer: str) -> None:
    """Draw one prediction in three steps: scores, probabilities, and minus their logarithms.

    Args:
        axes: three of them.
        words: V words.
        scores: (V,) logits.
        answer: the word that stood there; its bars stand out.

    Raises:
        InputError: not three axes, not one score a word, or an answer that is none of the words.
    """
    logits = np.asarray(scores, dtype=float)
    if len(axes) != 3 or logits.shape != (len(words),) or answer not in words:
        raise InputError(
            f"{len(axes)} axes, {len(words)} words, scores of shape {logits.shape}, answer {answer!r}; "
            "expected three axes, one score a word, and one of the words as answer"
        )
    shifted = logits - logits.max()
    logs = shifted - np.log(np.exp(shifted).sum())
    places = np.arange(len(words))[::-1]
    colours = [COLOURS["query"] if word == answer else tint("token", 0.55) for word in words]
    steps = ((logits, "scores"), (np.exp(logs), "softmax: probabilities"), (-logs, "−ln p: the price"))
    for ax, (values, title) in zip(axes, steps, strict=True):
        prepare(ax).spines[["top", "right"]].set_visible(False)
        ax.barh(places, values, color=colours, height=0.72)
        ax.set_yticks(places, words if ax is axes[0] else [""] * len(words))
        ax.tick_params(axis="y", length=0)
        ax.axvline(0, color=INK, linewidth=0.6)
        ax.set_title(title, fontsize=NORMAL)
        at = list(words).index(answer)
        beside = max(values[at], 0) + 0.03 * (values.max() - min(values.min(), 0))
        text = f"{values[at]:.{4 if 0 < values[at] < 0.005 else 2}f}"
        write(ax, beside, places[at], text, ha="left", weight="bold", color=COLOURS["query"])


def draw_gradient(ax: Axes, pieces: Sequence[str], sizes: Any, *, asked: int) -> Axes:
    """Draw the length of the gradient at each column's input when one column was asked.

    Args:
        ax: where to draw.
        pieces: T word pieces.
        sizes: (T,) lengths of the gradients.
        asked: place of the column whose loss it was.

    Raises:
        InputError: not one size a piece, or a place outside.
    """
    values = np.asarray(sizes, dtype=float)
    if values.shape != (len(pieces),) or not 0 <= asked < len(pieces):
        raise InputError(
            f"sizes of shape {values.shape} and place {asked} for {len(pieces)} pieces; expected "
            f"({len(pieces)},) and a place below {len(pieces)}"
        )
    prepare(ax).spines[["top", "right"]].set_visible(False)
    colours = [COLOURS["query"] if t == asked else COLOURS["token"] for t in range(len(pieces))]
    ax.bar(range(len(pieces)), values, color=colours, width=0.7)
    for t, value in enumerate(values):
        write(ax, t, value, f"{value:.3f}", va="bottom")
    ax.set_xticks(range(len(pieces)), pieces)
    ax.tick_params(axis="x", length=0)
    ax.set_ylabel("length of the gradient", fontsize=SMALL)
    ax.margins(y=0.12)
    return ax


def draw_saving(ax: Axes, everywhere: Mapping[str, Any], asked_only: Mapping[str, Any]) -> Axes:
    """Draw the work of a forward pass in two bars a model: the body, and on top of it the output layer.

    Args:
        ax: where to draw.
        everywhere: model: (work of the body, work of the output layer at every position).
        asked_only: the same with the output layer at the selected positions.

    Raises:
        InputError: the two do not name the same models.
    """
    if list(everywhere) != list(asked_only):
        raise InputError(f"models {list(everywhere)} and {list(asked_only)}; expected the same ones twice")
    prepare(ax).spines[["top", "right"]].set_visible(False)
    for shift, work, strength in ((-0.2, everywhere, 1.0), (0.2, asked_only, 0.55)):
        places = np.arange(len(work)) + shift
        whole = np.array([sum(pair) for pair in everywhere.values()])
        body, head = (np.array(part) / whole for part in zip(*work.values(), strict=True))
        ax.bar(places, body, 0.36, color=tint("sum", 0.6), label="blocks" if shift < 0 else None)
        name = "output layer everywhere" if shift < 0 else "output layer where asked"
        ax.bar(places, head, 0.36, bottom=body, color=tint("query", strength), label=name)
    ax.set_xticks(range(len(everywhere)), list(everywhere))
    ax.tick_params(axis="x", length=0)
    ax.set_ylabel("share of the work", fontsize=SMALL)
    ax.legend(frameon=False, fontsize=SMALL, loc="upper left", bbox_to_anchor=(1, 1))
    return ax
