"""Training on a GPU: it learns, resumes, saves what was there at the save, and survives bad luck."""

from __future__ import annotations

import math
import warnings

import pytest
import torch
from safetensors.torch import load_file

from bertlib.errors import TrainingError
from bertlib.train.checkpoint import MODEL, load_checkpoint, newest_checkpoint

pytestmark = pytest.mark.gpu


def weights(trainer) -> dict[str, torch.Tensor]:
    return {name: value.detach().cpu().clone() for name, value in trainer.plain_model.state_dict().items()}


def furthest(one, other) -> float:
    return max((one[name] - other[name]).abs().max().item() for name in one)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_some_steps_lower_the_loss(make_trainer, precision) -> None:
    """Zipf's law alone is worth more than a nat: the commonest word is a tenth of the text."""
    trainer = make_trainer(precision=precision)
    trainer.model.train()
    losses = [trainer.train_batch(trainer.batches.batch(step)) for step in range(trainer.config.steps)]
    first, last = losses[0].mlm.item(), torch.stack([loss.mlm for loss in losses[-5:]]).mean().item()
    assert losses[0].total.device.type == trainer.batches.device.type
    assert last < first - 0.5
    assert last > 0.5 * math.log(500)  # nobody can do so well on random words


def test_a_resumed_run_goes_on(make_trainer, tmp_path) -> None:
    """As near as two straight runs are: to the bit where the kernels add up in a fixed order.

    A forgotten state (dropout, averages, position) would move weights by about the rate, 2e-3.
    """
    straight, again = make_trainer(), make_trainer()
    for trainer in (straight, again):
        trainer.train_steps(8)
    first = make_trainer(out=tmp_path, save_every=4)
    first.train_steps(4)
    resumed = make_trainer(out=tmp_path, save_every=4)
    resumed.resume()
    assert resumed.step == 4
    resumed.train_steps(4)
    noise = furthest(weights(straight), weights(again))
    assert noise < 2e-4
    assert furthest(weights(straight), weights(resumed)) <= max(3 * noise, 1e-6)
    assert furthest(weights(straight), weights(first)) > 1e-3  # four steps are a difference


@pytest.mark.parametrize("back", [False, True], ids=["there and here", "here and there"])
def test_a_checkpoint_opens_on_the_other_device(make_trainer, tmp_path, device, back) -> None:
    places = [torch.device("cpu"), device][:: 1 if back else -1]
    saved = make_trainer(places[0], tmp_path, precision="fp32")
    saved.train_steps(2)
    opened = make_trainer(places[1], precision="fp32")  # resume() refuses: other dice there
    found = newest_checkpoint(tmp_path / "checkpoints")
    load_checkpoint(found, model=opened.plain_model, optimizer=opened.optimizer.optimizer)
    opened.step = found.step
    assert furthest(weights(saved), weights(opened)) == 0
    states = [trainer.optimizer.optimizer.state_dict()["state"] for trainer in (saved, opened)]
    for number, state in states[0].items():
        for name, value in state.items():
            assert torch.equal(value.cpu(), states[1][number][name].cpu())
    for trainer in (saved, opened):
        for _ in range(2):
            trainer.train_batch(trainer.batches.batch(trainer.step))
    # other masks and other dropout; but Adam moves no weight by much more than the rate in a step
    assert furthest(weights(saved), weights(opened)) < 6 * 2e-3


def test_a_save_is_not_torn_by_the_steps_that_follow(make_trainer, tmp_path) -> None:
    trainer = make_trainer(out=tmp_path)
    trainer.model.train()
    for number in range(3):  # the second and third time into memory that is used again
        trainer.train_batch(trainer.batches.batch(trainer.step))
        right = weights(trainer)
        trainer.save(wait=False)
        for _ in range(4):
            trainer.train_batch(trainer.batches.batch(trainer.step))
        trainer.saver.wait()
        folder = tmp_path / "checkpoints" / f"step-{1 + 5 * number:08d}"
        assert furthest(load_file(folder / MODEL), right) == 0
        assert furthest(weights(trainer), right) > 0
    copies = [copy for named in trainer.saver._copies.values() for copy in named.values()]
    assert all(copy.is_pinned() for copy in copies) or trainer.batches.device.type == "cpu"


def test_a_loss_that_is_no_number_changes_nothing(make_trainer) -> None:
    trainer = make_trainer(precision="bf16")
    trainer.model.train()
    trainer.train_batch(trainer.batches.batch(0))
    with torch.no_grad():
        trainer.plain_model.mlm_head.bias[7] = math.inf
    before = weights(trainer)
    trainer.train_batch(trainer.batches.batch(1))
    after = weights(trainer)
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    with pytest.raises(TrainingError, match="step 2: the loss or its gradient is no finite number"):
        trainer.train_batch(trainer.batches.batch(2))


def test_too_large_a_batch_is_cut_into_pieces(make_trainer, make_batches, gpu, capsys) -> None:
    """Memory really ends here: at what a quarter of the batch takes at its highest."""
    batches = make_batches(texts=4096)
    narrow, wide = (make_trainer(batches=batches, dropout=0.0) for _ in range(2))
    start = weights(wide)
    narrow.pieces = 4
    narrow.train_batch(batches.batch(0))  # the optimiser's averages are there from now on
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    narrow.train_batch(batches.batch(1))
    room = torch.cuda.max_memory_reserved() * 1.25
    narrow.pieces = 1
    torch.cuda.set_per_process_memory_fraction(room / torch.cuda.mem_get_info()[1])
    try:
        narrow._train_within_memory(batches.batch(2))
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert narrow.pieces in (2, 4, 8)
    assert narrow.step == 3
    assert f"in {narrow.pieces} pieces a batch" in capsys.readouterr().err
    for step in range(3):
        wide.train_batch(batches.batch(step))
    far, near = (
        sum((mine[name] - value).square().sum().item() for name, value in weights(wide).items())
        for mine in (start, weights(narrow))
    )
    assert near < 1e-3 * far  # the same road, to three hundredths of its length


def test_a_step_stops_the_device_no_oftener_than_it_must(make_trainer, gpu) -> None:
    """Each look at a number keeps the processor from running ahead. There are four to a step: the counts
    with the last step's health, how many rows the last block keeps, and which places are selected (twice)."""
    trainer = make_trainer(precision="bf16")
    trainer.model.train()
    for step in range(2):
        trainer.train_batch(trainer.batches.batch(step))
    batch = trainer.batches.batch(2)
    torch.cuda.synchronize()
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            trainer.train_batch(batch)
        finally:
            torch.cuda.set_sync_debug_mode("default")
    stops = [str(w.message) for w in seen if "called a synchronizing" in str(w.message)]
    assert 1 <= len(stops) <= 4, [(w.filename, w.lineno) for w in seen]
