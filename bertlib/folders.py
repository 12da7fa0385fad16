"""Writing a folder with a model in it, so that nothing else is lost: all of it or nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import Tensor

from bertlib.errors import CheckpointError
from bertlib.files import new_folder
from bertlib.model_folder import KNOWN, WEIGHTS, check_elsewhere


def write_folder(
    folder: Path,
    weights: Mapping[str, Tensor],
    facts: Mapping[str, Mapping[str, Any]],
    write_vocabulary: Callable[[Path], Any],
    *,
    metadata: dict[str, str] | None = None,
) -> Path:
    """Write a model; what stood in ``folder`` is replaced whole, so see first that it may go.

    Args:
        folder: is made.
        weights: on any device.
        facts: for each JSON file its name and what it holds.
        write_vocabulary: writes the tokenizer's files into the folder that it is given.
        metadata: for the header of the weights.

    Raises:
        BertlibError: the disk is full.
    """
    tensors = {name: value.detach().cpu().contiguous() for name, value in weights.items()}
    with new_folder(folder) as temporary:
        for name, values in facts.items():
            text = json.dumps(values, indent=2, ensure_ascii=False) + "\n"
            (temporary / name).write_text(text, encoding="utf-8")
        save_file(tensors, temporary / WEIGHTS, metadata=metadata)
        write_vocabulary(temporary)
    return folder


def check_replaceable(folder: Path, mark: str, *, kind: str = "model of this kind") -> None:
    """See that nothing but a model of one kind is lost by writing to ``folder``, which replaces it whole.

    Args:
        folder: may be missing or empty.
        mark: the file that tells this kind of folder from others.
        kind: what to call it.

    Raises:
        CheckpointError: a file, or a folder with something else in it, which is named.
    """
    check_elsewhere(folder)
    names = {entry.name for entry in folder.iterdir()} if folder.is_dir() else set()
    others = sorted(names - KNOWN - {mark})
    if folder.is_file() or others or (names and mark not in names):
        what = others[0] if others else f"no {mark}"
        raise CheckpointError(
            f"{folder} is there already and holds something that is no {kind} ({what}); writing would remove "
            "it: choose a new folder"
        )
