"""Dropout, with a mask that costs a quarter of the usual random numbers on the CPU.

Where the probability comes from: Devlin et al. 2019, appendix A.2 (0.1 on all layers).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LEVELS = 1 << 16  # what 16 random bits can tell apart


def dropout_mask(x: Tensor, probability: float) -> Tensor:
    """Draw a mask of ``x``'s shape and type: 0 with ``probability``, else 1 / (1 - probability).

    PyTorch draws one 32-bit float for every cell. Sixteen bits decide just as well (the probability
    is met to 1 in 65,536), so one 64-bit random number here serves four cells.
    """
    words = torch.empty((x.numel() + 3) // 4, dtype=torch.int64, device=x.device)
    words.random_(-(1 << 63), None)
    bits = words.view(torch.int16)[: x.numel()].view(x.shape)  # uniform in -32768 ... 32767
    dropped = min(round(probability * LEVELS), LEVELS - 1)  # the last level would not fit into 16 bits
    kept = bits >= dropped - LEVELS // 2
    return kept.to(x.dtype).mul_(1 / (1 - probability))


class Dropout(nn.Module):
    """Zero each value with probability ``p`` while training and scale up the rest.

    Same distribution as :class:`torch.nn.Dropout`, which it uses wherever there is a GPU.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` with dropout; any shape in, the same shape out."""
        if not self.training or self.p == 0:
            return x
        if x.device.type != "cpu":
            return F.dropout(x, self.p)
        return x * dropout_mask(x, self.p)

    def extra_repr(self) -> str:
        """Show the probability when the module is printed."""
        return f"p={self.p}"
