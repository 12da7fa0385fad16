"""Who sees whom? Not what a drawing of a model says, but what its derivatives say.

If the vector of position i does not change when the word vector of position j changes a little, then i cannot
see j: the Jacobian is 0 there. It holds for any model here, whatever it is made of.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from bertlib.history.corpus import check_ids
from bertlib.history.neural import NeuralModel


def jacobian(model: NeuralModel, ids: Sequence[int]) -> Tensor:
    """Return how strongly each number of each output depends on each input.

    Args:
        model: fitted or not; what it can see does not depend on what it has learned.
        ids: a row, T ids.

    Returns:
        (T, H, T): number h of position i against the word vector of position j; the length of the gradient.

    Raises:
        InputError: no row of ids of the vocabulary.
    """
    check_ids(ids, model.vocab_size, least=1, name="the row")
    was_training = model.training
    model.eval()
    table = model.word_embeddings
    kept: list[Tensor] = []

    def cut(module: torch.nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        kept.append(output.detach().requires_grad_())
        return kept[-1]

    hook = table.register_forward_hook(cut)
    row = torch.as_tensor(np.asarray(ids), dtype=torch.long, device=model.device)[None]  # (1, T)
    with torch.enable_grad():
        output = model.represent(row, torch.ones_like(row))[0]  # (T, H)
        gradients = [
            torch.autograd.grad(number, kept[0], retain_graph=True)[0][0] for number in output.flatten()
        ]
    hook.remove()
    model.train(was_training)
    lengths = torch.stack(gradients).norm(dim=-1)  # (T * H, T)
    return lengths.view(*output.shape, -1)


def visibility(model: NeuralModel, ids: Sequence[int]) -> Tensor:
    """Return which positions can influence which: (T, T) booleans, row i says what position i sees."""
    return (jacobian(model, ids) > 0).any(dim=1)


def both_sides(model: NeuralModel, ids: Sequence[int]) -> Tensor:
    """Return the share of each position's numbers that depend on its left *and* on its right: (T,).

    0 for GPT, which sees no right. 0 for ELMo too, though its joined vector sees both sides: one half of the
    numbers knows the left, the other the right. Only in BERT both meet in every number.
    """
    seen = jacobian(model, ids) > 0  # (T, H, T)
    length = seen.shape[0]
    earlier = torch.ones(length, length, dtype=torch.bool, device=seen.device).tril(-1)[:, None]
    left, right = (seen & earlier).any(-1), (seen & earlier.transpose(0, 2)).any(-1)  # (T, H)
    return (left & right).float().mean(1)
