from types import SimpleNamespace

import numpy as np
import pytest
import torch

from bertlib.config import BertConfig
from bertlib.data.batches import BatchConfig, PreTrainingBatches
from bertlib.model import BertForPreTraining
from bertlib.train import BertTrainer, TrainingConfig

SMALL = BertConfig(
    vocab_size=60,
    hidden_size=16,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=32,
    max_position_embeddings=24,
)


def pytest_configure(config):
    config.addinivalue_line("markers", "soak: takes many minutes; only with -m soak")


def pytest_collection_modifyitems(config, items):
    """Leave the long tests out unless they are asked for, whatever else is asked for."""
    if "soak" not in config.option.markexpr:
        items[:] = [item for item in items if not item.get_closest_marker("soak")]


@pytest.fixture
def corpus():
    """Sixty documents of eight phrases, so that any word of a phrase tells the others."""
    rng = np.random.default_rng(1)
    phrases = 5 + np.arange(48).reshape(8, 6)
    document_ends = np.cumsum(rng.integers(3, 9, 60))
    tokens = phrases[rng.integers(0, 8, document_ends[-1])].reshape(-1)
    return SimpleNamespace(
        tokens=tokens.astype(np.uint16),
        sentence_ends=np.arange(6, len(tokens) + 1, 6),
        document_ends=document_ends,
        vocab_size=60,
    )


@pytest.fixture
def make_trainer(corpus):
    """Build a trainer of a very small BERT; everything follows from the arguments."""

    def make(out=None, *, valid=False, seed=0, batch_size=8, dropout=0.1, model=None, **changes):
        batches = PreTrainingBatches(corpus, BatchConfig(batch_size=batch_size, max_length=24, seed=seed))
        held_out = PreTrainingBatches(corpus, BatchConfig(batch_size=8, max_length=24, seed=99))
        settings = {
            "steps": 12,
            "warmup_steps": 2,
            "save_every": 4,
            "eval_every": 6,
            "log_every": 2,
            "eval_batches": 2,
            "seed": seed,
        }
        config = TrainingConfig(**(settings | changes))
        torch.manual_seed(seed)
        sizes = SMALL.replace(hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout)
        return BertTrainer(
            model or BertForPreTraining(sizes),
            batches,
            config,
            out=out,
            valid=held_out if valid else None,
            progress=False,
        )

    return make
