"""Results in words: numbers with their nouns, texts that fit a line, scores, recipes, trials."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bertlib.finetune.metrics import Scores


def counted(number: int, thing: str) -> str:
    """Return a number with its noun.

    Example:
        >>> counted(1, "example"), counted(2000, "example")
        ('1 example', '2,000 examples')
    """
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def cut(text: str, width: int) -> str:
    """Return a text on one line of at most ``width`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1].rstrip() + "…"


def scores_line(scores: Scores) -> str:
    """Return scores in one line."""
    return ", ".join(f"{name} {value:.3f}" for name, value in scores.items())


def settings(recipe: object, names: Iterable[str]) -> str:
    """Return some fields of a recipe in one line."""
    return ", ".join(f"{name} {getattr(recipe, name)}" for name in names)


def trial_lines(trials: Sequence[Mapping[str, Any]], score: str) -> list[str]:
    """Return the table of a search, a line a trial.

    Args:
        trials: rows of :meth:`bertlib.finetune.search.Search.table`.
        score: the name of the score that decided.
    """
    if not trials:
        return []
    names = [name for name in trials[0] if name not in ("score", "seconds", "error")]
    rows = [[*names, score, "seconds"]]
    for trial in trials:
        found = "failed" if trial["score"] is None else f"{trial['score']:.3f}"
        rows.append([*(f"{trial[name]}" for name in names), found, f"{trial['seconds']:.0f}"])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
