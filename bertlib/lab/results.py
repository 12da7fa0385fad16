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
    folder = results_folder()
    path = folder / f"{name}.json"
    if not path.is_file():
        known = ", ".join(sorted(item.stem for item in folder.glob("*.json"))) or "none"
        raise InputError(f"there are no results {name!r}; there are {known}")
    return json.loads(path.read_text(encoding="utf-8"))


def results_folder() -> Path:
    """Return where the results lie: inside an installed package, beside it in a checkout."""
    here = Path(__file__).resolve().parent
    installed = here / "results"
    return installed if installed.is_dir() else here.parents[1] / "book" / "results"
