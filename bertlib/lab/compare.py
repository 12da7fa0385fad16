"""Print small values neatly, and find the first place where two of them differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

MOST_COLUMNS = 12  # larger tensors are summed up by their shape
MOST_ROWS = 10


def pretty(value: Any, *, most_rows: int = MOST_ROWS) -> str:
    """Return a value as a few short lines, numbers to two places."""
    if isinstance(value, np.ndarray):
        value = torch.from_numpy(value)
    if isinstance(value, Tensor):
        return pretty_tensor(value.detach().cpu(), most_rows=most_rows)
    if isinstance(value, str | bool | int | type(None)):
        return str(value) if value != "" else "(an empty text)"
    if isinstance(value, float):
        return number(value)
    if isinstance(value, list | tuple):
        return pretty_sequence(value)
    return type(value).__name__  # a repr may hold an address, which differs from run to run


def pretty_sequence(values: Sequence[Any]) -> str:
    """Words and numbers stand in one line, anything larger one below the other."""
    if not values:
        return "(nothing)"
    if all(isinstance(value, str | int | float) for value in values):
        return " ".join(pretty(value) for value in values)
    return "\n".join(pretty(value) for value in values)


def pretty_tensor(values: Tensor, *, most_rows: int) -> str:
    """Matrices as rows of right-aligned numbers; large or deep tensors as shape and beginning."""
    if values.numel() == 0:
        return "(nothing)"
    if values.dim() == 3 and values.shape[0] == 1:
        values = values[0]
    table = values.reshape(1, -1) if values.dim() < 2 else values
    if table.dim() > 2 or table.shape[0] > most_rows or table.shape[1] > MOST_COLUMNS:
        beginning = " ".join(number(item) for item in values.flatten()[:4].tolist())
        return f"shape {tuple(values.shape)}, beginning {beginning}"
    cells = [[number(item) for item in row] for row in table.tolist()]
    width = max(len(cell) for row in cells for cell in row)
    return "\n".join(" ".join(cell.rjust(width) for cell in row).rstrip() for row in cells)


def number(value: float | int | bool) -> str:
    """Whole numbers as they are, others to two places; what would look like 0 keeps one digit."""
    if isinstance(value, bool | int):
        return str(value)
    return f"{value:.0e}" if 0 < abs(value) < 0.005 else f"{value:.2f}"


def first_difference(expected: Any, got: Any) -> str | None:
    """Say where ``got`` first differs from ``expected``, or return None when it does not."""
    if isinstance(expected, Tensor):
        return tensor_difference(expected, got)
    if isinstance(expected, list | tuple):
        return sequence_difference(list(expected), got)
    if isinstance(got, Tensor) and got.numel() == 1:
        got = got.item()
    if isinstance(expected, float):
        return None if abs(expected - got) < 1e-4 else f"expected {number(expected)}, came {number(got)}"
    return None if expected == got else f"expected {pretty(expected)}, came {pretty(got)}"


def sequence_difference(expected: list[Any], got: Any) -> str | None:
    """Compare item by item; a tuple or a one-dimensional tensor counts as a list."""
    if isinstance(got, Tensor | np.ndarray):
        got = got.tolist()
    if not isinstance(got, list | tuple):
        return f"a list of {len(expected)} was expected, {article(type(got).__name__)} came"
    for place, (right, mine) in enumerate(zip(expected, got, strict=False)):
        difference = first_difference(right, mine)
        if difference:
            return f"place {place}: {difference}"
    if len(expected) != len(got):
        return f"{len(expected)} items were expected, {len(got)} came"
    return None


def tensor_difference(expected: Tensor, got: Any) -> str | None:
    """Compare shapes first, then numbers (to a relative 1e-4: sums may run in another order)."""
    try:
        mine = torch.as_tensor(got).detach().cpu()
    except (TypeError, ValueError, RuntimeError):
        return f"a tensor of shape {tuple(expected.shape)} was expected, {article(type(got).__name__)} came"
    if mine.shape != expected.shape:
        return f"shape {tuple(mine.shape)} came where shape {tuple(expected.shape)} was expected"
    wrong = ~torch.isclose(mine.double(), expected.double(), rtol=1e-4, atol=1e-5, equal_nan=True)
    if not wrong.any():
        return None
    place = tuple(int(index) for index in wrong.nonzero()[0])
    right, came = expected[place].item(), mine[place].item()
    return f"{place_name(place)}: expected {number(right)}, came {number(came)}"


def place_name(place: tuple[int, ...]) -> str:
    """Return (1, 3) as "row 1, column 3"; longer ones keep their brackets, a lone number has no place."""
    if not place:
        return "the number"
    if len(place) == 1:
        return f"place {place[0]}"
    if len(place) == 2:
        return f"row {place[0]}, column {place[1]}"
    return f"[{', '.join(str(index) for index in place)}]"


def article(word: str) -> str:
    """Put "a" or "an" before a type's name."""
    return f"{'an' if word[0].lower() in 'aeiou' else 'a'} {word}"
