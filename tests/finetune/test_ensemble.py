"""Means of probabilities and spreads, worked by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from bertlib.errors import InputError
from bertlib.finetune.ensemble import Spread, answers, ensemble, mean_of, spread
from bertlib.finetune.folder import FineTunedModel
from bertlib.finetune.formats import Columns, task_of
from bertlib.finetune.predicting import ask
from bertlib.finetune.task import Inputs


def test_a_mean_of_probabilities_by_hand():
    sure, unsure = np.log([0.9, 0.1]), np.log([0.3, 0.7]) + 5  # a constant on top changes no probability
    np.testing.assert_allclose(np.exp(mean_of([sure, unsure])), [0.6, 0.4])


def test_the_two_means_can_disagree():
    """One model is very sure, two lean the other way: probabilities vote, logits shout."""
    three = [np.array([8.0, 0.0]), np.array([0.0, 1.5]), np.array([0.0, 1.5])]
    np.testing.assert_allclose(mean_of(three, by="logits"), [8 / 3, 1.0])
    p = [1 / (1 + math.exp(-8)), 1 / (1 + math.exp(1.5)), 1 / (1 + math.exp(1.5))]
    np.testing.assert_allclose(np.exp(mean_of(three))[0], sum(p) / 3)
    assert mean_of(three).argmax() == 1


def test_large_logits_do_not_overflow():
    assert np.isfinite(mean_of([np.array([1e4, 0.0]), np.array([0.0, 1e4])])).all()


def test_one_model_alone_says_what_it_said():
    logits = np.array([1.0, 2.0, -3.0])
    alone = mean_of([logits])
    np.testing.assert_allclose(alone - alone[0], logits - logits[0])


def test_every_row_of_every_output_is_joined():
    one = {"logits": [np.log([0.5, 0.5]), np.log([0.2, 0.8])]}
    two = {"logits": [np.log([0.9, 0.1]), np.log([0.4, 0.6])]}
    joined = ensemble([one, two])
    np.testing.assert_allclose(np.exp(joined["logits"]), [[0.7, 0.3], [0.3, 0.7]])
    grades = [{"logits": [np.array([3.0])]}, {"logits": [np.array([4.0])]}]
    assert ensemble(grades, by="logits")["logits"][0].tolist() == [3.5]


@pytest.mark.parametrize("kind", ["regression", "question"])
def test_models_answer_together(kind, planted, body, tokenizer):
    """Scores are averaged as they are; the first model says when there is no answer."""
    examples = planted(kind, 6)
    task = task_of(examples, Columns())
    models = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        models.append(
            FineTunedModel(
                model=task.head(body).eval(), task=task, tokenizer=tokenizer, max_length=16, facts={}
            )
        )
    inputs = Inputs(examples, tokenizer, 16)
    rows = zip(*(ask(one.model, task, inputs)["logits"] for one in models), strict=True)
    mean = {"logits": [(a.astype(float) + b) / 2 for a, b in rows]}
    said, more = answers(models, examples)
    assert said == task.decide(mean, inputs)
    assert answers(models[:1], examples) == models[0].answers(examples)
    if kind == "question":
        silent = replace(models[0], task=replace(task, null_threshold=-1e9))
        assert answers([silent, models[1]], examples)[0] == [""] * 6
        models[1] = replace(models[1], task=replace(task, stride=3))
    else:
        models[1] = replace(models[1], max_length=12)
    assert len(more) == 6
    with pytest.raises(InputError, match="model 2 of 2 has another task, vocabulary or length than the fir"):
        answers(models, examples)


def test_spread_by_hand():
    found = spread([0.8, 0.9, 1.0, 0.9])  # deviations -0.1, 0, 0.1, 0: their squares sum to 0.02
    assert found.sd == pytest.approx(math.sqrt(0.02 / 3))
    assert (found.mean, found.lowest, found.highest, found.runs) == (pytest.approx(0.9), 0.8, 1.0, 4)
    assert str(found) == "0.900 ± 0.082 (4 runs, 0.800 to 1.000)"


def test_one_score_has_no_spread():
    assert math.isnan(spread([0.5]).sd)
    assert str(spread([0.5])) == "0.500 (one run)"
    assert isinstance(spread([0.5]), Spread)


def test_what_is_refused():
    with pytest.raises(InputError, match="no scores"):
        spread([])
    with pytest.raises(InputError, match=r"shapes \[\(2,\), \(3,\)\]"):
        mean_of([np.zeros(2), np.zeros(3)])
    with pytest.raises(InputError, match="at least one model"):
        mean_of([])
    with pytest.raises(InputError, match="by is 'vote'"):
        mean_of([np.zeros(2)], by="vote")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="use by='logits'"):
        mean_of([np.zeros(1)])
    with pytest.raises(InputError, match="different sets of rows"):
        ensemble([{"logits": [np.zeros(2)]}, {"logits": []}])
