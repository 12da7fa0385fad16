"""How fast this machine could multiply matrices: from the data sheet, or measured.

What training reaches of it is called MFU, model FLOPs utilisation (Chowdhery et al. 2023, appendix B).
"""

from __future__ import annotations

import re
import time
from functools import lru_cache
from typing import NamedTuple

import torch

from bertlib.config import BertConfig
from bertlib.errors import ConfigError
from bertlib.flops import flops_per_token

# TFLOP/s of dense products as NVIDIA's data sheets state them ("with sparsity" halved): bf16 with tensor
# cores, tf32 with tensor cores, fp32 without. 0: the chip has no such unit. A more special name comes first.
# Data sheets: H200, H100 (SXM, PCIe, NVL), A100, L40S, L4, A10, T4, V100; Ada white paper (RTX 4090).
DATA_SHEETS: dict[str, dict[str, float]] = {
    "H200": {"bf16": 989, "tf32": 494, "fp32": 67},
    "H100 PCIe": {"bf16": 756, "tf32": 378, "fp32": 51},
    "H100 NVL": {"bf16": 835, "tf32": 417, "fp32": 60},
    "H100": {"bf16": 989, "tf32": 494, "fp32": 67},
    "A100": {"bf16": 312, "tf32": 156, "fp32": 19.5},
    "L40S": {"bf16": 362, "tf32": 183, "fp32": 91.6},
    "L4": {"bf16": 121, "tf32": 60, "fp32": 30.3},
    "A10": {"bf16": 125, "tf32": 62.5, "fp32": 31.2},
    "T4": {"bf16": 0, "tf32": 0, "fp32": 8.1},
    "V100-PCIE": {"bf16": 0, "tf32": 0, "fp32": 14},
    "V100": {"bf16": 0, "tf32": 0, "fp32": 15.7},
    "RTX 4090": {"bf16": 165, "tf32": 82.6, "fp32": 82.6},
}
_SLOWER_BY_THE_SAME_NAME = re.compile(r"\b(MIG|Laptop|Max-Q|H200 NVL|4090 D)\b")

PROBE_SECONDS = 0.1  # how long a measurement takes, once its size is found


class Peak(NamedTuple):
    """The ceiling for matrix products."""

    flops_per_s: float
    measured: bool  # else as the data sheet states it


def published_peak(name: str, unit: str) -> float | None:
    """Return FLOP/s of a GPU by the data sheet, or None if it is not in the table.

    Args:
        name: as the driver gives it, "NVIDIA H100 80GB HBM3".
        unit: bf16, tf32 or fp32.

    Example:
        >>> published_peak("NVIDIA L4", "bf16")
        121000000000000.0
    """
    if _SLOWER_BY_THE_SAME_NAME.search(name):
        return None
    for key, rates in DATA_SHEETS.items():
        if re.search(rf"\b{key}\b", name):
            fastest = rates[unit] or (rates["fp32"] if unit == "tf32" else 0)
            return fastest * 1e12 or None
    return None


def peak_rate(device: torch.device | str, precision: str = "fp32") -> Peak:
    """Return the ceiling for a device: known GPUs from the table, everything else measured.

    A measurement is a few matrix products at the current number of threads and the current fp32 matmul
    precision. It takes about 0.2 s, draws no random numbers, and is kept as long as the process lives.

    Args:
        device: cpu, cuda, ...
        precision: "bf16", or "fp32" at what ``torch.get_float32_matmul_precision()`` says now.

    Raises:
        ConfigError: another precision.
    """
    if precision not in ("fp32", "bf16"):
        raise ConfigError(f"precision is {precision!r}; expected fp32 or bf16")
    device = torch.device(device)
    products = torch.get_float32_matmul_precision()
    if device.type == "cuda":
        unit = "bf16" if precision == "bf16" else "fp32" if products == "highest" else "tf32"
        published = published_peak(torch.cuda.get_device_name(device), unit)
        if published is not None:
            return Peak(published, measured=False)
    return Peak(_measured(str(device), precision, products, torch.get_num_threads()), measured=True)


@lru_cache(maxsize=32)
def _measured(device: str, precision: str, products: str, threads: int) -> float:
    """Time square products; the arguments name everything that the rate depends on."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    with torch.inference_mode(), torch.autocast(torch.device(device).type, enabled=False):
        size = 256
        seconds = _product_seconds(device, dtype, size, budget=0.0)
        while seconds < 0.004 and size < 8192:  # large enough for every core, small enough to be over soon
            size *= 2
            seconds = _product_seconds(device, dtype, size, budget=0.0)
        seconds = min(seconds, _product_seconds(device, dtype, size, budget=PROBE_SECONDS))
    return 2 * size**3 / seconds


def _product_seconds(device: str, dtype: torch.dtype, size: int, *, budget: float) -> float:
    """Return the time of the fastest product, of two at least and as many as fit into the budget."""
    matrix = torch.linspace(-1, 1, size * size, device=device).view(size, size).to(dtype)
    _finish(torch.device(device), matrix @ matrix)  # the first call prepares things
    times: list[float] = []
    while len(times) < 2 or sum(times) < budget:
        began = time.perf_counter()
        _finish(torch.device(device), matrix @ matrix)
        times.append(time.perf_counter() - began)
    return min(times)


def _finish(device: torch.device, result: torch.Tensor) -> None:
    """Wait for the device; a GPU answers before it has computed."""
    if device.type != "cpu":
        result[0, 0].item()


def mfu(
    tokens_per_s: float,
    config: BertConfig,
    *,
    length: int,
    selected: float | None = 0.15,
    device: torch.device | str = "cpu",
    precision: str = "fp32",
    devices: int = 1,
    training: bool = True,
) -> float:
    """Return the share of the peak that a speed amounts to, 0 to 1.

    Args:
        tokens_per_s: positions a second over all devices, padding included.
        config: the model's sizes.
        length: positions a text.
        selected: share of positions predicted, see :func:`~bertlib.flops.flops_by_part`.
        device: one of the devices.
        precision: fp32 (at the current matmul precision) or bf16.
        devices: how many there are.
        training: forward and backward, else forward.
    """
    work = flops_per_token(config, length=length, selected=selected, training=training)
    return tokens_per_s * work / (peak_rate(device, precision).flops_per_s * devices)
