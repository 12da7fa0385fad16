"""From the ``transformers`` library: its weights under our names, what is missing made, the rest named."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import torch
from torch import Tensor, nn

from bertlib.config import BertConfig
from bertlib.errors import CheckpointError, InputError
from bertlib.interop.configuration import is_theirs, read_config
from bertlib.interop.hub import fetch, is_hub_name
from bertlib.interop.names import BERT_ITSELF, BUFFERS, TIED, modern_name, weight_names
from bertlib.interop.vocabulary import read_tokenizer
from bertlib.interop.weights import read_weights
from bertlib.model import BertForPreTraining
from bertlib.model.bert import MaskedLMHead, Pooler, initialise
from bertlib.model_folder import CONFIG, build_model, read_object
from bertlib.tokenizer import WordPieceTokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedModel

# What a checkpoint may lack: our name of the part, and what readers call it.
PARTS = {
    "bert.pooler": "the pooler",
    "mlm_head": "the masked-language-model head",
    "nsp_head": "the next-sentence head",
}


class Found(NamedTuple):
    """A model in a folder, with what one should know about how it was read."""

    model: BertForPreTraining
    tokenizer: WordPieceTokenizer
    notes: list[str]  # a line for everything that was made up or left out


@overload
def from_transformers(source: PreTrainedModel) -> BertForPreTraining: ...
@overload
def from_transformers(source: str | Path) -> tuple[BertForPreTraining, WordPieceTokenizer]: ...
def from_transformers(source: Any) -> Any:
    """Copy a BERT of the ``transformers`` library into ours: fp32, evaluation mode, on the CPU.

    Args:
        source: a folder in the library's layout, a name on the Hugging Face hub, or a live model: any BERT
            with or without its pre-training heads. Heads that are not there are drawn afresh (from
            PyTorch's generator) and the head of another task is left out; a warning says so.

    Returns:
        The model; from a folder or a name the model and its tokenizer.

    Raises:
        CheckpointError: no plain BERT, a damaged file, weights that would have to be unpickled, no such
            folder or name.
        InputError: neither a folder, nor a name, nor a model of the library.
        VocabularyError: a vocabulary that is not BERT's.
        MissingExtraError: a name, and ``huggingface_hub`` is not installed.

    Example:
        >>> model, tokenizer = from_transformers("bert-base-uncased")  # doctest: +SKIP
    """
    if isinstance(source, str | Path):
        model, tokenizer, notes = read_transformers(source)
    elif not hasattr(getattr(source, "config", None), "model_type"):
        raise InputError(
            f"source is a {type(source).__name__}; expected a folder, a name on the hub, or a model of the "
            "transformers library"
        )
    else:
        values, tokenizer = source.config.to_dict(), None
        model, notes = read_model(values, source.state_dict(), source=type(source).__name__)
    for note in notes:
        warnings.warn(note, stacklevel=2)
    return model if tokenizer is None else (model, tokenizer)


def read_transformers(source: str | Path) -> Found:
    """Read a folder or a name of the hub; like :func:`from_transformers`, with the notes returned."""
    folder = Path(source)
    if not folder.is_dir():
        if folder.exists():
            raise CheckpointError(f"{folder} is a file; expected the folder with {CONFIG}, weights and words")
        if isinstance(source, Path) or not is_hub_name(source):
            raise CheckpointError(f"there is no folder {source}; expected one with {CONFIG} and weights")
        folder = fetch(source)
    if not (folder / CONFIG).exists():
        raise CheckpointError(f"no model in {folder} ({CONFIG} is missing); expected transformers' layout")
    values = read_object(folder / CONFIG)
    if not is_theirs(values):
        raise CheckpointError(f"{folder} is in bertlib's own layout; read it with bertlib.load_pretrained")
    config = read_config(values, source=str(folder / CONFIG))
    tokenizer, remarks = read_tokenizer(folder, config)  # before a gigabyte is read for nothing
    model, notes = read_model(values, read_weights(folder), source=str(folder))
    return Found(model, tokenizer, notes + remarks)


def read_model(
    values: Mapping[str, Any], weights: Mapping[str, Tensor], *, source: str
) -> tuple[BertForPreTraining, list[str]]:
    """Build our model of the library's config and weights.

    Returns:
        The model, and a line for everything that was made up or left out.

    Raises:
        CheckpointError: no plain BERT, or a part of it is missing.
    """
    config = read_config(values, source=source)
    tied = values.get("tie_word_embeddings", True)
    ours, ignored = rename(weights, config, tied=tied, source=source)
    missing = [part for part in PARTS if not any(name.startswith(f"{part}.") for name in ours)]
    for our, their in weight_names(config.num_hidden_layers).items():
        if our not in ours and not our.startswith(tuple(missing)):
            raise CheckpointError(f"{source} has no {their}; it is incomplete or of another configuration")
    notes = []
    if missing:
        parts = " and ".join(PARTS[part] for part in missing)
        notes.append(f"{source} lacks {parts}; drawn afresh, so train before use")
    if ignored:
        notes.append(f"{source} has weights of another task, left out: {', '.join(ignored)}")
    if values.get("auto_map"):
        notes.append(
            f"{source} comes with a program of its own (auto_map), which was not run: compare outputs"
        )
    for part in missing:
        ours |= fresh(part, config)
    return build_model(config, ours, source=source), notes


def rename(
    weights: Mapping[str, Tensor], config: BertConfig, *, tied: bool, source: str
) -> tuple[dict[str, Tensor], list[str]]:
    """Give weights our names.

    Returns:
        Ours, and the names that belong to no part of BERT.

    Raises:
        CheckpointError: a weight of BERT itself that we do not have, or an output layer of its own.
    """
    theirs = {modern_name(name): value for name, value in weights.items()}
    output, bias = (theirs.pop(name, None) for name in TIED)
    if bias is not None:
        theirs.setdefault("cls.predictions.bias", bias)
    words = theirs.get("bert.embeddings.word_embeddings.weight")
    if not tied and output is not None and words is not None and not torch.equal(output, words):
        raise CheckpointError(
            f"{source}: tie_word_embeddings is False and the output layer differs from the word embeddings; "
            "BERT, and so bertlib, has one table for both"
        )
    names = {their: our for our, their in weight_names(config.num_hidden_layers).items()}
    others = [name for name in theirs if name not in names and name not in BUFFERS]
    for name in others:
        if name.startswith(BERT_ITSELF):
            raise CheckpointError(f"{source}: the weight {name} has no counterpart; expected plain BERT")
    return {our: theirs[their] for their, our in names.items() if their in theirs}, others


def fresh(part: str, config: BertConfig) -> dict[str, Tensor]:
    """Draw the weights of a part as training would begin with."""
    modules: dict[str, nn.Module] = {
        "bert.pooler": Pooler(config),
        "mlm_head": MaskedLMHead(config),
        "nsp_head": nn.Linear(config.hidden_size, 2),
    }
    initialise(modules[part], config)
    return {f"{part}.{name}": value for name, value in modules[part].state_dict().items()}
