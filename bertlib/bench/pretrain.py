"""A pre-training step of ours beside one of ``transformers``, taking turns in one process.

Both get the same masked batch, the same model size, dropout 0.1, a fused AdamW and clipping, so the
ratio is about the model's arithmetic and nothing else.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import torch
from torch import nn

from bertlib.config import BertConfig
from bertlib.data.batches import Batch
from bertlib.data.masking import mask_tokens
from bertlib.errors import MissingExtraError
from bertlib.model import BertForPreTraining
from bertlib.objectives import MaskedLMLoss, NSPLoss
from bertlib.train.optim import make_optimizer
from bertlib.train.precision import matmul_precision

Step = Callable[[], float]  # takes one optimiser step, returns the loss


@dataclass(frozen=True, kw_only=True)
class PretrainBench:
    """Medians over the rounds. Quote the ratios; the rates belong to this machine and moment."""

    preset: str
    vocab_size: int
    batch_size: int
    max_length: int
    threads: int
    tokens_per_s: dict[str, float]
    ratios: dict[str, float]  # ours / transformers, median of the rounds' ratios
    spread: dict[str, tuple[float, float]]  # lowest and highest ratio of a round
    first_losses: dict[str, float]  # before any learning, all near ln V + ln 2

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as JSON can hold them."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Draw the comparison as a small table."""
        head = (
            f"{self.preset}, vocabulary {self.vocab_size:,}, batch {self.batch_size} x {self.max_length}, "
            f"fp32, CPU, {self.threads} threads, dropout 0.1, medians of interleaved rounds"
        )
        rows = [f"{'':34}{'tokens/s':>10}  ratio (lowest-highest)   first loss"]
        for name, rate in self.tokens_per_s.items():
            low, high = self.spread.get(name, (1.0, 1.0))
            ratio = f"{self.ratios.get(name, 1.0):5.2f} ({low:.2f}-{high:.2f})"
            rows.append(f"{name:34}{rate:>10,.0f}  {ratio:<22} {self.first_losses[name]:>11.3f}")
        return [
            head,
            *rows,
            f"expected first loss: ln V + ln 2 = {math.log(self.vocab_size) + math.log(2):.3f}",
        ]


def bench_pretraining(
    *,
    preset: str = "mini",
    vocab_size: int = 30_522,
    batch_size: int = 32,
    max_length: int = 128,
    rounds: int = 7,
    steps: int = 3,
    matmul_precision: str = "medium",
) -> PretrainBench:
    """Measure ``rounds`` times ``steps`` optimiser steps of each side, in turn.

    Raises:
        MissingExtraError: ``transformers`` is not installed.
        ConfigError: unknown preset.
    """
    config = BertConfig.from_preset(preset, vocab_size=vocab_size)
    batch = random_batch(batch_size, max_length, vocab_size, generator=torch.Generator().manual_seed(0))
    sides: dict[str, tuple[Step, str]] = {"transformers": (their_step(config, batch), "highest")}
    for precision in dict.fromkeys(("highest", matmul_precision)):
        sides[f"bertlib, matmul {precision}"] = (our_step(config, batch), precision)
    first_losses = {name: _timed(step, precision, 1)[1] for name, (step, precision) in sides.items()}
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, (step, precision) in sides.items():
            seconds[name].append(_timed(step, precision, steps)[0])
    theirs = seconds["transformers"]
    ratios = {
        name: sorted(a / b for a, b in zip(theirs, own, strict=True))
        for name, own in seconds.items()
        if name != "transformers"
    }
    return PretrainBench(
        preset=preset,
        vocab_size=vocab_size,
        batch_size=batch_size,
        max_length=max_length,
        threads=torch.get_num_threads(),
        tokens_per_s={k: batch_size * max_length * steps / median(v) for k, v in seconds.items()},
        ratios={name: median(values) for name, values in ratios.items()},
        spread={name: (values[0], values[-1]) for name, values in ratios.items()},
        first_losses=first_losses,
    )


def random_batch(batch_size: int, max_length: int, vocab_size: int, *, generator: torch.Generator) -> Batch:
    """Make a full batch of random words: B texts of two sentences without padding."""
    original = torch.randint(5, vocab_size, (batch_size, max_length), generator=generator)
    original[:, 0] = 2
    original[:, [max_length // 2, -1]] = 3
    masked = mask_tokens(original, original >= 5, vocab_size=vocab_size, mask_id=4, generator=generator)
    second = (torch.arange(max_length) > max_length // 2).long().expand(batch_size, -1).contiguous()
    labels = torch.arange(batch_size) % 2
    return Batch(masked.input_ids, torch.ones_like(original), second, original, masked.selected, labels)


def our_step(config: BertConfig, batch: Batch) -> Step:
    """Return a function that takes one step of bertlib's model."""
    model = BertForPreTraining(config).train()
    mlm, nsp = MaskedLMLoss(), NSPLoss()

    def loss() -> torch.Tensor:
        output = model(batch.input_ids, batch.attention_mask, batch.token_type_ids, selected=batch.selected)
        return mlm(output.prediction_logits, batch.labels) + nsp(
            output.seq_relationship_logits, batch.next_sentence_label
        )

    return _step(model, loss)


def their_step(config: BertConfig, batch: Batch) -> Step:
    """Return a function that takes one step of transformers' BertForPreTraining with its defaults.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        from transformers import BertConfig as TheirConfig
        from transformers import BertForPreTraining as TheirModel
    except ImportError as error:
        raise MissingExtraError('transformers is not installed; pip install "bertlib[bench]"') from error
    values = config.to_dict()
    values.pop("initializer_range")
    model = TheirModel(TheirConfig(**values)).train()
    inputs = {
        "input_ids": batch.input_ids,
        "attention_mask": batch.attention_mask,
        "token_type_ids": batch.token_type_ids,
        "labels": batch.original_ids.masked_fill(~batch.selected, -100),
        "next_sentence_label": batch.next_sentence_label,
    }
    return _step(model, lambda: model(**inputs).loss)


def _step(model: nn.Module, loss: Callable[[], torch.Tensor]) -> Step:
    optimizer = make_optimizer(model, learning_rate=1e-4, weight_decay=0.01, betas=(0.9, 0.999))

    def step() -> float:
        value = loss()
        value.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        return value.item()

    return step


def _timed(step: Step, precision: str, count: int) -> tuple[float, float]:
    """Return the seconds of ``count`` steps and the last loss."""
    with matmul_precision(precision):
        began = time.perf_counter()
        for _ in range(count):
            loss = step()
        return time.perf_counter() - began, loss
