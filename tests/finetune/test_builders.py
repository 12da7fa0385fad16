"""What is put on a body, by its name."""

from __future__ import annotations

import copy

import pytest

from bertlib.errors import InputError
from bertlib.finetune.adapters import AdaptedBlock
from bertlib.finetune.builders import builder
from bertlib.finetune.classification import ClassificationTask
from bertlib.finetune.frozen import FrozenTagger
from bertlib.finetune.heads import SequenceClassifier, TokenClassifier
from bertlib.finetune.layers import trainable
from bertlib.finetune.lora import LoraLinear
from bertlib.finetune.tagging import TaggingTask

TEXTS, TAGS = ClassificationTask(labels=("a", "b", "c")), TaggingTask(tags=("O", "B-X"))


def parts(model, kind):
    return [part for part in model.modules() if isinstance(part, kind)]


def test_nothing_is_the_head_on_all_of_it(body):
    model = builder("", TEXTS)(body)
    assert type(model) is SequenceClassifier
    assert model.bert is body
    assert trainable(model).share == 1


def test_adapters_and_lora(body):
    adapted = builder("adapters:3", TEXTS)(copy.deepcopy(body))
    assert [block.attention_adapter.down.out_features for block in parts(adapted, AdaptedBlock)] == [3, 3]
    lowered = builder("lora:5", TAGS)(copy.deepcopy(body))
    assert type(lowered) is TokenClassifier
    assert {len(layer.lora_a) for layer in parts(lowered, LoraLinear)} == {5}
    assert trainable(adapted).share < 0.5
    assert trainable(lowered).share < 0.5


def test_a_bilstm_is_for_tagging(body):
    model = builder("bilstm:sum-all", TAGS)(body)
    assert type(model) is FrozenTagger
    assert (model.mix.layers, model.classifier.out_features) == ("sum-all", 2)
    with pytest.raises(InputError, match="a BiLSTM labels words, and this is classification; choose a tagg"):
        builder("bilstm:sum-all", TEXTS)


@pytest.mark.parametrize(
    "spec", ["adapter:16", "adapters", "adapters:", "adapters:-1", "lora:x", "bilstm", "bilstm:first", "16"]
)
def test_other_words(spec):
    with pytest.raises(InputError, match=f"no model is built from '{spec}'; expected 'adapters:SIZE', 'lora"):
        builder(spec, TAGS)


@pytest.mark.parametrize("spec", ["adapters:0", "lora:0"])
def test_sizes_of_nothing(spec):
    with pytest.raises(InputError, match=f"{spec}: the size is 0; expected at least 1"):
        builder(spec, TAGS)
