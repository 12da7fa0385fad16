"""The small parts of training: schedule, optimiser, baselines, evaluation, log, meter."""

import json
import math
import time

import numpy as np
import pytest
import torch

from bertlib.data.batches import Batch
from bertlib.model.bert import PreTrainingOutput
from bertlib.train import CountingBaselines, JsonLog, evaluate, learning_rate, read_log
from bertlib.train.meter import Meter
from bertlib.train.optim import make_optimizer, parameter_groups
from bertlib.train.precision import matmul_precision


def rate(step):
    return learning_rate(step, peak=1.0, warmup_steps=10, total_steps=110)


def test_the_rate_rises_and_falls_in_straight_lines():
    rates = [rate(step) for step in range(110)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[9] == rates[10] == 1.0
    assert np.allclose(np.diff(rates[:10]), 0.1)
    assert np.allclose(np.diff(rates[10:]), -0.01)
    assert rates[-1] == pytest.approx(0.01)
    assert rate(110) == 0.0


def test_without_warm_up_the_first_step_is_the_largest():
    assert learning_rate(0, peak=2.0, warmup_steps=0, total_steps=4) == 2.0


def test_biases_and_norms_do_not_decay():
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.LayerNorm(4))
    decayed, spared = parameter_groups(model, 0.01)
    assert [p.shape for p in decayed["params"]] == [(4, 3)]
    assert len(spared["params"]) == 3
    assert (decayed["weight_decay"], spared["weight_decay"]) == (0.01, 0.0)


def test_a_decayed_weight_shrinks_without_a_gradient():
    model = torch.nn.Linear(2, 2)
    optimizer = make_optimizer(model, learning_rate=0.1, weight_decay=0.5, betas=(0.9, 0.999))
    before = model.weight.detach().clone(), model.bias.detach().clone()
    (model(torch.zeros(1, 2)) * 0).sum().backward()
    optimizer.step()
    assert torch.allclose(model.weight, before[0] * 0.95)
    assert torch.equal(model.bias, before[1])


def batch(input_ids, original_ids, selected, pair_labels=None):
    ids = torch.tensor(input_ids)
    labels = torch.full((len(ids),), -100) if pair_labels is None else torch.tensor(pair_labels)
    ones = torch.ones_like(ids)
    return Batch(ids, ones, ones * 0, torch.tensor(original_ids), torch.tensor(selected).bool(), labels)


def test_baselines_on_a_text_one_can_count_by_hand():
    # 5 is the commonest; after 5 mostly comes 6, after 7 always 8
    counted = CountingBaselines.count(np.array([5, 6, 5, 6, 5, 9, 7, 8, 7, 8, 5]), 10)
    assert counted.likeliest == 5
    assert counted.follower[[5, 7, 9]].tolist() == [6, 8, 7]
    text = batch(
        [[2, 4, 4, 6, 7, 4, 3]],
        [[2, 5, 6, 6, 7, 8, 3]],
        [[0, 1, 1, 0, 0, 1, 0]],
    )
    # first blank: neighbour [CLS], so 5, right; second: neighbour hidden, so 5, wrong; third: after 7, right
    assert counted.accuracy([text]) == {"unigram": pytest.approx(1 / 3), "bigram": pytest.approx(2 / 3)}


class Parrot(torch.nn.Module):
    """Says word 5 at every blank and IsNext to every pair."""

    def forward(self, input_ids, attention_mask, token_type_ids, *, selected):
        logits = torch.zeros(int(selected.sum()), 10)
        logits[:, 5] = math.log(9.0)  # probability 1/2
        verdict = torch.tensor([[1.0, 0.0]]).repeat(len(input_ids), 1)
        return PreTrainingOutput(logits, verdict, *[None] * (len(PreTrainingOutput._fields) - 2))


def test_evaluation_takes_the_mean_over_words_and_not_over_batches():
    parrot = Parrot().train()
    one = batch([[2, 4, 4, 4, 3]], [[2, 5, 5, 6, 3]], [[0, 1, 1, 1, 0]], [0])
    other = batch([[2, 4, 7, 7, 3]], [[2, 5, 7, 7, 3]], [[0, 1, 0, 0, 0]], [1])
    found = evaluate(parrot, [one, other])
    assert found.masked_accuracy == pytest.approx(3 / 4)
    assert found.mlm_loss == pytest.approx((3 * math.log(2) + math.log(18)) / 4, abs=1e-6)
    assert (found.nsp_accuracy, found.pairs, found.masked_words) == (0.5, 2, 4)
    assert found.perplexity == pytest.approx(math.exp(found.mlm_loss))
    assert parrot.training


def test_without_pairs_there_is_no_verdict_on_them():
    found = evaluate(Parrot(), [batch([[2, 4, 3]], [[2, 5, 3]], [[0, 1, 0]])])
    assert math.isnan(found.nsp_accuracy)
    assert "nsp_accuracy" not in json.loads(json.dumps(found.to_dict()))


def test_a_line_that_was_cut_off_is_passed_over(tmp_path):
    log = JsonLog(tmp_path / "log.jsonl")
    log.write("train", step=1, loss=2.5)
    with log.path.open("a") as file:
        file.write('{"event": "tra')
    assert read_log(log.path) == [{"event": "train", "step": 1, "loss": 2.5}]


def test_the_meter_does_not_count_pauses():
    meter = Meter(100)
    meter.count()
    with meter.paused():
        time.sleep(0.3)
    assert meter.tokens_per_second() > 100 / 0.3
    assert meter.seconds >= 0.3


def test_precision_is_set_back_even_after_an_error():
    before = torch.get_float32_matmul_precision()
    other = "medium" if before != "medium" else "highest"

    def fail():
        with matmul_precision(other):
            assert torch.get_float32_matmul_precision() == other
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert torch.get_float32_matmul_precision() == before


def test_the_unigram_loss_of_a_text_one_can_count_by_hand():
    counted = CountingBaselines.count(np.array([5, 5, 5, 6]), 8)  # shares, one more each: 4/12, 2/12, 1/12
    text = batch([[2, 4, 4, 3]], [[2, 5, 7, 3]], [[0, 1, 1, 0]])
    assert counted.unigram_loss([text]) == pytest.approx(-(math.log(4 / 12) + math.log(1 / 12)) / 2)
