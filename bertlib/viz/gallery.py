"""A wall of small learning curves, lettered and unnamed: for readers who want to guess first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from bertlib.errors import InputError
from bertlib.viz.style import COLOURS, SMALL

LETTERS = "ABCDEFGHIJKLMNOP"


def draw_gallery(
    axes: np.ndarray, runs: Sequence[Mapping[str, Any]], *, unigram: float, highest: float = 9.0
) -> np.ndarray:
    """Draw each run's training and held-out loss into one of ``axes``, all on one scale.

    Args:
        axes: array of axes, at least as many as runs.
        runs: each with columns ``run["train"]["mlm_loss"]`` and ``run["valid"]["mlm_loss"]`` by ``"step"``.
        unigram: loss of somebody who knows the common words only; a dashed line.
        highest: upper end of the scale; what lies above is cut off and marked by an arrow.

    Raises:
        InputError: more runs than axes.
    """
    flat = list(np.asarray(axes).flat)
    if len(runs) > len(flat):
        raise InputError(f"{len(runs)} runs and {len(flat)} axes; expected an axis for each run")
    for letter, ax, run in zip(LETTERS, flat, runs, strict=False):
        draw_patient(ax, letter, run, unigram=unigram, highest=highest)
    return axes


def draw_patient(ax: Axes, letter: str, run: Mapping[str, Any], *, unigram: float, highest: float) -> None:
    """Draw one run: a line for training, dots for held-out text."""
    train, valid = run["train"], run["valid"]
    ax.axhline(unigram, color=COLOURS["sum"], linewidth=1, linestyle=(0, (4, 3)), zorder=0)
    ax.plot(train["step"], np.minimum(train["mlm_loss"], highest), color=COLOURS["token"], linewidth=1.2)
    ax.plot(
        valid["step"], np.minimum(valid["mlm_loss"], highest), "o", color=COLOURS["query"], markersize=2.5
    )
    ax.set_ylim(0, highest)
    ax.set_xticks([0, train["step"][-1]])
    ax.spines[["top", "right"]].set_visible(False)
    ax.text(0.92, 0.86, letter, transform=ax.transAxes, ha="right", fontsize=1.5 * SMALL, weight="bold")
    if max(train["mlm_loss"]) > highest:
        ax.text(0.05, 0.9, "▲", transform=ax.transAxes, color=COLOURS["token"], fontsize=SMALL)
