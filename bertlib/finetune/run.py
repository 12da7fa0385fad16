"""One fine-tuning from files to a folder: what ``bertlib finetune`` does."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from torch import nn

from bertlib.data.examples import QuestionExample
from bertlib.device import pick_device
from bertlib.errors import TrainingError
from bertlib.files import check_writable
from bertlib.finetune.builders import builder
from bertlib.finetune.choice import ChoiceTask
from bertlib.finetune.classification import ClassificationTask
from bertlib.finetune.ensemble import spread
from bertlib.finetune.features import Features
from bertlib.finetune.folder import FineTunedModel, check_replaceable, save_finetuned
from bertlib.finetune.formats import STORY
from bertlib.finetune.layers import Trainable, freeze, trainable
from bertlib.finetune.metrics import Scores
from bertlib.finetune.predicting import ask
from bertlib.finetune.qa import QuestionTask
from bertlib.finetune.recipe import FineTuning
from bertlib.finetune.replacing import check_labels, check_same, source_of
from bertlib.finetune.request import (
    Data,
    Request,
    Say,
    Start,
    augmented,
    check_request,
    featured,
    load_data,
    load_start,
    space_for,
    tell_start,
    tell_unknown,
    tell_windows,
    trials_of,
)
from bertlib.finetune.search import search
from bertlib.finetune.task import Inputs, Task
from bertlib.finetune.telling import counted, scores_line, settings, trial_lines
from bertlib.finetune.training import Epoch, FineTuned, fine_tune


class Result(NamedTuple):
    """What came out."""

    name: str  # of the task on the command line
    out: Path
    task: Task
    examples: tuple[int, int]  # to train on, held out
    scores: Scores  # of the model that was kept, on the held-out examples
    baseline: Scores  # of whoever does not look at the text; empty where there is nobody so simple
    runs: list[Scores]  # one a seed
    epochs: list[Epoch]  # of the run that was kept
    recipe: FineTuning
    trials: list[dict[str, Any]]  # of the search
    trained: Trainable
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Return all of it, for JSON."""
        values = self._asdict() | {"out": str(self.out), "recipe": self.recipe.to_dict()}
        values["task"] = {"kind": self.task.kind, **self.task.to_dict()}
        values["trained"] = self.trained._asdict()
        return values | {"epochs": [epoch._asdict() for epoch in self.epochs]}


def run(request: Request, *, say: Say = lambda line: None, progress: bool = False) -> Result:
    """Read, fine-tune, mark and save.

    Raises:
        InputError, CorpusError: data that is missing, misread or does not suit the task.
        ConfigError: a recipe that is none, a search that cannot be; said before anything is read.
        TrainingError: the loss is no finite number; the best epoch before that is in ``request.out``.
        KeyboardInterrupt: Ctrl-C; the message says what was saved, if anything was.
        CheckpointError: no such model, or ``request.out`` holds something else, or another task's model.
    """
    began = time.perf_counter()
    check_request(request)
    check_replaceable(request.out)
    check_same(request)
    check_writable(request.out)
    start = load_start(request)
    recipe = FineTuning.for_model(start.body.config, **request.changes)
    freeze(start.body, recipe.freeze)  # to see that it can be done: every run does it to its own copy
    data = load_data(request)
    check_labels(request.out, data.task)
    builder(request.build, data.task)
    data.task.check(data.dev)
    data = augmented(request, data, progress=progress)
    features, windows = featured(data, start, recipe.max_length)
    tell_start(request, data, say)
    if windows:
        tell_windows(windows, say)
    tell_unknown(request, start, features, say)
    runs, epochs = Runs(request, data, start, features, progress), []
    trials: list[dict[str, Any]] = []
    try:
        if request.search:
            recipe, trials = try_recipes(runs, recipe, say)
            epochs = [runs.winner.best]  # the search has trained it already, with the first seed
        for number in range(len(epochs), request.seeds):
            seed = recipe.seed + number
            if request.seeds > 1:
                say(f"run {number + 1} of {request.seeds}, with seed {seed}")
            title = f"seed {seed}: " if request.seeds > 1 else ""
            epochs.append(runs.train(recipe.replace(seed=seed), title))
        scores = [epoch.scores for epoch in epochs]
        model, best = runs.finish(runs=scores, trials=trials), runs.winner
    except (TrainingError, KeyboardInterrupt) as error:
        left = f"; {request.out} holds the best epoch before that" if runs.saved else ""
        raise type(error)(f"{error}{left}") from None
    return Result(
        request.name, request.out, model.task, (len(data.train), len(data.dev)), dict(model.facts["scores"]),
        blind(data), scores, best.epochs, best.recipe, trials, trainable(best.model),
        time.perf_counter() - began,
    )  # fmt: skip


@dataclass
class Runs:
    """Fine-tunings with one recipe after another; the best model so far is kept, and no other.

    It is also saved after each epoch that is better than all before: a crash loses little.
    """

    request: Request
    data: Data
    start: Start
    features: Features  # of the examples to train on
    progress: bool = False
    best: FineTuned | None = None  # of the runs that are finished
    task: Task | None = None  # of the best one, with its threshold
    saved: bool = False

    def train(self, recipe: FineTuning, title: str = "") -> Epoch:
        """Fine-tune with a recipe and return the best epoch; ``title`` is said before each.

        Where there may be no answer, the threshold is tuned for every run, so that runs can be compared.

        Raises:
            TrainingError: the loss is no finite number.
        """
        request, data = self.request, self.data
        task = data.task

        def keep(model: nn.Module, epoch: Epoch) -> None:
            if self.better(epoch):
                save_finetuned(request.out, self.described(model, task, recipe, scores=epoch.scores))
                self.saved = True

        tuned = fine_tune(
            task, self.start.body, self.start.tokenizer, data.train, data.dev, recipe,
            device=pick_device(request.device), build=builder(request.build, task), keep=keep,
            features=self.features, title=title, progress=self.progress,
        )  # fmt: skip
        if isinstance(task, QuestionTask) and task.no_answer:
            inputs = Inputs(data.dev, self.start.tokenizer, recipe.max_length)
            task, scores = tuned_threshold(task, tuned.model, inputs)
            tuned = replace(tuned, best=tuned.best._replace(scores=scores))
        if self.better(tuned.best):
            self.best, self.task = tuned, task
            if task is not data.task:  # what `keep` saved has no threshold, or is of another run
                described = self.described(tuned.model, task, recipe, scores=tuned.best.scores)
                save_finetuned(request.out, described)
                self.saved = True
        return tuned.best

    def better(self, epoch: Epoch) -> bool:
        """Is this epoch better than all runs before? At a tie the earlier one stays."""
        name = self.data.task.best
        return self.best is None or epoch.merit(name) > self.best.best.merit(name)

    @property
    def winner(self) -> FineTuned:
        """The best of the runs, of which there must be one."""
        assert self.best is not None
        return self.best

    def described(self, model: nn.Module, task: Task, recipe: FineTuning, **more: Any) -> FineTunedModel:
        """Return a model with all that a later evaluation has to know."""
        request = self.request
        facts = {
            "name": request.name, "data": source_of(request), "build": request.build,
            "columns": request.columns.to_dict(), "augment": request.augment,
            "start": "random weights" if request.scratch else Path(request.model).name,
            "recipe": recipe.to_dict(), "examples": len(self.data.train),
        }  # fmt: skip
        return FineTunedModel(
            model=model, task=task, tokenizer=self.start.tokenizer, max_length=recipe.max_length,
            facts=facts | more,
        )  # fmt: skip

    def finish(self, **more: Any) -> FineTunedModel:
        """Save the best model with everything about it."""
        best, task = self.winner, self.task
        assert task is not None
        found = self.described(best.model, task, best.recipe, scores=best.best.scores, **more)
        save_finetuned(self.request.out, found)
        return found


def try_recipes(runs: Runs, recipe: FineTuning, say: Say) -> tuple[FineTuning, list[dict[str, Any]]]:
    """Train with recipes and return the best one, with the table of all; ``runs`` keeps its model."""
    request, name = runs.request, runs.data.task.best
    space = space_for(runs.start.body, request.changes)
    total, numbers = trials_of(request, space), count(1)
    more = "; there are no more points" if total < request.search else ""
    say(f"{request.method} search over {', '.join(space)}: {counted(total, 'trial')}{more}")

    def trial(tried: FineTuning) -> float:
        title = f"trial {next(numbers)} of {total}, {settings(tried, space)}"
        say(title)
        return runs.train(tried, title + ": ").scores[name]

    found = search(trial, recipe, space, method=request.method, trials=total, seed=recipe.seed)
    best = runs.winner  # at a tie of the one score the others have decided
    say(
        f"best of {counted(total, 'trial')}: {settings(best.recipe, space)}; {name} "
        f"{best.best.scores[name]:.3f}; its model is kept"
    )
    return best.recipe, found.table()


def tuned_threshold(
    task: QuestionTask, model: nn.Module, inputs: Inputs[QuestionExample]
) -> tuple[QuestionTask, Scores]:
    """Choose on held-out questions when to say that there is no answer (section 4.3)."""
    outputs = ask(model, task, inputs)
    task = task.tuned(outputs, inputs)
    return task, task.score(task.decide(outputs, inputs), inputs.examples)


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
    (train, dev), runs, name = result.examples, len(result.runs), result.task.best
    best = max(result.epochs, key=lambda epoch: epoch.merit(name))
    seeds, whose = (f" with {runs} seeds", f" with seed {result.recipe.seed}") if runs > 1 else ("", "")
    lines = [
        f"fine-tuned{seeds} on {counted(train, 'example')} in {result.seconds:.0f} s; epoch {best.number} of "
        f"{len(result.epochs)}{whose} was the best",
        f"held-out ({counted(dev, 'example')}){whose}: {scores_line(result.scores)}",
    ]
    if isinstance(result.task, QuestionTask) and result.task.no_answer:
        lines[-1] += f"; no-answer threshold {result.task.null_threshold:.2f}, chosen on these examples"
    if result.trained.share < 1:
        lines.append(f"    {result.trained}")
    if runs > 1:
        lines.append(f"    all seeds: {name} {spread([run[name] for run in result.runs])}")
    if result.baseline:
        lines.append(f"    without a look at the text: {scores_line(result.baseline)}")
    table = [f"    {line}" for line in trial_lines(result.trials, name)]
    file = "" if result.name.startswith(STORY) else " FILE"
    return [*lines, *table, f"model: {result.out}", f"next: bertlib predict {result.out}{file}"]
