"""Fine-tuning: one loop for every task (Devlin et al. 2019, section 3.2 and appendix A.3).

Everything is trained, body and head, with a small learning rate for a few epochs. After each epoch the
held-out examples are marked, and the best epoch is what is kept.
"""

from __future__ import annotations

import copy
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from bertlib.errors import InputError, TrainingError
from bertlib.finetune.features import Features
from bertlib.finetune.layers import freeze, layer_groups
from bertlib.finetune.metrics import Scores
from bertlib.finetune.predicting import evaluate
from bertlib.finetune.recipe import FineTuning
from bertlib.finetune.task import Inputs, Task
from bertlib.model import BertModel
from bertlib.model.dropout import Dropout
from bertlib.progress import progress_bar
from bertlib.seeds import mix_seed, seeded
from bertlib.tokenizer import WordPieceTokenizer
from bertlib.train import learning_rate
from bertlib.train.precision import matmul_precision

Build = Callable[[BertModel], nn.Module]


class Epoch(NamedTuple):
    """What one pass over the training examples came to."""

    number: int  # from 1
    loss: float  # mean over its steps
    scores: Scores  # on the held-out examples
    seconds: float  # training alone

    def merit(self, best: str) -> tuple[float, float]:
        """Return what epochs are compared by: the score called ``best``, at a tie the sum of the others."""
        others = (value for name, value in self.scores.items() if name != best)
        return self.scores[best], math.fsum(others)


@dataclass(frozen=True)
class FineTuned:
    """A fine-tuned model as it was after its best epoch, in evaluation mode, and how it came about."""

    model: nn.Module
    best: Epoch
    epochs: list[Epoch]
    recipe: FineTuning


Keep = Callable[[nn.Module, Epoch], None]


class FineTuner:
    """Takes steps: forward, backward, clip, update.

    Args:
        model: body and head; what is frozen stays as it is.
        recipe: rates and the like.
        steps: all that will be taken, for the schedule.
    """

    def __init__(self, model: nn.Module, recipe: FineTuning, *, steps: int) -> None:
        self.model, self.recipe, self.steps, self.step = model, recipe, steps, 0
        groups = layer_groups(
            model,
            learning_rate=recipe.learning_rate,
            weight_decay=recipe.weight_decay,
            decay=recipe.layer_decay,
        )
        self.peaks = [group["lr"] for group in groups]
        self.optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.999), eps=1e-6, fused=True)
        self.parameters = [p for group in groups for p in group["params"]]

    def train_batch(self, batch: dict[str, Tensor]) -> float:
        """Take one step and return the loss.

        Raises:
            TrainingError: it is no finite number; the weights are as before.
        """
        self.step += 1
        loss = self.model(**batch).loss
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.parameters, self.recipe.clip)
        value = loss.item()
        if not (math.isfinite(value) and math.isfinite(float(norm))):
            raise TrainingError(
                f"step {self.step:,} of {self.steps:,}: the loss ({value:g}) or its gradient is no finite "
                "number"
            )
        warmup = round(self.recipe.warmup_share * self.steps)
        share = learning_rate(self.step - 1, peak=1.0, warmup_steps=warmup, total_steps=self.steps)
        for group, peak in zip(self.optimizer.param_groups, self.peaks, strict=True):
            group["lr"] = peak * share
        self.optimizer.step()
        self.optimizer.zero_grad()
        return value

    def train_epoch(self, features: Features, number: int, bar: tqdm) -> float:
        """See everything once and return the mean loss of the steps."""
        self.model.train()
        device = self.parameters[0].device
        generator = np.random.default_rng([self.recipe.seed, number])
        losses = []
        for chosen in features.shuffled(self.recipe.batch_size, generator):
            batch = {name: value.to(device) for name, value in features.batch(chosen).items()}
            losses.append(self.train_batch(batch))
            bar.update()
            bar.set_postfix_str(f"loss {np.mean(losses[-20:]):.3f}", refresh=False)
        return float(np.mean(losses))


def fine_tune(
    task: Task,
    body: BertModel,
    tokenizer: WordPieceTokenizer,
    train: Sequence[Any],
    dev: Sequence[Any],
    recipe: FineTuning,
    *,
    device: torch.device | str = "cpu",
    build: Build | None = None,
    keep: Keep | None = None,
    features: Features | None = None,
    title: str = "",
    progress: bool = True,
) -> FineTuned:
    """Fine-tune a copy of ``body`` on a task.

    Args:
        task: head, features, verdicts and metric.
        body: pre-trained, or not; it stays as it is.
        tokenizer: the one it was trained with.
        train: examples to learn from.
        dev: held-out examples; their score decides which epoch is kept (:meth:`Epoch.merit`).
        recipe: rates, epochs, seed.
        device: where to train.
        build: makes body and head into a model, in place of ``task.head``.
        keep: hears of each epoch that is the best so far, and may save it.
        features: those of ``train``, if somebody has made them already.
        title: what this run is called before what is said of each epoch, as "seed 1: ".
        progress: show a bar, and a line an epoch.

    Returns:
        The model after its best epoch.

    Raises:
        InputError: no examples, labels missing, or held-out labels that training does not have.
        TrainingError: the loss is no finite number; what ``keep`` was given remains.
    """
    if features is None:
        features = task.features(Inputs(train, tokenizer, recipe.max_length), training=True)
    if not len(dev):
        raise InputError("no held-out examples; expected at least one, to tell the best epoch by")
    task.check(dev)
    device = torch.device(device)
    steps = recipe.epochs * -(-len(features) // recipe.batch_size)
    epochs: list[Epoch] = []
    best, state = None, {}
    with seeded(mix_seed(recipe.seed, 0), device):
        model = (build or task.head)(copy_body(body, recipe.dropout)).to(device)
        freeze(model, recipe.freeze)
        tuner = FineTuner(model, recipe, steps=steps)
        with progress_bar(total=steps, desc="fine-tuning", unit="step", disable=not progress) as bar:
            for number in range(1, recipe.epochs + 1):
                began = time.perf_counter()
                try:
                    with matmul_precision("medium"):  # not for the marks: `evaluate` must give the same
                        loss = tuner.train_epoch(features, number, bar)
                except TrainingError as error:
                    raise TrainingError(advice(error, recipe)) from None
                seconds = time.perf_counter() - began
                scores = evaluate(model, task, tokenizer, dev, max_length=recipe.max_length)
                epochs.append(Epoch(number, loss, scores, seconds))
                if progress:
                    bar.write(title + told(epochs[-1], recipe), file=sys.stderr)  # results go to stdout
                if best is None or epochs[-1].merit(task.best) > best.merit(task.best):
                    best, state = epochs[-1], copy.deepcopy(model.state_dict())
                    if keep:
                        keep(model, best)
                if recipe.patience and number - best.number >= recipe.patience:
                    break
    model.load_state_dict(state)
    assert best is not None
    return FineTuned(model.eval(), best, epochs, recipe)


def copy_body(body: BertModel, dropout: float | None) -> BertModel:
    """Return a copy that can be trained, with this dropout wherever there is dropout."""
    copied = copy.deepcopy(body)
    for part in copied.modules():
        if dropout is not None and isinstance(part, Dropout | nn.Dropout):
            part.p = dropout
    if dropout is not None:
        copied.config = copied.config.replace(
            hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout
        )
    return copied.requires_grad_(True)


def told(epoch: Epoch, recipe: FineTuning) -> str:
    """Return one line about an epoch."""
    scores = ", ".join(f"{name} {value:.3f}" for name, value in epoch.scores.items())
    return f"epoch {epoch.number} of {recipe.epochs}: loss {epoch.loss:.3f}, {scores}, {epoch.seconds:.0f} s"


def advice(error: TrainingError, recipe: FineTuning) -> str:
    """Say whose loss is no number, and what to try."""
    return (
        f"seed {recipe.seed}, {error}; try a lower learning rate (it was {recipe.learning_rate:g}) or a "
        f"longer warm-up (it was {recipe.warmup_share:.0%} of the steps)"
    )
