"""How exactly matrices are multiplied, for the length of a ``with`` block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def matmul_precision(name: str) -> Iterator[None]:
    """Multiply fp32 matrices at ``highest``, ``high`` or ``medium`` precision, then set it back.

    On CPUs without matrix units "medium" picks another library for the same fp32 arithmetic, which is
    about twice as fast where AVX-512 is present; on CPUs with AMX and on GPUs it lets products round to
    bfloat16 (``high``: TF32). It is a setting of the process, so this is a context.
    """
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(name)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def autocast(precision: str, device: torch.device) -> torch.autocast:
    """Run matrix products in bfloat16 if ``precision`` is "bf16"; weights and losses stay in fp32."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")
