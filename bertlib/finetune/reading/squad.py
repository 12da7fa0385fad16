"""Questions about contexts in SQuAD's JSON: SQuAD 1.1 and 2.0, XQuAD, CMRC 2018 in SQuAD's style."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from bertlib.data.examples import Answer, QuestionExample
from bertlib.errors import CorpusError
from bertlib.finetune.reading.opening import listed, nearest, open_text, some

# what JSON can hold, in words
KINDS = {
    list: "a list", str: "a text", int: "a whole number", float: "a number", dict: "an object",
    bool: "true or false", type(None): "null",
}  # fmt: skip
MISPLACED = -1  # the start of an answer that is not where the file says


def read_squad(path: str | Path, *, titles: Collection[str] | None = None) -> list[QuestionExample]:
    """Read questions, contexts and answers, plain, ``.gz`` or ``.xz``.

    An answer that is not at its place in the context keeps its text, for scoring, and gets the start -1: no
    position to train on. Blanks around an answer are forgiven. Questions without answers that are not marked
    as impossible (a test set) have none.

    Args:
        path: a JSON file in the layout of SQuAD 1.1 or 2.0.
        titles: keep the articles with these titles only; None: all.

    Raises:
        CorpusError: a file that cannot be read or has no questions; a key that is missing, with its place;
            titles that the file does not have.
    """
    articles = inside(read_json(path), "data", list, str(path))
    if titles is not None:
        articles = select_titles(articles, titles, path)
    return some(
        [example for place, article in enumerate(articles) for example in questions(article, place, path)],
        path,
    )


def read_json(path: str | Path) -> Any:
    """Read a JSON file.

    Raises:
        CorpusError: as :func:`open_text`; it is no JSON.
    """
    with open_text(path) as lines:
        text = lines.read()
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise CorpusError(f"{path} is no JSON ({error}); was it cut short?") from None


def select_titles(articles: Sequence[Any], titles: Collection[str], path: str | Path) -> list[Any]:
    """Return the articles with these titles.

    Raises:
        CorpusError: a title that none of them has.
    """
    found = [inside(article, "title", str, f"{path}: data[{i}]") for i, article in enumerate(articles)]
    missing = sorted(set(titles) - set(found))
    if missing:
        raise CorpusError(
            f"{path} has no article {listed(missing, 3)} among its {len(found)}{nearest(missing[0], found)}"
        )
    return [article for article, title in zip(articles, found, strict=True) if title in titles]


def questions(article: Any, place: int, path: str | Path) -> Iterator[QuestionExample]:
    """Yield the questions of one article."""
    where = f"{path}: data[{place}]"
    for i, paragraph in enumerate(inside(article, "paragraphs", list, where)):
        here = f"{where}.paragraphs[{i}]"
        context = inside(paragraph, "context", str, here)
        for j, question in enumerate(inside(paragraph, "qas", list, here)):
            at = f"{here}.qas[{j}]"
            yield QuestionExample(
                question=inside(question, "question", str, at),
                context=context,
                answers=answers(question, context, at),
                impossible=bool(question.get("is_impossible", False)),
                name=inside(question, "id", str, at),
            )


def answers(question: Any, context: str, where: str) -> tuple[Answer, ...]:
    """Return the answers to a question; a test set may have none."""
    if "answers" not in question:
        return ()
    return tuple(
        put_in_place(
            inside(answer, "text", str, f"{where}.answers[{k}]"),
            inside(answer, "answer_start", int, f"{where}.answers[{k}]"),
            context,
        )
        for k, answer in enumerate(inside(question, "answers", list, where))
    )


def put_in_place(text: str, start: int, context: str) -> Answer:
    """Return an answer without blanks around it, at its place in the context if it is there.

    Example:
        >>> put_in_place(" Paris ", 5, "It is Paris .")
        Answer(text='Paris', start=6)
        >>> put_in_place("Paris", 0, "It is Paris .")
        Answer(text='Paris', start=-1)
    """
    bare = text.strip()
    for place in (start + len(text) - len(text.lstrip()), start):
        if bare and place >= 0 and context.startswith(bare, place):
            return Answer(bare, place)
    return Answer(bare, MISPLACED)


def inside(thing: Any, key: str, kind: type, where: str) -> Any:
    """Return what stands under a key.

    Raises:
        CorpusError: nothing of that kind; what stands there instead.
    """
    found = thing.get(key) if isinstance(thing, dict) else None
    if isinstance(found, kind):
        return found
    if isinstance(thing, dict) and key not in thing:
        has = f"keys {listed(list(thing))}"
    else:
        has = KINDS[type(found if isinstance(thing, dict) else thing)]
    raise CorpusError(f"{where}: expected {KINDS[kind]} under {key!r}, as in SQuAD; found {has}")
