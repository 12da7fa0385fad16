"""``config.json`` of the ``transformers`` library: what of it is BERT, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bertlib.config import BertConfig
from bertlib.errors import CheckpointError

# Fields that would make another model of the same weights, and the only value that is BERT.
BERT = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "position_embedding_type": "absolute",
    "is_decoder": False,
    "add_cross_attention": False,
}


def is_theirs(values: Mapping[str, Any]) -> bool:
    """Tell a ``config.json`` of the library from one of ours, which has sizes only."""
    return any(name in values for name in ("model_type", "hidden_act", "architectures"))


def read_config(values: Mapping[str, Any], *, source: str) -> BertConfig:
    """Make our config of the library's; a field that is not there has the value it has there, BERT-Base's.

    Raises:
        CheckpointError: no plain BERT; the field is named.
        ConfigError: sizes that fit no model.
    """
    for name, expected in BERT.items():
        value = values.get(name)
        if value is not None and value != expected:
            raise CheckpointError(
                f"{source}: {name} is {value!r}; bertlib reads BERT, where it is {expected!r}"
            )
    for name in ("quantization_config", "pruned_heads"):
        if values.get(name):
            raise CheckpointError(
                f"{source}: there is a {name}; bertlib reads BERT with whole, plain weights"
            )
    fields = {name: values.get(name) for name in BertConfig().to_dict()}
    return BertConfig(**{name: value for name, value in fields.items() if value is not None})


def write_config(config: BertConfig) -> dict[str, Any]:
    """Return what the library expects in ``config.json``."""
    return {
        "architectures": ["BertForPreTraining"],
        **BERT,
        **config.to_dict(),
        "tie_word_embeddings": True,
        "torch_dtype": "float32",
    }
