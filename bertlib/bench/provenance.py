"""Where a number comes from: command, machine, versions. Every file in ``book/results`` says so."""

from __future__ import annotations

import json
import platform
import shlex
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from bertlib.files import write_text


def provenance(
    command: str, *, seed: int | None = None, device: str | None = None, packages: Sequence[str] = ()
) -> dict[str, Any]:
    """Return what somebody needs who wants to measure it again.

    Args:
        command: what was typed.
        seed: of everything random.
        device: where it was measured; None: on a GPU if there is one.
        packages: others whose versions matter, such as ``transformers``.
    """
    on_gpu = torch.cuda.is_available() if device is None else device.startswith("cuda")
    return {
        "command": command,
        "seed": seed,
        "device": torch.cuda.get_device_name() if on_gpu else cpu_name(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
    } | {name: _version(name) for name in packages}


def command_line() -> str:
    """Return the command that is running, as one types it."""
    return shlex.join(["bertlib", *sys.argv[1:]])


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


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
