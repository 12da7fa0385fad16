"""The road to BERT and on from it, as data: 1949 to 2024.

The entries stand in ``timeline.txt``, one a line. A year is that of the paper cited, or of its preprint on
arXiv where that came first; some of the ideas are older still.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bertlib.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Milestone:
    """One entry of the time line."""

    year: int
    name: str
    who: str
    what: str
    citation: str  # key in the book's bibliography
    builds_on: tuple[str, ...] = ()  # names of earlier entries: the edges of a family tree


def read_timeline(lines: str) -> tuple[Milestone, ...]:
    """Read entries: year | name | who | what | citation | names it builds on, with commas.

    Raises:
        InputError: a line of another form, years out of order, an ancestor that does not stand further up.
    """
    entries: list[Milestone] = []
    for number, line in enumerate(lines.splitlines(), start=1):
        fields = [field.strip() for field in line.split("|")]
        if len(fields) != 6 or not fields[0].isdigit() or not all(fields[:5]):
            raise InputError(
                f"line {number} is {line!r}; expected year | name | who | what | citation | names"
            )
        year, builds_on = int(fields[0]), tuple(name.strip() for name in fields[5].split(",") if name)
        unknown = set(builds_on) - {entry.name for entry in entries}
        if unknown or (entries and year < entries[-1].year):
            raise InputError(
                f"line {number} ({fields[1]}) comes too early: its year is {year}, and it builds on "
                f"{', '.join(builds_on) or 'nothing'}; put it behind all of these"
            )
        name, who, what, citation = fields[1:5]
        entries.append(
            Milestone(year=year, name=name, who=who, what=what, citation=citation, builds_on=builds_on)
        )
    return tuple(entries)


TIMELINE = read_timeline(Path(__file__).with_name("timeline.txt").read_text("utf-8"))
