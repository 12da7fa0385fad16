"""The recipe refuses what is none, and suits the model's size."""

from __future__ import annotations

import pytest

from bertlib import BertConfig
from bertlib.errors import ConfigError
from bertlib.finetune.recipe import FineTuning


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"epochs": 0}, "epochs is 0; expected at least 1"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"max_length": 3}, "max_length is 3; expected at least 4"),
        ({"patience": -1}, "patience is -1; expected at least 0"),
        ({"seed": -1}, "seed is -1; expected at least 0"),
        ({"learning_rate": 0.0}, "learning_rate is 0 and clip 1; expected more than 0"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"clip": -1.0}, "clip -1"),
        ({"weight_decay": -0.1}, "weight_decay is -0.1; expected 0 or more"),
        ({"warmup_share": 1.0}, "warmup_share is 1.0; expected at least 0 and less than 1"),
        ({"dropout": 1.5}, "dropout is 1.5; expected at least 0"),
        ({"layer_decay": 0.0}, "layer_decay is 0.0; expected more than 0 and at most 1"),
        ({"layer_decay": 1.1}, "layer_decay is 1.1"),
    ],
)
def test_numbers_out_of_range(fields, message):
    with pytest.raises(ConfigError, match=message):
        FineTuning(**fields)


@pytest.mark.parametrize(
    ("preset", "rate"),
    [("tiny", 1e-3), ("mini", 3e-4), ("small", 1e-4), ("medium", 1e-4), ("base", 5e-5), ("large", 2e-5)],
)
def test_the_rate_suits_the_size(preset, rate):
    assert FineTuning.for_model(BertConfig.from_preset(preset)).learning_rate == rate


def test_what_is_asked_for_goes_first():
    config = BertConfig.from_preset("tiny", max_position_embeddings=64)
    recipe = FineTuning.for_model(config, learning_rate=1e-5, epochs=None, dropout=0.0)
    assert (recipe.learning_rate, recipe.epochs, recipe.dropout, recipe.max_length) == (1e-5, 3, 0.0, 64)
    with pytest.raises(ConfigError, match="max_length is 65; this model reads at most 64 pieces"):
        FineTuning.for_model(config, max_length=65)


def test_copies_and_fields():
    recipe = FineTuning(epochs=2).replace(seed=4)
    assert FineTuning(**recipe.to_dict()) == recipe
    assert recipe.epochs == 2
