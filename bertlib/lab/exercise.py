"""What an exercise is: some inputs, a right answer for each, and the mistakes people make.

A mistake is kept as a small wrong function. When a reader's answer equals the wrong function's
answer, the report can name the mistake instead of pointing at a number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from functools import partial
from typing import Any, Literal

Difficulty = Literal["easy", "medium", "hard"]


@dataclass(frozen=True)
class Case:
    """One thing to try.

    Attributes:
        label: what is tried, in a few words, as it stands in the report.
        arguments: the input, by parameter name; handed over in this order.
        raises: the error that the reader's code must raise here; None: it must return.
        because: why this case is tried; said when it fails.
    """

    label: str
    arguments: Mapping[str, Any]
    _: KW_ONLY
    raises: type[Exception] | None = None
    because: str = ""


@dataclass(frozen=True)
class Mistake:
    """A mistake worth knowing by name.

    Attributes:
        says: the sentence that the reader gets to see.
        imitation: the wrong function; it takes the same arguments as the right one.
    """

    says: str
    imitation: Callable[..., Any]


def flawed(reference: Callable[..., Any], says: Mapping[str, str]) -> tuple[Mistake, ...]:
    """Return the mistakes that a reference can make itself when it is told which.

    Args:
        reference: a function that takes the name of a flaw as its keyword ``flaw``, or a class that finds
            it in its attribute ``flaw``; without a name it is right.
        says: for each name the sentence that the reader gets to see.
    """
    if isinstance(reference, type):
        return tuple(Mistake(s, type("Version", (reference,), {"flaw": flaw})) for flaw, s in says.items())
    return tuple(Mistake(s, partial(reference, flaw=flaw)) for flaw, s in says.items())


def call_it(reader: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Call the reader's function with the arguments in their order."""
    return reader(*arguments.values())


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """One thing for the reader to write, and how it is checked.

    Attributes:
        name: the name that ``lab.check`` looks up.
        difficulty: easy, medium or hard.
        minutes: how long it takes most people.
        hint: one nudge; never the answer.
        praise: what is said when everything is as expected.
        reference: the right function, written independently of the chapter's solution.
        cases: makes the inputs afresh, the same ones every time.
        returns: names of the returned values, when there are several.
        mistakes: wrong functions that are recognised by their answers.
        run: how the reader's object is called; modules are built and filled here.
    """

    name: str
    difficulty: Difficulty
    minutes: int
    hint: str
    praise: str
    reference: Callable[..., Any]
    cases: Callable[[], Sequence[Case]]
    returns: tuple[str, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    run: Callable[[Callable[..., Any], Mapping[str, Any]], Any] = field(default=call_it)
