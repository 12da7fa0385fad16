"""Random numbers for a batch, or for some rows of it as if the whole batch had been drawn.

Several processes share a batch. Each draws the numbers of all its rows, which costs next to nothing, and
keeps those of its own: so the texts of a run do not depend on how many processes there are.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Generator, Tensor


class RowsOf(NamedTuple):
    """A generator for a batch of ``total`` rows of which only ``first`` to ``last`` - 1 are here."""

    generator: Generator
    total: int
    first: int
    last: int


Dice = Generator | RowsOf | None


def uniform(shape: tuple[int, ...], dice: Dice, device: torch.device) -> Tensor:
    """Draw numbers from [0, 1) for the rows that are here; ``shape`` is (rows, ...)."""
    if not isinstance(dice, RowsOf):
        return torch.rand(shape, generator=dice, device=device)
    whole = torch.rand((dice.total, *shape[1:]), generator=dice.generator, device=device)
    return whole[dice.first : dice.last]


def integers(low: int, high: int, shape: tuple[int, ...], dice: Dice, device: torch.device) -> Tensor:
    """Draw whole numbers from ``low`` to ``high`` - 1 for the rows that are here; (rows, ...)."""
    if not isinstance(dice, RowsOf):
        return torch.randint(low, high, shape, generator=dice, device=device)
    whole = torch.randint(low, high, (dice.total, *shape[1:]), generator=dice.generator, device=device)
    return whole[dice.first : dice.last]
