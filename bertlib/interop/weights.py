"""The weights in a folder of the ``transformers`` library, in one file or many, and never unpickled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from bertlib.errors import CheckpointError
from bertlib.model_folder import WEIGHTS, check_genuine, read_object, read_safetensors

PICKLED = "pytorch_model.bin"


def read_pickled(file: Path) -> dict[str, Tensor]:
    """Read tensors of a ``pytorch_model.bin`` without running anything that it holds.

    Raises:
        CheckpointError: it holds anything but tensors, or is no such file.
    """
    check_genuine(file)
    try:
        weights = torch.load(file, map_location="cpu", weights_only=True)
    except Exception:  # of any kind, by the byte it stumbled over; the remedies it names are not ours
        raise CheckpointError(
            f"{file} was not read: it is damaged or holds more than tensors, and unpickling it could run any "
            "program; take model.safetensors, or convert the file on a machine you can lose"
        ) from None
    if not isinstance(weights, dict) or not all(isinstance(value, Tensor) for value in weights.values()):
        raise CheckpointError(f"{file} holds no table of tensors; expected the state dict of a BERT")
    return weights


def read_shards(index: Path, read: Callable[[Path], dict[str, Tensor]]) -> dict[str, Tensor]:
    """Read all the files that an index names.

    Raises:
        CheckpointError: the index names no files beside it, or one is missing.
    """
    names = read_object(index).get("weight_map")
    if not isinstance(names, dict) or not names:
        raise CheckpointError(f"{index} has no weight_map; copy it again")
    files = sorted({str(name) for name in names.values()})
    if any(Path(name).name != name for name in files):
        raise CheckpointError(f"{index} names a file outside its folder; expected names only")
    weights: dict[str, Tensor] = {}
    for name in files:
        weights |= read(index.with_name(name))
    lost = sorted(names.keys() - weights.keys())
    if lost:
        raise CheckpointError(f"{lost[0]} is listed in {index} and in none of its files; copy them again")
    return weights


def read_weights(folder: Path) -> dict[str, Tensor]:
    """Read the weights of a folder under the names they have there, safetensors before pickles.

    Raises:
        CheckpointError: there are none, or they cannot be read.
    """
    readers: dict[str, Callable[[Path], dict[str, Tensor]]] = {
        WEIGHTS: read_safetensors,
        PICKLED: read_pickled,
    }
    for name, read in readers.items():
        file, index = folder / name, folder / f"{name}.index.json"
        if file.exists():
            return read(file)
        if index.exists():
            return read_shards(index, read)
    raise CheckpointError(f"no weights in {folder}; expected {WEIGHTS}, whole or in parts, or {PICKLED}")
