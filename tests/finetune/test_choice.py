"""Choices: a row each, judged together."""

from __future__ import annotations

import numpy as np
import pytest

from bertlib.data.examples import ChoiceExample
from bertlib.errors import ConfigError, InputError
from bertlib.finetune.choice import ChoiceTask
from bertlib.finetune.task import Inputs

TASK = ChoiceTask(choices=3)
EXAMPLES = [ChoiceExample("a b", ("c", "d e", ""), 2, "q-1"), ChoiceExample("a", ("x", "y", "z"), 0)]
LENGTH = 7


def test_a_row_a_choice(tokenizer):
    features = TASK.features(Inputs(EXAMPLES, tokenizer, LENGTH), training=True)
    batch = features.batch(np.array([0]))
    words = [" ".join(tokenizer.vocab[i] for i in row) for row in batch["input_ids"][0]]
    assert words == [
        "[CLS] a b [SEP] c [SEP] [PAD]",
        "[CLS] a b [SEP] d e [SEP]",
        "[CLS] a b [SEP] [SEP] [PAD] [PAD]",
    ]
    assert batch["token_type_ids"][0].sum(1).tolist() == [2, 3, 1]
    assert batch["labels"].tolist() == [2]
    assert len(features) == 2


def test_verdicts(tokenizer):
    outputs = {"logits": [np.log([1.0, 1.0, 2.0]), np.array([0.0, 5.0, 1.0])]}
    said = TASK.decide(outputs, Inputs(EXAMPLES, tokenizer, LENGTH))
    assert said == [2, 1]
    more = TASK.details(outputs, Inputs(EXAMPLES, tokenizer, LENGTH))
    assert more[0]["probabilities"] == pytest.approx([0.25, 0.25, 0.5])
    assert TASK.score(said, EXAMPLES) == {"accuracy": 0.5}


def test_the_first_example_says_how_many():
    assert ChoiceTask.of(EXAMPLES) == TASK
    with pytest.raises(InputError, match="no examples"):
        ChoiceTask.of([])
    with pytest.raises(ConfigError, match="1 choices; expected at least 2"):
        ChoiceTask(choices=1)


@pytest.mark.parametrize("training", [True, False])
def test_another_number_of_choices(training, tokenizer):
    examples = [*EXAMPLES, ChoiceExample("a", ("x", "y"), 0)]
    message = "example number 3 has 2 choices; expected 3, as the others have"
    with pytest.raises(InputError, match=message):
        TASK.features(Inputs(examples, tokenizer, LENGTH), training=training)
    with pytest.raises(InputError, match=message):
        TASK.check(examples)


@pytest.mark.parametrize("label", [None, 3, -1])
def test_no_right_choice(label, tokenizer):
    examples = [EXAMPLES[0], ChoiceExample("a", ("x", "y", "z"), label)]
    message = f"example number 2: the right choice is {label}; expected 0 to 2"
    with pytest.raises(InputError, match=message):
        TASK.features(Inputs(examples, tokenizer, LENGTH), training=True)
    with pytest.raises(InputError, match=message):
        TASK.check(examples)
    with pytest.raises(InputError, match=message):
        TASK.score([0, 0], examples)
    assert len(TASK.features(Inputs(examples, tokenizer, LENGTH), training=False)) == 2
