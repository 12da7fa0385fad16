"""One colour language for every figure of the book, in one place.

The hues are those of Okabe and Ito (2008), which people with any kind of colour vision can tell
apart. Figures stand on an opaque light ground, so that they read alike on light and dark pages.
"""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb

Colour = tuple[float, float, float] | str  # red, green, blue from 0 to 1, or a name

COLOURS: dict[str, str] = {
    "token": "#0072b2",  # blue
    "segment": "#009e73",  # green
    "position": "#e69f00",  # orange
    "sum": "#4d4d58",  # slate
    "query": "#d55e00",  # vermilion
    "key": "#2f95cf",  # sky, darkened until it reads on a light ground
    "value": "#b3629a",  # purple
    "selected": "#f0e442",  # yellow: for fields, too light for lines
    "masked": "#1b2733",  # near black
}
LINES = ("token", "query", "segment", "value", "position", "key", "sum")  # runs in one plot
GROUND = "#fbfaf7"
INK = "#26262b"
FAINT = "#d9d7d0"
SMALL, NORMAL = 8.5, 10.0  # points


def tint(name: str, strength: float) -> tuple[float, float, float]:
    """Return a colour of the language mixed into the ground: 0 is the ground, 1 the full colour."""
    full, ground = to_rgb(COLOURS[name]), to_rgb(GROUND)
    red, green, blue = (g + strength * (f - g) for f, g in zip(full, ground, strict=True))
    return red, green, blue


def ramp(name: str) -> LinearSegmentedColormap:
    """Return a colour map from the ground to one colour: for weights from 0 to 1."""
    return LinearSegmentedColormap.from_list(f"ground-{name}", [GROUND, COLOURS[name]])


def two_sided() -> LinearSegmentedColormap:
    """Return a colour map for values around 0, which is the ground."""
    return LinearSegmentedColormap.from_list("two-sided", [COLOURS["query"], GROUND, COLOURS["token"]])


def prepare(ax: Axes) -> Axes:
    """Give an axis the book's look: light ground, quiet frame, readable labels."""
    ax.set_facecolor(GROUND)
    ax.spines[:].set_color(FAINT)
    ax.tick_params(colors=INK, labelsize=SMALL, length=3, color=FAINT)
    ax.xaxis.label.set_color(INK)
    ax.yaxis.label.set_color(INK)
    ax.title.set_color(INK)
    ax.title.set_fontsize(NORMAL)
    return ax


def bare(ax: Axes) -> Axes:
    """Take frame and ticks away, for drawings that are no plots."""
    prepare(ax)
    ax.set_axis_off()
    return ax


def luminance(colour: Colour) -> float:
    """Return the relative luminance of a colour, 0 to 1 (WCAG 2.1)."""
    parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: Colour, other: Colour) -> float:
    """Return the contrast of two colours, 1 to 21 (WCAG 2.1; text wants 4.5)."""
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def readable_on(colour: Colour) -> str:
    """Return dark or light ink, whichever reads better on the colour."""
    return max((INK, GROUND), key=lambda ink: contrast(ink, colour))
