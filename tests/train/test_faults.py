"""What can go wrong in the middle of a run: no number, no memory, no place of one's own."""

import math
import signal
import subprocess
import sys
import textwrap

import pytest
import torch

from bertlib.errors import BertlibError, CheckpointError, TrainingError
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


def test_after_a_bad_step_one_goes_back_and_on(make_trainer, tmp_path, monkeypatch):
    straight = make_trainer(tmp_path / "straight")
    straight.fit()
    trainer = make_trainer(tmp_path / "bad")
    with monkeypatch.context() as patch:
        spoil(trainer, patch, step=7, value=math.nan)
        with pytest.raises(TrainingError, match="step 7: "):
            trainer.fit()
    trainer.resume()
    trainer.fit()
    assert same(weights(trainer), weights(straight))


def test_without_a_checkpoint_to_go_back_to_the_bad_step_is_not_forgotten(
    make_trainer, tmp_path, monkeypatch
):
    trainer = make_trainer(tmp_path)
    spoil(trainer, monkeypatch, step=1, value=math.nan)
    for _ in range(2):
        with pytest.raises(TrainingError, match="step 1: "):
            trainer.fit()
        trainer.resume()


@pytest.mark.parametrize("accumulation", [1, 2])
def test_an_interrupted_step_leaves_nothing_behind(make_trainer, monkeypatch, accumulation):
    """Ctrl-C after the gradients are there: whoever goes on in the notebook must not add to them."""
    straight, trainer = make_trainer(accumulation=accumulation), make_trainer(accumulation=accumulation)
    straight.fit()
    trainer.train_steps(3)

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(trainer.accelerator, "clip_grad_norm_", interrupted)
        with pytest.raises(KeyboardInterrupt):
            trainer.fit()
    trainer.fit()
    assert same(weights(trainer), weights(straight))


def test_ctrl_c_never_comes_within_a_step(make_trainer, monkeypatch):
    """It is pressed while half of the weights have moved; whoever goes on must not move them again."""
    straight, trainer = make_trainer(), make_trainer()
    straight.fit()
    trainer.train_steps(3)
    optimizer = trainer.optimizer.optimizer
    halves, real = optimizer.param_groups, optimizer.step

    def step(closure=None):
        for half in halves:
            optimizer.param_groups = [half]
            real()
            signal.raise_signal(signal.SIGINT) if half is halves[0] else None
        optimizer.param_groups = halves

    with monkeypatch.context() as patch:
        patch.setattr(optimizer, "step", step)
        with pytest.raises(KeyboardInterrupt):
            trainer.fit()
    assert trainer.step == 4
    trainer.fit()
    assert same(weights(trainer), weights(straight))


def test_a_step_asks_the_device_twice(make_trainer, monkeypatch):
    """Asking costs a GPU its head start: once for the counts and how the last step went (one fetch has both),
    once in the model for the number of rows it keeps. (On a CPU, where nobody waits, it asks for padding too.)"""
    trainer = make_trainer(steps=6, log_every=100)
    batches, fetched = [trainer.batches.batch(step) for step in range(2)], []
    trainer.train_batch(batches[0])
    for name in ("item", "tolist", "numpy", "cpu", "__int__", "__index__", "__float__", "__bool__"):
        real = getattr(torch.Tensor, name)

        def counted(tensor, *arguments, _real=real, _name=name, **options):
            fetched.append(_name)
            return _real(tensor, *arguments, **options)

        monkeypatch.setattr(torch.Tensor, name, counted)
    trainer.train_batch(batches[1])
    assert fetched == ["tolist", "__int__", "__bool__"]


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


@pytest.mark.parametrize("error", ERRORS, ids=["gpu", "cpu", "numpy"])
def test_out_of_memory_in_the_optimisers_step_is_not_tried_again(make_trainer, tmp_path, monkeypatch, error):
    """Half a step was taken: the same again would take that half twice."""
    trainer, steps = make_trainer(tmp_path), []

    def step(closure=None):
        steps.append(trainer.step)
        if trainer.step == 4:
            raise error

    monkeypatch.setattr(trainer.optimizer.optimizer, "step", step)
    with pytest.raises(TrainingError, match=r"^out of memory in the optimiser's step.*--preset.*--fsdp"):
        trainer.fit()
    assert (steps, trainer.pieces) == ([0, 1, 2, 3, 4], 1)


@pytest.mark.parametrize("error", ERRORS, ids=["gpu", "cpu", "numpy"])
def test_out_of_memory_outside_the_steps_is_one_line_too(make_trainer, tmp_path, monkeypatch, error):
    def full(*_, **__):
        raise error

    trainer = make_trainer(tmp_path)
    trainer.train_steps(4)
    monkeypatch.setattr(trainer.batches, "batch", full)
    with pytest.raises(TrainingError, match=r"^out of memory between two steps.*--batch-size"):
        trainer.fit()
    assert newest_checkpoint(tmp_path / "checkpoints").step == 4
    monkeypatch.setattr(type(trainer.accelerator), "prepare", full)
    with pytest.raises(TrainingError, match=r"^out of memory for the model itself.*--preset.*--fsdp"):
        make_trainer()


def test_a_folder_that_cannot_be_made(make_trainer, tmp_path):
    (tmp_path / "file").write_text("")
    for what in ("fit", "resume", "evaluate"):
        trainer = make_trainer(tmp_path / "file" / "run", valid=True)
        with pytest.raises(BertlibError, match=r"could not write .*file.*: Not a directory; what was saved"):
            getattr(trainer, what)()


def test_other_errors_in_the_optimisers_step_keep_their_words(make_trainer, monkeypatch):
    trainer = make_trainer()

    def step(closure=None):
        raise RuntimeError("no such kernel")

    monkeypatch.setattr(trainer.optimizer.optimizer, "step", step)
    with pytest.raises(RuntimeError, match="no such kernel"):
        trainer.fit()


def test_evaluation_takes_no_more_at_once_than_training(make_trainer, tmp_path):
    wide, narrow = make_trainer(valid=True), make_trainer(tmp_path, valid=True)
    narrow.model = Narrow(narrow.model, 3, ERRORS[0])
    narrow.train_steps(1)
    assert narrow.pieces == 4
    wide.plain_model.load_state_dict(weights(narrow))
    ours, theirs = narrow.evaluate().to_dict(), wide.evaluate().to_dict()
    assert ours == pytest.approx(theirs, rel=1e-6)


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
