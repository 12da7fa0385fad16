"""Make a figure, and show it with words for those who cannot see it."""

from __future__ import annotations

import base64
import html
import importlib
import io
from collections.abc import Sequence
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from bertlib.errors import InputError
from bertlib.extras import show_html
from bertlib.viz.style import GROUND, INK, SMALL, prepare

PIXELS_PER_INCH = 150
LARGEST_BYTES = 100_000


def figure(width: float = 7.0, height: float = 3.0, *, rows: int = 1, columns: int = 1) -> tuple[Figure, Any]:
    """Return a figure of ``width`` x ``height`` inches and its axis (or array of axes).

    No global state of matplotlib is touched, so nothing is displayed until :func:`show`.
    """
    drawing = Figure(
        figsize=(width, height), facecolor=GROUND, layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1)
    )
    FigureCanvasAgg(drawing)
    axes = drawing.subplots(rows, columns)
    for ax in drawing.axes:
        prepare(ax)
    return drawing, axes


def write(ax: Axes, x: float, y: float, text: str, **look: Any) -> None:
    """Write small, in ink and centred on (x, y), unless ``look`` says otherwise (in matplotlib's words)."""
    usual: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": SMALL, "color": INK}
    ax.text(x, y, text, **(usual | look))


def rounded_box(
    ax: Axes, x: float, y: float, width: float, height: float, *, corner: float = 0.12, **look: Any
) -> None:
    """Draw a box with round corners from (x, y) on."""
    style = f"round,pad=0,rounding_size={corner}"
    ax.add_patch(FancyBboxPatch((x, y), width, height, boxstyle=style, **look))


def arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], **look: Any) -> None:
    """Draw an arrow in ink, unless ``look`` says otherwise (in matplotlib's words)."""
    ax.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", **({"color": INK} | look)))


def name_cells(ax: Axes, rows: Sequence[str], columns: Sequence[str]) -> None:
    """Write a word before each row of a map and a slanting one below each column."""
    ax.set_xticks(range(len(columns)), columns, rotation=60, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(len(rows)), rows)
    ax.tick_params(length=0)


def show(drawing: Figure, *, alt: str, min_width: int = 0) -> None:
    """Display a figure below the cell, with its alternative text.

    Args:
        drawing: the figure.
        alt: what the figure shows, in a sentence or two; never empty.
        min_width: pixels below which the picture is scrolled rather than shrunk, for small print
            on a phone.

    Raises:
        InputError: empty ``alt``.
    """
    show_html(as_html(drawing, alt=alt, min_width=min_width))


def as_html(drawing: Figure, *, alt: str, min_width: int = 0) -> str:
    """Return the figure as an HTML image that carries its data and its alternative text.

    Raises:
        InputError: empty ``alt``.
    """
    if not alt.strip():
        raise InputError("a figure came without alternative text; say in alt= what it shows")
    data = as_png(drawing)
    width = round(drawing.get_figwidth() * 100)
    style = f"width:{width}px;max-width:100%;min-width:{min_width}px;height:auto;border-radius:8px"
    source = f"data:image/png;base64,{base64.b64encode(data).decode('ascii')}"
    words = html.escape(" ".join(alt.split()))
    image = f'<img alt="{words}" style="{style}" src="{source}">'
    return f'<div style="overflow-x:auto">{image}</div>'


def as_png(drawing: Figure) -> bytes:
    """Return the figure as PNG in a palette of at most 256 colours, the same bytes every time.

    A palette makes it about a third of the size with no visible difference; a figure that is still larger
    than 100 kB gets fewer colours.
    """
    stream = io.BytesIO()
    with rc_context({"savefig.facecolor": "auto"}):
        drawing.savefig(stream, format="png", dpi=PIXELS_PER_INCH, metadata={"Software": None})
    data = stream.getvalue()
    for colours in (256, 96, 48):
        small = with_palette(data, colours)
        if len(small) <= LARGEST_BYTES:
            return small
    return small


def with_palette(data: bytes, colours: int) -> bytes:
    """Return a PNG with at most so many colours."""
    image_module = importlib.import_module("PIL.Image")  # Pillow comes with matplotlib
    stream = io.BytesIO()
    picture = image_module.open(io.BytesIO(data)).convert("RGB").quantize(colours)
    picture.save(stream, format="PNG", optimize=True)
    return stream.getvalue()
