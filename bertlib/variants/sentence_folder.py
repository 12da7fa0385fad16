"""A folder for a body with something beside it: weights, configuration, vocabulary and a file of facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from torch import nn

from bertlib import folders
from bertlib.config import BertConfig
from bertlib.errors import CheckpointError
from bertlib.folders import check_replaceable
from bertlib.model_folder import CONFIG, WEIGHTS, build, check_vocabulary, read_object, read_safetensors
from bertlib.tokenizer import WordPieceTokenizer

M = TypeVar("M", bound=nn.Module)


def write_folder(
    folder: Path,
    module: nn.Module,
    config: BertConfig,
    tokenizer: WordPieceTokenizer,
    *,
    name: str,
    facts: Mapping[str, Any],
) -> Path:
    """Write ``module`` and what belongs to it, and ``facts`` as the JSON file ``name``.

    Raises:
        CheckpointError: the folder holds something else than a model of this kind.
        BertlibError: the disk is full.
    """
    check_replaceable(folder, name)
    files = {CONFIG: config.to_dict(), name: facts}
    return folders.write_folder(folder, module.state_dict(), files, tokenizer.save)


def read_facts(
    folder: Path, name: str, expected: Mapping[str, type]
) -> tuple[BertConfig, WordPieceTokenizer, dict[str, Any]]:
    """Read everything but the weights.

    Args:
        folder: what :func:`write_folder` wrote.
        name: of the file with the facts.
        expected: the facts and their types.

    Raises:
        CheckpointError: the file of facts is missing or holds others; a vocabulary of another size.
    """
    if not (folder / name).exists():
        raise CheckpointError(f"{folder} has no {name}; expected a folder that was saved with one")
    facts = read_object(folder / name)
    if {key: type(value) for key, value in facts.items()} != dict(expected):
        raise CheckpointError(f"{folder / name} holds {facts}; expected {', '.join(expected)}: copy it again")
    config = BertConfig.from_dict(read_object(folder / CONFIG))
    tokenizer = WordPieceTokenizer.load(folder)
    check_vocabulary(config, tokenizer, folder)
    return config, tokenizer, facts


def read_weights(make: Callable[[], M], folder: Path) -> M:
    """Make a module of the weights in ``folder``; on the CPU, in evaluation mode.

    Raises:
        CheckpointError: weights that are missing, truncated or of another configuration.
    """
    return build(make, read_safetensors(folder / WEIGHTS), source=str(folder / WEIGHTS))
