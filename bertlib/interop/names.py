"""The one table of weight names, ours and those of the ``transformers`` library."""

from __future__ import annotations

import re
from collections.abc import Iterable

from torch import nn

from bertlib.errors import InputError

# ours: theirs. Each name stands for a weight and a bias unless it ends in one.
OUTSIDE = {
    "bert.embedding.word_embeddings.weight": "bert.embeddings.word_embeddings.weight",
    "bert.embedding.position_embeddings.weight": "bert.embeddings.position_embeddings.weight",
    "bert.embedding.token_type_embeddings.weight": "bert.embeddings.token_type_embeddings.weight",
    "bert.embedding.norm": "bert.embeddings.LayerNorm",
    "bert.pooler.dense": "bert.pooler.dense",
    "mlm_head.transform": "cls.predictions.transform.dense",
    "mlm_head.norm": "cls.predictions.transform.LayerNorm",
    "mlm_head.bias": "cls.predictions.bias",
    "nsp_head": "cls.seq_relationship",
}
BLOCK = {
    "attention.query": "attention.self.query",
    "attention.key": "attention.self.key",
    "attention.value": "attention.self.value",
    "attention.output": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "feed_forward.inner": "intermediate.dense",
    "feed_forward.output": "output.dense",
    "feed_forward_norm": "output.LayerNorm",
}
# Copies of other weights that the library also lists: the word table as output layer, and its bias.
TIED = ("cls.predictions.decoder.weight", "cls.predictions.decoder.bias")
# Constants that old files carry along.
BUFFERS = ("bert.embeddings.position_ids", "bert.embeddings.token_type_ids")
# What training on several devices and compiling put in front of every name.
WRAPPED = re.compile(r"^(module\.|_orig_mod\.)+")
# Where a name can only belong to BERT itself; anything else is the head of some other task.
BERT_ITSELF = ("bert.", "cls.predictions.", "cls.seq_relationship.")


def weight_names(num_hidden_layers: int) -> dict[str, str]:
    """Return the whole table, ours to theirs, for a model of so many blocks."""
    table = dict(OUTSIDE)
    for i in range(num_hidden_layers):
        table |= {f"bert.encoder.blocks.{i}.{a}": f"bert.encoder.layer.{i}.{b}" for a, b in BLOCK.items()}
    names = {}
    for ours, theirs in table.items():
        if ours.endswith((".weight", ".bias")):
            names[ours] = theirs
        else:
            names |= {f"{ours}.{kind}": f"{theirs}.{kind}" for kind in ("weight", "bias")}
    return names


def modern_name(name: str) -> str:
    """Return the name that a weight of an old file, a wrapped model or a body alone has in a whole BERT."""
    name = WRAPPED.sub("", name)
    name = name.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")
    return f"bert.{name}" if name.startswith(("embeddings.", "encoder.", "pooler.")) else name


def check_names(model: nn.Module, names: Iterable[str]) -> None:
    """See that a model has the weights of the table and no others: those would be lost on the way out.

    Raises:
        InputError: the first that differs.
    """
    own = model.state_dict().keys()
    if other := sorted(own ^ set(names)):
        raise InputError(
            f"{type(model).__name__} {'has' if other[0] in own else 'lacks'} {other[0]}, unlike BERT, so "
            "transformers would compute something else; give a plain BERT, for LoRA what merge_lora returns"
        )
