import json
import signal
import subprocess
import sys
import textwrap

import pytest
import torch

from bertlib.errors import BertlibError, CheckpointError
from bertlib.train import checkpoint, newest_checkpoint, read_log


def weights(trainer):
    return trainer.plain_model.state_dict()


def assert_same(one, other):
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


def saved_names(folder):
    return sorted(path.name for path in (folder / "checkpoints").iterdir())


@pytest.fixture
def straight(make_trainer, tmp_path):
    """The weights of a run that nothing disturbed."""
    trainer = make_trainer(tmp_path / "straight", valid=True)
    trainer.fit()
    return weights(trainer)


def test_a_resumed_run_ends_bit_identical(make_trainer, tmp_path, straight):
    make_trainer(tmp_path / "run", valid=True).train_steps(9)  # the last checkpoint is of step 9
    second = make_trainer(tmp_path / "run", valid=True)
    assert second.resume() == []
    assert second.step == 9
    second.fit()
    assert_same(straight, weights(second))


def test_resuming_takes_the_newest_checkpoint_and_the_log_has_each_step_once(
    make_trainer, tmp_path, straight
):
    first = make_trainer(tmp_path / "run", valid=True, log_every=1)
    first.train_steps(8)
    for step in (8, 9):  # two steps that are never saved
        first.train_batch(first.batches.batch(step))
        first.log.write("train", step=step + 1, loss=0.0)
    second = make_trainer(tmp_path / "run", valid=True, log_every=1)
    second.resume()
    second.fit()
    steps = [event["step"] for event in read_log(tmp_path / "run" / "log.jsonl") if event["event"] == "train"]
    assert steps == list(range(1, 13))
    assert_same(straight, weights(second))


@pytest.mark.parametrize("harm", ["truncate", "alter", "lose"])
def test_a_damaged_checkpoint_is_passed_over_and_said(make_trainer, tmp_path, straight, harm):
    make_trainer(tmp_path / "run", valid=True).train_steps(8)
    file = tmp_path / "run" / "checkpoints" / "step-00000008" / "model.safetensors"
    whole = file.read_bytes()
    if harm == "lose":
        file.unlink()
    else:
        file.write_bytes(whole[:-100] if harm == "truncate" else whole[:-1] + bytes([whole[-1] ^ 1]))
    trainer = make_trainer(tmp_path / "run", valid=True)
    (line,) = trainer.resume()
    assert "step-00000008/model.safetensors" in line
    assert "using step-00000004 instead; the other is removed" in line
    assert saved_names(tmp_path / "run") == ["step-00000004"]
    assert trainer.step == 4
    trainer.fit()
    assert_same(straight, weights(trainer))


def test_when_none_is_whole_it_says_what_is_wrong_with_each(make_trainer, tmp_path):
    make_trainer(tmp_path).train_steps(8)
    for file, harm in zip(tmp_path.glob("checkpoints/*/state.json"), ("half", "other step"), strict=True):
        state = json.loads(file.read_text()) | {"step": 3}
        file.write_text("{" if harm == "half" else json.dumps(state))
    with pytest.raises(CheckpointError, match=r"step-00000008/state.json.*step-00000004/state.json"):
        make_trainer(tmp_path).resume()


@pytest.mark.parametrize("lost", ["settings", "step", "files"])
def test_a_state_that_lacks_something_is_a_damaged_one(make_trainer, tmp_path, lost):
    make_trainer(tmp_path).train_steps(8)
    file = tmp_path / "checkpoints" / "step-00000008" / "state.json"
    file.write_text(
        json.dumps({key: value for key, value in json.loads(file.read_text()).items() if key != lost})
    )
    (line,) = make_trainer(tmp_path).resume()
    assert "step-00000008/state.json is missing, unreadable or not this step's" in line


@pytest.mark.parametrize(
    ("changes", "word"),
    [({"learning_rate": 2e-3}, "training.learning_rate"), ({"steps": 20}, "training.steps")],
)
def test_a_run_with_other_settings_is_refused(make_trainer, tmp_path, changes, word):
    make_trainer(tmp_path).train_steps(4)
    with pytest.raises(CheckpointError, match=rf"{word} = .*now it is .*resume with the same settings"):
        make_trainer(tmp_path, **changes).resume()


def test_a_library_user_cannot_slip_in_other_texts_or_another_model_either(make_trainer, corpus, tmp_path):
    make_trainer(tmp_path).train_steps(4)
    with pytest.raises(CheckpointError, match=r"batches.batch_size = 8, now it is 16"):
        make_trainer(tmp_path, batch_size=16).resume()
    with pytest.raises(CheckpointError, match=r"model.hidden_dropout_prob = 0.1, now it is 0.0"):
        make_trainer(tmp_path, dropout=0.0).resume()
    corpus.tokens, corpus.sentence_ends = corpus.tokens[:-6], corpus.sentence_ends[:-1]  # a sentence less
    corpus.document_ends[-1] -= 1
    with pytest.raises(CheckpointError, match=r"corpus.tokens = \d+, now it is \d+"):
        make_trainer(tmp_path).resume()


def test_another_kind_of_device_has_other_dice_and_is_refused(make_trainer, tmp_path):
    make_trainer(tmp_path).train_steps(4)
    trainer = make_trainer(tmp_path)
    trainer.settings["device"] = {"type": "cuda"}
    with pytest.raises(CheckpointError, match=r"device.type = 'cpu', now it is 'cuda'"):
        trainer.resume()


def test_weights_of_another_size_are_refused_by_name(make_trainer, tmp_path):
    trainer = make_trainer(tmp_path)
    trainer.train_steps(4)
    found = newest_checkpoint(tmp_path / "checkpoints")
    with pytest.raises(CheckpointError, match="another configuration"):
        checkpoint.load_checkpoint(found, model=torch.nn.Linear(2, 2), optimizer=trainer.optimizer.optimizer)


def test_how_often_to_log_may_change_between_parts_of_a_run(make_trainer, tmp_path):
    make_trainer(tmp_path).train_steps(4)
    trainer = make_trainer(tmp_path, log_every=3, save_every=6)
    assert trainer.resume() == []
    assert trainer.step == 4


def test_killed_before_the_first_checkpoint_and_started_again_without_resume(make_trainer, tmp_path):
    first = make_trainer(tmp_path, save_every=100, log_every=1, valid=True)
    for step in range(3):
        first.train_batch(first.batches.batch(step))
        first.log.write("train", step=step + 1, loss=0.0)
    with first.log.path.open(
        "ab"
    ) as file:  # and the last line is half a line, of what was on the disk before
        file.write(b'{"event": "tra\xff')
    make_trainer(tmp_path, save_every=100, log_every=1, valid=True).fit()
    events = [(event["event"], event["step"]) for event in read_log(tmp_path / "log.jsonl")]
    assert [step for event, step in events if event == "train"] == list(range(1, 13))
    assert [step for event, step in events if event == "valid"] == [6, 12]


def test_a_run_in_parts_keeps_the_same_diary_as_one_in_one_go(make_trainer, tmp_path):
    diaries = []
    for name, parts in (("whole", [12]), ("parts", [4, 2, 6])):
        trainer = make_trainer(tmp_path / name, valid=True)
        for part in parts:
            trainer.train_steps(part)
        trainer.fit()
        trainer.fit()  # nothing is left to do, and nothing is written twice
        events = read_log(tmp_path / name / "log.jsonl")
        diaries.append([(event["event"], event["step"], event.get("mlm_loss")) for event in events])
    assert diaries[0] == diaries[1]


def test_only_the_newest_checkpoints_are_kept(make_trainer, tmp_path):
    make_trainer(tmp_path, keep=2, save_every=2).fit()
    assert saved_names(tmp_path) == ["step-00000010", "step-00000012"]


@pytest.mark.parametrize(("keep", "stay"), [(1, [4, 8, 12]), (2, [2, 4, 8, 12]), (9, [2, 4, 8, 12])])
def test_making_room_never_touches_newer_ones(tmp_path, keep, stay):
    for step in (2, 8, 12, 4):
        tensors = {checkpoint.MODEL: {"w": torch.zeros(1)}}
        checkpoint.write_checkpoint(tmp_path, tensors, step=step, settings={}, keep=keep if step == 4 else 9)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"step-{step:08d}" for step in stay]


def test_a_damaged_newer_one_does_not_cost_the_only_good_one(make_trainer, tmp_path):
    make_trainer(tmp_path).train_steps(8)
    (tmp_path / "checkpoints" / "step-00000008" / "state.json").write_text("{")
    trainer = make_trainer(tmp_path, keep=1, save_every=2)
    trainer.resume()
    trainer.train_steps(2)
    assert saved_names(tmp_path) == ["step-00000006"]
    assert newest_checkpoint(tmp_path / "checkpoints").step == 6


def test_a_new_run_does_not_mix_with_an_older_one(make_trainer, tmp_path):
    make_trainer(tmp_path).fit()
    before = saved_names(tmp_path)
    trainer = make_trainer(tmp_path)
    with pytest.raises(CheckpointError, match=r"holds step-00000012 .*at step 0; resume it .*another folder"):
        trainer.fit()
    assert (trainer.step, saved_names(tmp_path)) == (0, before)
    assert trainer.resume() == []
    trainer.fit()


def test_a_run_may_save_before_its_first_step(make_trainer, tmp_path):
    trainer = make_trainer(tmp_path)
    trainer.save()
    trainer.train_steps(2)
    assert saved_names(tmp_path) == ["step-00000000", "step-00000002"]


def test_killed_between_two_renames(make_trainer, tmp_path, straight):
    """A step that is saved once more: the first copy has stepped aside, the second has not come in."""
    make_trainer(tmp_path / "run", valid=True).train_steps(8)
    folder = tmp_path / "run" / "checkpoints"
    (folder / "step-00000008").rename(folder / ".step-00000008.1234.old")
    trainer = make_trainer(tmp_path / "run", valid=True)
    assert trainer.resume() == []
    assert (trainer.step, saved_names(tmp_path / "run")) == (8, ["step-00000004", "step-00000008"])
    trainer.fit()
    assert_same(straight, weights(trainer))


def test_what_stepped_aside_goes_once_the_new_one_is_there(make_trainer, tmp_path):
    make_trainer(tmp_path).train_steps(4)
    (tmp_path / "checkpoints" / ".step-00000004.1234.old").mkdir()
    make_trainer(tmp_path).resume()
    assert saved_names(tmp_path) == ["step-00000004"]


@pytest.mark.parametrize("number", [0, 2])
def test_a_checkpoint_of_another_version_is_named_and_stays(make_trainer, tmp_path, number):
    make_trainer(tmp_path).train_steps(8)
    file = tmp_path / "checkpoints" / "step-00000008" / "state.json"
    file.write_text(json.dumps({"format": number, "other": "things"}))
    with pytest.raises(CheckpointError, match=rf"step-00000008 has format {number}, .* reads 1; resume with"):
        make_trainer(tmp_path).resume()
    assert file.exists()


@pytest.mark.parametrize("broken", ["save_file", "write_text"])
def test_a_full_disk_leaves_what_was_saved_before(make_trainer, tmp_path, monkeypatch, broken):
    trainer = make_trainer(tmp_path)
    trainer.train_steps(4)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    target = checkpoint if broken == "save_file" else checkpoint.Path
    monkeypatch.setattr(target, broken, full)
    with pytest.raises(BertlibError, match="No space left on device; what was saved before is untouched"):
        trainer.train_steps(4)
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-00000004"]


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on the size of files")
def test_a_full_disk_as_safetensors_meets_it(tmp_path):
    """The library writes the file itself, and words its errors itself."""
    script = """
        import resource, signal, sys, torch
        from pathlib import Path
        from bertlib.errors import BertlibError
        from bertlib.train.checkpoint import state_tensors, write_checkpoint
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
        model = torch.nn.Linear(200, 200)
        try:
            tensors = state_tensors(model, torch.optim.AdamW(model.parameters()))
            write_checkpoint(Path(sys.argv[1]), tensors, step=1, settings={})
        except BertlibError as error:
            print(error)
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("could not write")
    assert done.stdout.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


KILLED = """
    import os, signal, sys
    from pathlib import Path
    sys.path.insert(0, sys.argv[2])
    from safetensors import torch as safetensors
    from bertlib.train import checkpoint
    import run_for_kill

    saved = 0
    def save(tensors, path):
        global saved
        saved += 1
        safetensors.save_file(tensors, path)
        if saved == int(sys.argv[3]):  # in the middle of a save: one file is there, the others are not
            with open(path, "r+b") as file:
                file.truncate(os.path.getsize(path) // 2)
            os.kill(os.getpid(), signal.SIGKILL)
    checkpoint.save_file = save
    run_for_kill.trainer(Path(sys.argv[1])).fit()
"""

RUN = """
    import numpy as np, torch
    from types import SimpleNamespace
    from bertlib.config import BertConfig
    from bertlib.data.batches import BatchConfig, PreTrainingBatches
    from bertlib.model import BertForPreTraining
    from bertlib.train import BertTrainer, TrainingConfig

    def trainer(out):
        tokens = np.random.default_rng(0).integers(5, 60, 3000).astype(np.uint16)
        corpus = SimpleNamespace(tokens=tokens, sentence_ends=np.arange(6, 3001, 6), document_ends=np.arange(5, 501, 5), vocab_size=60)
        torch.manual_seed(0)
        model = BertForPreTraining(BertConfig(vocab_size=60, hidden_size=16, num_hidden_layers=1,
            num_attention_heads=2, intermediate_size=32, max_position_embeddings=24))
        batches = PreTrainingBatches(corpus, BatchConfig(batch_size=8, max_length=24))
        config = TrainingConfig(steps=12, warmup_steps=2, save_every=3)
        return BertTrainer(model, batches, config, out=out, progress=False)
"""


@pytest.mark.parametrize("file_number", [3, 4])  # weights or optimiser of the second checkpoint
def test_kill_9_in_the_middle_of_a_save(tmp_path, file_number):
    (tmp_path / "run_for_kill.py").write_text(textwrap.dedent(RUN))
    command = [
        sys.executable,
        "-c",
        textwrap.dedent(KILLED),
        str(tmp_path / "run"),
        str(tmp_path),
        str(file_number),
    ]
    killed = subprocess.run(command, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    leftovers = [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()]
    assert any(name.endswith(".tmp") for name in leftovers)

    space: dict = {}
    exec(textwrap.dedent(RUN), space)
    resumed, straight = space["trainer"](tmp_path / "run"), space["trainer"](tmp_path / "straight")
    resumed.resume()
    assert resumed.step == 3
    resumed.fit()
    straight.fit()
    assert_same(weights(straight), weights(resumed))
    assert not any(path.name.endswith(".tmp") for path in (tmp_path / "run" / "checkpoints").iterdir())


def test_ctrl_c_within_the_last_step_does_not_cost_its_checkpoint(make_trainer, tmp_path, monkeypatch):
    trainer = make_trainer(tmp_path)
    take = trainer.train_batch

    def take_and_stop(batch):
        losses = take(batch)
        if trainer.step == trainer.config.steps:
            raise KeyboardInterrupt
        return losses

    monkeypatch.setattr(trainer, "train_batch", take_and_stop)
    with pytest.raises(KeyboardInterrupt):
        trainer.fit()
    assert newest_checkpoint(tmp_path / "checkpoints").step == 8
    trainer.fit()
    assert newest_checkpoint(tmp_path / "checkpoints").step == 12
