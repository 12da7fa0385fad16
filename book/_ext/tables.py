"""Tables of measured numbers, as HTML. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from sheets import Table

NUMBER = ' class="number"'


def write(found: Table) -> str:
    """Write a table that scrolls inside its own frame where it is too wide."""
    right = numeric(found)
    head = "".join(
        f'<th scope="col"{NUMBER if place in right else ""}><p>{escape(name)}</p></th>'
        for place, name in enumerate(found.head)
    )
    sections = "".join(section(title, rows, len(found.head)) for title, rows in found.sections)
    return (
        '<div class="pst-scrollable-table-container"><table class="table measured-table">'
        f"<thead><tr>{head}</tr></thead>{sections}</table></div>"
    )


def length(found: Table) -> int:
    """Return the number of rows."""
    return sum(len(rows) for _, rows in found.sections)


def section(title: str, rows: Iterable[Sequence[Any]], width: int) -> str:
    """Write the rows below one title."""
    above = (
        f'<tr><th class="section" colspan="{width}" scope="rowgroup">{escape(title)}</th></tr>'
        if title
        else ""
    )
    return f"<tbody>{above}{''.join(table_row(row) for row in rows)}</tbody>"


def table_row(row: Sequence[Any]) -> str:
    """Write one row; numbers stand right."""
    return (
        "<tr>"
        + "".join(f"<td{NUMBER if is_number(cell) else ''}>{written(cell)}</td>" for cell in row)
        + "</tr>"
    )


def numeric(found: Table) -> set[int]:
    """Return the columns that hold nothing but numbers."""
    rows = [row for _, section_rows in found.sections for row in section_rows]
    return {place for place in range(len(found.head)) if all(is_number(row[place]) for row in rows)}


def is_number(cell: Any) -> bool:
    """Whether a cell holds a number, or nothing."""
    return cell is None or (isinstance(cell, int | float) and not isinstance(cell, bool))


def written(cell: Any) -> str:
    """Write a cell: three or so digits, thousands apart; a dash for a missing number."""
    if cell is None:
        return "–"
    if not is_number(cell):
        return escape(str(cell))
    if isinstance(cell, int) or abs(cell) >= 1000:
        return f"{cell:,.0f}"
    return f"{cell:.1f}" if abs(cell) >= 100 else f"{cell:.2f}" if abs(cell) >= 1 else f"{cell:.3f}"
