"""Learning curves, one large or several small, as text for a page. Pure functions.

Colours are classes that ``book.css`` fills from the book's variables, so a drawing follows light and dark.
Widths are percentages and heights are pixels, so letters keep their size from a phone to a wide screen.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from html import escape

from scales import percent, ticks
from sheets import Line, Panel, Sheet

TOP, PLOT, FOOT = 8, 130, 20  # pixels of a panel: above the curves, the curves, the number of steps
Scale = Callable[[float], float]
STYLES = ("one", "two", "three", "four")  # lines of one panel, in book.css


def draw(sheet: Sheet) -> str:
    """Draw the curves: one plot large, several small side by side, all on one scale."""
    ends = range_of(sheet)
    tall = len(sheet.panels) == 1
    drawn = "".join(panel_svg(panel, ends, level=sheet.level, tall=tall) for panel in sheet.panels)
    longest = max(len(panel.title) for panel in sheet.panels)
    kind = "panels single" if len(sheet.panels) == 1 else "panels named" if longest > 12 else "panels"
    return f'{legend(sheet)}<div class="{kind}">{drawn}</div>'


def range_of(sheet: Sheet) -> tuple[float, float]:
    """Return the losses at the bottom and at the top: from 0, unless all of them are far from it."""
    values = [y for panel in sheet.panels for line in panel.lines for y in line.y]
    lowest, highest = min(values), max(values)
    low = float(math.floor(lowest)) if lowest > 0.6 * highest else 0.0
    return low, sheet.highest or low + 1.05 * (highest - low)


def legend(sheet: Sheet) -> str:
    """Name the lines of the first panel; all panels use the same."""
    entries = []
    for style, line in zip(STYLES, sheet.panels[0].lines, strict=False):
        mark = '<circle cx="13" cy="6" r="3"/>' if line.dots else '<line x1="1" x2="25" y1="6" y2="6"/>'
        entries.append((style, mark, line.name))
    if sheet.level is not None:
        entries.append(("level", '<line x1="1" x2="25" y1="6" y2="6"/>', "knowing the common words only"))
    named = "".join(
        f'<span><svg class="curve {style}" width="26" height="12" aria-hidden="true">{mark}</svg> '
        f"{escape(name)}</span>"
        for style, mark, name in entries
    )
    return f'<p class="key">{named}<span>up: loss in nats</span></p>'


def panel_svg(panel: Panel, ends: tuple[float, float], *, level: float | None, tall: bool) -> str:
    """Draw one plot: rules with their numbers, curves, the last step at the bottom."""
    (lowest, highest), height = ends, PLOT * (2 if tall else 1)
    last = max(line.x[-1] for line in panel.lines)

    def across(x: float) -> float:
        return x / last

    def down(y: float) -> float:
        return height * (highest - min(y, highest)) / (highest - lowest)

    steps = ticks(highest, lowest, most=5 if tall else 3)
    inside = "".join(grid_rule(tick, TOP + down(tick)) for tick in steps)
    if level is not None and lowest <= level <= highest:
        y = f"{TOP + down(level):.1f}"
        inside += f'<line class="level" x1="0" x2="100%" y1="{y}" y2="{y}"/>'
    for style, line in zip(STYLES, panel.lines, strict=False):
        inside += (dots if line.dots else polyline)(line, across, down, style, height)
    peak = max(max(line.y) for line in panel.lines)
    if peak > highest:
        inside += f'<text class="cut end" x="100%" y="{TOP + 4}">▲ up to {peak:.0f}</text>'
    inside += f'<text class="end" x="100%" y="{TOP + height + 15}">{last:,.0f} steps</text>'
    title = f'<p class="panel-title">{escape(panel.title)}</p>' if panel.title else ""
    return (
        f'<div class="panel">{title}<svg role="img" aria-label="{escape(alternative(panel), quote=True)}" '
        f'width="100%" height="{TOP + height + FOOT}">{inside}</svg></div>'
    )


def polyline(line: Line, across: Scale, down: Scale, style: str, height: int) -> str:
    """Draw a line in a frame of its own, which alone is stretched to the width of the page."""
    points = " ".join(f"{1000 * across(x):.0f},{down(y):.1f}" for x, y in zip(line.x, line.y, strict=True))
    return (
        f'<svg class="curve {style}" x="0" y="{TOP}" width="100%" height="{height}" '
        f'viewBox="0 0 1000 {height}" preserveAspectRatio="none" aria-hidden="true">'
        f'<polyline points="{points}"/></svg>'
    )


def dots(line: Line, across: Scale, down: Scale, style: str, height: int) -> str:
    """Draw the points of a line as dots."""
    marks = "".join(
        f'<circle cx="{percent(across(x))}" cy="{TOP + down(y):.1f}" r="2.4"/>'
        for x, y in zip(line.x, line.y, strict=True)
    )
    return f'<g class="curve {style}">{marks}</g>'


def grid_rule(tick: float, y: float) -> str:
    """Draw one horizontal rule with its number on it."""
    return (
        f'<line class="grid" x1="0" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="end" x="-6" y="{y + 4:.1f}">{tick:g}</text>'
    )


def alternative(panel: Panel) -> str:
    """Say in words where each curve begins, ends and peaks."""
    parts = []
    for line in panel.lines:
        peak = f", at most {max(line.y):.1f}" if max(line.y) > 1.2 * line.y[0] else ""
        parts.append(f"{line.name}: loss from {line.y[0]:.2f} to {line.y[-1]:.2f}{peak}")
    last = max(line.x[-1] for line in panel.lines)
    title = f"{panel.title}. " if panel.title else ""
    return f"{title}{'; '.join(parts)}; over {last:,.0f} steps."
