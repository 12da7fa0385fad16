"""From a model and examples to verdicts and marks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bertlib.errors import InputError
from bertlib.finetune.features import Features
from bertlib.finetune.metrics import Scores
from bertlib.finetune.task import Outputs, Task
from bertlib.progress import progress_bar
from bertlib.tokenizer import WordPieceTokenizer

ROWS = 128  # a batch, when nothing has to be remembered for a gradient


@torch.no_grad()
def run_head(
    model: nn.Module, features: Features, *, rows: int = ROWS, progress: bool = False, what: str = "reading"
) -> dict[str, list[np.ndarray]]:
    """Ask the model about everything.

    Args:
        model: on any device; left in the mode, training or not, in which it came.
        features: what to ask about.
        rows: at most so many at a time, choices counted one by one.
        progress: show a bar when it takes longer.
        what: the bar's name.

    Returns:
        By the name of the head's output, an array for each of ``len(features)``; what is said of pieces is
        cut to the row's own length.
    """
    was_training, device = model.training, next(model.parameters()).device
    model.eval()
    asked = list(features.labels)
    found: dict[str, list[np.ndarray]] = {}
    with progress_bar(total=len(features), desc=what, unit="text", disable=not progress, leave=False) as bar:
        for chosen in features.sorted(max(rows // features.choices, 1)):
            batch = features.batch(chosen)
            output = model(**{name: value.to(device) for name, value in batch.items() if name not in asked})
            for name, values in logits_of(output).items():
                rows_of = found.setdefault(name, [np.zeros(0)] * len(features))
                for number, row in zip(chosen, trimmed(values, batch, features), strict=True):
                    rows_of[number] = row
            bar.update(len(chosen))
    model.train(was_training)
    return found


def logits_of(output: Any) -> dict[str, Tensor]:
    """Return the tensors a head has put out, without its loss."""
    return {name: value for name, value in output._asdict().items() if name != "loss" and value is not None}


def trimmed(values: Tensor, batch: dict[str, Tensor], features: Features) -> list[np.ndarray]:
    """Cut (B, T, …) to each row's own length; (B, K) stays."""
    arrays = values.float().cpu().numpy()
    if features.choices > 1 or arrays.ndim < 3:
        return list(arrays)
    lengths = batch["attention_mask"].sum(1).tolist()
    return [row[:length].copy() for row, length in zip(arrays, lengths, strict=True)]


def predict(
    model: nn.Module,
    task: Task,
    tokenizer: WordPieceTokenizer,
    examples: Sequence[Any],
    *,
    max_length: int,
    rows: int = ROWS,
    progress: bool = False,
) -> list[Any]:
    """Return a verdict on each example, in the words of the data.

    Raises:
        InputError: no examples, or such as the task cannot read.
    """
    features, outputs = ask(
        model, task, tokenizer, examples, max_length=max_length, rows=rows, progress=progress
    )
    return task.decide(outputs, features, examples, tokenizer, max_length=max_length)


def ask(
    model: nn.Module,
    task: Task,
    tokenizer: WordPieceTokenizer,
    examples: Sequence[Any],
    *,
    max_length: int,
    rows: int = ROWS,
    progress: bool = False,
) -> tuple[Features, Outputs]:
    """Return the features of examples, and what the model says about them.

    Raises:
        InputError: no examples, or such as the task cannot read.
    """
    if not len(examples):
        raise InputError("no examples; expected at least one (is the file empty?)")
    features = task.features(examples, tokenizer, max_length=max_length, training=False)
    return features, run_head(model, features, rows=rows, progress=progress)


def evaluate(
    model: nn.Module,
    task: Task,
    tokenizer: WordPieceTokenizer,
    examples: Sequence[Any],
    *,
    max_length: int,
    rows: int = ROWS,
    progress: bool = False,
) -> Scores:
    """Return the task's scores on examples whose labels are known.

    Raises:
        InputError: no examples, or a label that is missing or was not seen in training.
    """
    said = predict(model, task, tokenizer, examples, max_length=max_length, rows=rows, progress=progress)
    return task.score(said, examples)
