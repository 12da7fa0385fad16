"""Saving beside the training: what is saved is the moment of the save, and errors are not lost."""

import threading
import time

import pytest
import torch

from bertlib.bench.saving import bench_saving
from bertlib.errors import BertlibError
from bertlib.pretrain import new_model
from bertlib.recipes import Recipe
from bertlib.train import checkpoint, newest_checkpoint
from bertlib.train.checkpoint import MODEL, load_file
from bertlib.train.saving import BackgroundSaver


@pytest.fixture
def slow_disk(monkeypatch):
    """A disk on which a file is finished only when ``slow_disk.set()`` is called."""
    free, real = threading.Event(), checkpoint.save_file

    def save_file(tensors, path):
        assert free.wait(20)
        real(tensors, path)

    monkeypatch.setattr(checkpoint, "save_file", save_file)
    return free


def saved_names(folder):
    return sorted(path.name for path in (folder / "checkpoints").glob("step-*"))


def test_training_goes_on_while_the_disk_is_slow(make_trainer, tmp_path, slow_disk):
    trainer = make_trainer(tmp_path, save_every=100)
    trainer.step = 4
    trainer.save(wait=False)
    at_the_save = {name: value.clone() for name, value in trainer.plain_model.state_dict().items()}
    trainer.train_batch(trainer.batches.batch(4))  # changes every weight while they are being written
    assert saved_names(tmp_path) == []
    slow_disk.set()
    trainer.saver.wait()
    saved = load_file(tmp_path / "checkpoints" / "step-00000004" / MODEL)
    assert all(torch.equal(value, at_the_save[name]) for name, value in saved.items())
    assert not torch.equal(saved["mlm_head.bias"], trainer.plain_model.state_dict()["mlm_head.bias"])


def test_one_save_at_a_time(tmp_path, slow_disk):
    saver = BackgroundSaver(tmp_path, keep=5)
    saver.start({MODEL: {"w": torch.zeros(3)}}, step=1, settings={})
    second = threading.Thread(
        target=saver.start, args=({MODEL: {"w": torch.ones(3)}},), kwargs={"step": 2, "settings": {}}
    )
    second.start()
    second.join(0.2)
    assert second.is_alive()  # waits for the first
    slow_disk.set()
    second.join(20)
    saver.wait()
    values = [load_file(tmp_path / f"step-0000000{step}" / MODEL)["w"].tolist() for step in (1, 2)]
    assert values == [[0.0] * 3, [1.0] * 3]


def test_copies_go_into_the_same_memory_again(tmp_path):
    saver = BackgroundSaver(tmp_path, keep=1)
    places = set()
    for step in (1, 2, 3):
        saver.start({MODEL: {"w": torch.full((50,), float(step))}}, step=step, settings={})
        places.add(saver._copies[MODEL]["w"].data_ptr())
    saver.wait()
    assert len(places) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000003"]


def break_the_disk(monkeypatch, *, after, error=None):
    """Let file number ``after`` + 1 and all later ones fail."""
    real, count = checkpoint.save_file, [0]

    def save_file(tensors, path):
        count[0] += 1
        if count[0] > after:
            path.write_bytes(b"half")
            raise error or OSError(28, "No space left on device")
        real(tensors, path)

    monkeypatch.setattr(checkpoint, "save_file", save_file)


@pytest.mark.parametrize("after", [2, 3])  # a checkpoint is two files
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(28, "No space left on device"), "No space left on device"),
        (OSError(30, "Read-only file system"), "Read-only file system"),
        (PermissionError(13, "Permission denied"), "Permission denied"),
    ],
)
def test_a_failed_save_stops_the_run_in_one_line(make_trainer, tmp_path, monkeypatch, after, error, words):
    break_the_disk(monkeypatch, after=after, error=error)
    trainer = make_trainer(tmp_path, save_every=4, steps=12)
    with pytest.raises(BertlibError, match=f"could not write .*{words}; what was saved before is untouched"):
        trainer.fit()
    assert 8 <= trainer.step < 12  # at one of the next steps, not at the end
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-00000004"]
    monkeypatch.undo()
    again = make_trainer(tmp_path, save_every=4, steps=12)
    again.resume()
    assert again.step == 4
    again.fit()
    straight = make_trainer(tmp_path / "straight", save_every=4, steps=12)
    straight.fit()
    one, other = again.plain_model.state_dict(), straight.plain_model.state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_failed_last_save_is_heard_at_the_end(make_trainer, tmp_path, monkeypatch):
    break_the_disk(monkeypatch, after=0)
    with pytest.raises(BertlibError, match="No space left on device"):
        make_trainer(tmp_path, save_every=12, steps=12).fit()


def test_another_error_goes_first_and_the_save_is_finished(make_trainer, tmp_path, monkeypatch):
    trainer = make_trainer(tmp_path, save_every=4)
    real = trainer.train_batch

    def stopped(batch):
        if trainer.step == 4:
            raise KeyboardInterrupt
        return real(batch)

    monkeypatch.setattr(trainer, "train_batch", stopped)
    with pytest.raises(KeyboardInterrupt):
        trainer.fit()
    assert newest_checkpoint(tmp_path / "checkpoints").step == 4


def test_a_full_disk_under_the_log_is_one_line_too(make_trainer, tmp_path):
    trainer = make_trainer(tmp_path)
    (tmp_path / "log.jsonl").mkdir()
    with pytest.raises(BertlibError, match=r"could not write .*log.jsonl"):
        trainer.fit()


def test_the_clock_does_not_matter(make_trainer, tmp_path, monkeypatch):
    """It runs backwards, and the files' dates say the opposite of the steps."""
    import os

    now = [2e9]

    def backwards():
        now[0] -= 3600
        return now[0]

    monkeypatch.setattr(time, "time", backwards)
    make_trainer(tmp_path).train_steps(8)
    os.utime(tmp_path / "checkpoints" / "step-00000004", (3e9, 3e9))
    os.utime(tmp_path / "checkpoints" / "step-00000008", (1e9, 1e9))
    trainer = make_trainer(tmp_path)
    trainer.resume()
    assert trainer.step == 8
    trainer.fit()
    assert saved_names(tmp_path) == ["step-00000008", "step-00000012"]


def test_the_cost_of_saving_can_be_measured(monkeypatch):
    real = checkpoint.save_file

    def save_file(tensors, path):
        time.sleep(0.05)
        real(tensors, path)

    monkeypatch.setattr(checkpoint, "save_file", save_file)
    recipe = Recipe.for_preset("tiny", vocab_size=300, batch_size=2, max_length=8)
    found = bench_saving(recipe, every=2, rounds=2, saves=1)
    assert found.copy_ms > 0
    assert found.save_ms >= 100  # to the disk and back: two files
    assert found.spread[0] <= found.share <= found.spread[1]
    parameters = sum(value.numel() for value in new_model(recipe, 300).parameters())
    assert found.megabytes == pytest.approx(12 * parameters / 1e6, rel=0.1)  # weights and two averages
    assert "every 2 steps" in found.lines()[0]
