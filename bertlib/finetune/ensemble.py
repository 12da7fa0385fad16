"""Several fine-tuned models as one, and how far their scores lie apart.

Devlin et al. 2019 use ensembles for SQuAD (section 4.2, table 2). The same recipe with another seed can end
elsewhere, so one score says little: give the mean, the spread and the number.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from bertlib.errors import InputError
from bertlib.finetune.folder import FineTunedModel
from bertlib.finetune.predicting import ask
from bertlib.finetune.task import Inputs, Outputs

By = Literal["probabilities", "logits"]


class Spread(NamedTuple):
    """Scores of the same thing, in short."""

    mean: float
    sd: float  # of the sample, n - 1 below the line; NaN from one score, which says nothing about it
    lowest: float
    highest: float
    runs: int

    def __str__(self) -> str:
        if self.runs == 1:
            return f"{self.mean:.3f} (one run)"
        return f"{self.mean:.3f} ± {self.sd:.3f} ({self.runs} runs, {self.lowest:.3f} to {self.highest:.3f})"


def spread(scores: Sequence[float]) -> Spread:
    """Return mean, standard deviation, lowest, highest and number of scores.

    Raises:
        InputError: there are none.

    Example:
        >>> spread([1.0, 2.0, 3.0])
        Spread(mean=2.0, sd=1.0, lowest=1.0, highest=3.0, runs=3)
    """
    if not len(scores):
        raise InputError("no scores; expected at least one")
    sd = statistics.stdev(scores) if len(scores) > 1 else math.nan
    return Spread(statistics.fmean(scores), sd, min(scores), max(scores), len(scores))


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Return log-probabilities along the last axis; the largest is taken off first: nothing overflows."""
    shifted = logits - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def mean_of(logits: Sequence[np.ndarray], *, by: By = "probabilities") -> np.ndarray:
    """Join what several models said about one row.

    Args:
        logits: one array a model, all of one shape.
        by: mean of probabilities, returned as their logarithms, so that whoever takes a softmax or the
            largest needs to know nothing of it; or mean of the logits themselves, as for a regression.

    Raises:
        InputError: no model, different shapes, another ``by``, or one number that would be a probability.
    """
    shapes = {np.shape(one) for one in logits}
    if len(shapes) != 1:
        raise InputError(f"logits of shapes {sorted(shapes)}; expected at least one model, all of one shape")
    stacked = np.stack([np.asarray(one, np.float64) for one in logits])
    if by == "logits":
        return stacked.mean(0)
    if by != "probabilities":
        raise InputError(f"by is {by!r}; expected 'probabilities' or 'logits'")
    if stacked.shape[-1] == 1:
        raise InputError("a single number has no probabilities; for a regression use by='logits'")
    return np.logaddexp.reduce(log_softmax(stacked), axis=0) - math.log(len(stacked))


def ensemble(outputs: Sequence[Outputs], *, by: By = "probabilities") -> dict[str, list[np.ndarray]]:
    """Join what several models said about the same rows, for the task's ``decide``.

    Args:
        outputs: one a model: by the name of the head's output, an array a row.
        by: see :func:`mean_of`.

    Raises:
        InputError: no model, or models that were asked different things.
    """
    asked = {tuple((name, len(rows)) for name, rows in sorted(one.items())) for one in outputs}
    if len(asked) != 1:
        raise InputError(
            f"{len(outputs)} models answered {len(asked)} different sets of rows; expected one set, the same "
            "examples for every model"
        )
    return {
        name: [mean_of(row, by=by) for row in zip(*(one[name] for one in outputs), strict=True)]
        for name in outputs[0]
    }


def answers(
    models: Sequence[FineTunedModel], examples: Sequence[Any], *, progress: bool = False
) -> tuple[list[Any], list[dict[str, Any]]]:
    """Return what several models say together: verdicts, and what else there is to say of each.

    Probabilities are averaged; of a regression, and of questions, the scores themselves: a number has no
    probability, and the scores of all windows on a context are compared with one another. The first model's
    threshold decides when there is no answer.

    Raises:
        InputError: models of different tasks, vocabularies or lengths.
    """
    first = models[0]
    for number, model in enumerate(models[1:], start=2):
        if alike(model) != alike(first):
            raise InputError(
                f"model {number} of {len(models)} has another task, vocabulary or length than the first; "
                "expected the same data and recipe, as runs with several seeds have"
            )
    inputs = Inputs(examples, first.tokenizer, first.max_length)
    said = [ask(model.model, first.task, inputs, progress=progress) for model in models]
    by: By = "logits" if first.task.kind in ("regression", "question") else "probabilities"
    together = ensemble(said, by=by) if len(said) > 1 else said[0]
    return first.task.decide(together, inputs), first.task.details(together, inputs)


def alike(model: FineTunedModel) -> tuple[Any, ...]:
    """Return what models must share if they are to answer together; not how the best answer is chosen."""
    chosen = ("null_threshold", "n_best")
    task = {name: value for name, value in model.task.to_dict().items() if name not in chosen}
    return model.task.kind, task, model.max_length, model.tokenizer.lowercase, list(model.tokenizer.vocab)
