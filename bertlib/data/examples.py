"""What the tasks' files hold, once read: one kind of example for each kind of task.

A label is None where the file does not tell it (a test set). Labels stay the words of the file: which number
stands for which is the task's affair.
"""

from __future__ import annotations

from typing import NamedTuple


class TextExample(NamedTuple):
    """A text, or a pair of texts, and what is to be said about it (GLUE, IMDB, any table)."""

    first: str
    second: str | None = None
    label: str | float | None = None  # a number where a number is asked for, as in STS-B
    name: str = ""  # the file's own id, or the number of the row


class TaggedExample(NamedTuple):
    """A sentence cut into words, and a tag for each (CoNLL-2003, WNUT-17)."""

    words: tuple[str, ...]
    tags: tuple[str, ...] | None = None
    name: str = ""


class Answer(NamedTuple):
    """A stretch of a context: ``context[start:start + len(text)] == text``; a start of -1: not there."""

    text: str
    start: int


class QuestionExample(NamedTuple):
    """A question about a context (SQuAD); without answers if nobody knows or there is none."""

    question: str
    context: str
    answers: tuple[Answer, ...] = ()
    impossible: bool = False  # True: it is known that the context holds no answer (SQuAD 2.0)
    name: str = ""


class ChoiceExample(NamedTuple):
    """A beginning and several ends, one of which is right (SWAG, CODAH, COPA)."""

    prompt: str
    choices: tuple[str, ...]
    label: int | None = None  # the place of the right one, from 0
    name: str = ""


class IntentExample(NamedTuple):
    """What somebody says, what they want, and a slot tag for each word (Snips)."""

    words: tuple[str, ...]
    slots: tuple[str, ...] | None = None
    intent: str | None = None
    name: str = ""


Example = TextExample | TaggedExample | QuestionExample | ChoiceExample | IntentExample
