import math

import pytest
import torch

from bertlib.errors import ConfigError
from bertlib.train import TrainingConfig, read_log


def flat(model):
    return torch.cat([value.flatten() for value in model.state_dict().values()])


def test_the_first_loss_is_that_of_a_fair_die(make_trainer):
    trainer = make_trainer(dropout=0.0)
    losses = trainer.train_batch(trainer.batches.batch(0))
    assert losses.mlm.item() == pytest.approx(math.log(60), abs=0.15)
    assert losses.nsp.item() == pytest.approx(math.log(2), abs=0.1)
    assert losses.total.item() == pytest.approx(losses.mlm.item() + losses.nsp.item(), abs=1e-5)


def test_it_learns_phrases_by_heart(make_trainer):
    trainer = make_trainer(
        valid=True, steps=300, warmup_steps=20, learning_rate=1e-2, batch_size=16, dropout=0.0
    )
    before = trainer.evaluate().mlm_loss
    after = trainer.fit()
    assert after.mlm_loss < before - 1.5
    assert after.masked_accuracy > 0.1  # one word in 55 is right by chance


def test_every_parameter_learns(make_trainer):
    trainer = make_trainer(dropout=0.0)
    before = {name: value.clone() for name, value in trainer.plain_model.state_dict().items()}
    trainer.train_steps(3)
    after = trainer.plain_model.state_dict()
    assert [name for name in before if torch.equal(before[name], after[name])] == []


@pytest.mark.parametrize("pieces", [2, 3])
def test_accumulated_pieces_are_one_batch(make_trainer, pieces):
    whole, cut = make_trainer(dropout=0.0), make_trainer(dropout=0.0, accumulation=pieces)
    batch = whole.batches.batch(0)
    one, other = whole.train_batch(batch), cut.train_batch(batch)
    assert torch.allclose(torch.stack(one), torch.stack(other), atol=1e-5)
    for (name, mine), theirs in zip(
        whole.plain_model.named_parameters(), cut.plain_model.parameters(), strict=True
    ):
        assert torch.allclose(mine, theirs, atol=2e-5), name


def test_the_learning_rate_of_each_step_is_logged(make_trainer, tmp_path):
    make_trainer(str(tmp_path), valid=True, log_every=1, learning_rate=1.0).fit()  # a str does as well
    events = read_log(tmp_path / "log.jsonl")
    rates = [event["learning_rate"] for event in events if event["event"] == "train"]
    assert rates == pytest.approx([0.5, 1.0, *(1 - k / 10 for k in range(10))])
    assert [event["step"] for event in events if event["event"] == "valid"] == [6, 12]


def test_the_gradient_is_clipped(make_trainer):
    gentle, wild = make_trainer(clip=1e-9, dropout=0.0), make_trainer(clip=1e9, dropout=0.0)
    start = flat(gentle.plain_model).clone()
    gentle.train_steps(1)
    wild.train_steps(1)
    # AdamW's eps of 1e-6 swallows a gradient that was cut down to 1e-9
    assert (flat(gentle.plain_model) - start).abs().max() < 0.1 * (flat(wild.plain_model) - start).abs().max()


def test_two_runs_from_one_seed_are_equal_and_leave_torchs_generator_alone(make_trainer):
    one, other = make_trainer(), make_trainer()
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one.fit()
    assert torch.equal(torch.rand(3), expected)
    other.fit()
    assert torch.equal(flat(one.plain_model), flat(other.plain_model))


def test_another_seed_is_another_run(make_trainer):
    one, other = make_trainer(), make_trainer(seed=1)
    assert not torch.equal(one.batches.batch(0).input_ids, other.batches.batch(0).input_ids)


def test_an_epoch_ends_where_the_corpus_does(make_trainer):
    trainer = make_trainer(steps=1000, save_every=1000, batch_size=4)
    trainer.train_steps(1)
    trainer.train_epoch()
    assert trainer.step == trainer.batches.steps_per_epoch


def test_bf16_learns_too(make_trainer):
    trainer = make_trainer(precision="bf16", steps=60, learning_rate=1e-2, valid=True)
    before = trainer.evaluate().mlm_loss
    assert trainer.fit().mlm_loss < before - 0.2
    assert all(value.dtype == torch.float32 for value in trainer.plain_model.state_dict().values())


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"steps": 0}, "steps is 0"),
        ({"warmup_steps": 13}, "warmup_steps is 13; expected 0 to 12"),
        ({"learning_rate": 0}, "learning_rate is 0"),
        ({"learning_rate": math.nan}, "learning_rate is nan"),
        ({"learning_rate": math.inf}, "learning_rate is inf"),
        ({"seed": -1}, "seed is -1; expected 0 or more"),
        ({"clip": 0.0}, "clip 0.0; expected at least 0, and above 0"),
        ({"weight_decay": -1.0}, "weight_decay is -1.0"),
        ({"betas": (0.9, 1.0)}, r"betas are \(0.9, 1.0\)"),
        ({"precision": "fp8"}, "expected fp32 or bf16"),
        ({"matmul_precision": "low"}, "expected highest, high or medium"),
    ],
)
def test_numbers_without_sense_are_named(changes, word):
    with pytest.raises(ConfigError, match=word):
        TrainingConfig(**({"steps": 12, "warmup_steps": 2} | changes))
