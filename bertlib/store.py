"""Saving and loading a finished model: a folder with weights, config and vocabulary."""

from __future__ import annotations

from pathlib import Path

import torch

from bertlib.compact import compress
from bertlib.config import BertConfig
from bertlib.errors import CheckpointError
from bertlib.folders import write_folder
from bertlib.interop import from_transformers
from bertlib.interop.configuration import is_theirs
from bertlib.model import BertForPreTraining
from bertlib.model_folder import (
    CONFIG,
    WEIGHTS,
    build_model,
    check_replaceable,
    check_vocabulary,
    read_object,
    read_safetensors,
)
from bertlib.pretrained import shipped_folder, shipped_names
from bertlib.tokenizer import WordPieceTokenizer


def save_pretrained(
    folder: Path | str,
    model: BertForPreTraining,
    tokenizer: WordPieceTokenizer,
    *,
    dtype: torch.dtype = torch.float32,
) -> Path:
    """Write ``config.json``, ``model.safetensors`` and the vocabulary into ``folder``, all or nothing.

    Args:
        folder: is made, or replaced whole if it holds a model.
        model: on any device.
        tokenizer: the vocabulary it was trained with.
        dtype: of the file. float32 keeps every bit; float16 and bfloat16 halve it, int8 quarters it (see
            :mod:`bertlib.compact`). Loading makes fp32 of all of them.

    Raises:
        CheckpointError: the vocabulary is not the model's, or the folder holds something else.
        BertlibError: the disk is full.
    """
    folder = Path(folder)
    check_vocabulary(model.config, tokenizer, folder)
    check_replaceable(folder)
    weights = {name: value.detach().cpu() for name, value in model.state_dict().items()}
    return write_folder(folder, compress(weights, dtype), {CONFIG: model.config.to_dict()}, tokenizer.save)


def load_pretrained(name_or_folder: Path | str) -> tuple[BertForPreTraining, WordPieceTokenizer]:
    """Load a model and its vocabulary; the model comes in fp32 and evaluation mode, on the CPU.

    Args:
        name_or_folder: what :func:`save_pretrained` wrote, a folder in the layout of ``transformers``,
            or the name of a model that comes with bertlib.

    Raises:
        CheckpointError: no model there, a truncated file, weights of another configuration.
        ConfigError: a configuration that describes no BERT.
        VocabularyError: the vocabulary is missing or is none.
    """
    folder = find_model(name_or_folder)
    values = read_object(folder / CONFIG)
    if is_theirs(values):
        return from_transformers(folder)
    config = BertConfig.from_dict(values)
    model = build_model(config, read_safetensors(folder / WEIGHTS), source=str(folder / WEIGHTS))
    tokenizer = WordPieceTokenizer.load(folder)
    check_vocabulary(config, tokenizer, folder)
    return model, tokenizer


def find_model(name_or_folder: Path | str) -> Path:
    """Return the folder of a model; one of yours comes before one of the same name that is shipped.

    Raises:
        CheckpointError: there is no model under this name.
    """
    folder = Path(name_or_folder)
    if (folder / CONFIG).exists():
        return folder
    shipped = shipped_names()
    if str(name_or_folder) in shipped:
        return shipped_folder(str(name_or_folder))
    names = f", or one that comes with bertlib: {', '.join(shipped)}" if shipped else ""
    raise CheckpointError(
        f"no model in {folder} ({CONFIG} is missing); expected a folder that `bertlib pretrain` wrote{names}"
    )
