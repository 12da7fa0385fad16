"""Tests of the paths that only a GPU takes. Without one they are skipped, or rehearsed:

    BERTLIB_GPU_TESTS_ON=cpu pytest tests/gpu

runs them on the CPU, which shows that the tests themselves run. Those that make no sense there are skipped.
"""

from __future__ import annotations

import os

import pytest
import torch

from bertlib.bench.cell import random_corpus
from bertlib.config import BertConfig
from bertlib.data.batches import BatchConfig, PreTrainingBatches
from bertlib.model import BertForPreTraining
from bertlib.train import BertTrainer, TrainingConfig

VOCAB = 500
SIZES = BertConfig(
    vocab_size=VOCAB, hidden_size=128, num_hidden_layers=2, num_attention_heads=2, intermediate_size=256,
    max_position_embeddings=64, initializer_range=0.1, hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
)  # fmt: skip
LENGTH, TEXTS = 61, 16  # a length that no kernel likes


@pytest.fixture(scope="session")
def device() -> torch.device:
    """Where to compute: a GPU, or what BERTLIB_GPU_TESTS_ON names."""
    wanted = os.environ.get("BERTLIB_GPU_TESTS_ON", "cuda")
    if wanted == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device here; BERTLIB_GPU_TESTS_ON=cpu rehearses these tests without one")
    return torch.device(wanted)


@pytest.fixture
def gpu(device) -> torch.device:
    """The same for a test that only a GPU can pass or fail."""
    if device.type != "cuda":
        pytest.skip("means something on a GPU only")
    return device


@pytest.fixture(scope="session")
def corpus():
    """Random words: enough for a few epochs of small batches."""
    return random_corpus(VOCAB, 20_000, seed=0)


@pytest.fixture
def make_batches(corpus, device):
    """Batches of short texts on the device under test."""

    def make(where=device, *, texts=TEXTS, length=LENGTH, **changes):
        config = BatchConfig(batch_size=texts, max_length=length, **changes)
        continues = torch.arange(VOCAB) % 3 == 0
        return PreTrainingBatches(corpus, config, device=where, continues=continues)

    return make


@pytest.fixture
def make_model():
    """A model whose weights are the same on every device."""

    def make(where="cpu", **changes):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            model = BertForPreTraining(SIZES.replace(**changes))
        return model.to(where)

    return make


@pytest.fixture
def make_trainer(make_batches, make_model, device):
    """A trainer of a small model with dropout, on the device under test."""

    def make(where=device, out=None, *, dropout=0.1, batches=None, **changes):
        settings = {"steps": 40, "warmup_steps": 4, "learning_rate": 2e-3, "log_every": 10, "save_every": 100}
        model = make_model(hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout)
        config = TrainingConfig(**(settings | changes))
        return BertTrainer(model, batches or make_batches(where), config, out=out, progress=False)

    return make
