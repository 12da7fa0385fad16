"""Measured numbers: each file names its command and machine, and says what the prose says of it."""

import json
from pathlib import Path

import pytest

from bertlib.errors import InputError
from bertlib.lab import results
from bertlib.lab.exercises.pretraining import diagnose

FILES = sorted((Path(__file__).parents[2] / "book" / "results").glob("*.json"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_result_can_be_measured_again(file):
    found = json.loads(file.read_text(encoding="utf-8"))["provenance"]
    assert {"command", "seed", "device", "threads", "torch", "python"} <= set(found)
    assert found["command"].startswith(("python -m bertlib", "bertlib "))


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(InputError, match=r"no results 'brokn'; there are .*broken-runs"):
        results("brokn")


@pytest.fixture(scope="module")
def gallery():
    return results("broken-runs")


def last(gallery, name):
    run = next(run for run in gallery["runs"] if run["name"] == name)
    return run["train"]["mlm_loss"][-1], run["valid"]["mlm_loss"][-1], run["valid"]["nsp_accuracy"][-1]


def test_what_the_chapter_says_of_each_patient(gallery):
    unigram, start = gallery["unigram"], gallery["start"]
    seen, held, _ = last(gallery, "nothing hidden")
    assert seen < 0.1  # "at once and perfectly"
    assert held > start  # "hopeless"
    seen, held, _ = last(gallery, "every word")
    assert held - seen > 1  # "training too good, held-out late"
    seen, held, _ = last(gallery, "few documents")
    assert held - seen > 1  # "two curves that part company"
    assert abs(last(gallery, "rate x 20")[1] - unigram) < 0.2  # "flat on the unigram"
    assert unigram < last(gallery, "rate / 100")[1]  # "still above the line"
    large = next(run for run in gallery["runs"] if run["name"] == "large start")
    assert max(large["train"]["mlm_loss"]) > start + 5  # "starts far above ln V"
    assert abs(last(gallery, "large start")[1] - unigram) < 0.2  # "comes down to the unigram"


def test_shifted_verdicts_look_healthy_but_for_the_pairs(gallery):
    _, held, pairs = last(gallery, "wrong verdicts")
    _, healthy, healthy_pairs = last(gallery, "healthy")
    assert abs(held - healthy) < 0.15
    assert abs(pairs - 0.5) < 0.03
    assert healthy_pairs > 0.6


def test_the_exercise_names_the_illnesses_it_can_see(gallery):
    found = {
        run["name"]: diagnose(*last(gallery, run["name"])[:2], gallery["unigram"], gallery["start"])
        for run in gallery["runs"]
    }
    assert found["healthy"] == "healthy"
    assert found["nothing hidden"] == "cheating"
    assert found["few documents"] == "memorising"
    assert found["rate x 20"] == found["rate / 100"] == "stuck"
    # and the two about which, as the chapter says, it is wrong
    assert (found["every word"], found["large start"]) == ("memorising", "stuck")


def test_what_the_chapter_says_of_real_text():
    found = results("tiny-real-text")
    assert found["mlm_loss"] < 5.5
    assert found["accuracy"]["BERT"] > 2 * found["accuracy"]["bigram"]
    assert 0.2 < found["accuracy"]["BERT"] < 0.33  # "a quarter of the words"
