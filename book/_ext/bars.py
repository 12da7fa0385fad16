"""Bars of ratios or shares, with their spread, as text for a page. Pure functions.

Colours are classes that ``book.css`` fills from the book's variables, so a drawing follows light and dark.
Widths are percentages and heights are pixels, so letters keep their size from a phone to a wide screen.
"""

from __future__ import annotations

from html import escape

from scales import percent, ticks
from sheets import Bar, Figure, Group

BAR, ROW = 12, 26  # pixels: thickness of a bar, least height of its row


def draw(figure: Figure) -> str:
    """Draw all groups of a figure on one scale from zero."""
    scale = scale_of(figure)
    named = f'<p class="figure-title">{escape(figure.title)}</p>' if figure.title else ""
    key = "" if figure.share else f'<p class="key"><i class="key-rule"></i>1: {escape(meaning(figure))}</p>'
    rows = "".join(group_rows(group, scale, share=figure.share) for group in figure.groups)
    words = escape(alternative(figure), quote=True)
    inside = key + rows + axis(scale, share=figure.share)
    return f'{named}<div class="bars" role="img" aria-label="{words}">{inside}</div>'


def meaning(figure: Figure) -> str:
    """Say what the line at 1 stands for."""
    return figure.one or "the same speed"


def scale_of(figure: Figure) -> float:
    """Return the value at the right edge: all of a share, or a little more than the longest bar and 1."""
    top = max(max(bar.high, bar.value) for group in figure.groups for bar in group.bars)
    if figure.share:
        return 1.0 if top > 0.5 else top * 1.04
    return max(top, 1.25) * 1.04


def group_rows(group: Group, scale: float, *, share: bool) -> str:
    """Draw the bars that were measured together, their title above."""
    title = f'<p class="bars-title">{escape(group.title)}</p>' if group.title else ""
    return title + "".join(row(bar, scale, share=share) for bar in group.bars)


def row(bar: Bar, scale: float, *, share: bool) -> str:
    """Draw one bar with its spread, between its name and its value."""
    undecided = not share and bar.low <= 1 <= bar.high and bar.low < bar.high
    kind = ("base" if bar.baseline else "ours") + (" open" if undecided else "")
    rules = "".join(rule(tick / scale) for tick in ticks(scale))
    rules += "" if share else rule(1 / scale, "at-one")
    return (
        f'<div class="bar"><span class="bar-name">{escape(bar.name)}</span>'
        f'<svg width="100%" height="{ROW}" aria-hidden="true">{rules}{mark(bar, scale, kind)}</svg>'
        f'<span class="bar-value">{value(bar, share=share)}</span></div>'
    )


def mark(bar: Bar, scale: float, kind: str) -> str:
    """Draw the bar and, where there is a spread, the line through it; a row may be higher than usual."""
    width = percent(max(bar.value, 0) / scale)  # a correlation may be negative: it has no bar
    drawn = f'<rect class="{kind}" x="0" y="50%" width="{width}" height="{BAR}" rx="2"/>'
    if bar.high > bar.low:
        low, high = (percent(max(end, 0) / scale) for end in (bar.low, bar.high))
        drawn += f'<line class="spread" x1="{low}" x2="{high}" y1="50%" y2="50%"/>'
        drawn += "".join(f'<rect class="cap" x="{x}" y="50%" width="1.5" height="9"/>' for x in (low, high))
    return drawn


def rule(place: float, kind: str = "grid") -> str:
    """Draw one vertical rule through a row; nothing where it would leave the drawing."""
    x = percent(place)
    return f'<line class="{kind}" x1="{x}" x2="{x}" y1="0" y2="100%"/>' if place <= 1 else ""


def axis(scale: float, *, share: bool) -> str:
    """Draw the numbers below the bars."""
    labels = ""
    for tick in ticks(scale):
        anchor = "start" if tick == 0 else "end" if tick > 0.97 * scale else "mid"
        words = f"{tick:.0%}" if share else f"{tick:g}"
        labels += f'<text x="{percent(tick / scale)}" y="13" class="{anchor}">{words}</text>'
    return f'<div class="bar bar-axis"><svg width="100%" height="18" aria-hidden="true">{labels}</svg></div>'


def value(bar: Bar, *, share: bool) -> str:
    """Write a value and, smaller, the ends of its spread."""
    ends = f" <small>{written(bar.low, share).rstrip('%')}–{written(bar.high, share)}</small>"
    return f"<b>{written(bar.value, share)}</b>{ends if bar.high > bar.low else ''}"


def written(number: float, share: bool) -> str:
    """Write a ratio or a share."""
    return f"{number:.1%}" if share else f"{number:.2f}" if number < 100 else f"{number:.0f}"


def alternative(figure: Figure) -> str:
    """Say in words what the bars show."""
    parts = []
    for group in figure.groups:
        values = "; ".join(in_words(bar, share=figure.share) for bar in group.bars)
        parts.append(f"{group.title}: {values}" if group.title else values)
    kind = "Bars of shares" if figure.share else f"Bars of ratios; 1 is {meaning(figure)}"
    return ". ".join([*([figure.title] if figure.title else []), kind, *parts]) + "."


def in_words(bar: Bar, *, share: bool) -> str:
    """Say one bar."""
    spread = f" ({written(bar.low, share)} to {written(bar.high, share)})" if bar.high > bar.low else ""
    return f"{bar.name} {written(bar.value, share)}{spread}"
