"""One optimiser step, of ours and of ``transformers``' model, in a plain loop around either.

Both get the same masked batch, a fused AdamW and clipping. Ours runs at a lower precision of fp32 products
and keeps freed memory (:mod:`bertlib.train.allocator`), as our trainer does; theirs does so only where it is
told to. With both lent to it, what differs is the model's arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from bertlib.bench.cell import Cell
from bertlib.data.batches import Batch
from bertlib.model import BertForPreTraining
from bertlib.objectives import IGNORED, MaskedLMLoss, NSPLoss
from bertlib.train.allocator import kept_memory
from bertlib.train.optim import make_optimizer
from bertlib.train.precision import autocast, matmul_precision

Loss = Callable[[Batch], Tensor]
Step = Callable[[], float | Tensor]  # takes one optimiser step, returns the loss; a GPU may still be at it


def our_loss(model: BertForPreTraining, *, precision: str, select: bool = True) -> Loss:
    """Return a function from a batch to the total loss.

    Args:
        model: ours.
        precision: fp32 or bf16.
        select: compute the output layer at the selected positions only; False: everywhere.
    """
    mlm, nsp = MaskedLMLoss(), NSPLoss()

    def loss(batch: Batch) -> Tensor:
        with autocast(precision, batch.input_ids.device):
            output = model(
                batch.input_ids,
                batch.attention_mask,
                batch.token_type_ids,
                selected=batch.selected if select else None,
            )
        words = batch.labels if select else all_labels(batch)
        return mlm(output.prediction_logits, words) + nsp(
            output.seq_relationship_logits, batch.next_sentence_label
        )

    return loss


def their_loss(model: Any, *, precision: str) -> Loss:
    """Return the same for ``transformers.BertForPreTraining``, which computes its loss itself."""

    def loss(batch: Batch) -> Tensor:
        with autocast(precision, batch.input_ids.device):
            return model(
                input_ids=batch.input_ids,
                attention_mask=batch.attention_mask,
                token_type_ids=batch.token_type_ids,
                labels=all_labels(batch),
                next_sentence_label=batch.next_sentence_label,
            ).loss

    return loss


def all_labels(batch: Batch) -> Tensor:
    """Return the original ids at selected positions and -100 elsewhere: (B, T)."""
    return batch.original_ids.masked_fill(~batch.selected, IGNORED)


def adamw(model: nn.Module) -> torch.optim.Optimizer:
    """Return the optimiser of every plain loop."""
    return make_optimizer(model, learning_rate=1e-4, weight_decay=0.01, betas=(0.9, 0.999))


def make_step(
    model: nn.Module,
    loss: Loss,
    batches: Callable[[], Batch],
    *,
    matmul: str,
    optimizer: torch.optim.Optimizer | None = None,
    keep: bool = True,
) -> Step:
    """Return a function that takes one step on the batch it is given.

    Args:
        model: whose gradients are clipped.
        loss: from a batch to a scalar.
        batches: gives the next batch (or always the same).
        matmul: precision of fp32 products.
        optimizer: None: :func:`adamw`.
        keep: let free memory stay with the process meanwhile, as our trainer does.
    """
    optimizer = optimizer or adamw(model)

    def step() -> float:
        with matmul_precision(matmul), kept_memory(keep):
            value = loss(batches())
            value.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            return value.item()

    return step


def our_step(cell: Cell, batch: Batch, *, matmul: str) -> Step:
    """Return a step of ours on a fixed batch."""
    model = cell.new_model()
    return make_step(model, our_loss(model, precision=cell.precision), lambda: batch, matmul=matmul)


def their_step(
    cell: Cell, batch: Batch, *, matmul: str = "highest", attention: str = "sdpa", keep: bool = False
) -> Step:
    """Return a step of ``transformers``' model on a fixed batch; ``keep`` lends it our way with memory.

    Raises:
        MissingExtraError: it is not installed.
    """
    model = cell.new_transformers_model(attention)
    return make_step(
        model, their_loss(model, precision=cell.precision), lambda: batch, matmul=matmul, keep=keep
    )
