"""Checkpoints: a folder a step, complete or not there at all.

``step-00000500/`` holds ``model.safetensors``, ``optimizer.safetensors`` and ``state.json``, which
lists the size and SHA-256 of the other two. It is written under another name, forced to the disk and
renamed. Nothing is ever unpickled.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from bertlib.errors import CheckpointError
from bertlib.files import new_folder
from bertlib.model_folder import check_weights
from bertlib.train.processes import share_like

FORMAT = 1
MODEL, OPTIMIZER, STATE = "model.safetensors", "optimizer.safetensors", "state.json"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A complete checkpoint that was found on the disk."""

    path: Path
    step: int
    settings: dict[str, Any]  # what the run was started with
    pieces: int = 1  # into how many a batch was cut: more than at the start, if memory ran out
    skipped: Mapping[Path, str] = field(default_factory=dict)  # newer ones, and why they could not be used


def state_tensors(model: nn.Module, optimizer: Optimizer) -> dict[str, dict[str, Tensor]]:
    """Return all tensors that a checkpoint consists of, by file and name; they are no copies."""
    weights = {name: value.detach() for name, value in model.state_dict().items()}
    return {MODEL: weights, OPTIMIZER: optimizer_tensors(model, optimizer)}


def optimizer_tensors(model: nn.Module, optimizer: Optimizer) -> dict[str, Tensor]:
    """Name the optimiser's tensors after the parameters they belong to."""
    named = {}
    for name, parameter in model.named_parameters():
        for key, value in optimizer.state.get(parameter, {}).items():
            named[f"{name}:{key}"] = torch.as_tensor(value).detach()
    return named


def restore_optimizer(model: nn.Module, optimizer: Optimizer, tensors: dict[str, Tensor]) -> None:
    """Give the optimiser back its tensors, each on its parameter's device (counters stay on the CPU)."""
    parameters = dict(model.named_parameters())
    optimizer.state.clear()
    for key, value in tensors.items():
        name, _, kind = key.rpartition(":")
        where = parameters[name].device if value.dim() or parameters[name].is_cuda else "cpu"
        placed = share_like(value, parameters[name]) if value.dim() else value
        optimizer.state[parameters[name]][kind] = placed.to(where)


def write_checkpoint(
    folder: Path,
    tensors: Mapping[str, Mapping[str, Tensor]],
    *,
    step: int,
    settings: dict[str, Any],
    pieces: int = 1,
    keep: int = 2,
) -> Path:
    """Write the checkpoint of ``step`` into ``folder``; of it and older ones ``keep`` stay.

    Args:
        folder: of the checkpoints.
        tensors: as :func:`state_tensors` returns them, in the machine's memory.
        step: steps done.
        settings: what the run was started with.
        pieces: into how many a batch is cut.
        keep: checkpoints that stay.

    Raises:
        BertlibError: the disk is full; earlier checkpoints stay.
    """
    path = folder / f"step-{step:08d}"
    with new_folder(path) as temporary:
        for file, named in tensors.items():
            save_file(dict(named), temporary / file)
        state = {
            "format": FORMAT,
            "step": step,
            "settings": settings,
            "pieces": pieces,
            "files": {file: fingerprint(temporary / file) for file in tensors},
        }
        (temporary / STATE).write_text(json.dumps(state, indent=2), encoding="utf-8")
    older = (other for other in folder.glob("step-*") if other.name < path.name)
    for old in sorted(older, reverse=True)[keep - 1 :]:
        shutil.rmtree(old, ignore_errors=True)
    return path


def fingerprint(path: Path) -> dict[str, Any]:
    """Return a file's size in bytes and SHA-256."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return {"bytes": path.stat().st_size, "sha256": digest.hexdigest()}


def newest_checkpoint(folder: Path) -> Checkpoint | None:
    """Find the newest complete checkpoint; None if there is none at all.

    A truncated or altered one is passed over, and the reason kept in ``skipped``.

    Raises:
        CheckpointError: there are checkpoints, but none is whole, or another version wrote the newest.
    """
    skipped: dict[Path, str] = {}
    for path in sorted(folder.glob("step-*"), reverse=True):
        problem = damage(path)
        if problem is None:
            state = json.loads((path / STATE).read_text(encoding="utf-8"))
            return Checkpoint(
                path=path,
                step=state["step"],
                settings=state["settings"],
                pieces=state.get("pieces", 1),
                skipped=skipped,
            )
        skipped[path] = problem
    if skipped:
        reasons = "; ".join(skipped.values())
        raise CheckpointError(
            f"no whole checkpoint in {folder}: {reasons}. Start the run again in another folder"
        )
    return None


def damage(path: Path) -> str | None:
    """Say what is wrong with a checkpoint folder, or None.

    Raises:
        CheckpointError: another version of bertlib wrote it.
    """
    try:
        state = dict(json.loads((path / STATE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        state = {}
    if state.get("format", FORMAT) != FORMAT:
        raise CheckpointError(
            f"{path} has format {state['format']}, this version of bertlib reads {FORMAT}; resume with the "
            "version that wrote it"
        )
    files = state.get("files", {})
    own = path.name == f"step-{state.get('step')!s:0>8}" and "settings" in state
    if not (own and files.keys() >= {MODEL, OPTIMIZER}):
        return f"{path.name}/{STATE} is missing, unreadable or not this step's"
    for name, expected in files.items():
        file = path / name
        size = file.stat().st_size if file.exists() else 0
        if size != expected["bytes"]:
            return f"{path.name}/{name} has {size:,} bytes of {expected['bytes']:,}"
        if fingerprint(file) != expected:
            return f"{path.name}/{name} was altered (its SHA-256 differs)"
    return None


def load_checkpoint(checkpoint: Checkpoint, *, model: nn.Module, optimizer: Optimizer) -> None:
    """Fill model and optimiser from a checkpoint.

    Raises:
        CheckpointError: its tensors are not the model's.
    """
    weights = load_file(checkpoint.path / MODEL)
    fill_model(model, weights, source=str(checkpoint.path))
    restore_optimizer(model, optimizer, load_file(checkpoint.path / OPTIMIZER))


def fill_model(model: nn.Module, weights: dict[str, Tensor], *, source: str) -> None:
    """Copy named tensors into a model of exactly these names and shapes.

    Raises:
        CheckpointError: the first difference in names or shapes.
    """
    check_weights(model, weights, source=source)
    own = model.state_dict()
    model.load_state_dict({name: share_like(value, own[name]) for name, value in weights.items()})
