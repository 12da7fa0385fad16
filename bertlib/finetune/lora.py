"""LoRA: a frozen matrix learns through a second one of low rank beside it (Hu et al. 2022, section 4.1)."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bertlib.errors import InputError
from bertlib.model import BertModel


class LoraLinear(nn.Linear):
    """``x W^T + b + (alpha / r) x A^T B^T``; A (r, in) is drawn, B (out, r) is 0: at first nothing changes.

    Args:
        linear: W and b; used, not copied.
        rank: r.
        alpha: how strongly the update counts.
    """

    def __init__(self, linear: nn.Linear, rank: int, alpha: float) -> None:
        super().__init__(linear.in_features, linear.out_features, device="meta")
        self.weight, self.bias = linear.weight, linear.bias
        self.lora_a = nn.Parameter(linear.weight.new_empty(rank, linear.in_features))
        self.lora_b = nn.Parameter(linear.weight.new_zeros(linear.out_features, rank))
        nn.init.kaiming_uniform_(self.lora_a, a=5**0.5)
        self.scale = alpha / rank

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., in) to (..., out)."""
        return super().forward(x) + self.scale * F.linear(F.linear(x, self.lora_a), self.lora_b)

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """Return one plain layer that computes the same: W + (alpha / r) B A."""
        has_bias, device = self.bias is not None, self.weight.device
        plain = nn.Linear(self.in_features, self.out_features, bias=has_bias, device=device)
        plain.weight.copy_(self.weight + self.scale * self.lora_b @ self.lora_a)
        if has_bias:
            plain.bias.copy_(self.bias)
        return plain


def add_lora(
    bert: BertModel, rank: int, *, alpha: float | None = None, layers: Sequence[str] = ("query", "value")
) -> BertModel:
    """Return a copy of a body in which only A and B are trained; None as ``alpha`` is ``rank``.

    Raises:
        InputError: a rank below 1, or no linear layers of these names.
    """
    if rank < 1:
        raise InputError(f"LoRA of rank {rank}; expected at least 1")
    model = copy.deepcopy(bert).requires_grad_(False)
    found = 0
    for part in list(model.modules()):
        for name, layer in list(part.named_children()):
            if name in layers and isinstance(layer, nn.Linear):
                setattr(part, name, LoraLinear(layer, rank, rank if alpha is None else alpha))
                found += 1
    if not found:
        raise InputError(f"no linear layer is called {' or '.join(layers)}; expected query, value, inner, …")
    return model


def merge_lora(bert: BertModel) -> BertModel:
    """Return a copy without LoRA that computes the same, as fast as before it had any."""
    model = copy.deepcopy(bert)
    for part in list(model.modules()):
        for name, layer in list(part.named_children()):
            if isinstance(layer, LoraLinear):
                setattr(part, name, layer.merged())
    return model
