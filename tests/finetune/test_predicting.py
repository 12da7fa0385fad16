"""Whoever asks about many at once, in any order and with any padding, hears what asking one by one gives."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bertlib.errors import InputError
from bertlib.finetune.formats import Columns, task_of
from bertlib.finetune.predicting import ask, evaluate, predict, run_head
from bertlib.finetune.task import Inputs
from bertlib.finetune.training import copy_body

KINDS = ["classification", "regression", "tagging", "choice", "intents", "question"]


@pytest.fixture
def asked(planted, body, tokenizer):
    """Return task, model (with dropout, were it on) and examples of a kind."""

    def asked(kind):
        examples = planted(kind, 7)
        task = task_of(examples, Columns())
        torch.manual_seed(0)
        return task, task.head(copy_body(body, 0.5)), examples

    return asked


@pytest.mark.parametrize("kind", KINDS)
def test_one_by_one_is_all_at_once(kind, asked, tokenizer):
    task, model, examples = asked(kind)
    features = task.features(Inputs(examples, tokenizer, 16), training=True)
    together, alone = run_head(model, features, rows=6), run_head(model, features, rows=1)
    assert together.keys() == alone.keys()
    for name, rows in together.items():
        assert len(rows) == len(features)
        for row, other, length in zip(rows, alone[name], features.lengths, strict=True):
            if row.ndim == 2:  # of pieces: cut to the row's own length
                assert len(row) == length
            np.testing.assert_allclose(row, other, atol=1e-5)


@pytest.mark.parametrize("training", [True, False])
def test_dropout_is_off_and_the_mode_comes_back(training, asked, tokenizer):
    task, model, examples = asked("classification")
    model.train(training)
    one, two = (ask(model, task, Inputs(examples, tokenizer, 16)) for _ in range(2))
    assert all(map(np.array_equal, one["logits"], two["logits"]))
    assert model.training == training
    assert not any(weight.grad is not None for weight in model.parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_verdicts_are_in_the_order_of_the_examples(kind, asked, tokenizer):
    task, model, examples = asked(kind)
    said = predict(model, task, tokenizer, examples, max_length=16)
    back = predict(model, task, tokenizer, examples[::-1], max_length=16)
    close = pytest.approx if kind == "regression" else list
    assert close(back[::-1]) == said
    assert evaluate(model, task, tokenizer, examples, max_length=16) == task.score(said, examples)


def test_no_examples(asked, tokenizer):
    task, model, _ = asked("classification")
    with pytest.raises(InputError, match="no examples; expected at least one"):
        predict(model, task, tokenizer, [], max_length=16)


def test_a_plain_text_is_no_example(asked, tokenizer):
    task, model, examples = asked("classification")
    with pytest.raises(InputError, match=r"example 2 is a plain text \('red'\); expected .*TextExample"):
        predict(model, task, tokenizer, [examples[0], "red"], max_length=16)
