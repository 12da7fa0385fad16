"""What is seen before anything is read."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bertlib.errors import BertlibError, MissingExtraError
from bertlib.finetune.formats import Columns
from bertlib.finetune.request import Request, check_request, trials_of

ALL = {"batch_size": 16, "learning_rate": 1e-3, "epochs": 2}


def request(**fields):
    return Request(**{"name": "classify", "out": Path("out"), "device": "cpu"} | fields)


def test_what_is_right_passes():
    check_request(request())
    check_request(request(search=18, method="grid"))
    check_request(request(search=99, method="grid"))
    check_request(request(search=2, changes={"epochs": 3, "batch_size": None}))
    check_request(request(changes=ALL, columns=Columns(label=None)))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "clasify"}, "no task is called 'clasify'"),
        ({"columns": Columns(text="label")}, "the column 'label' is both text and label, and would give"),
        ({"columns": Columns(pair="x", label="x")}, "the column 'x' is both text and label"),
        ({"columns": Columns(tag=0)}, "column 0 is both word and tag; name another with --word or --tag"),
        ({"build": "magic"}, "no model is built from 'magic'"),
        ({"seeds": 0}, "0 seeds; expected at least 1"),
        ({"limit": 0}, "limit is 0; expected at least 1 example"),
        ({"stride": 0}, "stride is 0; expected at least 1"),
        ({"augment": "magic"}, "augment is 'magic'; expected drop, swap, replace"),
        ({"device": "abacus"}, "device 'abacus' cannot be used here"),
        ({"method": "luck"}, "method 'luck'; expected grid, random or bayesian"),
        ({"search": -2}, "random search with -2 trials; expected at least 1"),
        (
            {"search": 2, "method": "grid"},
            "2 trials of a grid of 18 points, which is walked whole; ask for 18, or choose random",
        ),
        (
            {"search": 2, "changes": ALL},
            "nothing is left to search: batch_size, learning_rate, epochs are given; leave one out",
        ),
    ],
)
def test_what_is_wrong(fields, message):
    with pytest.raises(BertlibError, match=message):
        check_request(request(**fields))


def test_a_bayesian_search_without_optuna(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtraError, match="optuna is not installed"):
        check_request(request(search=2, method="bayesian"))


def test_no_more_trials_than_there_are():
    space = {"epochs": (2, 3)}
    assert trials_of(request(search=5), space) == trials_of(request(search=5, method="grid"), space) == 2
    assert trials_of(request(search=1), space) == 1
    assert trials_of(request(search=5, method="bayesian"), space) == 5
