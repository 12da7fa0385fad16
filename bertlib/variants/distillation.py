"""Distillation: a small model learns from what a large one says.

Hinton et al. 2015; DistilBERT, Sanh et al. 2019. A label names the right word; a teacher's probabilities
also say which wrong ones come close. TinyBERT (Jiao et al. 2020) copies attentions and the vectors of every
layer as well; here it is the last vectors at most.

Shapes: N things asked, K labels (V pieces for the masked language model), H hidden size.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bertlib.errors import InputError
from bertlib.finetune.layers import body_of

M = TypeVar("M", bound=nn.Module)


def soft_target_loss(student_logits: Tensor, teacher_logits: Tensor, *, temperature: float) -> Tensor:
    """Return T^2 KL(teacher || student), both softened by the temperature T (Hinton et al. 2015, section 2).

    Gradients of softened targets shrink like 1 / T^2; the factor makes up for it, so that T can be changed
    and the weight beside the hard labels stays.

    Args:
        student_logits: (N, K).
        teacher_logits: (N, K); no gradient flows into them.
        temperature: T; the higher, the flatter.

    Returns:
        The mean over N, in nats; 0 exactly where both say the same, and 0 (not NaN) when N is 0.

    Raises:
        InputError: other shapes, one label (which has no probabilities), or T not above 0.
    """
    if student_logits.shape != teacher_logits.shape or student_logits.dim() != 2:
        raise InputError(
            f"logits of the student {tuple(student_logits.shape)} and of the teacher "
            f"{tuple(teacher_logits.shape)}; expected (things asked, labels) for both"
        )
    if student_logits.shape[1] < 2:
        raise InputError("one number has no probabilities to learn from; expected at least 2 labels")
    if not temperature > 0:
        raise InputError(f"temperature {temperature}; expected more than 0")
    mine = F.log_softmax(student_logits.float() / temperature, dim=-1)
    theirs = F.log_softmax(teacher_logits.detach().float() / temperature, dim=-1)
    total = F.kl_div(mine, theirs, reduction="sum", log_target=True)
    return temperature**2 * total / max(len(student_logits), 1)


def cosine_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the mean of 1 - cos(student, teacher) over vectors (N, H) (Sanh et al. 2019, section 2).

    Raises:
        InputError: other shapes: a narrower student has no vectors to compare.
    """
    if student.shape != teacher.shape:
        raise InputError(
            f"vectors of the student {tuple(student.shape)} and of the teacher {tuple(teacher.shape)}; "
            "expected the same width: take student_from(teacher), or cosine=0"
        )
    return (1 - F.cosine_similarity(student.float(), teacher.detach().float(), dim=-1)).mean()


@torch.no_grad()
def agreement(student_logits: Tensor, teacher_logits: Tensor) -> float:
    """Return the share of things asked (N, K) where both hold the same answer to be the likeliest."""
    same = student_logits.argmax(-1) == teacher_logits.argmax(-1)
    return same.float().mean().item()


def student_from(teacher: M, *, layers: Sequence[int] | None = None) -> M:
    """Return a shallower copy that begins with some of the teacher's blocks, and all of its other weights.

    Args:
        teacher: a body, a model for pre-training or a fine-tuned head; it stays as it is.
        layers: which blocks, from 0 upwards; None: every second, "one layer out of two" (Sanh et al. 2019,
            section 3; the released script takes 0, 2, 4, 7, 9 and 11 of Base's twelve).

    Raises:
        InputError: no blocks, blocks that the teacher does not have, or a model without a body.
    """
    blocks = body_of(teacher).encoder.blocks
    chosen = list(range(0, len(blocks), 2) if layers is None else layers)
    if not chosen or not all(0 <= layer < len(blocks) for layer in chosen) or chosen != sorted(set(chosen)):
        raise InputError(
            f"layers {chosen} of a teacher of {len(blocks)} blocks; expected ascending numbers from 0 to "
            f"{len(blocks) - 1}"
        )
    student = copy.deepcopy(teacher)
    body = body_of(student)
    body.encoder.blocks = nn.ModuleList(body.encoder.blocks[layer] for layer in chosen)
    body.config = body.config.replace(num_hidden_layers=len(chosen))
    if hasattr(student, "config"):
        setattr(student, "config", body.config)  # noqa: B010 - mypy knows no such attribute of a module
    return student
