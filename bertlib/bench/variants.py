"""Our training step with single tricks taken out again: each as it would be without thinking of speed."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import AdamW

from bertlib.bench.cell import Cell
from bertlib.bench.steps import Step, adamw, make_step, our_loss
from bertlib.config import BertConfig
from bertlib.data.batches import Batch
from bertlib.data.masking import mask_tokens
from bertlib.model import BertForPreTraining, BertModel, MultiHeadSelfAttention
from bertlib.model.attention import attention_weights, take_rows
from bertlib.model.dropout import Dropout
from bertlib.seeds import seeded
from bertlib.train.optim import parameter_groups

# In the order in which they are added; what each stands for, with and without.
TRICKS = {
    "output layer": "word scores at the selected positions only; else at all",
    "last block": "the last block at the selected positions only; else at all (needs the trick before)",
    "attention": "on a CPU plain products and softmax, on a GPU the fused kernel; else the other way round",
    "dropout mask": "four cells from one random number (CPU); else PyTorch's own dropout",
    "optimiser": "AdamW fused into one kernel; else as PyTorch chooses",
    "masking": "a whole batch at once; else in Python, word by word",
    "matmul": "fp32 products at the chosen precision; else at the highest",
    "kept memory": "free memory stays with the process; else the system takes it back at every step (CPU)",
}
EXTRAS = {
    "bf16": "products in bfloat16",
    "compile": "torch.compile, after it has compiled",
    "CUDA graphs": "torch.compile with recorded kernel launches (GPU only)",
    "data on the CPU": "batches made on the CPU and copied, instead of on the GPU (GPU only)",
}


class KindOfAttention(MultiHeadSelfAttention):
    """Multi-head self-attention that uses the fused kernel if told to, whatever the device."""

    def __init__(self, config: BertConfig, *, fused: bool) -> None:
        super().__init__(config)
        self.fused = fused

    def forward(
        self,
        hidden: Tensor,
        bias: Tensor | None = None,
        *,
        need_weights: bool = False,
        rows: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Do what the parent does, without showing weights and for masks of (B, 1, 1, T) only."""
        if self.fused and hidden.device.type != "cpu":
            return super().forward(hidden, bias, rows=rows)  # the model's own choice there
        asking = hidden if rows is None else take_rows(hidden, rows)
        query, key, value = (
            self._split(layer(x))  # (B, A, T, d)
            for layer, x in ((self.query, asking), (self.key, hidden), (self.value, hidden))
        )
        if self.fused:
            rate = self.dropout.p if self.training else 0.0
            mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=bias, dropout_p=rate)
        else:
            mixed = self.dropout(attention_weights(query, key, bias)) @ value
        return self.output(self._join(mixed)), None


def variant_step(cell: Cell, batch: Batch, tricks: Collection[str], *, extra: str | None = None) -> Step:
    """Return a training step with the given tricks of :data:`TRICKS`, and perhaps one of :data:`EXTRAS`.

    Args:
        cell: model, device, precision and the matmul precision that the trick chooses.
        batch: its texts are masked anew at every step.
        tricks: their names.
        extra: one more thing.
    """
    model = variant_model(cell, tricks)
    precision = "bf16" if extra == "bf16" else cell.precision
    called: Any = model
    if extra in ("compile", "CUDA graphs"):
        called = torch.compile(model, mode="reduce-overhead" if extra == "CUDA graphs" else "default")
    if extra == "data on the CPU":
        batch = _to(batch, "cpu")
    masked = _vectorised(cell, batch) if "masking" in tricks else _word_by_word(cell, batch)
    return make_step(
        model,
        our_loss(called, precision=precision, select="output layer" in tricks),
        lambda: _to(next(masked), cell.device),
        matmul=cell.matmul if "matmul" in tricks else "highest",
        optimizer=adamw(model) if "optimiser" in tricks else _plain_adamw(model),
        keep="kept memory" in tricks,
    )


def variant_model(cell: Cell, tricks: Collection[str]) -> BertForPreTraining:
    """Return the model with those of the tricks that are its own."""
    on_gpu = cell.device.startswith("cuda")
    fused = on_gpu if "attention" in tricks else not on_gpu
    with seeded(cell.seed, torch.device("cpu")):
        body = BertModel(cell.config, attention=partial(KindOfAttention, fused=fused))
        model = BertForPreTraining(cell.config, bert=body)
    if "last block" not in tricks:
        last: Any = model.bert.encoder.blocks[-1]
        last.attention.takes_rows = False
    if "dropout mask" not in tricks:
        use_pytorch_dropout(model)
    return model.to(cell.torch_device).train()


def use_pytorch_dropout(model: nn.Module) -> None:
    """Put ``torch.nn.Dropout`` in the place of ours, everywhere."""
    for module in list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, Dropout):
                setattr(module, name, nn.Dropout(child.p))


def _plain_adamw(model: nn.Module) -> torch.optim.Optimizer:
    return AdamW(parameter_groups(model, 0.01), lr=1e-4, eps=1e-6)


def _to(batch: Batch, device: str) -> Batch:
    return Batch(*(part.to(device) for part in batch))


def _words(batch: Batch) -> Tensor:
    """Positions that may be masked: (B, T) booleans."""
    return batch.original_ids >= 5


def _vectorised(cell: Cell, batch: Batch) -> Iterator[Batch]:
    words = _words(batch)
    generator = torch.Generator(batch.input_ids.device).manual_seed(cell.seed)
    while True:
        masked = mask_tokens(
            batch.original_ids, words, vocab_size=cell.vocab_size, mask_id=4, generator=generator
        )
        yield batch._replace(input_ids=masked.input_ids, selected=masked.selected)


def _word_by_word(cell: Cell, batch: Batch) -> Iterator[Batch]:
    device, draw = batch.input_ids.device, random.Random(cell.seed)
    while True:
        rows = [python_masking(row, cell.vocab_size, draw) for row in batch.original_ids.tolist()]
        ids = torch.tensor([row for row, _ in rows], device=device)
        selected = torch.tensor([choice for _, choice in rows], device=device)
        yield batch._replace(input_ids=ids, selected=selected)


def python_masking(ids: list[int], vocab_size: int, draw: random.Random) -> tuple[list[int], list[bool]]:
    """Mask one text as the released code does: a loop over its words.

    Returns:
        The masked ids, and which positions were selected.
    """
    candidates = [i for i, token in enumerate(ids) if token >= 5]
    draw.shuffle(candidates)
    masked, selected = list(ids), [False] * len(ids)
    for i in candidates[: max(1, round(0.15 * len(candidates)))]:
        selected[i] = True
        if draw.random() < 0.8:
            masked[i] = 4
        elif draw.random() < 0.5:
            masked[i] = draw.randrange(5, vocab_size)
    return masked, selected
