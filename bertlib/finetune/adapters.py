"""Adapters: two small layers in every block are trained, the body stays (Houlsby et al. 2019).

A task then costs a few per cent of the parameters, and any number of tasks share one body. Shapes: B texts,
T positions, H hidden size, M size of the bottleneck.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bertlib.config import BertConfig
from bertlib.errors import CheckpointError, InputError
from bertlib.finetune.layers import trainable
from bertlib.model import BertModel, TransformerBlock
from bertlib.model.attention import take_rows
from bertlib.model.bert import initialise


class Adapter(nn.Module):
    """H -> M -> GELU -> H, added to what came in: ``x + up(gelu(down(x)))`` (section 2.1, figure 2).

    The paper draws both layers near 0 (with a deviation of 0.01, section 3.6); here ``up`` is 0, so that an
    adapter changes nothing at all before it has learned something. It learns all the same: the gradient of
    ``up`` does not depend on ``up``.
    """

    def __init__(self, config: BertConfig, size: int) -> None:
        super().__init__()
        self.down = nn.Linear(config.hidden_size, size)
        self.up = nn.Linear(size, config.hidden_size)
        initialise(self.down, config)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, T, H) to (B, T, H)."""
        return x + self.up(F.gelu(self.down(x)))


class AdaptedBlock(nn.Module):
    """The parts of a block, and an adapter after each of its two layers, before the residual sum.

    Args:
        block: its parts are used, not copied, under their old names.
        config: sizes.
        size: M.
    """

    def __init__(self, block: TransformerBlock, config: BertConfig, size: int) -> None:
        super().__init__()
        self.attention, self.attention_norm = block.attention, block.attention_norm
        self.feed_forward, self.feed_forward_norm = block.feed_forward, block.feed_forward_norm
        self.dropout = block.dropout
        self.attention_adapter = Adapter(config, size)
        self.feed_forward_adapter = Adapter(config, size)

    @property
    def takes_rows(self) -> bool:
        """Can it compute some positions only? An attention of your own may not."""
        return getattr(self.attention, "takes_rows", False)

    def forward(
        self,
        hidden: Tensor,
        bias: Tensor | None = None,
        *,
        need_weights: bool = False,
        rows: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Map (B, T, H) to (B, T, H), as :meth:`bertlib.model.TransformerBlock.forward` does."""
        options = {} if rows is None else {"rows": rows}
        attended, weights = self.attention(hidden, bias, need_weights=need_weights, **options)
        if rows is not None:
            hidden = take_rows(hidden, rows)
        hidden = self.attention_norm(hidden + self.attention_adapter(self.dropout(attended)))
        fed = self.dropout(self.feed_forward(hidden))
        return self.feed_forward_norm(hidden + self.feed_forward_adapter(fed)), weights


def add_adapters(bert: BertModel, size: int) -> BertModel:
    """Return a copy of a body with adapters; only they and the layer norms are trained.

    Its output is that of ``bert`` until something is learned. A head put on it is trained as ever:
    ``fine_tune(…, build=lambda bert: SequenceClassifier(add_adapters(bert, 16), 2))``.

    Args:
        bert: stays as it is.
        size: M; an adapter has 2MH + M + H parameters, a block two adapters.

    Raises:
        InputError: a size below 1, or blocks that are no ``TransformerBlock`` (adapters in them already?).
    """
    if size < 1:
        raise InputError(f"adapters of size {size}; expected at least 1")
    adapted = copy.deepcopy(bert).requires_grad_(False)
    for place, block in enumerate(adapted.encoder.blocks):
        if not isinstance(block, TransformerBlock):
            raise InputError(
                f"block {place} is a {type(block).__name__}; expected a TransformerBlock without adapters"
            )
        adapted.encoder.blocks[place] = AdaptedBlock(block, bert.config, size).to(
            block.attention_norm.weight.device
        )
    for part in adapted.modules():
        if isinstance(part, nn.LayerNorm):
            part.requires_grad_(True)
    return adapted


def adapter_state(model: nn.Module) -> dict[str, Tensor]:
    """Return copies of what is trained, by name: adapters, norms and head, but not the body.

    That is all that has to be kept of a task; ``safetensors`` writes it, :func:`load_adapters` puts it back.

    Raises:
        InputError: nothing is frozen, so this would be the whole model.
    """
    if trainable(model).share == 1:
        raise InputError(f"nothing of this {type(model).__name__} is frozen; save the whole model instead")
    return {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}


@torch.no_grad()
def load_adapters(model: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Put saved adapters, norms and head into a model of the same shape on the same body.

    Args:
        model: its body has just been given adapters of the same size.
        state: what :func:`adapter_state` returned.

    Raises:
        CheckpointError: other names or shapes; the model is left as it was.
    """
    wanted = {name: p for name, p in model.named_parameters() if p.requires_grad}
    if wanted.keys() != state.keys():
        strange = sorted(wanted.keys() ^ state.keys())
        raise CheckpointError(
            f"{strange[0]!r} is {'not saved' if strange[0] in wanted else 'not in the model'}; expected "
            "adapters of the same head, kind and number of blocks"
        )
    for name, value in state.items():
        if wanted[name].shape != value.shape:
            raise CheckpointError(
                f"{name} has shape {tuple(value.shape)}; expected {tuple(wanted[name].shape)}: give "
                "add_adapters the size that was saved"
            )
    for name, value in state.items():
        wanted[name].copy_(value)
