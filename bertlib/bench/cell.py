"""One cell of a table of measurements: which model, on what texts, on which machine."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from bertlib.config import BertConfig
from bertlib.data.arrays import TokenCorpus
from bertlib.data.batches import Batch, BatchConfig, PreTrainingBatches
from bertlib.errors import ConfigError
from bertlib.model import BertForPreTraining
from bertlib.seeds import seeded

FIRST_WORD = 5  # below stand the special tokens


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Conditions that all sides share.

    Raises:
        ConfigError: unknown preset or precision, a GPU that is not there.
    """

    preset: str = "mini"
    vocab_size: int = 30_522
    batch_size: int = 32
    max_length: int = 128
    device: str = "cpu"
    precision: str = "fp32"  # or bf16
    matmul: str = "medium"  # our fp32 products; transformers runs at "highest", and at this too
    dropout: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.precision not in ("fp32", "bf16"):
            raise ConfigError(f"precision is {self.precision!r}; expected fp32 or bf16")
        if self.matmul not in ("highest", "high", "medium"):
            raise ConfigError(f"matmul is {self.matmul!r}; expected highest, high or medium")
        if self.device.startswith("cuda") and not torch.cuda.is_available():
            raise ConfigError(f"device is {self.device!r}, but PyTorch sees no GPU here; choose cpu")
        _ = self.config  # says what is wrong with it

    @property
    def config(self) -> BertConfig:
        """The sizes of every side's model."""
        return BertConfig.from_preset(
            self.preset,
            vocab_size=self.vocab_size,
            max_position_embeddings=max(512, self.max_length),
            hidden_dropout_prob=self.dropout,
            attention_probs_dropout_prob=self.dropout,
        )

    @property
    def tokens(self) -> int:
        """Positions a step."""
        return self.batch_size * self.max_length

    @property
    def torch_device(self) -> torch.device:
        """The device as PyTorch wants it."""
        return torch.device(self.device)

    def new_model(self) -> BertForPreTraining:
        """Return a model of ours, ready to train; its weights follow from the seed and the kind of device."""
        device = self.torch_device
        with seeded(self.seed, device), device:  # a GPU draws the weights of a Base at once, a CPU in seconds
            model = BertForPreTraining(self.config)
        return model.to(device).train()

    def new_transformers_model(self, attention: str = "sdpa") -> Any:
        """Return ``transformers``' model with the same weights, ready to train.

        Args:
            attention: eager, or sdpa (its default).

        Raises:
            MissingExtraError: it is not installed.
        """
        from bertlib.interop import to_transformers

        model: Any = to_transformers(self.new_model().cpu())
        if hasattr(model, "set_attn_implementation"):
            model.set_attn_implementation(attention)
        else:
            model.config._attn_implementation = attention
        return model.to(self.torch_device).train()

    def to_dict(self) -> dict[str, Any]:
        """Return the conditions as JSON can hold them."""
        return asdict(self)

    def __str__(self) -> str:
        where = torch.cuda.get_device_name() if self.device.startswith("cuda") else "CPU"
        return (
            f"{self.preset}, vocabulary {self.vocab_size:,}, batch {self.batch_size} x {self.max_length}, "
            f"{self.precision}, {where}, {torch.get_num_threads()} threads, dropout {self.dropout:g}"
        )


def random_corpus(vocab_size: int, tokens: int, *, seed: int) -> TokenCorpus:
    """Make documents of random words, frequent and rare ones as in a language (Zipf's law).

    Sentences have 5 to 30 words, documents 5 to 30 sentences. There is nothing in it to learn but which words
    are frequent; speed does not depend on that.
    """
    generator = np.random.default_rng(seed)
    sentences = generator.integers(5, 31, size=tokens // 17 + 2)
    documents = np.cumsum(generator.integers(5, 31, size=len(sentences) // 5 + 2))
    documents = np.append(documents[documents < len(sentences)], len(sentences))
    count = int(sentences.sum())
    rank = (vocab_size - FIRST_WORD) ** generator.random(count)  # density 1 / rank
    return TokenCorpus(
        tokens=(FIRST_WORD - 1 + rank).astype(np.uint32).clip(FIRST_WORD, vocab_size - 1),
        sentence_ends=np.cumsum(sentences),
        document_ends=documents,
        vocab_size=vocab_size,
    )


class Data:
    """What all sides of a cell read: the same texts, packed by :class:`PreTrainingBatches`."""

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        corpus = random_corpus(cell.vocab_size, max(100_000, 8 * cell.tokens), seed=cell.seed)
        config = BatchConfig(batch_size=cell.batch_size, max_length=cell.max_length, seed=cell.seed)
        self.batches = PreTrainingBatches(corpus, config, device=cell.device)

    @cached_property
    def batch(self) -> Batch:
        """One masked batch, for loops that leave the data out."""
        return self.batches.batch(0)

    @cached_property
    def filled(self) -> float:
        """Share of positions that hold text rather than padding, over the first batches."""
        return share_of_text(self.batches)


def share_of_text(batches: PreTrainingBatches) -> float:
    """Return the share of positions that are no padding, in the first twenty batches of an epoch."""
    masks = [batches.batch(i).attention_mask for i in range(min(20, batches.steps_per_epoch))]
    return torch.cat(masks).float().mean().item()
