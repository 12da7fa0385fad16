"""Rates by depth, worked by hand for two blocks; what is frozen does not move."""

from __future__ import annotations

import pytest
import torch

from bertlib import BertConfig, BertModel
from bertlib.config import PRESETS
from bertlib.errors import InputError
from bertlib.finetune import (
    JointIntentSlotHead,
    MultipleChoiceHead,
    QASpanHead,
    SequenceClassifier,
    TokenClassifier,
)
from bertlib.finetune.layers import Trainable, depths, freeze, layer_groups, trainable
from bertlib.train.optim import parameter_groups

CONFIG = BertConfig(
    vocab_size=50, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
    max_position_embeddings=16,
)  # fmt: skip
EMBEDDINGS = (50 + 2 + 16) * 8 + 2 * 8
BLOCK = 4 * (8 * 8 + 8) + (8 * 32 + 32) + (32 * 8 + 8) + 4 * 8
HEADS = {
    "sequence": lambda bert: SequenceClassifier(bert, 2),
    "token": lambda bert: TokenClassifier(bert, 5),
    "question": QASpanHead,
    "choice": MultipleChoiceHead,
    "joint": lambda bert: JointIntentSlotHead(bert, 3, 4),
}


def head(name: str = "sequence") -> torch.nn.Module:
    return HEADS[name](BertModel(CONFIG))


def test_depths_by_hand():
    found = depths(head())
    assert found["classifier.weight"] == 0
    assert found["bert.pooler.dense.weight"] == 0
    assert found["bert.encoder.blocks.1.attention.query.weight"] == 1
    assert found["bert.encoder.blocks.0.attention.query.weight"] == 2
    assert found["bert.embedding.word_embeddings.weight"] == 3


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_counts_its_own_blocks(preset):
    with torch.device("meta"):
        bert = BertModel(BertConfig.from_preset(preset, vocab_size=30))
    blocks = PRESETS[preset][0]
    found = depths(bert)
    assert set(found.values()) == set(range(blocks + 2))
    assert found[f"encoder.blocks.{blocks - 1}.attention.query.weight"] == 1
    assert found["encoder.blocks.0.attention.query.weight"] == blocks
    assert found["embedding.word_embeddings.weight"] == blocks + 1


@pytest.mark.parametrize("name", HEADS)
def test_rates_halve_from_layer_to_layer_and_nothing_is_forgotten(name):
    model = head(name)
    groups = layer_groups(model, learning_rate=0.8, weight_decay=0.1, decay=0.5)
    assert [group["lr"] for group in groups] == [0.8, 0.8, 0.4, 0.4, 0.2, 0.2, 0.1, 0.1]
    given = [id(p) for group in groups for p in group["params"]]
    assert sorted(given) == sorted(id(p) for p in model.parameters())
    words = model.bert.word_embeddings
    assert any(words is p for p in groups[6]["params"])


def test_what_decays_is_what_decays_in_pretraining():
    model = head()
    groups = layer_groups(model, learning_rate=1.0, weight_decay=0.1, decay=0.9)
    plain = parameter_groups(model, 0.1)
    for decay in (0.1, 0.0):
        mine = {id(p) for g in groups if g["weight_decay"] == decay for p in g["params"]}
        theirs = {id(p) for g in plain if g["weight_decay"] == decay for p in g["params"]}
        assert mine == theirs


def test_a_step_moves_each_layer_by_its_own_rate():
    model = head()
    groups = layer_groups(model, learning_rate=0.1, weight_decay=0.0, decay=0.5)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    optimizer = torch.optim.SGD(groups, lr=9.0)
    for p in model.parameters():
        p.grad = torch.ones_like(p)
    optimizer.step()
    places = depths(model)
    for name, p in model.named_parameters():
        moved = (before[name] - p).mean().item()
        assert moved == pytest.approx(0.1 * 0.5 ** places[name], rel=1e-3), name


@pytest.mark.parametrize(
    ("what", "frozen"),
    [
        ("", 0),
        ("embeddings", EMBEDDINGS),
        (0, EMBEDDINGS),
        (1, EMBEDDINGS + BLOCK),
        ("2", EMBEDDINGS + 2 * BLOCK),
        ("body", EMBEDDINGS + 2 * BLOCK + 8 * 8 + 8),
    ],
)
def test_what_stays_trainable_by_hand(what, frozen):
    model = head()
    total = EMBEDDINGS + 2 * BLOCK + 8 * 8 + 8 + 8 * 2 + 2
    left = freeze(model, what)
    assert left == trainable(model) == Trainable(total - frozen, total)
    assert left.share == pytest.approx((total - frozen) / total)


def test_frozen_layers_stay_bit_for_bit():
    torch.manual_seed(0)
    model = head()
    freeze(model, 1)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    groups = layer_groups(model, learning_rate=0.1, weight_decay=0.1, decay=0.9)
    optimizer = torch.optim.AdamW(groups)
    model(torch.randint(5, 50, (4, 6)), labels=torch.tensor([0, 1, 0, 1])).loss.backward()
    optimizer.step()
    places = depths(model)
    for name, p in model.named_parameters():
        assert torch.equal(p, before[name]) == (places[name] >= 2), name


def test_it_says_how_much_is_left():
    assert str(Trainable(18, 1000)) == "18 of 1,000 parameters are trained (1.8%)"


@pytest.mark.parametrize("what", [3, -1, "half", True, 1.5])
def test_what_cannot_be_frozen(what):
    with pytest.raises(
        InputError, match="expected 'embeddings', 'body', or a number of lowest blocks from 0 to 2"
    ):
        freeze(head(), what)


def test_wrong_decays_and_nothing_left():
    for decay in (0.0, 1.1, -0.5):
        with pytest.raises(InputError, match=f"layer decay is {decay}"):
            layer_groups(head(), learning_rate=1.0, weight_decay=0.0, decay=decay)
    model = head().requires_grad_(False)
    with pytest.raises(InputError, match="nothing is left to train"):
        layer_groups(model, learning_rate=1.0, weight_decay=0.0)


def test_no_body():
    with pytest.raises(InputError, match="Linear has no BertModel called bert"):
        depths(torch.nn.Linear(2, 2))
