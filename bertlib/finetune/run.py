"""One fine-tuning from files to a folder: what ``bertlib finetune`` does."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from torch import nn

from bertlib.device import pick_device
from bertlib.errors import ConfigError
from bertlib.finetune.builders import builder
from bertlib.finetune.choice import ChoiceTask
from bertlib.finetune.classification import ClassificationTask
from bertlib.finetune.ensemble import spread
from bertlib.finetune.folder import FineTunedModel, check_replaceable, save_finetuned
from bertlib.finetune.metrics import Scores
from bertlib.finetune.predicting import ask
from bertlib.finetune.qa import QuestionTask
from bertlib.finetune.reading.squad import MISPLACED
from bertlib.finetune.recipe import FineTuning
from bertlib.finetune.request import Data, Request, Start, load_data, load_start
from bertlib.finetune.search import PAPER_GRID, SMALL_GRID, Space, search
from bertlib.finetune.task import Task
from bertlib.finetune.training import Epoch, FineTuned, fine_tune
from bertlib.model import BertModel
from bertlib.tokenizer import WordPieceTokenizer

Say = Callable[[str], None]
SMALL = 512  # up to this width a model is tried with the small models' rates


class Result(NamedTuple):
    """What came out."""

    out: Path
    task: Task
    examples: tuple[int, int]  # to train on, held out
    scores: Scores  # of the model that was kept, on the held-out examples
    baseline: Scores  # of whoever does not look at the text; empty where there is nobody so simple
    runs: list[Scores]  # one a seed
    epochs: list[Epoch]  # of the run that was kept
    recipe: FineTuning
    trials: list[dict[str, Any]]  # of the search
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Return all of it, for JSON."""
        values = self._asdict() | {"out": str(self.out), "recipe": self.recipe.to_dict()}
        values["task"] = {"kind": self.task.kind, **self.task.to_dict()}
        return values | {"epochs": [epoch._asdict() for epoch in self.epochs]}


def run(request: Request, *, say: Say = lambda line: None, progress: bool = False) -> Result:
    """Read, fine-tune, mark and save.

    Raises:
        InputError, CorpusError: data that is missing, misread or does not suit the task.
        ConfigError: a recipe that is none.
        TrainingError: the loss is no finite number; the best epoch before that is in ``request.out``.
        CheckpointError: no such model, or ``request.out`` holds something else.
    """
    began = time.perf_counter()
    check_replaceable(request.out)
    if request.seeds < 1:
        raise ConfigError(f"{request.seeds} seeds; expected at least 1")
    data, start = load_data(request), load_start(request)
    recipe = FineTuning.for_model(start.body.config, **request.changes)
    say(f"{len(data.train):,} examples to train on, {len(data.dev):,} held out; {data.task.kind}")
    tell_misplaced(data, say)
    device = pick_device(request.device)

    def train(recipe: FineTuning, keep: Any = None) -> FineTuned:
        return fine_tune(
            data.task, start.body, start.tokenizer, data.train, data.dev, recipe, device=device,
            build=builder(request.build, data.task), keep=keep, progress=progress,
        )  # fmt: skip

    trials: list[dict[str, Any]] = []
    if request.search:
        space = space_for(start.body, request.changes)
        recipe, trials = best_recipe(request, recipe, train, data.task, space, say)
    saver = Saver(request, data, start, recipe)
    tuned = [train(recipe.replace(seed=recipe.seed + number), saver.keep) for number in range(request.seeds)]
    best = max(tuned, key=lambda one: one.best.scores[data.task.best])
    model = saver.finish(best, tuned, trials)
    baseline = blind(data)
    return Result(
        request.out, model.task, (len(data.train), len(data.dev)), dict(model.facts["scores"]), baseline,
        [one.best.scores for one in tuned], best.epochs, recipe, trials, time.perf_counter() - began,
    )  # fmt: skip


def tell_misplaced(data: Data, say: Say) -> None:
    """Say how many answers are not where their offset says: nothing can be learned from those."""
    if isinstance(data.task, QuestionTask):
        starts = [answer.start for one in data.train for answer in one.answers]
        wrong = starts.count(MISPLACED)
        if wrong:
            say(
                f"{wrong:,} of {len(starts):,} answers are not at their offset; they are left out of training"
            )


def space_for(body: BertModel, changes: Mapping[str, Any]) -> Space:
    """Return what suits a model of this size, without the fields that somebody has fixed."""
    space = SMALL_GRID if body.config.hidden_size <= SMALL else PAPER_GRID
    return {name: values for name, values in space.items() if changes.get(name) is None}


def best_recipe(
    request: Request, recipe: FineTuning, train: Callable[[FineTuning], FineTuned], task: Task, space: Space,
    say: Say,
) -> tuple[FineTuning, list[dict[str, Any]]]:  # fmt: skip
    """Try recipes and return the best one, with the table of all."""
    say(f"{request.method} search over {', '.join(space)}")
    found = search(
        lambda tried: train(tried).best.scores[task.best], recipe, space,
        method=request.method, trials=None if request.method == "grid" else request.search, seed=recipe.seed,
    )  # fmt: skip
    say(f"best of {len(found.trials)}: {found.best_trial.changes}, {task.best} {found.best_trial.score:.3f}")
    return found.best, found.table()


@dataclass
class Saver:
    """Saves the best model so far, after each epoch that is better: a crash loses little."""

    request: Request
    data: Data
    start: Start
    recipe: FineTuning
    best: float = -math.inf  # score so far, of all runs

    def keep(self, model: nn.Module, epoch: Epoch) -> None:
        """Save the model if no run had a better epoch."""
        score = epoch.scores[self.data.task.best]
        if score > self.best:
            self.best = score
            save_finetuned(self.request.out, self.described(model, self.data.task, epoch.scores))

    def described(self, model: nn.Module, task: Task, scores: Scores, **more: Any) -> FineTunedModel:
        """Return the model with all that a later evaluation has to know."""
        facts = {
            "name": self.request.name, "build": self.request.build, "columns": self.request.columns.to_dict(),
            "start": "random weights" if self.request.scratch else Path(self.request.model).name,
            "recipe": self.recipe.to_dict(), "examples": len(self.data.train), "scores": scores,
        }  # fmt: skip
        return FineTunedModel(
            model=model, task=task, tokenizer=self.start.tokenizer, max_length=self.recipe.max_length,
            facts=facts | more,
        )  # fmt: skip

    def finish(
        self, best: FineTuned, tuned: Sequence[FineTuned], trials: list[dict[str, Any]]
    ) -> FineTunedModel:
        """Tune what is tuned on held-out examples, and save the best model with everything about it."""
        task, scores = self.data.task, best.best.scores
        if isinstance(task, QuestionTask) and task.no_answer:
            task, scores = tuned_threshold(task, best.model, self.start.tokenizer, self.data.dev, self.recipe)
        runs = [one.best.scores for one in tuned]
        place = next(number for number, one in enumerate(tuned) if one is best)
        kept = replace(self, recipe=self.recipe.replace(seed=self.recipe.seed + place))
        found = kept.described(best.model, task, scores, runs=runs, trials=trials)
        save_finetuned(self.request.out, found)
        return found


def tuned_threshold(
    task: QuestionTask, model: nn.Module, tokenizer: WordPieceTokenizer, dev: list[Any], recipe: FineTuning
) -> tuple[QuestionTask, Scores]:
    """Choose on held-out questions when to say that there is no answer (section 4.3)."""
    length = recipe.max_length
    features, outputs = ask(model, task, tokenizer, dev, max_length=length)
    task = task.tuned(outputs, features, dev, tokenizer, max_length=length)
    return task, task.score(task.decide(outputs, features, dev, tokenizer, max_length=length), dev)


def blind(data: Data) -> Scores:
    """Return the scores of whoever says what is commonest, without a look at the text."""
    if isinstance(data.task, ClassificationTask):
        commonest = Counter(str(one.label) for one in data.train).most_common(1)[0][0]
        return data.task.score([commonest] * len(data.dev), data.dev)
    if isinstance(data.task, ChoiceTask):
        return {"accuracy": 1 / data.task.choices}
    return {}


def report(result: Result) -> list[str]:
    """Sum up a fine-tuning in a few lines."""
    train, dev = result.examples
    best = max(result.epochs, key=lambda epoch: epoch.scores[result.task.best])
    lines = [
        f"fine-tuned on {train:,} examples in {result.seconds:.0f} s; epoch {best.number} of "
        f"{len(result.epochs)} was the best",
        f"held-out ({dev:,} examples): {scores_line(result.scores)}",
    ]
    if result.baseline:
        lines.append(f"    without a look at the text: {scores_line(result.baseline)}")
    if len(result.runs) > 1:
        name = result.task.best
        lines.append(f"    {name} of {len(result.runs)} seeds: {spread([run[name] for run in result.runs])}")
    return [*lines, f"model: {result.out}", f"next: bertlib predict {result.out} FILE"]


def scores_line(scores: Scores) -> str:
    """Return scores in one line."""
    return ", ".join(f"{name} {value:.3f}" for name, value in scores.items())
