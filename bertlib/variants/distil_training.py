"""Teaching: the teacher reads the same batch and says what it thinks, and the student learns.

Two kinds: a masked language model on plain text, asked at the selected positions only, and a fine-tuned
head on the examples of its task, or on any text, for a teacher needs no labels.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from bertlib.data.batches import Batch, PreTrainingBatches
from bertlib.errors import ConfigError, InputError
from bertlib.finetune.features import Features
from bertlib.model import BertForPreTraining
from bertlib.model.bert import rows_of
from bertlib.objectives import IGNORED, MaskedLMLoss
from bertlib.variants.distillation import cosine_loss, soft_target_loss
from bertlib.variants.training import train_variant


@dataclass(frozen=True, kw_only=True)
class Distillation:
    """How the student learns: alpha * soft + (1 - alpha) * hard + cosine * (1 - cos).

    Attributes:
        steps: batches.
        batch_size: examples a step, for a task; plain text comes in batches already.
        temperature: T of the soft targets; 2 is that of DistilBERT's released code.
        alpha: weight of the soft targets, from 0 (labels only) to 1 (teacher only).
        cosine: weight of the angle between last vectors; 0 where the student is narrower. For masked
            language models only.
        learning_rate: the highest; up and down in straight lines.
        warmup_share: part of the steps on the way up.
        seed: of the order and of dropout.

    Raises:
        ConfigError: a number out of its range.
    """

    steps: int
    batch_size: int = 32
    temperature: float = 2.0
    alpha: float = 0.5
    cosine: float = 0.0
    learning_rate: float = 5e-4
    warmup_share: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "temperature", "learning_rate"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} is {getattr(self, name)}; expected more than 0")
        if not 0 <= self.alpha <= 1 or self.cosine < 0 or not 0 <= self.warmup_share < 1:
            raise ConfigError(
                f"alpha {self.alpha}, cosine {self.cosine}, warmup_share {self.warmup_share}; expected "
                "alpha and warmup_share from 0 to 1 and cosine of at least 0"
            )


class DistilLosses(NamedTuple):
    """Losses of one step; in nats but for the cosine."""

    total: Tensor
    soft: Tensor
    hard: Tensor
    cosine: Tensor


def combine(recipe: Distillation, soft: Tensor, hard: Tensor, cosine: Tensor | None = None) -> DistilLosses:
    """Weigh the parts as the recipe says."""
    angle = torch.zeros_like(soft) if cosine is None else cosine
    total = recipe.alpha * soft + (1 - recipe.alpha) * hard + recipe.cosine * angle
    return DistilLosses(total, soft, hard, angle)


def mlm_losses(
    student: BertForPreTraining, teacher: BertForPreTraining, batch: Batch, recipe: Distillation
) -> DistilLosses:
    """Compare both at the selected positions of a batch."""
    inputs = batch.input_ids, batch.attention_mask, batch.token_type_ids
    with torch.no_grad():
        theirs = teacher(*inputs, selected=batch.selected)
    mine = student(*inputs, selected=batch.selected)
    soft = soft_target_loss(mine.prediction_logits, theirs.prediction_logits, temperature=recipe.temperature)
    hard = MaskedLMLoss()(mine.prediction_logits, batch.labels)
    if not recipe.cosine:
        return combine(recipe, soft, hard)
    counted = rows_of(batch.selected)[1]  # the first row is [CLS], and texts with fewer are filled up
    vectors = [output.body.last_hidden_state[:, 1:][counted] for output in (mine, theirs)]
    return combine(recipe, soft, hard, cosine_loss(*vectors))


def task_losses(
    student: nn.Module, teacher: nn.Module, batch: dict[str, Tensor], recipe: Distillation
) -> DistilLosses:
    """Compare both on a batch of a task: texts (B, K), choices (B, C), or pieces that are asked (B, T, K).

    Raises:
        InputError: no labels though alpha is below 1, or a head whose labels are no row of K, such as answers
            in a text.
    """
    labels = batch.get("labels")
    if labels is None and recipe.alpha < 1:
        raise InputError(f"no labels, and alpha is {recipe.alpha}; expected labels, or alpha=1")
    inputs = {name: value for name, value in batch.items() if name != "labels"}
    with torch.no_grad():
        theirs = teacher(**inputs).logits
    output = student(**batch)
    shape = output.logits.shape[:-1]
    if labels is not None and labels.shape != shape:
        raise InputError(
            f"labels {tuple(labels.shape)} for logits {tuple(output.logits.shape)}; expected one label "
            "for each row of logits, as of SequenceClassifier, MultipleChoiceHead and TokenClassifier"
        )
    if labels is not None:
        asked = labels != IGNORED
    else:
        asked = batch["attention_mask"].bool() if len(shape) == 2 else torch.ones(shape, dtype=torch.bool)
    soft = soft_target_loss(output.logits[asked], theirs[asked], temperature=recipe.temperature)
    return combine(recipe, soft, torch.zeros_like(soft) if output.loss is None else output.loss)


def distil_mlm(
    student: BertForPreTraining,
    teacher: BertForPreTraining,
    batches: PreTrainingBatches,
    recipe: Distillation,
    *,
    progress: bool = False,
) -> np.ndarray:
    """Teach a masked language model to another, on the batches of pre-training.

    Args:
        student: is changed; on the device of ``batches``.
        teacher: stays as it is; on the same device.
        batches: text, with masks.
        recipe: losses and rates; its ``batch_size`` is not used.
        progress: show a bar.

    Returns:
        (steps, 4): total, soft, hard and cosine loss of every step.

    Raises:
        ConfigError: their vocabularies differ in size.
        TrainingError: a loss that is no number.
    """
    if student.config.vocab_size != teacher.config.vocab_size:
        raise ConfigError(
            f"the student knows {student.config.vocab_size:,} pieces, the teacher "
            f"{teacher.config.vocab_size:,}; expected the same vocabulary"
        )
    return _distil(student, teacher, mlm_losses, batches, recipe, progress)


def distil_task(
    student: nn.Module,
    teacher: nn.Module,
    features: Features,
    recipe: Distillation,
    *,
    progress: bool = False,
) -> np.ndarray:
    """Teach a fine-tuned head to another, epoch after epoch until the steps are done.

    Args:
        student: a head on a smaller body; is changed.
        teacher: a fine-tuned head with the same labels; on the same device.
        features: of the task's training examples; without labels alpha has to be 1.
        recipe: losses and rates; there is no cosine here.
        progress: show a bar.

    Returns:
        (steps, 4): total, soft, hard and cosine loss of every step.

    Raises:
        ConfigError: a cosine is wanted.
        InputError: features that do not suit, see :func:`task_losses`.
        TrainingError: a loss that is no number.
    """
    if recipe.cosine:
        raise ConfigError(f"cosine is {recipe.cosine}; expected 0: heads are compared by their logits")
    if set(features.labels) - {"labels"}:
        raise InputError(f"labels {', '.join(features.labels)}; expected a head with one kind, called labels")
    batches = TaskBatches(features, recipe, next(student.parameters()).device)
    return _distil(student, teacher, task_losses, batches, recipe, progress)


class TaskBatches:
    """Batches of a task without end, each epoch in another order; to be asked for in their order."""

    def __init__(self, features: Features, recipe: Distillation, device: torch.device) -> None:
        self.features, self.device = features, device
        self._rows = self._endless(recipe)

    def batch(self, step: int) -> dict[str, Tensor]:
        """Return the next batch."""
        return {name: value.to(self.device) for name, value in self.features.batch(next(self._rows)).items()}

    def _endless(self, recipe: Distillation) -> Iterator[np.ndarray]:
        for epoch in itertools.count():
            yield from self.features.shuffled(recipe.batch_size, np.random.default_rng([recipe.seed, epoch]))


def _distil(
    student: nn.Module,
    teacher: nn.Module,
    losses_of: Callable[..., DistilLosses],
    batches: Any,
    recipe: Distillation,
    progress: bool,
) -> np.ndarray:
    """Take the recipe's steps; the student has dropout, the teacher has none."""
    teacher.eval()
    history = train_variant(
        student,
        lambda batch, step: losses_of(student, teacher, batch, recipe),
        batches,
        steps=recipe.steps,
        learning_rate=recipe.learning_rate,
        warmup_share=recipe.warmup_share,
        seed=recipe.seed,
        progress=progress,
    )
    student.eval()
    return history
