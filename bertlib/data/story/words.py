"""The three text files of the story world, read into sections: no words live in code."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources


@lru_cache(maxsize=8)
def read_sections(name: str) -> dict[str, list[str]]:
    """Read ``name``.txt of this folder: ``== title`` opens a section, ``#`` begins a comment.

    Returns:
        title -> its lines, in the order of the file.
    """
    sections: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in resources.files(__package__).joinpath(f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            lines = sections.setdefault(line[3:].strip(), [])
        elif line.strip() and not line.startswith("#"):
            lines.append(line.strip())
    return sections


def table(lines: list[str]) -> dict[str, list[str]]:
    """Split ``id: one; two`` lines into id -> [one, two]."""
    rows = (line.partition(": ") for line in lines)
    return {key: [cell.strip() for cell in rest.split("; ")] for key, _, rest in rows}
