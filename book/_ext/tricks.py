"""Read what single tricks are worth. See :mod:`measured`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sheets import Figure, Group, Json, Sheet, Table, titles
from speeds import bar, ratio_to

WAYS = {
    "removed": "Each trick taken out of the whole",
    "added": "Tricks added one after another",
    "extra": "Added to the whole",
    "packing": "Ways to fill a batch: words a second, padding not counted",
}


def tables(found: Json) -> Sheet:
    """Read tables of tricks, each against its first entry."""
    rows: Sequence[Json] = found["rows"]
    common, special = titles(rows)
    special = special if len(rows) > 1 else [common]
    figures, sections = [], []
    for way, words in WAYS.items():
        measured = [(title, row[way]) for title, row in zip(special, rows, strict=True) if row.get(way)]
        if measured:
            figures.append(figure(words, measured))
            sections += [
                (f"{words} · {title}" if len(rows) > 1 else words, tuple(map(cells, entries.items())))
                for title, entries in measured
            ]
    written = [Table(head=(common, "tokens/s", "ratio"), sections=tuple(sections))]
    if meanings := rows[0].get("tricks"):
        written.append(Table(head=("trick", "what it is"), sections=(("", tuple(meanings.items())),)))
    if reasons := {name: why for row in rows for name, why in row.get("reasons", {}).items()}:
        written.append(Table(head=("not measured", "why"), sections=(("", tuple(reasons.items())),)))
    return Sheet(figures=tuple(figures), tables=tuple(written))


def figure(words: str, measured: Sequence[tuple[str, Mapping[str, Any]]]) -> Figure:
    """Draw one table of tricks under all conditions; its first entry is the line at 1."""
    groups = []
    for title, entries in measured:
        ratios = [(name, ratio_to(entry, "")) for name, entry in list(entries.items())[1:] if entry]
        groups.append(Group(title=title, bars=tuple(bar(name, ratio) for name, ratio in ratios if ratio)))
    return Figure(title=words, one=next(iter(measured[0][1])), groups=tuple(groups))


def cells(item: tuple[str, Json | None]) -> tuple[Any, ...]:
    """Return one row of the table; what was not measured has no numbers."""
    name, entry = item
    if not entry:
        return name, None, None
    return name, entry["tokens_per_s"], (ratio_to(entry, "") or (None,))[0]
