"""Searching recipes without training any: the trial is a formula whose best point is known."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from bertlib.errors import ConfigError, MissingExtraError, TrainingError
from bertlib.finetune.recipe import FineTuning
from bertlib.finetune.search import PAPER_GRID, SMALL_GRID, Between, grid, heat, search

START = FineTuning(seed=7)
SPACE = {"batch_size": (16, 32), "learning_rate": (1e-4, 1e-3)}


def formula(recipe: FineTuning) -> float:
    """Best at 3e-4 and batches of 16."""
    return 1 - abs(math.log10(recipe.learning_rate / 3e-4)) - recipe.batch_size / 1000


def test_the_papers_grid_has_18_points():
    assert len(grid(PAPER_GRID)) == 18
    assert {"batch_size": 16, "learning_rate": 3e-5, "epochs": 4} in grid(PAPER_GRID)
    found = search(formula, START, SMALL_GRID)
    assert len(found.trials) == 18
    assert found.best == START.replace(batch_size=16, learning_rate=3e-4, epochs=2)


def test_a_grid_tries_everything_once_and_changes_nothing_else():
    seen = []

    def trial(recipe):
        seen.append(recipe)
        return formula(recipe)

    found = search(trial, START, SPACE)
    assert seen == [START.replace(batch_size=b, learning_rate=r) for b in (16, 32) for r in (1e-4, 1e-3)]
    assert found.best_trial.changes == {"batch_size": 16, "learning_rate": 1e-4}
    assert found.best == START.replace(batch_size=16, learning_rate=1e-4)


def test_at_a_tie_the_earlier_one():
    assert search(lambda _: 0.5, START, SPACE).best_trial.number == 1


def test_a_failing_trial_is_written_down_and_the_search_goes_on():
    def trial(recipe):
        if recipe.learning_rate > 5e-4:
            raise TrainingError("step 3: the loss is no finite number")
        return math.nan if recipe.batch_size == 16 else 0.5

    found = search(trial, START, SPACE)
    assert [t.score for t in found.trials] == [None, None, 0.5, None]
    assert [t.error for t in found.trials][:2] == ["the score is nan", "step 3: the loss is no finite number"]
    assert found.best.batch_size == 32
    rows = json.loads(json.dumps(found.table()))
    assert rows[2]["score"] == 0.5
    assert rows[2]["learning_rate"] == 1e-4


def test_all_of_them_failing_is_an_error():
    with pytest.raises(TrainingError, match="all 4 trials failed; the last said: the score is nan"):
        search(lambda _: math.nan, START, SPACE)


def test_other_errors_are_not_swallowed():
    with pytest.raises(ZeroDivisionError):
        search(lambda _: 1 / 0, START, SPACE)


def test_random_points_follow_the_seed_and_do_not_repeat():
    def points(seed):
        found = search(formula, START, SMALL_GRID, method="random", trials=18, seed=seed)
        return [tuple(t.changes.values()) for t in found.trials]

    assert points(1) == points(1) != points(2)
    assert len(set(points(1))) == 18
    assert len(search(formula, START, SPACE, method="random", trials=99).trials) == 4


def test_a_range_is_drawn_on_a_logarithmic_scale():
    space = {"learning_rate": Between(1e-5, 1e-1), "dropout": Between(0.1, 0.3, log=False)}
    found = search(formula, START, space, method="random", trials=400)
    rates = np.log10([t.changes["learning_rate"] for t in found.trials])
    assert -5 <= rates.min() < rates.max() <= -1
    assert rates.mean() == pytest.approx(-3, abs=0.15)
    dropouts = np.array([t.changes["dropout"] for t in found.trials])
    assert dropouts.mean() == pytest.approx(0.2, abs=0.01)
    assert formula(found.best) > 0.95


def test_heat_is_the_best_over_everything_else():
    def trial(recipe):
        if recipe.batch_size == 32 and recipe.learning_rate == 1e-3:
            raise TrainingError("no")
        return recipe.epochs / 10 + recipe.batch_size / 1000

    found = search(trial, START, SPACE | {"epochs": (2, 4, 3)})
    map_ = heat(found, rows="learning_rate", columns="batch_size")
    assert (map_.rows, map_.columns) == ([1e-4, 1e-3], [16, 32])
    np.testing.assert_allclose(map_.scores, [[0.416, 0.432], [0.416, np.nan]])
    with pytest.raises(
        ConfigError, match="'seed' was not searched; expected batch_size, learning_rate, epochs"
    ):
        heat(found, rows="seed", columns="epochs")


class StandIn:
    """What search uses of Optuna, writing down what it is told."""

    def __init__(self):
        self.told, self.asked = [], 0
        self.samplers = SimpleNamespace(TPESampler=lambda seed: ("tpe", seed))
        self.trial = SimpleNamespace(TrialState=SimpleNamespace(FAIL="failed"))
        self.logging = SimpleNamespace(WARNING=30, set_verbosity=lambda level: None)

    def create_study(self, direction, sampler):
        assert (direction, sampler) == ("maximize", ("tpe", 5))
        return self

    def ask(self):
        self.asked += 1
        return self

    def suggest_categorical(self, name, values):
        return values[self.asked % len(values)]

    def suggest_float(self, name, low, high, log):
        return low if log else high

    def tell(self, asked, score=None, state=None):
        self.told.append(state or score)


def test_bayesian_search_tells_what_came_of_each_point(monkeypatch):
    library = StandIn()
    monkeypatch.setitem(sys.modules, "optuna", library)

    def trial(recipe):
        if recipe.batch_size == 16:
            raise TrainingError("no")
        return recipe.learning_rate

    space = {"batch_size": (16, 32), "learning_rate": Between(1e-4, 1e-2)}
    found = search(trial, START, space, method="bayesian", trials=4, seed=5)
    assert library.told == [1e-4, "failed", 1e-4, "failed"]
    assert [t.changes["batch_size"] for t in found.trials] == [32, 16, 32, 16]


def test_bayesian_search_with_optuna_itself():
    pytest.importorskip("optuna")
    space = {"batch_size": (16, 32), "learning_rate": Between(1e-5, 1e-1)}
    first, again = (
        search(formula, START, space, method="bayesian", trials=30, seed=1).table() for _ in range(2)
    )
    assert [row["score"] for row in first] == [row["score"] for row in again]
    assert np.mean([row["score"] for row in first[20:]]) > np.mean([row["score"] for row in first[:10]])


def test_without_optuna(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtraError, match=r'optuna is not installed; pip install "bertlib\[tasks\]"'):
        search(formula, START, SPACE, method="bayesian", trials=2)


@dataclass(frozen=True)
class Other:
    rate: float = 1.0
    count: int = 3


@pytest.mark.parametrize(
    ("space", "options", "message"),
    [
        ({}, {}, "an empty space"),
        ({"rat": (1.0,)}, {}, "no field 'rat'; it has count, rate"),
        ({"rate": ()}, {}, r"rate: \(\); expected a row of values"),
        ({"rate": "123"}, {}, "rate: '123'; expected a row of values"),
        ({"rate": Between(2, 1)}, {"method": "random", "trials": 2}, "expected low < high"),
        ({"rate": Between(0, 1)}, {"method": "random", "trials": 2}, "low > 0 on a logarithmic scale"),
        ({"count": Between(1, 3)}, {"method": "random", "trials": 2}, "count is a whole number"),
        ({"rate": Between(1, 2)}, {}, "rate is a range; a grid needs its values"),
        ({"rate": (1.0,)}, {"method": "best"}, "method 'best'; expected grid, random or bayesian"),
        (
            {"rate": (1.0,)},
            {"trials": 5},
            "5 trials of a grid of 1 point, which is walked whole; ask for 1, or",
        ),
        ({"rate": (1.0,)}, {"method": "random"}, "random search with None trials"),
        ({"rate": (1.0,)}, {"method": "random", "trials": 0}, "random search with 0 trials"),
    ],
)
def test_what_is_refused(space, options, message):
    with pytest.raises(ConfigError, match=message):
        search(lambda r: r.rate, Other(), space, **options)


def test_a_value_that_the_recipe_refuses_shows_before_anything_is_trained():
    def trial(recipe):
        raise AssertionError("nothing should be tried")

    with pytest.raises(ConfigError, match="batch_size is 0"):
        search(trial, START, {"learning_rate": (1e-4,), "batch_size": (16, 0)})
