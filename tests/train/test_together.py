"""Several processes: each makes its own texts, none dies unnoticed, and their number stays what it was."""

import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from types import SimpleNamespace

import pytest
import torch
import torch.distributed as dist

from bertlib.errors import CheckpointError, ConfigError, TrainingError
from bertlib.train import TrainingConfig, newest_checkpoint, peers
from bertlib.train.peers import alive, peers_watched
from bertlib.train.settings import refuse_different_steps, refuse_few_texts, refuse_others


@pytest.mark.parametrize("processes", [2, 3])
def test_each_process_makes_its_own_texts_and_together_they_are_the_batch(
    make_trainer, monkeypatch, processes
):
    trainer = make_trainer()
    whole, asked, make = trainer.batches.batch(0), [], trainer.batches.batch

    def batch(step, first=None, last=None):
        asked.append((first, last))
        return make(step, first, last)

    monkeypatch.setattr(trainer.batches, "batch", batch)
    parts = []
    for number in range(processes):
        trainer.accelerator = SimpleNamespace(num_processes=processes, process_index=number)
        parts.append(trainer._own_texts())
    assert asked == {2: [(0, 4), (4, 8)], 3: [(0, 2), (2, 5), (5, 8)]}[processes]
    for ours, theirs in zip(zip(*parts, strict=True), whole, strict=True):
        assert torch.equal(torch.cat(ours), theirs)


def test_a_process_without_a_text_is_refused(make_trainer, monkeypatch):
    from bertlib.train import trainer

    crowd = SimpleNamespace(num_processes=9, process_index=0, is_main_process=True)
    monkeypatch.setattr(trainer, "make_accelerator", lambda _: crowd)
    with pytest.raises(ConfigError, match="batch_size is 8; expected a text for each process"):
        make_trainer()


def test_shared_out_weights_want_as_many_pieces_everywhere(make_trainer, monkeypatch):
    from bertlib.train import trainer

    pair = SimpleNamespace(num_processes=2, process_index=0, is_main_process=True)
    with monkeypatch.context() as patch:
        patch.setattr(trainer, "make_accelerator", lambda _: pair)
        with pytest.raises(
            ConfigError, match=r"accumulation is 3, but a process has 2 of the 5 .* at most 2"
        ):
            make_trainer(batch_size=5, accumulation=3, fsdp=True)
    refuse_few_texts(5, TrainingConfig(accumulation=2, fsdp=True), processes=2)
    refuse_few_texts(5, TrainingConfig(accumulation=3), processes=2)  # see test_agreement
    make_trainer(batch_size=5, accumulation=9, fsdp=True)  # alone nobody waits


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        (1, 2, r"started with 1 process, now there are 2; .*Resume with 1: bertlib pretrain --resume"),
        (
            4,
            1,
            r"started with 4 processes, now there is 1; .*Resume with 4: torchrun --nproc_per_node 4 -m bertlib",
        ),
    ],
)
def test_another_number_of_processes_is_refused(make_trainer, tmp_path, before, now, words):
    first, second = make_trainer(tmp_path), make_trainer(tmp_path)
    first.settings["processes"]["number"] = before
    second.settings["processes"]["number"] = now
    first.train_steps(4)
    with pytest.raises(CheckpointError, match=words):
        second.resume()
    assert second.step == 0


def test_what_older_versions_did_not_write_is_not_compared():
    refuse_others(
        None, {"training": {"seed": 1}}, {"training": {"seed": 1, "new": 2}, "processes": {"number": 2}}
    )
    with pytest.raises(CheckpointError, match=r"training.seed = 1, now it is 3"):
        refuse_others(None, {"training": {"seed": 1}}, {"training": {"seed": 3}})


def test_processes_that_see_different_folders_are_refused(tmp_path):
    refuse_different_steps(tmp_path, [4, 4])
    with pytest.raises(CheckpointError, match=r"different steps \(500, 0\).*the same folder"):
        refuse_different_steps(tmp_path, [500, 0])


def test_the_dead_and_the_living():
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    assert alive(os.getpid())
    deadline = time.monotonic() + 20
    while alive(process.pid) and time.monotonic() < deadline:  # dead, though nobody has asked how it ended
        time.sleep(0.05)
    assert not alive(process.pid)
    process.wait()
    assert not alive(process.pid)


def test_the_line_about_the_dead_is_printed_before_anybody_stops_us(monkeypatch):
    """torchrun sends SIGTERM a tenth of a second after a death, which may be while we unwind."""
    dead = subprocess.Popen([sys.executable, "-c", "pass"])
    dead.wait()
    pid = [dead.pid]

    def all_gather(peers, me):
        peers[:] = [me, me._replace(number=1, pid=pid[0])]

    monkeypatch.setattr(peers.dist, "is_initialized", lambda: True)
    monkeypatch.setattr(peers.dist, "get_world_size", lambda: 2)
    monkeypatch.setattr(peers.dist, "get_rank", lambda: 0)
    monkeypatch.setattr(peers.dist, "all_gather_object", all_gather)
    monkeypatch.setattr(peers.dist.distributed_c10d, "_set_pg_timeout", lambda _: None)
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(TrainingError, match=r"process 1 \(pid \d+\) has died"), peers_watched(remedy="x"):
            raise RuntimeError("connection reset by peer")
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)
    pid[0] = os.getpid()  # alive: another error, and all is set back
    with pytest.raises(RuntimeError, match="no such shape"), peers_watched(remedy="x"):
        raise RuntimeError("no such shape")
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_broken_connection_to_another_machine_is_suspected_in_one_line(monkeypatch):
    def all_gather(peers, me):
        peers[:] = [me, me._replace(number=1, host="node-b")]

    monkeypatch.setattr(peers.dist, "is_initialized", lambda: True)
    monkeypatch.setattr(peers.dist, "get_world_size", lambda: 2)
    monkeypatch.setattr(peers.dist, "get_rank", lambda: 0)
    monkeypatch.setattr(peers.dist, "all_gather_object", all_gather)
    monkeypatch.setattr(peers.dist.distributed_c10d, "_set_pg_timeout", lambda _: None)
    before, words = (
        signal.getsignal(signal.SIGTERM),
        r"^process 0 has lost .* machine \(node-b\) and stops",
    )
    try:
        for error in (RuntimeError("Connection closed by peer [10.0.0.2]:4"), dist.DistBackendError("NCCL")):
            with pytest.raises(TrainingError, match=words), peers_watched(remedy="x"):
                raise error
        with pytest.raises(RuntimeError, match="no such shape"), peers_watched(remedy="x"):
            raise RuntimeError("no such shape")
    finally:
        signal.signal(signal.SIGTERM, before)


DYING = """
    import os, signal, sys, time
    from pathlib import Path
    from types import SimpleNamespace

    import numpy as np
    import torch
    from bertlib.config import BertConfig
    from bertlib.data.batches import BatchConfig, PreTrainingBatches
    from bertlib.model import BertForPreTraining
    from bertlib.train import BertTrainer, TrainingConfig

    tokens = np.random.default_rng(0).integers(5, 60, 3000).astype(np.uint16)
    corpus = SimpleNamespace(
        tokens=tokens, sentence_ends=np.arange(6, 3001, 6), document_ends=np.arange(5, 501, 5), vocab_size=60
    )
    sizes = BertConfig(
        vocab_size=60, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=24,
    )
    config = TrainingConfig(steps=10_000, save_every=5, log_every=1)
    batches = PreTrainingBatches(corpus, BatchConfig(batch_size=8, max_length=24))
    trainer = BertTrainer(BertForPreTraining(sizes), batches, config, out=Path(sys.argv[1]), progress=False)
    step = trainer.train_batch
    def train_batch(batch):
        if trainer.step == 12 and trainer.accelerator.process_index == 1:
            print("killed at", time.time(), "pid", os.getpid(), flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        return step(batch)
    trainer.train_batch = train_batch
    trainer.fit()
"""


@pytest.mark.slow
def test_when_one_dies_the_others_stop_and_name_it(tmp_path):
    (tmp_path / "dying.py").write_text(textwrap.dedent(DYING))
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2",
        str(tmp_path / "dying.py"), str(tmp_path / "run"),
    ]  # fmt: skip
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    ended = time.time()
    assert done.returncode != 0
    killed, pid = re.search(r"killed at ([0-9.]+) pid (\d+)", done.stdout).groups()
    assert ended - float(killed) < 60
    assert f"process 1 (pid {pid}) has died, process 0 stops; the checkpoints in" in done.stderr
    assert newest_checkpoint(tmp_path / "run" / "checkpoints").step == 10
