"""Turns: medians of ratios, rounds that others disturbed, sides that keep their own time."""

from bertlib.bench.turns import Turns


def made(seconds, foreign):
    return Turns(sides={}, calls=2, seconds=seconds, foreign=foreign)


def test_a_ratio_is_the_median_of_the_rounds_ratios():
    turns = made({"a": [1.0, 2.0, 8.0], "b": [2.0, 8.0, 8.0]}, [0.0, 0.0, 0.0])
    assert turns.ratio("a", "b") == (2.0, 1.0, 4.0)
    assert turns.typical("b") == 4.0  # of two calls


def test_disturbed_rounds_are_left_out_and_named():
    turns = made({"a": [1.0, 1.0, 9.0], "b": [2.0, 2.0, 9.0]}, [0.0, 0.01, 0.5])
    assert turns.ratio("a", "b") == (2.0, 2.0, 2.0)
    assert "2 rounds" in turns.load_line()
    assert "1 disturbed" in turns.load_line()


def test_if_most_rounds_are_disturbed_all_of_them_count():
    turns = made({"a": [1.0, 1.0, 9.0]}, [0.0, 0.4, 0.5])
    assert turns.quiet == [0, 1, 2]
    assert "40%" in turns.load_line()


def test_every_side_has_its_turn_in_every_round():
    calls = []
    turns = Turns(sides={"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, calls=2)
    turns.round()
    turns.round()
    turns.add("c", 3.0)
    assert calls == ["a", "a", "b", "b"] * 2
    assert {name: len(times) for name, times in turns.seconds.items()} == {"a": 2, "b": 2, "c": 1}
