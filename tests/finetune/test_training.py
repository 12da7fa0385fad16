"""Fine-tuning learns what is there to be learned, the same every time, and keeps the best epoch."""

from __future__ import annotations

import copy
import io
import json
import sys

import numpy as np
import pytest
import torch
from torch import nn

from bertlib.data.examples import TextExample
from bertlib.errors import InputError, TrainingError
from bertlib.finetune.formats import Columns, task_of
from bertlib.finetune.heads import SequenceClassifier
from bertlib.finetune.predicting import evaluate, predict
from bertlib.finetune.training import FineTuner, copy_body, fine_tune
from bertlib.model.dropout import Dropout

KINDS = ["classification", "regression", "tagging", "choice", "intents", "question"]


def trained(kind, planted, body, tokenizer, recipe, *, train=96, **options):
    examples, dev = planted(kind, train), planted(kind, 24, seed=1)
    task = options.pop("task", None) or task_of(examples, Columns())
    return task, fine_tune(task, body, tokenizer, examples, dev, recipe, progress=False, **options)


def same_weights(one, other):
    mine, theirs = one.state_dict(), other.state_dict()
    return mine.keys() == theirs.keys() and all(torch.equal(mine[name], theirs[name]) for name in mine)


@pytest.mark.parametrize("kind", KINDS)
def test_a_planted_rule_is_learned(kind, planted, body, tokenizer, quick):
    before = copy.deepcopy(body)
    task, tuned = trained(kind, planted, body, tokenizer, quick.replace(epochs=5))
    losses = [epoch.loss for epoch in tuned.epochs]
    assert losses[-1] < 0.6 * losses[0]
    assert tuned.best.scores[task.best] > 0.8
    dev = planted(kind, 24, seed=1)
    again = evaluate(tuned.model, task, tokenizer, dev, max_length=quick.max_length)
    assert again == tuned.best.scores
    assert not tuned.model.training
    assert same_weights(body, before)
    assert body.training


def test_a_seed_decides_everything(planted, body, tokenizer, quick):
    recipe = quick.replace(epochs=1, dropout=0.1)
    torch.manual_seed(1)
    _, one = trained("classification", planted, body, tokenizer, recipe, train=32)
    torch.manual_seed(2)
    _, again = trained("classification", planted, body, tokenizer, recipe, train=32)
    _, other = trained("classification", planted, body, tokenizer, recipe.replace(seed=1), train=32)
    assert same_weights(one.model, again.model)
    assert one.best.loss == again.best.loss
    assert not same_weights(one.model, other.model)
    assert one.best.loss != other.best.loss


class Touchy(SequenceClassifier):
    """Says the contrary wherever products may be rounded: a machine on which precision decides."""

    def __init__(self, bert):
        super().__init__(bert, 2)
        self.learned_at = set()

    def forward(self, *inputs, labels=None, **more):
        said, precision = (
            super().forward(*inputs, labels=labels, **more),
            torch.get_float32_matmul_precision(),
        )
        if labels is not None:
            self.learned_at.add(precision)
            return said
        return said._replace(logits=said.logits * (1 if precision == "highest" else -1))


def test_the_mark_of_an_epoch_is_that_of_evaluate(planted, body, tokenizer, quick):
    """Training may round its products; what is said of its result is said as it will be later."""
    task, tuned = trained("classification", planted, body, tokenizer, quick, build=Touchy)
    assert tuned.model.learned_at == {"medium"}
    assert tuned.best.scores["accuracy"] > 0.8
    dev = planted("classification", 24, seed=1)
    assert evaluate(tuned.model, task, tokenizer, dev, max_length=16) == tuned.best.scores


def test_the_generator_of_the_caller_is_left_alone(planted, body, tokenizer, quick):
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    trained("classification", planted, body, tokenizer, quick.replace(epochs=1, dropout=0.1), train=16)
    assert torch.equal(torch.rand(3), wanted)


class Scripted:
    """A task whose scores were written down beforehand."""

    best = "accuracy"

    def __init__(self, task, scores):
        self.task, self.scores = task, iter(scores)

    def __getattr__(self, name):
        return getattr(self.task, name)

    def score(self, predictions, examples):
        found = next(self.scores)
        return found if isinstance(found, dict) else {"accuracy": found}


def scripted(planted, body, tokenizer, recipe, scores):
    task = Scripted(task_of(planted("classification", 16), Columns()), scores)
    kept = {}
    _, tuned = trained(
        "classification", planted, body, tokenizer, recipe, train=16, task=task,
        keep=lambda model, epoch: kept.update({epoch.number: copy.deepcopy(model)}),
    )  # fmt: skip
    return tuned, kept


def test_the_best_epoch_is_kept_and_not_the_last(planted, body, tokenizer, quick):
    tuned, kept = scripted(planted, body, tokenizer, quick, [0.2, 0.9, 0.9, 0.3])
    assert tuned.best.number == 2  # at a tie the earlier one
    assert [epoch.number for epoch in tuned.epochs] == [1, 2, 3, 4]
    assert list(kept) == [1, 2]
    assert same_weights(tuned.model, kept[2])
    assert not same_weights(tuned.model, kept[1])


def test_at_a_tie_the_other_scores_decide(planted, body, tokenizer, quick):
    scores = [{"accuracy": 0.0, "f1": f1, "recall": 0.1} for f1 in (0.129, 0.29, 0.29, 0.1)]
    tuned, kept = scripted(planted, body, tokenizer, quick, scores)
    assert (tuned.best.number, list(kept)) == (2, [1, 2])
    tuned, _ = scripted(planted, body, tokenizer, quick.replace(patience=1), scores)
    assert (tuned.best.number, len(tuned.epochs)) == (2, 3)
    clear = [{"accuracy": 0.1, "f1": 0.0}, {"accuracy": 0.0, "f1": 0.9}, *scores[:2]]
    assert scripted(planted, body, tokenizer, quick, clear)[0].best.number == 1


@pytest.mark.parametrize(("patience", "epochs"), [(0, 6), (1, 3), (2, 6)])
def test_patience(patience, epochs, planted, body, tokenizer, quick):
    scores = [0.2, 0.5, 0.4, 0.6, 0.1, 0.1]
    recipe = quick.replace(epochs=6, patience=patience)
    tuned, _ = scripted(planted, body, tokenizer, recipe, scores)
    assert len(tuned.epochs) == epochs
    assert tuned.best.number == (2 if patience == 1 else 4)


@pytest.mark.parametrize(
    ("freeze", "parts"),
    [
        ("embeddings", ["bert.embedding."]),
        ("1", ["bert.embedding.", "bert.encoder.blocks.0."]),
        ("body", ["bert."]),
    ],
)
def test_what_is_frozen_stays_to_the_last_bit(freeze, parts, planted, body, tokenizer, quick):
    recipe = quick.replace(epochs=1, freeze=freeze, weight_decay=0.5)
    _, tuned = trained("classification", planted, body, tokenizer, recipe, train=32)
    before = {f"bert.{name}": value for name, value in body.state_dict().items()}
    for name, value in tuned.model.state_dict().items():
        if name in before:
            stayed = torch.equal(value, before[name])
            assert stayed == name.startswith(tuple(parts)), name


def test_wrong_freeze(planted, body, tokenizer, quick):
    for freeze in ("head", "3"):
        with pytest.raises(InputError, match=rf"freeze '{freeze}'; expected 'embeddings', 'body', or a numb"):
            trained("classification", planted, body, tokenizer, quick.replace(freeze=freeze), train=16)


def test_lower_layers_learn_more_slowly(body, quick):
    """One step each: what moved, over what it would have moved, is the decay to the depth."""
    batch = {"input_ids": torch.tensor([[2, 7, 8, 3]]), "labels": torch.tensor([1])}
    moved = {}
    for decay in (1.0, 0.5):
        torch.manual_seed(0)
        model = SequenceClassifier(copy_body(body, 0.0), 2)
        before = copy.deepcopy(model.state_dict())
        tuner = FineTuner(model, quick.replace(layer_decay=decay, warmup_share=0.0), steps=10)
        tuner.train_batch(batch)
        moved[decay] = {name: (v - before[name]).abs().max() for name, v in model.state_dict().items()}
    shares = {
        "classifier.weight": 1,
        "bert.encoder.blocks.1.attention.query.weight": 0.5,
        "bert.encoder.blocks.0.attention.query.weight": 0.25,
        "bert.embedding.position_embeddings.weight": 0.125,
    }
    for name, share in shares.items():
        assert moved[0.5][name] / moved[1.0][name] == pytest.approx(share, rel=1e-3), name


def test_the_rate_rises_and_falls(body, quick):
    model = SequenceClassifier(copy_body(body, 0.0), 2)
    tuner = FineTuner(model, quick.replace(warmup_share=0.25, learning_rate=0.1), steps=8)
    rates = []
    for _ in range(8):
        tuner.train_batch({"input_ids": torch.tensor([[2, 7, 3]]), "labels": torch.tensor([1])})
        rates.append(tuner.optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([0.05, 0.1, 0.1, 5 / 60, 4 / 60, 0.05, 2 / 60, 1 / 60])


def test_dropout_goes_everywhere(planted, body, tokenizer, quick):
    other = copy_body(body, 0.3)
    rates = {part.p for part in other.modules() if isinstance(part, Dropout | nn.Dropout)}
    assert rates == {0.3}
    assert (other.config.hidden_dropout_prob, other.config.attention_probs_dropout_prob) == (0.3, 0.3)
    assert body.config.hidden_dropout_prob == 0.1
    assert {part.p for part in copy_body(body, None).modules() if isinstance(part, Dropout)} == {0.1}
    _, tuned = trained("tagging", planted, body, tokenizer, quick.replace(epochs=1, dropout=0.25), train=16)
    rates = {part.p for part in tuned.model.modules() if isinstance(part, Dropout | nn.Dropout)}
    assert rates == {0.25}


class Poisoned(SequenceClassifier):
    """Learns, until a step after which its loss is no number."""

    def __init__(self, bert, *, after):
        super().__init__(bert, 2)
        self.left = after

    def forward(self, *inputs, labels=None, **more):
        said = super().forward(*inputs, labels=labels, **more)
        if labels is None:
            return said
        self.left -= 1
        return said if self.left >= 0 else said._replace(loss=said.loss * float("nan"))


def test_a_loss_that_is_no_number_stops(planted, body, tokenizer, quick):
    """Two steps an epoch; the fourth is poisoned."""
    kept = []
    with pytest.raises(TrainingError) as caught:
        trained(
            "classification", planted, body, tokenizer, quick, train=32,
            build=lambda bert: Poisoned(bert, after=3), keep=lambda model, epoch: kept.append(epoch.number),
        )  # fmt: skip
    assert kept == [1]
    message = str(caught.value)
    assert message == (
        "seed 0, step 4 of 8: the loss (nan) or its gradient is no finite number; try a lower learning rate "
        "(it was 0.01) or a longer warm-up (it was 10% of the steps)"
    )


def test_a_rate_beyond_reason(planted, body, tokenizer, quick):
    with pytest.raises(TrainingError, match=r"step \d of 24: the loss .* is no finite number; try a"):
        trained("regression", planted, body, tokenizer, quick.replace(learning_rate=1e30, warmup_share=0.0))


def test_a_bad_step_changes_no_weight(body, quick):
    model = Poisoned(copy_body(body, 0.0), after=0)
    before = copy.deepcopy(model)
    with pytest.raises(TrainingError):
        FineTuner(model, quick, steps=1).train_batch(
            {"input_ids": torch.tensor([[2, 7, 3]]), "labels": torch.tensor([1])}
        )
    assert same_weights(model, before)


def test_held_out_labels_are_looked_at_before_training(planted, body, tokenizer, quick):
    train, dev = planted("classification", 16), [TextExample("a", label="earlie", name="d-1")]
    task = task_of(train, Columns())
    with pytest.raises(InputError, match=r"example d-1: the label 'earlie'.*did you mean 'early'"):
        fine_tune(
            task, body, tokenizer, train, dev, quick, build=lambda bert: pytest.fail("built"), progress=False
        )
    with pytest.raises(InputError, match="no examples"):
        fine_tune(task, body, tokenizer, [], train, quick, progress=False)
    with pytest.raises(InputError, match="no held-out examples"):
        fine_tune(task, body, tokenizer, train, [], quick, progress=False)


def test_progress_goes_to_stderr(planted, body, tokenizer, quick, monkeypatch):
    out, err = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    train = planted("classification", 16)
    fine_tune(
        task_of(train, Columns()), body, tokenizer, train, train, quick.replace(epochs=1), progress=True
    )
    assert out.getvalue() == ""
    assert "epoch 1 of 1: loss 0." in err.getvalue()


def test_what_is_said_can_be_written_down(planted, body, tokenizer, quick):
    task, tuned = trained("regression", planted, body, tokenizer, quick.replace(epochs=1), train=16)
    said = predict(tuned.model, task, tokenizer, planted("regression", 3), max_length=16)
    assert json.loads(json.dumps(said)) == said
    assert all(np.isfinite(said))
