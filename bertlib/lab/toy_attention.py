"""The toy numbers of one attention: what the two heads of the toy ask, offer and hand over.

The four numbers of a toy column can be read: 0 says "I am a thing", 1 "I am a doing", 2 "I am a quality",
3 "I only hold the sentence together" (the frame). The matrices below use that, and none has a bias.

Head 0 asks *who is meant*: things and doings look for a thing with a name. Head 1 asks *who does what*:
things look for doings, doings for things. Nobody trained this; it was chosen to be followed with a pencil.

Shapes: T = 10 columns, H = 4, A = 2 heads, d = H / A = 2.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from bertlib.lab import toy
from bertlib.model import MultiHeadSelfAttention

# One 4 x 2 matrix a head. Rows: thing, doing, quality, frame. Columns: the two numbers of the result.
QUERY = (
    ((2, 1), (2, 0), (0, 0), (0, 0)),  # head 0: 2 (thing + doing), thing
    ((2, 0), (0, 2), (0, 0), (0, 0)),  # head 1: 2 thing, 2 doing
)
KEY = (
    ((2, 0), (0, 0), (0, 1), (-2, 0)),  # head 0: 2 (thing - frame), quality
    ((0, 1), (1, 0), (0, 0), (0, 0)),  # head 1: doing, thing
)
VALUE = (
    ((1, 0), (0, 0), (0, 1), (0, 0)),  # head 0 hands over thing, quality
    ((0, 0), (1, 0), (0, 0), (0, 1)),  # head 1 hands over doing, frame
)
# The heads side by side are thing, quality, doing, frame; this matrix puts them back in their order.
OUTPUT = ((1, 0, 0, 0), (0, 0, 1, 0), (0, 1, 0, 0), (0, 0, 0, 1))


def embedded() -> Tensor:
    """Return what chapter 03 made of the ten columns, norm included (T, H)."""
    return toy.embedding()(toy.ids()[None], toy.segments()[None])[0].detach()


def queries(hidden: Tensor | None = None) -> Tensor:
    """Return what each column asks in each head, (A, T, d); ``hidden`` (T, H) is ``embedded()`` if None."""
    return _project(hidden, QUERY)


def keys(hidden: Tensor | None = None) -> Tensor:
    """Return what each column can be found by, (A, T, d)."""
    return _project(hidden, KEY)


def values(hidden: Tensor | None = None) -> Tensor:
    """Return what each column hands over, (A, T, d)."""
    return _project(hidden, VALUE)


def weights() -> Tensor:
    """Return who looks at whom, (A, T, T); each row sums to one."""
    scores = queries() @ keys().transpose(1, 2) / math.sqrt(2)  # d = 2
    return scores.softmax(dim=-1)


def attended() -> Tensor:
    """Return what the ten columns have gathered, heads joined and put in order (T, H)."""
    mixed = weights() @ values()  # (A, T, d)
    return torch.cat([*mixed], dim=-1) @ torch.tensor(OUTPUT, dtype=torch.float32)


def attention() -> MultiHeadSelfAttention:
    """Return the library's module with the toy matrices in it and biases of zero."""
    module = MultiHeadSelfAttention(toy.config())
    matrices = {"query": QUERY, "key": KEY, "value": VALUE, "output": (OUTPUT,)}
    with torch.no_grad():
        for name, heads in matrices.items():
            layer = getattr(module, name)
            wide = torch.cat([torch.tensor(head) for head in heads], dim=1)  # (H, H)
            layer.weight.copy_(wide.T)  # nn.Linear multiplies by its transposed weight
            layer.bias.zero_()
    return module.eval()


def _project(hidden: Tensor | None, matrices: tuple[tuple[tuple[int, ...], ...], ...]) -> Tensor:
    """Multiply (T, H) by each head's H x d matrix: (A, T, d)."""
    columns = embedded() if hidden is None else hidden
    return columns @ torch.tensor(matrices, dtype=torch.float32)
