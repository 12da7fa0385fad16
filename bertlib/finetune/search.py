"""Hyper-parameter search: every point of a grid, points at random, or points where it promises to be good.

Devlin et al. 2019 walk a grid for every task (appendix A.3). Random points find the same with fewer trials
where only some of the numbers matter (Bergstra and Bengio 2012). Bayesian search learns from the trials it
has made (TPE, Bergstra et al. 2011), here by Optuna.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import random
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np

from bertlib.errors import ConfigError, TrainingError
from bertlib.finetune.metrics import library
from bertlib.finetune.telling import counted
from bertlib.progress import progress_bar

R = TypeVar("R")  # a frozen dataclass: the recipe
METHODS = ("grid", "random", "bayesian")


class Between(NamedTuple):
    """Any number from ``low`` to ``high``; drawn evenly on a logarithmic scale, as rates should be."""

    low: float
    high: float
    log: bool = True


Space = Mapping[str, Sequence[Any] | Between]  # field of the recipe: its values, or its range
Changes = dict[str, Any]
Points = Generator[Changes, float | None, None]  # gives a point, is told its score; None if it failed

PAPER_GRID: Space = {"batch_size": (16, 32), "learning_rate": (5e-5, 3e-5, 2e-5), "epochs": (2, 3, 4)}
# Narrow models take larger rates.
SMALL_GRID: Space = {"batch_size": (16, 32), "learning_rate": (1e-4, 3e-4, 1e-3), "epochs": (2, 3, 4)}


class Trial(NamedTuple):
    """One recipe that was tried."""

    number: int  # from 1
    changes: Changes
    score: float | None  # None: it failed
    seconds: float
    error: str = ""


@dataclass(frozen=True)
class Search(Generic[R]):
    """All trials, in their order, and the recipe of the best."""

    trials: tuple[Trial, ...]
    best: R
    best_trial: Trial

    def table(self) -> list[dict[str, Any]]:
        """Return one flat row a trial, ready for JSON or a data frame."""
        return [
            {
                "trial": t.number,
                **t.changes,
                "score": t.score,
                "seconds": round(t.seconds, 3),
                "error": t.error,
            }
            for t in self.trials
        ]


class Heat(NamedTuple):
    """Scores over two fields of the recipe."""

    rows: list[Any]
    columns: list[Any]
    scores: np.ndarray  # (rows, columns), NaN where nothing was tried or everything failed


def search(
    trial: Callable[[R], float],
    recipe: R,
    space: Space,
    *,
    method: str = "grid",
    trials: int | None = None,
    seed: int = 0,
    progress: bool = False,
) -> Search[R]:
    """Try recipes; a trial that fails is written down, and the search goes on.

    Args:
        trial: trains and marks one recipe; a higher score is better. It may raise TrainingError.
        recipe: where every trial begins; only the fields in ``space`` change.
        space: what is tried.
        method: "grid", "random" or "bayesian".
        trials: how many; None only with "grid", which tries everything.
        seed: of the points.
        progress: show a bar with the best score.

    Raises:
        ConfigError: no space, a field or value that the recipe does not take, an unknown method, a number of
            trials that does not fit.
        MissingExtraError: "bayesian" without Optuna.
        TrainingError: every trial failed.
    """
    check_space(recipe, space)
    points, total = make_points(space, method, trials, seed)
    done: list[Trial] = []
    with progress_bar(desc=f"{method} search", unit="trial", total=total, disable=not progress) as bar:
        changes: Changes | None = next(points)
        while changes is not None:
            done.append(attempt(trial, recipe, changes, number=len(done) + 1))
            scores = [t.score for t in done if t.score is not None]
            bar.set_postfix_str(f"best {max(scores):.4g}" if scores else "none yet")
            bar.update()
            try:
                changes = points.send(done[-1].score)
            except StopIteration:
                changes = None
    scored = [t for t in done if t.score is not None]
    if not scored:
        raise TrainingError(f"all {len(done)} trials failed; the last said: {done[-1].error}")
    best = max(scored, key=lambda t: (t.score, -t.number))  # at a tie the earlier one
    return Search(tuple(done), changed(recipe, best.changes), best)


def attempt(trial: Callable[[R], float], recipe: R, changes: Changes, *, number: int) -> Trial:
    """Run one trial; a loss or a score that is no number is a failure."""
    began = time.perf_counter()
    try:
        score, error = float(trial(changed(recipe, changes))), ""
    except TrainingError as failure:
        score, error = math.nan, str(failure)
    seconds = time.perf_counter() - began
    if not math.isfinite(score):
        return Trial(number, changes, None, seconds, error or f"the score is {score}")
    return Trial(number, changes, score, seconds)


def changed(recipe: R, changes: Changes) -> R:
    """Return the recipe with some fields changed."""
    return dataclasses.replace(recipe, **changes)  # type: ignore[type-var]


def check_space(recipe: Any, space: Space) -> None:
    """Try every value alone, so that a wrong one shows now and not in the middle of the night.

    Raises:
        ConfigError: nothing to try, an unknown field, a range that is none, or of whole numbers, or what
            the recipe itself refuses.
    """
    fields = {field.name for field in dataclasses.fields(recipe)}
    if not space:
        raise ConfigError("an empty space; expected at least one field of the recipe with its values")
    for name, values in space.items():
        if name not in fields:
            raise ConfigError(f"the recipe has no field {name!r}; it has {', '.join(sorted(fields))}")
        if isinstance(values, str) or not len(values):
            raise ConfigError(f"{name}: {values!r}; expected a row of values, or Between(low, high)")
        if isinstance(values, Between):
            if not values.low < values.high or (values.log and values.low <= 0):
                raise ConfigError(f"{name} {values}; expected low < high, and low > 0 on a logarithmic scale")
            if isinstance(getattr(recipe, name), int):
                raise ConfigError(f"{name} is a whole number; give its values, such as (2, 3, 4)")
        for value in values[:2] if isinstance(values, Between) else values:
            changed(recipe, {name: value})


def grid(space: Space) -> list[Changes]:
    """Return every combination, the last field changing fastest.

    Raises:
        ConfigError: a range, which has no end of values.

    Example:
        >>> grid({"a": (1, 2), "b": (3,)})
        [{'a': 1, 'b': 3}, {'a': 2, 'b': 3}]
    """
    ranges = [name for name, values in space.items() if isinstance(values, Between)]
    if ranges:
        raise ConfigError(f"{ranges[0]} is a range; a grid needs its values, or choose random or bayesian")
    return [dict(zip(space, point, strict=True)) for point in itertools.product(*space.values())]


def make_points(space: Space, method: str, trials: int | None, seed: int) -> tuple[Points, int]:
    """Return where the points come from, and how many there will be."""
    check_method(method)
    if method == "grid":
        whole = grid(space)
        if trials not in (None, len(whole)):
            raise ConfigError(
                f"{counted(trials or 0, 'trial')} of a grid of {counted(len(whole), 'point')}, which is "
                f"walked whole; ask for {len(whole)}, or choose random"
            )
        return in_order(whole), len(whole)
    if trials is None or trials < 1:
        raise ConfigError(f"{method} search with {trials} trials; expected at least 1")
    if method == "bayesian":
        return bayesian_points(space, trials, seed, quiet_optuna()), trials
    dice = random.Random(seed)
    if any(isinstance(values, Between) for values in space.values()):
        drawn = [{name: draw(values, dice) for name, values in space.items()} for _ in range(trials)]
    else:  # a finite space: no point twice
        whole = grid(space)
        drawn = dice.sample(whole, min(trials, len(whole)))
    return in_order(drawn), len(drawn)


def check_method(method: str) -> None:
    """Refuse what is no method of a search.

    Raises:
        ConfigError: the known ones are named.
    """
    if method not in METHODS:
        raise ConfigError(f"method {method!r}; expected grid, random or bayesian")


def in_order(points: Sequence[Changes]) -> Points:
    """Give points that were chosen beforehand."""
    for point in points:
        _score = yield point  # told, and not needed


def draw(values: Sequence[Any] | Between, dice: random.Random) -> Any:
    """Draw one of the values, or a number of the range."""
    if not isinstance(values, Between):
        return dice.choice(values)
    if not values.log:
        return dice.uniform(values.low, values.high)
    return math.exp(dice.uniform(math.log(values.low), math.log(values.high)))


def bayesian_points(space: Space, trials: int, seed: int, optuna: Any) -> Points:
    """Ask Optuna for each point, and tell it the score."""
    sampler = optuna.samplers.TPESampler(seed=seed)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for _ in range(trials):
        asked = study.ask()
        score = yield {
            name: asked.suggest_float(name, values.low, values.high, log=values.log)
            if isinstance(values, Between)
            else asked.suggest_categorical(name, list(values))
            for name, values in space.items()
        }
        if score is None:
            study.tell(asked, state=optuna.trial.TrialState.FAIL)
        else:
            study.tell(asked, score)


def quiet_optuna() -> Any:
    """Import Optuna, and let it be quiet.

    Raises:
        MissingExtraError: it is not installed.
    """
    found = library("optuna")
    found.logging.set_verbosity(found.logging.WARNING)
    return found


def heat(found: Search[Any], *, rows: str, columns: str) -> Heat:
    """Return the best score for each pair of values of two fields, over all other fields.

    Raises:
        ConfigError: a field that was not searched.
    """
    for name in (rows, columns):
        if name not in found.trials[0].changes:
            raise ConfigError(f"{name!r} was not searched; expected {', '.join(found.trials[0].changes)}")
    down, across = (sorted({t.changes[name] for t in found.trials}) for name in (rows, columns))
    scores = np.full((len(down), len(across)), np.nan)
    for t in found.trials:
        place = down.index(t.changes[rows]), across.index(t.changes[columns])
        if t.score is not None:
            scores[place] = np.fmax(scores[place], t.score)
    return Heat(down, across, scores)
