from __future__ import annotations

import dataclasses

import pytest

from bertlib.errors import InputError
from bertlib.history import TIMELINE
from bertlib.history.timeline import read_timeline


def test_from_weaver_to_our_days():
    assert len(TIMELINE) >= 25
    assert (TIMELINE[0].year, TIMELINE[-1].year) == (1949, 2024)
    years = {entry.name: entry.year for entry in TIMELINE}
    assert len(years) == len(TIMELINE)
    assert {years[name] for name in ("ELMo", "GPT", "BERT")} == {2018}


def test_nothing_builds_on_what_comes_later():
    years = {entry.name: entry.year for entry in TIMELINE}
    assert all(years[name] <= entry.year for entry in TIMELINE for name in entry.builds_on)
    bert = next(entry for entry in TIMELINE if entry.name == "BERT")
    assert {"Transformer", "GPT", "ELMo"} <= set(bert.builds_on)


def test_entries_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        TIMELINE[0].year = 1950


def test_lines_that_cannot_be_read():
    good = "1990 | A | who | what | key |\n"
    assert read_timeline(good + "1991 | B | w | x | k | A")[1].builds_on == ("A",)
    with pytest.raises(InputError, match=r"line 2 is '1991 \| B'; expected year"):
        read_timeline(good + "1991 | B")
    with pytest.raises(InputError, match=r"line 2 \(B\) comes too early"):
        read_timeline(good + "1989 | B | w | x | k |")
    with pytest.raises(InputError, match=r"line 2 \(B\) comes too early.*builds on C"):
        read_timeline(good + "1991 | B | w | x | k | C")
