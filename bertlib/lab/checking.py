"""``lab.check``: try the reader's function, and say what was tried, what was expected, what came."""

from __future__ import annotations

import copy
import difflib
import dis
import linecache
import textwrap
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from bertlib.errors import InputError
from bertlib.lab.compare import MOST_ROWS, first_difference, pretty
from bertlib.lab.exercise import Case, Exercise
from bertlib.lab.exercises import EXERCISES
from bertlib.lab.keeping import code_holders
from bertlib.lab.mine import keep_part
from bertlib.lab.patience import PATIENCE, TooLongError, patience

Status = Literal["right", "not yet", "wrong", "error"]
MARKS: dict[Status, str] = {"right": "✔", "not yet": "○", "wrong": "✘", "error": "✘"}
WIDTH = 76  # characters: what fits beside the page's margins
NOTHING_DONE = {"RESUME", "LOAD_CONST", "RETURN_CONST", "RETURN_VALUE", "NOP", "POP_TOP", "COPY_FREE_VARS"}


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a check found: ``text`` is what the reader sees."""

    name: str
    status: Status
    text: str


def check(name: str, reader: Callable[..., Any]) -> None:
    """Try ``reader`` on the exercise called ``name`` and print what happened.

    Never raises for anything the reader wrote: a stub that has not been touched is "not yet", an
    error is shown with the line it came from. A right answer that is a part of BERT is kept beside the
    notebook, for :func:`bertlib.lab.my_bert`.

    Raises:
        InputError: there is no such exercise (the nearest names are given).

    Example:
        >>> check("pack", lambda first, second: ...)
        ○ pack: not yet (easy, 5 minutes).
          Stuck? lab.hint("pack")
    """
    found = examine(name, reader)
    print(found.text)
    note = keep_part(name, reader) if found.status == "right" else ""
    if note:
        print(note)


def hint(name: str) -> None:
    """Print one nudge for the exercise called ``name``."""
    print(textwrap.fill(find(name).hint, width=WIDTH))


def find(name: str) -> Exercise:
    """Return the exercise called ``name``.

    Raises:
        InputError: there is none; the nearest names are given.
    """
    if name in EXERCISES:
        return EXERCISES[name]
    near = difflib.get_close_matches(name, EXERCISES, n=3) or sorted(EXERCISES)
    raise InputError(f"there is no exercise {name!r}; did you mean {' or '.join(repr(n) for n in near)}?")


def examine(name: str, reader: Callable[..., Any]) -> Report:
    """Do what ``check`` does, and return the report instead of printing it."""
    exercise = find(name)
    cases = exercise.cases()
    for number, case in enumerate(cases):
        failure = try_case(exercise, reader, case)
        if failure is not None:
            return failure if number == 0 else with_passed(failure, number)
    tried = "; ".join(case.label for case in cases)
    praise = [textwrap.fill(exercise.praise, width=WIDTH)]
    return report(exercise, "right", f"{len(cases)} tries, all as expected.", block("tried", tried), praise)


def try_case(exercise: Exercise, reader: Callable[..., Any], case: Case) -> Report | None:
    """Try one input; return a report when something is wrong with the answer, else None."""
    given = copy.deepcopy(dict(case.arguments))
    try:
        with patience():
            got = exercise.run(reader, given)
    except TooLongError:
        return too_long(exercise, case)
    except NotImplementedError:
        return not_yet(exercise)
    except Exception as error:  # whatever the reader's code raises belongs into the report
        if case.raises and isinstance(error, case.raises):
            return None
        return failed(exercise, reader, case, error)
    if got is None or got is Ellipsis:
        return not_yet(exercise) if is_stub(reader) else forgot_return(exercise, case)
    if case.raises:
        return should_raise(exercise, case, got)
    changed = [key for key, value in case.arguments.items() if first_difference(value, given[key])]
    if changed:
        return changed_input(exercise, case, changed[0])
    expected = exercise.run(exercise.reference, copy.deepcopy(dict(case.arguments)))
    difference = compare(exercise, expected, got)
    return None if difference is None else differs(exercise, case, expected, got, difference)


def compare(exercise: Exercise, expected: Any, got: Any) -> str | None:
    """Find the first difference; when several values are returned, name the one that differs."""
    if not exercise.returns:
        return first_difference(expected, got)
    if not isinstance(got, tuple | list) or len(got) != len(exercise.returns):
        return f"expected {len(exercise.returns)} values: {', '.join(exercise.returns)}"
    for name, right, mine in zip(exercise.returns, expected, got, strict=True):
        difference = first_difference(right, mine)
        if difference:
            return f"{name}, {difference}"
    return None


def diagnose(exercise: Exercise, case: Case, got: Any) -> str | None:
    """Return the sentence of the first known mistake that gives exactly this answer."""
    for mistake in exercise.mistakes:
        try:
            answer = exercise.run(mistake.imitation, copy.deepcopy(dict(case.arguments)))
        except Exception:  # an imitation need not survive every input
            continue
        if compare(exercise, answer, got) is None:
            return mistake.says
    return None


def is_stub(reader: Callable[..., Any]) -> bool:
    """Tell whether a function's body does nothing at all (``...``, ``pass`` or a docstring)."""
    codes = [item.__code__ for item in code_holders(reader)]
    return any(all(step.opname in NOTHING_DONE for step in dis.get_instructions(code)) for code in codes)


# The sentences of a report. ----------------------------------------------------------------------


def report(exercise: Exercise, status: Status, message: str, *parts: list[str]) -> Report:
    """Put a report together: a mark, the name and the verdict, then the lines of all parts."""
    lines = [f"{MARKS[status]} {exercise.name}: {message}", *(line for part in parts for line in part)]
    return Report(name=exercise.name, status=status, text="\n".join(lines))


def block(title: str, text: str) -> list[str]:
    """Return lines with a title to the left and the text in a column of its own."""
    lines: list[str] = []
    for line in text.splitlines():
        lines += textwrap.wrap(line, width=WIDTH - 14, drop_whitespace=False, break_on_hyphens=False) or [""]
    return [f"  {title if number == 0 else '':<10} {line}".rstrip() for number, line in enumerate(lines)]


def given_block(case: Case) -> list[str]:
    """Return the lines that show the input."""
    return block("tried", f"{case.label}\n{named(case.arguments, most_rows=4)}")


def named(values: Mapping[str, Any], *, most_rows: int = MOST_ROWS) -> str:
    """Return "name  value" lines, values in one column."""
    width = max((len(name) for name in values), default=0)
    lines: list[str] = []
    for name, value in values.items():
        for number, line in enumerate(pretty(value, most_rows=most_rows).splitlines()):
            lines.append(f"{name if number == 0 else '':<{width}}  {line}")
    return "\n".join(lines)


def shown(exercise: Exercise, value: Any) -> str:
    """Return a result as text, its parts with their names."""
    if exercise.returns and isinstance(value, tuple | list) and len(value) == len(exercise.returns):
        return named(dict(zip(exercise.returns, value, strict=True)))
    return pretty(value)


def not_yet(exercise: Exercise) -> Report:
    """Report an untouched stub."""
    effort = f"not yet ({exercise.difficulty}, {exercise.minutes} minutes)."
    return report(exercise, "not yet", effort, [f'  Stuck? lab.hint("{exercise.name}")'])


def forgot_return(exercise: Exercise, case: Case) -> Report:
    """Report a function that works and then says nothing."""
    message = "your function came back with None. Does it end with `return`?"
    return report(exercise, "wrong", message, given_block(case))


def too_long(exercise: Exercise, case: Case) -> Report:
    """Report a function that was still at work when patience ended."""
    message = f"still at work after {PATIENCE:.0f} seconds, so it was stopped. A loop that never ends?"
    return report(exercise, "error", message, given_block(case), why(case))


def should_raise(exercise: Exercise, case: Case, got: Any) -> Report:
    """Report an input that should have been refused."""
    assert case.raises is not None
    found = block("expected", f"a {case.raises.__name__}") + block("came", "an answer, as if all were well")
    message = "one input should have been refused."
    return report(exercise, "wrong", message, given_block(case), found, reason(exercise, case, got))


def changed_input(exercise: Exercise, case: Case, argument: str) -> Report:
    """Report a function that alters what it was given."""
    message = f"your function changed `{argument}`, which belongs to the caller. Work on a copy."
    return report(exercise, "wrong", message, given_block(case))


def differs(exercise: Exercise, case: Case, expected: Any, got: Any, difference: str) -> Report:
    """Report an answer that is not the expected one, with the likely reason if it is a known one."""
    found = block("expected", shown(exercise, expected)) + block("came", shown(exercise, got))
    found += block("look at", difference)
    return report(exercise, "wrong", "not right yet.", given_block(case), found, reason(exercise, case, got))


def reason(exercise: Exercise, case: Case, got: Any) -> list[str]:
    """Return the mistake by its name when it is a known one, else why this input was tried."""
    known = diagnose(exercise, case, got)
    return [textwrap.fill(f"It looks as though {known}", width=WIDTH)] if known else why(case)


def why(case: Case) -> list[str]:
    """Return the reason for trying this input, if there is one to tell."""
    return [textwrap.fill(case.because, width=WIDTH)] if case.because else []


def failed(exercise: Exercise, reader: Callable[..., Any], case: Case, error: Exception) -> Report:
    """Report an error in the reader's code with the line it came from."""
    line = reader_line(reader, error)
    found = block("your line", line) if line else []
    if case.raises:
        found += block("expected", f"a {case.raises.__name__}")
    message = f"an error stopped it: {type(error).__name__}: {error}"
    return report(exercise, "error", message, found, given_block(case), why(case))


def reader_line(reader: Callable[..., Any], error: Exception) -> str | None:
    """Return the last line of the reader's own code on the way to the error."""
    files = {item.__code__.co_filename for item in code_holders(reader)}
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename in files and f.lineno]
    if not frames:
        return None
    last = frames[-1]
    return (last.line or linecache.getline(last.filename, last.lineno or 0)).strip() or None


def with_passed(failure: Report, count: int) -> Report:
    """Add, before a failure, how many inputs went well: half a success is one too."""
    first, _, rest = failure.text.partition("\n")
    good = f"  {count} {'try' if count == 1 else 'tries'} before this one came out as expected."
    return replace(failure, text="\n".join([first, good, rest]).rstrip())
