"""To and from the ``transformers`` library, through one table of weight names used both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor

from bertlib.config import BertConfig
from bertlib.errors import CheckpointError, MissingExtraError
from bertlib.model import BertForPreTraining
from bertlib.train.checkpoint import fill_model

if TYPE_CHECKING:
    from transformers import BertForPreTraining as TheirBert

# ours: theirs. ``{i}`` is a block's number; each name stands for a weight and a bias unless it ends in one.
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
# Copies of other weights that the library also lists in a state dict.
TIED = ("cls.predictions.decoder.weight", "cls.predictions.decoder.bias")


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


def from_transformers(model: TheirBert) -> BertForPreTraining:
    """Copy a ``transformers.BertForPreTraining`` into ours, in evaluation mode.

    Raises:
        CheckpointError: a weight that has no counterpart, or a different activation.
    """
    theirs: Any = model.config
    if theirs.hidden_act != "gelu":
        raise CheckpointError(f"the model uses {theirs.hidden_act!r}; BERT, and so bertlib, uses 'gelu'")
    config = BertConfig(**{name: getattr(theirs, name) for name in BertConfig().to_dict()})
    names = {their: our for our, their in weight_names(config.num_hidden_layers).items()}
    weights: dict[str, Tensor] = {}
    for name, value in model.state_dict().items():
        if name in TIED or name.endswith("position_ids"):
            continue
        if name not in names:
            raise CheckpointError(f"the weight {name} has no counterpart in bertlib; expected plain BERT")
        weights[names[name]] = value
    ours = BertForPreTraining(config)
    fill_model(ours, weights, source="the transformers model")
    return ours.eval()


def to_transformers(model: BertForPreTraining) -> TheirBert:
    """Copy ours into a ``transformers.BertForPreTraining``, in evaluation mode.

    Raises:
        MissingExtraError: ``transformers`` is not installed.
    """
    try:
        from transformers import BertConfig as TheirConfig
        from transformers import BertForPreTraining as TheirModel
    except ImportError as error:
        raise MissingExtraError('transformers is not installed; pip install "bertlib[bench]"') from error
    theirs = TheirModel(TheirConfig(**model.config.to_dict()))
    names = weight_names(model.config.num_hidden_layers)
    weights = {names[name]: value for name, value in model.state_dict().items()}
    weights[TIED[0]] = model.bert.word_embeddings
    weights[TIED[1]] = model.mlm_head.bias
    theirs.load_state_dict(weights)
    return theirs.eval()
