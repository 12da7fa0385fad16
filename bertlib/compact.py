"""Weights in two bytes or one instead of four: for files that travel, never for arithmetic.

Half precision is the tensor itself in fp16 or bf16. Eight bits are a matrix of whole numbers from -127 to
127 with one scale for each row beside it, under ``NAME.scale``; vectors (biases and norms) stay fp32, for
they weigh nothing. Reading gives fp32 back in every case.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from bertlib.errors import CheckpointError, InputError

SCALE = ".scale"
DTYPES = (torch.float32, torch.float16, torch.bfloat16, torch.int8)


def compress(weights: Mapping[str, Tensor], dtype: torch.dtype) -> dict[str, Tensor]:
    """Return the same weights smaller, for :func:`expand` to read.

    Raises:
        InputError: a type that weights are not kept in, a weight that is no finite number or too large for
            fp16.
    """
    if dtype not in DTYPES:
        raise InputError(f"dtype is {dtype}; expected one of {', '.join(map(str, DTYPES))}")
    small: dict[str, Tensor] = {}
    for name, value in weights.items():
        if not value.isfinite().all():
            raise InputError(
                f"{name} has values that are NaN or infinite; expected the weights of a sound model"
            )
        if dtype != torch.int8:
            small[name] = value.to(dtype)
            if not small[name].isfinite().all():
                raise InputError(f"{name} has values that {dtype} cannot hold; expected finite ones, or bf16")
        elif value.dim() == 2:
            small[name], small[name + SCALE] = eight_bits(value.float())
        else:
            small[name] = value.float()
    return small


def eight_bits(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """(R, C) -> whole numbers (R, C) int8 and scales (R, 1): the matrix is about numbers * scales."""
    scales = matrix.abs().amax(dim=1, keepdim=True) / 127
    scales = scales.where(scales > 0, torch.ones_like(scales))  # a row of zeros, such as that of [PAD]
    return (matrix / scales).round().to(torch.int8), scales


def expand(weights: Mapping[str, Tensor], *, source: str) -> dict[str, Tensor]:
    """Return all weights in fp32, whatever they were stored in.

    Raises:
        CheckpointError: whole numbers without scales of ours.
    """
    full: dict[str, Tensor] = {}
    for name, value in weights.items():
        if name.removesuffix(SCALE) in weights and name.endswith(SCALE):
            continue
        scale = weights.get(name + SCALE)
        if scale is None and not value.is_floating_point():
            raise CheckpointError(
                f"{source}: {name} is stored as {str(value.dtype).removeprefix('torch.')} without scales; "
                "expected fp32, fp16, bf16 or bertlib's own 8 bits: save the model unquantised"
            )
        full[name] = value.float() if scale is None else value.float() * scale.float()
    return full
