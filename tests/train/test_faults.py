"""What can go wrong in the middle of a run: no number, no memory, no place of one's own."""

import math
import subprocess
import sys
import textwrap

import pytest
import torch

from bertlib.errors import CheckpointError, TrainingError
from bertlib.train import newest_checkpoint, read_log
from bertlib.train.memory import cut, out_of_memory, smaller_pieces


def weights(trainer):
    return {name: value.clone() for name, value in trainer.plain_model.state_dict().items()}


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def spoil(trainer, monkeypatch, *, step, value):
    """Let the loss of one step (counted from 1) be ``value``."""
    real = trainer._losses

    def losses(piece, words, pairs):
        found = real(piece, words, pairs)
        return found._replace(total=found.total * value) if trainer.step == step - 1 else found

    monkeypatch.setattr(trainer, "_losses", losses)


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("step", [1, 8, 10, 12])  # the first, one that is saved, one that is not, the last
def test_a_loss_that_is_no_number(make_trainer, tmp_path, monkeypatch, value, step):
    make_trainer(tmp_path / "good").train_steps(step - 1)
    good = make_trainer(tmp_path / "good")
    good.resume()
    trainer = make_trainer(tmp_path / "bad", log_every=100)
    spoil(trainer, monkeypatch, step=step, value=value)
    with pytest.raises(
        TrainingError, match=rf"^step {step}: .*lower learning rate \(it was 0.001\).*warm-up"
    ):
        trainer.fit()
    assert same(weights(trainer), weights(good))  # the bad step changed nothing
    newest = newest_checkpoint(tmp_path / "bad" / "checkpoints")
    assert (newest.step if newest else 0) == (step - 1) // 4 * 4
    assert (
        not (tmp_path / "bad" / "log.jsonl").exists()
        or "NaN" not in (tmp_path / "bad" / "log.jsonl").read_text()
    )


def test_a_gradient_that_is_no_number(make_trainer, tmp_path):
    trainer = make_trainer(tmp_path)
    trainer.train_steps(4)
    before = weights(trainer)
    trainer.plain_model.nsp_head.bias.register_hook(lambda gradient: gradient * math.nan)
    with pytest.raises(TrainingError, match="step 5: "):
        trainer.train_steps(4)
    assert same(weights(trainer), before)
    assert newest_checkpoint(tmp_path / "checkpoints").step == 4


def test_it_is_not_fetched_each_step(make_trainer, monkeypatch):
    """Asking costs a GPU its head start; one fetch a step has the counts and the answer."""
    trainer = make_trainer(steps=6, log_every=100)
    fetched = []
    for name in ("item", "tolist", "__int__", "__bool__"):
        real = getattr(torch.Tensor, name)

        def counted(tensor, *, _real=real, _name=name):
            fetched.append(_name)
            return _real(tensor)

        monkeypatch.setattr(torch.Tensor, name, counted)
    trainer.health.bad = torch.zeros(())
    counts = trainer._count(trainer.batches.batch(0))
    assert fetched == ["tolist"]
    assert counts[1] == 8


class Narrow(torch.nn.Module):
    """A model on a machine whose memory ends at so many texts."""

    def __init__(self, model, most, error):
        super().__init__()
        self.inner, self.most, self.error, self.seen = model, most, error, []

    def forward(self, input_ids, *arguments, **options):
        self.seen.append(len(input_ids))
        if len(input_ids) > self.most:
            raise self.error
        return self.inner(input_ids, *arguments, **options)


ERRORS = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:119] err == 0. DefaultCPUAllocator: can't allocate memory"),
    MemoryError(),
]


@pytest.mark.parametrize("error", ERRORS, ids=["gpu", "cpu", "numpy"])
def test_out_of_memory_halves_the_pieces_and_not_the_batch(make_trainer, tmp_path, capsys, error):
    wide = make_trainer(tmp_path / "wide", dropout=0.0, log_every=1)
    narrow = make_trainer(tmp_path / "narrow", dropout=0.0, log_every=1)
    narrow.model = Narrow(narrow.model, 3, error)
    wide.fit()
    narrow.fit()
    assert narrow.model.seen == [8, 4] + 12 * 4 * [2]
    losses = [
        [event["loss"] for event in read_log(tmp_path / name / "log.jsonl") if event["event"] == "train"]
        for name in ("wide", "narrow")
    ]
    assert losses[0] == pytest.approx(losses[1], abs=1e-4)
    for name, value in weights(wide).items():
        assert torch.allclose(value, narrow.plain_model.state_dict()[name], atol=1e-4), name
    lines = [line for line in capsys.readouterr().err.splitlines() if "out of memory" in line]
    assert len(lines) == 2
    assert "with 4 texts at a time: going on with 2, in 4 pieces a batch" in lines[1]
    assert "--accumulation 4" in lines[1]
    events = [event for event in read_log(tmp_path / "narrow" / "log.jsonl") if event["event"] == "memory"]
    assert [(event["step"], event["pieces"]) for event in events] == [(1, 2), (1, 4)]


def test_a_resumed_run_goes_on_with_the_smaller_pieces(make_trainer, tmp_path):
    """With dropout the pieces decide what is drawn, so they belong to the state of a run."""
    ends = []
    for folder in ("straight", "resumed"):
        trainer = make_trainer(tmp_path / folder)
        trainer.model = Narrow(trainer.model, 4, ERRORS[0])
        trainer.train_steps(8)
        if folder == "resumed":
            trainer = make_trainer(tmp_path / folder)  # the other program is gone, there is room again
            trainer.resume()
            assert trainer.pieces == 2
        trainer.fit()
        ends.append(weights(trainer))
    assert same(*ends)


def test_not_even_one_text(make_trainer, tmp_path):
    trainer = make_trainer(tmp_path)
    trainer.model = Narrow(trainer.model, 0, ERRORS[0])
    with pytest.raises(TrainingError, match=r"one text at a time: no batch fits.*--max-length"):
        trainer.fit()
    assert trainer.model.seen == [8, 4, 2, 1]


def test_several_processes_are_told_what_to_start_with():
    with pytest.raises(TrainingError, match=r"with 8 texts at a time.*--accumulation 4: 4 at a time"):
        smaller_pieces(2, 16, processes=2)
    assert smaller_pieces(2, 3) == 3


def test_other_errors_are_no_lack_of_memory(make_trainer):
    trainer = make_trainer()
    trainer.model = Narrow(trainer.model, 0, RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="mat1"):
        trainer.fit()
    assert not out_of_memory(ValueError("out of memory"))


@pytest.mark.parametrize("pieces", [1, 3, 8, 20])
def test_pieces_are_the_batch_and_none_is_empty(make_trainer, pieces):
    batch = make_trainer().batches.batch(0)
    parts = cut(batch, pieces)
    assert len(parts) == min(pieces, 8)
    assert all(len(part.input_ids) for part in parts)
    assert torch.equal(torch.cat([part.input_ids for part in parts]), batch.input_ids)


TRAIN = """
    import sys, time
    from pathlib import Path
    from bertlib.lock import sole_user
    with sole_user(Path(sys.argv[1]), "training"):
        print("mine", flush=True)
        time.sleep(60)
"""


def test_a_folder_in_which_somebody_trains_is_refused(make_trainer, tmp_path):
    command = [sys.executable, "-c", textwrap.dedent(TRAIN), str(tmp_path)]
    other = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout.readline() == "mine\n"
        for what in ("fit", "resume"):
            with pytest.raises(CheckpointError, match=f"number {other.pid} on .*is at work"):
                getattr(make_trainer(tmp_path), what)()
    finally:
        other.kill()
        other.communicate()
    make_trainer(tmp_path).fit()
