"""Bring the files of ``book/results`` into one form that can be drawn: the one place that knows their keys.

A file is recognised by what it holds. Where something was measured under several conditions, ``rows`` lists
them, each with a ``cell`` that names its conditions; a file without ``rows`` is its own only row.

``sides``
    speeds side by side (``bertlib bench pretrain``, ``load``): ``{name: {"tokens_per_s", "ratios": {other:
    ratio}}}``, or with one ``ratio`` a side; ``curves`` or ``losses`` beside them show that the work was the
    same; a row with ``not_measured`` gives the reason
``ratios``
    the same by kind of number (``bertlib bench tokenize``, ``inference``), perhaps in ``shapes`` of a batch
``removed`` and ``added``
    tricks (``bertlib bench ablate``): tables of ``{name: {"tokens_per_s", "ratio"}}``; null: not measured
``runs``
    several learning curves (:mod:`bertlib.bench.gallery`)
``train`` and ``valid``
    one learning curve (:mod:`bertlib.bench.ship`), as mappings of columns
``accuracy``
    shares of right answers by name
``tasks``
    many tasks, each learned from two starts (:mod:`bertlib.bench.task_table`)
``retrieval``
    passages found for questions, by several ways of searching (:mod:`bertlib.bench.retrieval`)
``save_every``
    what saving costs a run (``bertlib bench saving``)
any other numbers (``bertlib bench corpus``)
    a table

A ratio is a number with ``low`` and ``high`` beside it, or a mapping of ``median``, ``low`` and ``high``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import learned
import speeds
import tasks
import tricks
from sheets import Json, ResultsError, Sheet

LISTS = {"rows", "cells", "results"}  # any of them lists what was measured, condition by condition


def read(path: Path) -> dict[str, Any]:
    """Read one file.

    Raises:
        ResultsError: it is no JSON, or not a mapping with a provenance.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ResultsError(f"{path.name} is not JSON ({error}); measure it again or remove it") from error
    if not isinstance(found, dict) or not isinstance(found.get("provenance"), dict):
        raise ResultsError(f'{path.name}: expected a mapping with "provenance"; measure it again')
    return found


def sheet(name: str, found: Json) -> Sheet:
    """Bring a file into the form that is drawn.

    Raises:
        ResultsError: no known kind of file, or a key of its kind is missing.
    """
    try:
        return reader(found)(found)
    except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
        keys = ", ".join(map(str, found))
        raise ResultsError(
            f"{name}.json has the keys {keys} and cannot be drawn ({type(error).__name__}: {error}); "
            "book/_ext/measured.py lists the kinds of files"
        ) from error


def reader(found: Json) -> Callable[[Json], Sheet]:
    """Choose by the keys who reads the file."""
    first = rows_of(found)[0]
    readers: dict[Callable[[Json], Sheet], bool] = {
        learned.runs: "runs" in found,
        tasks.table: "tasks" in found,
        tasks.retrieval: "retrieval" in found,
        learned.one_run: "train" in found and "valid" in found,
        learned.shares: "accuracy" in found,
        speeds.sides: bool({"sides", "ratios", "not_measured"} & first.keys()),
        tricks.tables: "removed" in first,
        speeds.saving: "save_every" in first,
        speeds.single: "ratio" in first and "name" in first,
        plain: bool(LISTS & found.keys()) or any(isinstance(value, int | float) for value in first.values()),
    }
    for function, fits in readers.items():
        if fits:
            return lambda found: function({**found, "rows": rows_of(found)})
    raise ValueError("no known kind of file")


def rows_of(found: Json) -> list[Json]:
    """Return the conditions under which something was measured; the shapes of a row are rows of their own."""
    key = next((key for key in sorted(LISTS) if key in found), None)
    rows: list[Json] = list(found[key]) if key else [found]
    made: list[Json] = []
    for row in rows:
        shapes = row.get("shapes")
        made += [{**shape, "cell": {**row["cell"], **sizes(shape)}} for shape in shapes] if shapes else [row]
    return made


def sizes(shape: Json) -> dict[str, Any]:
    """Return the size of the batches of one shape."""
    return {key: shape[key] for key in ("batch_size", "max_length")}


def plain(found: Json) -> Sheet:
    """Read rows that are a table and no more."""
    return Sheet(tables=(learned.table_of(found["rows"]),))
