"""Maps of attention: one head large, or all heads of a layer small."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from bertlib.errors import InputError
from bertlib.viz.figure import name_cells
from bertlib.viz.style import NORMAL, SMALL, prepare, ramp


def draw_attention(
    ax: Axes, weights: Any, rows: Sequence[str], columns: Sequence[str] | None = None, *, title: str = ""
) -> Axes:
    """Draw one head: row looks at column, darker is more.

    Args:
        ax: where to draw.
        weights: (T, T) numbers from 0 to 1, or (rows, columns).
        rows: the words that look.
        columns: the words that are looked at; None: the same words.
        title: printed above.

    Raises:
        InputError: the map has another shape than the words.
    """
    columns = rows if columns is None else columns
    values = np.asarray(weights, dtype=float)
    if values.shape != (len(rows), len(columns)):
        raise InputError(
            f"weights of shape {values.shape} with {len(rows)} row words and {len(columns)} column words; "
            "expected one row and one column a word: pick one head, attentions[layer][text, head]"
        )
    prepare(ax)
    ax.imshow(values, vmin=0, vmax=1, cmap=ramp("query"))
    name_cells(ax, rows, columns)
    ax.set_title(title, fontsize=NORMAL)
    return ax


def draw_heads(axes: Any, weights: Any, *, titles: Sequence[str] | None = None) -> Any:
    """Draw the heads of a layer as a mosaic without words.

    Args:
        axes: at least A axes, e.g. ``figure(rows=2, columns=4)[1]``.
        weights: (A, T, T) numbers from 0 to 1.
        titles: one for each head; None: "head 0", "head 1", …

    Returns:
        The axes; those left over are blank.

    Raises:
        InputError: fewer axes than heads, or a map that is not (A, T, T).
    """
    values = np.asarray(weights, dtype=float)
    places = np.atleast_1d(np.asarray(axes, dtype=object)).ravel()
    if values.ndim != 3 or len(places) < len(values):
        raise InputError(f"weights of shape {values.shape} for {len(places)} axes; expected (heads, T, T)")
    for head, ax in enumerate(places):
        ax.set_visible(head < len(values))
        if head < len(values):
            prepare(ax).set(xticks=[], yticks=[])
            ax.imshow(values[head], vmin=0, vmax=1, cmap=ramp("query"))
            ax.set_title(titles[head] if titles else f"head {head}", fontsize=SMALL)
    return axes
