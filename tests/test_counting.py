import pytest
import torch

from bertlib.config import PRESETS, BertConfig
from bertlib.counting import HEADS, count_parameters
from bertlib.model import BertForPreTraining

# Bodies with the released vocabulary of 30,522 pieces.
BODIES = {
    "tiny": 4_385_920,
    "mini": 11_170_560,
    "small": 28_763_648,
    "medium": 41_373_184,
    "base": 109_482_240,
    "large": 335_141_888,
}
WHOLE = {"base": 110_106_428, "large": 336_226_108}  # with both heads, the word table counted once
ODD = BertConfig(
    vocab_size=97, hidden_size=12, num_hidden_layers=3, num_attention_heads=3, intermediate_size=20,
    max_position_embeddings=11, type_vocab_size=5,
)  # fmt: skip


def on_paper(config):
    """The real modules without memory for their numbers."""
    with torch.device("meta"):
        return BertForPreTraining(config)


def size(module):
    return sum(weight.numel() for weight in module.parameters())


@pytest.mark.parametrize("preset", PRESETS)
def test_the_formula_gives_the_known_numbers(preset):
    config = BertConfig.from_preset(preset)
    assert sum(count_parameters(config, heads=False).values()) == BODIES[preset]
    if preset in WHOLE:
        assert sum(count_parameters(config).values()) == WHOLE[preset]


@pytest.mark.parametrize("config", [*map(BertConfig.from_preset, PRESETS), ODD], ids=[*PRESETS, "odd"])
def test_every_part_is_that_of_the_real_modules(config):
    model, parts = on_paper(config), count_parameters(config)
    blocks = model.bert.encoder.blocks
    assert parts == {
        "word_embeddings": size(model.bert.embedding.word_embeddings),
        "position_embeddings": size(model.bert.embedding.position_embeddings),
        "token_type_embeddings": size(model.bert.embedding.token_type_embeddings),
        "embedding_norm": size(model.bert.embedding.norm),
        "attention": sum(size(block.attention) for block in blocks),
        "feed_forward": sum(size(block.feed_forward) for block in blocks),
        "block_norms": sum(size(block.attention_norm) + size(block.feed_forward_norm) for block in blocks),
        "pooler": size(model.bert.pooler),
        "mlm_head": size(model.mlm_head),
        "nsp_head": size(model.nsp_head),
    }
    assert sum(parts.values()) == size(model)


@pytest.mark.parametrize("preset", PRESETS)
def test_transformers_counts_the_same(preset):
    transformers = pytest.importorskip("transformers")
    config = BertConfig.from_preset(preset)
    with torch.device("meta"):
        theirs = transformers.BertForPreTraining(transformers.BertConfig(**config.to_dict()))
    assert sum(count_parameters(config).values()) == size(theirs)
    assert sum(count_parameters(config, heads=False).values()) == size(theirs.bert)


def test_the_body_has_no_heads():
    assert not set(count_parameters(ODD, heads=False)) & set(HEADS)
    assert set(HEADS) < set(count_parameters(ODD))
