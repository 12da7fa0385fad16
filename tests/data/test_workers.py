import os
import subprocess

import psutil
import pytest

from bertlib.data.workers import map_in_order
from bertlib.errors import BertlibError


@pytest.mark.parametrize("workers", [1, 3])
def test_results_come_in_the_order_of_the_items(workers):
    assert list(map_in_order(abs, range(-200, 0), workers=workers)) == list(range(200, 0, -1))


def test_a_slow_first_item_still_comes_first():
    commands = ["sleep 0.3; echo one", "echo two", "echo three"]
    assert list(map_in_order(subprocess.getoutput, commands, workers=2)) == ["one", "two", "three"]


def test_items_are_read_only_a_few_ahead():
    taken = []
    items = (taken.append(i) or -i for i in range(1000))
    results = map_in_order(abs, items, workers=2)
    assert next(results) == 0
    assert len(taken) <= 5
    results.close()
    assert not psutil.Process().children()


def test_what_the_function_raises_is_raised_here():
    with pytest.raises(ValueError, match="invalid literal"):
        list(map_in_order(int, ["1", "x"], workers=2))


def test_a_dead_worker_is_reported():
    with pytest.raises(BertlibError, match="ended with code 7"):
        list(map_in_order(os._exit, [7], workers=2))
