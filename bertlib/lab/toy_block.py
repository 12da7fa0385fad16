"""The toy numbers of one encoder block: what a column thinks for itself after it has looked around.

It goes on where :mod:`bertlib.lab.toy_attention` ends; the four numbers of a column still mean thing, doing,
quality, frame. The feed-forward layer asks each column sixteen questions (4H = 16) and lets the answers write
into the four numbers. Nobody trained this; it was chosen to be followed with a pencil. Both layer norms have
weights of one and biases of zero, as in every new BERT.

Shapes: T = 10 columns, H = 4, 4H = 16 questions.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from bertlib.lab import toy, toy_attention
from bertlib.model import BertForPreTraining, TransformerBlock

# question: (what it weighs, its bias, what a yes writes); thing, doing, quality, frame in this order.
QUESTIONS: dict[str, tuple[tuple[int, ...], int, tuple[int, ...]]] = {
    "a thing?": ((1, 0, 0, 0), 0, (0, 0, 0, 0)),
    "a doing?": ((0, 1, 0, 0), 0, (0, 0, 0, 0)),
    "a quality?": ((0, 0, 1, 0), 0, (0, 0, 0, 0)),
    "frame?": ((0, 0, 0, 1), 0, (0, 0, 0, 0)),
    "no thing?": ((-1, 0, 0, 0), 0, (0, 0, 0, 0)),
    "no doing?": ((0, -1, 0, 0), 0, (0, 0, 0, 0)),
    "no quality?": ((0, 0, -1, 0), 0, (0, 0, 0, 0)),
    "no frame?": ((0, 0, 0, -1), 0, (0, 0, 0, 0)),
    "a thing that does?": ((1, 1, 0, 0), -1, (0, 1, 0, 0)),
    "a thing with a quality?": ((1, 0, 1, 0), -1, (0, 0, 1, 0)),
    "a thing in the frame?": ((1, 0, 0, 1), -1, (0, 0, 0, 1)),
    "a doing with a quality?": ((0, 1, 1, 0), -1, (0, 1, 0, 0)),
    "a doing in the frame?": ((0, 1, 0, 1), -1, (0, 0, 0, 1)),
    "a quality in the frame?": ((0, 0, 1, 1), -1, (0, 0, 0, 0)),
    "thing before frame?": ((1, 0, 0, -1), 0, (0, 0, 0, 0)),
    "doing before frame?": ((0, 1, 0, -1), 0, (0, 0, 0, 0)),
}


def inner_weight() -> Tensor:
    """Return what the questions weigh (4H, H), as ``nn.Linear`` keeps it."""
    return torch.tensor([weighs for weighs, _, _ in QUESTIONS.values()], dtype=torch.float32)


def inner_bias() -> Tensor:
    """Return the bias of each question (4H,)."""
    return torch.tensor([bias for _, bias, _ in QUESTIONS.values()], dtype=torch.float32)


def output_weight() -> Tensor:
    """Return what the answers write (H, 4H), as ``nn.Linear`` keeps it; its bias is zero."""
    return torch.tensor([writes for _, _, writes in QUESTIONS.values()], dtype=torch.float32).T


def looked_around() -> Tensor:
    """Return norm(x + attention(x)) of the ten columns (T, H): what the feed-forward layer reads."""
    return F.layer_norm(toy_attention.embedded() + toy_attention.attended(), (toy.HIDDEN_SIZE,), eps=1e-12)


def answers() -> Tensor:
    """Return the sixteen answers of each column, GELU included (T, 4H)."""
    return F.gelu(looked_around() @ inner_weight().T + inner_bias())


def thought() -> Tensor:
    """Return what the feed-forward layer has to say about each column (T, H)."""
    return answers() @ output_weight().T


def encoded() -> Tensor:
    """Return what the whole block makes of the ten columns (T, H)."""
    return F.layer_norm(looked_around() + thought(), (toy.HIDDEN_SIZE,), eps=1e-12)


def block() -> TransformerBlock:
    """Return the library's block with the toy numbers in it, in evaluation mode."""
    module = TransformerBlock(toy.config(), attention=lambda _: toy_attention.attention())
    with torch.no_grad():
        module.feed_forward.inner.weight.copy_(inner_weight())
        module.feed_forward.inner.bias.copy_(inner_bias())
        module.feed_forward.output.weight.copy_(output_weight())
        module.feed_forward.output.bias.zero_()
    return module.eval()


def model() -> BertForPreTraining:
    """Return a BERT of one block with the toy numbers in every part, in evaluation mode.

    Its pooler and the transform of its masked-word head multiply by the identity, so C is only bent by tanh;
    the next-sentence head is all zeros and has no opinion.
    """
    whole = BertForPreTraining(toy.config())
    whole.bert.embedding.load_state_dict(toy.embedding().state_dict())
    whole.bert.encoder.blocks[0].load_state_dict(block().state_dict())
    weights = whole.state_dict()  # the tensors themselves, under their names
    for name in ("bert.pooler.dense.weight", "mlm_head.transform.weight"):
        weights[name].copy_(torch.eye(toy.HIDDEN_SIZE))
    weights["nsp_head.weight"].zero_()
    return whole.eval()
