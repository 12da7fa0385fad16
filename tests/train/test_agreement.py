"""Two processes of which one meets a loss that is no number: both stop, or both go on, and say why."""

import os
import subprocess
import sys
import textwrap

import pytest

SCRIPT = """
    import sys
    from pathlib import Path
    from types import SimpleNamespace

    import numpy as np
    import torch
    from bertlib.config import BertConfig
    from bertlib.data.batches import BatchConfig, PreTrainingBatches
    from bertlib.errors import BertlibError
    from bertlib.model import BertForPreTraining
    from bertlib.train import BertTrainer, TrainingConfig

    out, kind, log_every = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    tokens = np.random.default_rng(0).integers(5, 60, 3000).astype(np.uint16)
    corpus = SimpleNamespace(
        tokens=tokens, sentence_ends=np.arange(6, 3001, 6), document_ends=np.arange(5, 501, 5), vocab_size=60
    )
    torch.manual_seed(0)
    sizes = BertConfig(
        vocab_size=60, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=24,
    )
    batches = PreTrainingBatches(corpus, BatchConfig(batch_size=5, max_length=24))  # 2 texts and 3
    config = TrainingConfig(steps=4, warmup_steps=2, log_every=log_every, accumulation=3)
    trainer = BertTrainer(BertForPreTraining(sizes), batches, config, out=out, progress=False)
    number, real = trainer.accelerator.process_index, trainer._losses

    def losses(piece, words, pairs):
        found = real(piece, words, pairs)
        if number == 1 and trainer.step == 2:
            found = found._replace(total=found.total * torch.nan if kind == "nan" else found.total + torch.inf)
        return found

    trainer._losses = losses
    try:
        trainer.fit()
    except BertlibError as error:
        (out / f"error-{number}").write_text(str(error))
    weights = torch.cat([value.flatten() for value in trainer.plain_model.state_dict().values()])
    (out / f"weights-{number}").write_bytes(weights.numpy().tobytes())
"""


def train(folder, *arguments):
    (folder / "script.py").write_text(textwrap.dedent(SCRIPT))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [*command, str(folder / "script.py"), str(folder), *arguments],
        capture_output=True, text=True, env=environment, timeout=240,
    )  # fmt: skip
    assert (folder / "weights-0").read_bytes() == (folder / "weights-1").read_bytes()
    return done


@pytest.mark.slow
@pytest.mark.parametrize("log_every", [1, 100])  # noticed when the step is logged, or counted with the next
def test_both_name_the_step_that_was_no_number(tmp_path, log_every):
    train(tmp_path, "nan", str(log_every))
    for number in (0, 1):
        assert (tmp_path / f"error-{number}").read_text().startswith("step 3: the loss or its gradient")


@pytest.mark.slow
def test_what_only_one_can_see_parts_nobody(tmp_path):
    """The gradient is sound, so both take the step; and 2 pieces here, 3 there do not keep them waiting."""
    done = train(tmp_path, "inf", "1")
    assert done.returncode == 0, done.stderr[-2000:]
    assert not list(tmp_path.glob("error-*"))
