"""What every folder with a model has in common, ours or another library's: two files and their errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from bertlib.compact import expand
from bertlib.config import BertConfig
from bertlib.errors import CheckpointError
from bertlib.model import BertForPreTraining
from bertlib.tokenizer import WordPieceTokenizer

M = TypeVar("M", bound=nn.Module)

CONFIG, WEIGHTS = "config.json", "model.safetensors"
# What lies in a folder with a model and may go when another is written there.
KNOWN = {
    CONFIG, WEIGHTS, "vocab.txt", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "generation_config.json", "README.md", "MODEL_CARD.md", "card.json",
    ".gitattributes", ".DS_Store",
}  # fmt: skip


# How files begin that often lie where others should, and what they are.
STAND_INS = {
    b"version https://git-lfs": "is a pointer of Git LFS, not the file itself; run `git lfs pull` beside it",
    b"<!DOCTYPE": "is a web page, not the file itself; download that",
    b"<html": "is a web page, not the file itself; download that",
}


def check_genuine(file: Path) -> None:
    """Tell apart what was damaged and what never was the file: of that a second copy is no better.

    Raises:
        CheckpointError: a pointer or a page stands in for it.
    """
    try:
        with open(file, "rb") as stream:
            head = stream.read(40).lstrip().lower()
    except OSError:  # whoever reads it for good says why it cannot be read
        return
    for start, what in STAND_INS.items():
        if head.startswith(start.lower()):
            raise CheckpointError(f"{file} {what}")


def read_object(file: Path) -> dict[str, Any]:
    """Read a JSON file that holds one object.

    Raises:
        CheckpointError: no such file, or something else in it.
    """
    check_genuine(file)
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no JSON"
        raise CheckpointError(f"cannot read {file}: {reason}; copy it again") from None
    if not isinstance(values, dict):
        raise CheckpointError(f"{file} holds a {type(values).__name__}; expected a JSON object")
    return values


def read_safetensors(file: Path) -> dict[str, Tensor]:
    """Read named tensors as they are stored.

    Raises:
        CheckpointError: missing, truncated, or something else.
    """
    check_genuine(file)
    try:
        return load_file(file)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{file} is missing or truncated ({error}); copy it again") from None


def build_model(config: BertConfig, weights: Mapping[str, Tensor], *, source: str) -> BertForPreTraining:
    """Make a model of these weights, in fp32 and evaluation mode, on the CPU.

    Raises:
        CheckpointError: the first difference in names or shapes, or the weights of a fine-tuned model.
    """
    if weights and not any(name.startswith("mlm_head.") for name in weights):
        raise CheckpointError(
            f"{source} has no head that fills blanks: it is a fine-tuned model, or an encoder; give a "
            "pre-trained one"
        )
    return build(lambda: BertForPreTraining(config), weights, source=source)


def build(make: Callable[[], M], weights: Mapping[str, Tensor], *, source: str) -> M:
    """Make any module of copies of these weights, in fp32 and evaluation mode, on the CPU.

    It is laid out without memory first, so that no random numbers are drawn only to be replaced.

    Raises:
        CheckpointError: the first difference in names or shapes.
    """
    with torch.device("meta"), Undrawn():
        module = make()
    full = expand(weights, source=source)
    check_weights(module, full, source=source)
    copies = {name: torch.empty(value.shape, device="cpu").copy_(value) for name, value in full.items()}
    module.load_state_dict(copies, assign=True)  # copies: the weights may be those of a living model
    return module.eval()


class Undrawn(TorchFunctionMode):
    """While it lasts, the functions of ``torch.nn.init`` leave tensors as they are.

    Without memory there is nothing to draw into, and yet the first ``normal_`` would make PyTorch load its
    whole compiler (``torch._dynamo``): most of the time that loading a small model took.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Call ``func``, unless it would only fill a tensor."""
        kwargs = kwargs or {}
        if getattr(func, "__module__", None) == nn.init.__name__:
            return kwargs["tensor"]
        return func(*args, **kwargs)


def check_weights(model: nn.Module, weights: Mapping[str, Tensor], *, source: str) -> None:
    """See that these are the weights of this model, by names and shapes.

    Raises:
        CheckpointError: the first difference.
    """
    own = model.state_dict()
    missing, extra = sorted(own.keys() - weights.keys()), sorted(weights.keys() - own.keys())
    if missing or extra:
        what = f"has no {missing[0]}" if missing else f"has {extra[0]}, which the model lacks"
        raise CheckpointError(f"{source} {what}; it belongs to another configuration")
    for name, value in weights.items():
        if value.shape != own[name].shape:
            raise CheckpointError(
                f"{source}: {name} has shape {tuple(value.shape)}, the model expects "
                f"{tuple(own[name].shape)}; it belongs to another configuration"
            )


def check_vocabulary(config: BertConfig, tokenizer: WordPieceTokenizer, folder: Path) -> None:
    """See that model and vocabulary belong together.

    Raises:
        CheckpointError: they differ in size.
    """
    if len(tokenizer) != config.vocab_size:
        raise CheckpointError(
            f"{folder}: the vocabulary has {len(tokenizer):,} pieces, the model {config.vocab_size:,}; "
            "expected the two that were trained together"
        )


def check_elsewhere(folder: Path) -> None:
    """See that it is not the folder we are in, which would be gone once another took its place.

    Raises:
        CheckpointError: it is.
    """
    if folder.resolve() == Path.cwd():
        raise CheckpointError(f"{folder} is where you are, and would be replaced whole; name a new folder")


def check_replaceable(folder: Path) -> None:
    """See that nothing but a model would be lost by writing one to ``folder``, which replaces it whole.

    Raises:
        CheckpointError: a file, or a folder with something else in it, which is named, or the one we are in.
    """
    check_elsewhere(folder)
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    names = {entry.name for entry in entries}
    if folder.is_file() or (names and not names >= {CONFIG, WEIGHTS}):
        raise CheckpointError(
            f"{folder} is there already and holds no model; writing would replace it: choose a new folder"
        )
    others = [entry.name for entry in entries if entry.name not in KNOWN or entry.is_dir()]
    if others:
        raise CheckpointError(
            f"{folder} holds {others[0]} beside a model; writing would remove it: move it away, or choose a "
            "new folder"
        )
