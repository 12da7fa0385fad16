"""``lab.results``: numbers that were measured once, with their provenance, for chapters to draw."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bertlib.errors import InputError


def results(name: str) -> dict[str, Any]:
    """Read ``NAME.json`` from ``book/results``; ``["provenance"]`` says how it was measured.

    Raises:
        InputError: no such file (the ones there are listed).
    """
    return read_book("results", name)


def read_book(kind: str, name: str) -> dict[str, Any]:
    """Read ``NAME.json`` of a folder of ``book``: "results" or "quizzes".

    Raises:
        InputError: no such file (the ones there are listed).
    """
    folder = folder_of(kind)
    path = folder / f"{name}.json"
    if not path.is_file():
        known = ", ".join(sorted(item.stem for item in folder.glob("*.json"))) or "none"
        raise InputError(f"there are no {kind} {name!r}; there are {known}")
    return json.loads(path.read_text(encoding="utf-8"))


def folder_of(kind: str) -> Path:
    """Return where data of the book lies: inside an installed package, beside it in a checkout."""
    here = Path(__file__).resolve().parent
    installed = here / kind
    return installed if installed.is_dir() else here.parents[1] / "book" / kind
