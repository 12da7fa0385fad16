"""To the ``transformers`` library: a live model, or a folder that it opens."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from torch import Tensor

from bertlib.errors import InputError, MissingExtraError
from bertlib.folders import write_folder
from bertlib.interop.configuration import write_config
from bertlib.interop.names import TIED, check_names, weight_names
from bertlib.interop.vocabulary import write_tokenizer
from bertlib.model import BertForPreTraining
from bertlib.model_folder import CONFIG, check_replaceable, check_vocabulary
from bertlib.tokenizer import WordPieceTokenizer

if TYPE_CHECKING:
    from transformers import BertForPreTraining as TheirBert


@overload
def to_transformers(model: BertForPreTraining) -> TheirBert: ...
@overload
def to_transformers(
    model: BertForPreTraining, *, tokenizer: WordPieceTokenizer, folder: Path | str
) -> Path: ...
def to_transformers(
    model: BertForPreTraining,
    *,
    tokenizer: WordPieceTokenizer | None = None,
    folder: Path | str | None = None,
) -> Any:
    """Copy ours into a ``transformers.BertForPreTraining``, or write a folder for ``from_pretrained``.

    Args:
        model: ours.
        tokenizer: its vocabulary, needed for a folder.
        folder: where to write, all or nothing; the library itself is not needed for that.

    Returns:
        The live model in evaluation mode, or the folder.

    Raises:
        MissingExtraError: a live model is wanted and ``transformers`` is not installed.
        InputError: one of tokenizer and folder without the other; a model with parts that BERT has not.
        CheckpointError: the vocabulary is not the model's, or something else stands in the folder.
        BertlibError: the disk is full.
    """
    if (tokenizer is None) != (folder is None):
        raise InputError("a folder for transformers needs both tokenizer= and folder=; give both or neither")
    if tokenizer is None or folder is None:
        return _live(model)
    return _write(model, tokenizer, Path(folder))


def their_weights(model: BertForPreTraining) -> dict[str, Tensor]:
    """Return our weights under the library's names, without the copies it ties itself.

    Raises:
        InputError: weights beside those of a plain BERT, or without some of them.
    """
    names = weight_names(model.config.num_hidden_layers)
    check_names(model, names)
    return {names[name]: value for name, value in model.state_dict().items()}


def _live(model: BertForPreTraining) -> TheirBert:
    try:
        from transformers import BertConfig as TheirConfig
        from transformers import BertForPreTraining as TheirModel
    except ImportError as error:
        raise MissingExtraError('transformers is not installed; pip install "bertlib[bench]"') from error
    theirs = TheirModel(TheirConfig(**model.config.to_dict()))
    copies = dict(zip(TIED, (model.bert.word_embeddings, model.mlm_head.bias), strict=True))
    theirs.load_state_dict(their_weights(model) | copies)
    return theirs.eval()


def _write(model: BertForPreTraining, tokenizer: WordPieceTokenizer, folder: Path) -> Path:
    check_vocabulary(model.config, tokenizer, folder)
    check_replaceable(folder)
    theirs = their_weights(model)
    weights = {name: value.float() for name, value in theirs.items()}
    vocabulary = partial(write_tokenizer, tokenizer=tokenizer, longest=model.config.max_position_embeddings)
    return write_folder(
        folder, weights, {CONFIG: write_config(model.config)}, vocabulary, metadata={"format": "pt"}
    )
