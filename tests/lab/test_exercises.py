"""Every check accepts the right answer and rejects, by name where it knows it, what people write instead."""

import pytest

from bertlib.lab import examine
from bertlib.lab.checking import try_case
from bertlib.lab.exercise import Exercise
from bertlib.lab.exercises import EXERCISES

PAIRS = [(exercise, mistake) for exercise in EXERCISES.values() for mistake in exercise.mistakes]
each = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)


@each
def test_the_reference_passes(exercise: Exercise):
    report = examine(exercise.name, exercise.reference)
    assert report.status == "right", report.text
    assert exercise.praise.split()[0] in report.text


@pytest.mark.parametrize(("exercise", "mistake"), PAIRS, ids=[f"{e.name}-{m.says[:40]}" for e, m in PAIRS])
def test_every_known_mistake_is_rejected_and_named(exercise: Exercise, mistake):
    report = examine(exercise.name, mistake.imitation)
    assert report.status == "wrong", report.text
    unbroken = " ".join(report.text.split())
    known = [other.says for other in exercise.mistakes if other.says in unbroken]
    because = [case.because for case in exercise.cases() if case.because and case.because in unbroken]
    assert mistake.says in known or because, report.text


@each
def test_at_least_two_wrong_answers_are_known(exercise: Exercise):
    assert len(exercise.mistakes) >= 2
    assert len({mistake.says for mistake in exercise.mistakes}) == len(exercise.mistakes)


@each
def test_no_case_is_for_decoration(exercise: Exercise):
    """Each input is needed by the right answer to be shown right, and differs from the others."""
    cases = exercise.cases()
    assert len({case.label for case in cases}) == len(cases) >= 2
    assert all(try_case(exercise, exercise.reference, case) is None for case in cases)


@each
def test_the_same_inputs_every_time(exercise: Exercise):
    first, second = exercise.cases(), exercise.cases()
    assert [str(case.arguments) for case in first] == [str(case.arguments) for case in second]


@each
def test_words_for_people(exercise: Exercise):
    assert 3 <= exercise.minutes <= 60
    assert len(exercise.hint) > 40
    assert all(
        mistake.says[0].islower() and mistake.says.endswith((".", "?")) for mistake in exercise.mistakes
    )
