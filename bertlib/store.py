"""Saving and loading a finished model: a folder with weights, config and vocabulary."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from bertlib.config import BertConfig
from bertlib.errors import CheckpointError
from bertlib.files import new_folder
from bertlib.model import BertForPreTraining
from bertlib.tokenizer import WordPieceTokenizer
from bertlib.train.checkpoint import fill_model

CONFIG, WEIGHTS = "config.json", "model.safetensors"


def save_pretrained(folder: Path | str, model: BertForPreTraining, tokenizer: WordPieceTokenizer) -> Path:
    """Write ``config.json``, ``model.safetensors`` and the vocabulary into ``folder``, all or nothing.

    Raises:
        CheckpointError: the vocabulary is not the model's.
        BertlibError: the disk is full.
    """
    folder = Path(folder)
    _check_vocabulary(model.config, tokenizer, folder)
    with new_folder(folder) as temporary:
        (temporary / CONFIG).write_text(json.dumps(model.config.to_dict(), indent=2), encoding="utf-8")
        weights = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
        save_file(weights, temporary / WEIGHTS)
        tokenizer.save(temporary)
    return folder


def load_pretrained(folder: Path | str) -> tuple[BertForPreTraining, WordPieceTokenizer]:
    """Load what :func:`save_pretrained` wrote; the model comes in evaluation mode, on the CPU.

    Raises:
        CheckpointError: no model there, a truncated file, weights of another configuration.
    """
    folder = Path(folder)
    if not (folder / CONFIG).exists():
        raise CheckpointError(
            f"no model in {folder} ({CONFIG} is missing); expected a folder that `bertlib pretrain` wrote"
        )
    config = BertConfig.from_dict(json.loads((folder / CONFIG).read_text(encoding="utf-8")))
    try:
        weights = load_file(folder / WEIGHTS)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"{folder / WEIGHTS} is missing or truncated ({error}); copy it again"
        ) from error
    model = BertForPreTraining(config)
    fill_model(model, weights, source=str(folder / WEIGHTS))
    tokenizer = WordPieceTokenizer.load(folder)
    _check_vocabulary(config, tokenizer, folder)
    return model.eval(), tokenizer


def _check_vocabulary(config: BertConfig, tokenizer: WordPieceTokenizer, folder: Path) -> None:
    if len(tokenizer) != config.vocab_size:
        raise CheckpointError(
            f"{folder}: the vocabulary has {len(tokenizer):,} pieces, the model {config.vocab_size:,}; "
            "expected the two that were trained together"
        )
