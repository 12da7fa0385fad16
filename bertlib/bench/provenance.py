"""Where a number comes from: command, machine, versions. Every file in ``book/results`` says so."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any

import torch

from bertlib.files import write_text


def provenance(command: str, *, seed: int | None = None) -> dict[str, Any]:
    """Return what somebody needs who wants to measure it again."""
    return {
        "command": command,
        "seed": seed,
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else cpu_name(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def cpu_name() -> str:
    """Return the processor's name as the system tells it, with its widest vector unit."""
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return platform.processor() or platform.machine()
    text = info.read_text(encoding="utf-8", errors="replace")
    found = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    units = [unit for unit in ("amx", "avx512", "avx2") if unit in text]
    return ", ".join([found[0] if found else platform.machine(), *units[:1]])


def write_results(path: Path, results: dict[str, Any]) -> None:
    """Write a results file, all or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(results, indent=1, ensure_ascii=False) + "\n")
