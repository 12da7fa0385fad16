"""Classes and numbers: features, verdicts, marks, and every label that is not what it should be."""

from __future__ import annotations

import numpy as np
import pytest

from bertlib.data.examples import TextExample
from bertlib.errors import ConfigError, InputError
from bertlib.finetune.classification import ClassificationTask, RegressionTask, softmax
from bertlib.finetune.task import Inputs

TASK = ClassificationTask(labels=("no", "yes"))
EXAMPLES = [TextExample("a b", None, "yes", "r-1"), TextExample("a", "b c", "no")]
LENGTH = 8


def say(task, logits, tokenizer, examples=EXAMPLES):
    outputs, inputs = {"logits": np.array(logits, np.float32)}, Inputs(examples, tokenizer, LENGTH)
    return task.decide(outputs, inputs), task.details(outputs, inputs)


def test_rows_and_numbers(tokenizer):
    features = TASK.features(Inputs(EXAMPLES, tokenizer, LENGTH), training=True)
    batch = features.batch(np.array([0, 1]))
    words = [[tokenizer.vocab[i] for i in row] for row in batch["input_ids"]]
    assert words == [
        ["[CLS]", "a", "b", "[SEP]", "[PAD]", "[PAD]"],
        ["[CLS]", "a", "[SEP]", "b", "c", "[SEP]"],
    ]
    assert batch["labels"].tolist() == [1, 0]
    assert not TASK.features(Inputs(EXAMPLES, tokenizer, LENGTH), training=False).labels


def test_the_likeliest_class_and_all_probabilities(tokenizer):
    said, more = say(TASK, [[0, np.log(3)], [800, 0]], tokenizer)
    assert said == ["yes", "no"]
    assert more[0]["probabilities"] == pytest.approx({"no": 0.25, "yes": 0.75})
    assert more[1]["probabilities"] == {"no": 1.0, "yes": 0.0}  # nothing overflows


def test_softmax_of_several_rows():
    np.testing.assert_allclose(softmax(np.log([[1.0, 3.0], [2.0, 2.0]])), [[0.25, 0.75], [0.5, 0.5]])


def test_labels_of_the_training_examples():
    ten = [TextExample("a", label=label) for label in ("10", "2", "10", 3.0)]
    assert ClassificationTask.of(ten).labels == ("10", "2", "3.0")
    assert ClassificationTask.of(ten[:3]).labels == ("2", "10")


@pytest.mark.parametrize(
    ("metric", "best", "scores"),
    [
        ("accuracy", "accuracy", {"accuracy": 0.75}),
        ("accuracy_and_f1", "f1", {"accuracy": 0.75, "f1": 2 / 3}),
        ("matthews", "matthews", {"matthews": 1 / 3**0.5}),
    ],
)
def test_each_metric_by_hand(metric, best, scores):
    """Two yes, two no; one yes is missed."""
    task = ClassificationTask(labels=("no", "yes"), metric=metric)
    examples = [TextExample("a", label=label) for label in ("yes", "yes", "no", "no")]
    assert task.score(["yes", "no", "no", "no"], examples) == pytest.approx(scores)
    assert task.best == best


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"labels": ("a",)}, "1 labels; expected at least 2"),
        ({"labels": ("a", "b"), "metric": "bleu"}, "metric is 'bleu'; expected accuracy, accuracy_and_f1"),
        (
            {"labels": ("a", "b", "c"), "metric": "accuracy_and_f1"},
            "an F1 of 3 classes; expected two, or metric='accuracy'",
        ),
    ],
)
def test_a_task_that_is_none(fields, message):
    with pytest.raises(ConfigError, match=message):
        ClassificationTask(**fields)


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("yess", r"example number 2: the label 'yess' was not seen in training; .*did you mean 'yes'\?"),
        (None, "example number 2 has no label; expected one of no, yes"),
    ],
)
def test_a_label_unknown_or_missing_at_every_turn(label, message, tokenizer):
    examples = [EXAMPLES[0], TextExample("c", label=label)]
    with pytest.raises(InputError, match=message):
        TASK.features(Inputs(examples, tokenizer, LENGTH), training=True)
    with pytest.raises(InputError, match=message):
        TASK.check(examples)
    with pytest.raises(InputError, match=message):
        TASK.score(["yes", "no"], examples)
    assert len(TASK.features(Inputs(examples, tokenizer, LENGTH), training=False)) == 2


def test_a_prediction_that_is_no_label():
    with pytest.raises(InputError, match="example 2: the label 'maybe' was not seen"):
        TASK.score(["yes", "maybe"], EXAMPLES)
    with pytest.raises(InputError, match="1 predictions for 2 examples"):
        TASK.score(["yes"], EXAMPLES)


NUMBERS = [TextExample("a", label=0.5, name="r-1"), TextExample("b", label="2")]


def test_numbers(tokenizer):
    task = RegressionTask()
    features = task.features(Inputs(NUMBERS, tokenizer, LENGTH), training=True)
    assert features.batch(np.array([1, 0]))["labels"].tolist() == [2.0, 0.5]
    said, more = say(task, [[1.25], [-3]], tokenizer, NUMBERS)
    assert said == [1.25, -3.0]
    assert more == [{}, {}]
    assert task.score([1.0, 7.0], NUMBERS) == pytest.approx({"pearson": 1.0, "spearman": 1.0})
    assert task.to_dict() == {}


@pytest.mark.parametrize("label", ["much", None, "nan", float("inf")])
def test_a_label_that_is_no_number(label, tokenizer):
    examples = [NUMBERS[0], TextExample("b", label=label, name="r-2")]
    message = f"example r-2: the label is {label!r}; expected a number"
    with pytest.raises(InputError, match=message):
        RegressionTask().features(Inputs(examples, tokenizer, LENGTH), training=True)
    with pytest.raises(InputError, match=message):
        RegressionTask().check(examples)
    with pytest.raises(InputError, match=message):
        RegressionTask().score([1.0, 2.0], examples)
