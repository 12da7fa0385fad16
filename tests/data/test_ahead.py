import threading

import pytest

from bertlib.data.ahead import Ahead


def test_the_next_is_being_made_while_this_one_is_used():
    begun = {number: threading.Event() for number in range(9)}

    def make(number):
        begun[number].set()
        return number**2

    ahead = Ahead(make)
    assert ahead(0) == 0
    assert begun[1].wait(timeout=10)
    assert not begun[2].is_set()


def test_each_is_made_once_in_order_and_again_after_a_jump_back():
    made = []
    ahead = Ahead(lambda number: made.append(number) or -number)
    assert [ahead(number) for number in (0, 0, 1, 2, 2, 0)] == [0, 0, -1, -2, -2, 0]
    assert made[:4] == [0, 1, 2, 3]
    assert made[4] == 0


def test_what_goes_wrong_in_the_thread_is_heard():
    ahead = Ahead(lambda number: 1 // number)
    with pytest.raises(ZeroDivisionError):
        ahead(0)
    assert ahead(1) == 1
