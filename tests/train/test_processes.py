"""Two processes that share a batch learn what one learns from the whole of it."""

import os
import subprocess
import sys
import textwrap
from typing import ClassVar

import pytest
import torch
from safetensors.torch import load_file

from bertlib.errors import ConfigError
from bertlib.train import processes

SCRIPT = """
    import sys
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
    torch.manual_seed(0)
    sizes = BertConfig(
        vocab_size=60, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=24, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )
    batches = PreTrainingBatches(corpus, BatchConfig(batch_size=8, max_length=24))
    config = TrainingConfig(steps=6, warmup_steps=2, save_every=6, log_every=1, accumulation=int(sys.argv[2]))
    trainer = BertTrainer(BertForPreTraining(sizes), batches, config, out=Path(sys.argv[1]), progress=False)
    trainer.fit()
    print(f"processes {trainer.accelerator.num_processes}\\n", end="", flush=True)  # one write, not to be split
"""


def train(folder, *, number, accumulation=1):
    script = folder / "script.py"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(textwrap.dedent(SCRIPT))
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={number}"]
    command = [
        sys.executable,
        *(launcher if number > 1 else []),
        str(script),
        str(folder),
        str(accumulation),
    ]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=240)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count(f"processes {number}") == number
    return load_file(folder / "checkpoints" / "step-00000006" / "model.safetensors")


@pytest.mark.slow
@pytest.mark.parametrize("accumulation", [1, 2])
def test_two_processes_are_one(tmp_path, accumulation):
    alone = train(tmp_path / "one", number=1)
    together = train(tmp_path / "two", number=2, accumulation=accumulation)
    assert alone.keys() == together.keys()
    for name, value in alone.items():
        assert torch.allclose(value, together[name], atol=2e-5), name
    lines = (tmp_path / "two" / "log.jsonl").read_text().splitlines()
    assert len(lines) == 6  # the first process writes, the others are silent


def test_a_gpu_that_is_named_is_the_one_that_is_used(monkeypatch):
    """accelerate takes the current one, whatever its number."""
    chosen = []
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    monkeypatch.setattr(processes, "PartialState", Alone)
    for name in ("cuda:1", "cuda", "cpu"):
        processes.process_state(torch.device(name))
    assert chosen == [torch.device("cuda:1")]


def test_a_device_without_training_is_refused_and_not_replaced(monkeypatch):
    monkeypatch.setattr(processes, "PartialState", Alone)
    with pytest.raises(
        ConfigError, match="device 'meta' was asked for, but training here means cuda; try --dev"
    ):
        processes.process_state(torch.device("meta"))


class Alone:
    """accelerate's state of a process that is alone, on a machine with GPUs."""

    _shared_state: ClassVar[dict] = {}

    def __init__(self, cpu, timeout):
        self.num_processes, self.device = 1, torch.device("cpu" if cpu else "cuda")
