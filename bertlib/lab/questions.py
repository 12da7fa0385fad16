"""``lab.quiz`` and ``lab.cards``: questions and cards from ``book/quizzes``, drawn in the page.

The data is keyed by language, so that a translation needs no code. What is drawn needs neither a
kernel nor the network; cards need no script either.
"""

from __future__ import annotations

import html
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bertlib.extras import need, show_html
from bertlib.lab.results import read_book

# White text on each of these has a contrast of at least 4.5 : 1, in light pages and dark ones.
QUIZ_COLOURS = {
    "--jq-multiple-choice-bg": "#1f4e6b",
    "--jq-many-choice-bg": "#5a3d6b",
    "--jq-correct-color": "#00694d",
    "--jq-incorrect-color": "#a33c00",
    "--jq-mc-button-bg": "#fbfaf7",
    "--jq-mc-button-border": "#8a8a8a",
    "--jq-text-color": "#ffffff",
}
# Smaller type than the libraries' own, feedback on a ground it can be read on, radios out of sight.
STYLE = """<style>
div.Quiz { font-size: 1.05rem; line-height: 1.4; margin-left: 0; max-width: 44rem; }
.Quiz .MCButton { font-size: .95rem; text-align: left; justify-content: flex-start; }
.Quiz .MCButton:focus-within { outline: 3px solid #e69f00; outline-offset: 2px; }
.Quiz .sr-only { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.Quiz .Feedback { font-size: .95rem; text-align: left; }
.Quiz .Feedback:not(:empty) { background: #fbfaf7; border-radius: 6px; padding: .5rem .8rem; }
</style>"""
CARD_STYLE = """<style>
.lab-cards { display: grid; gap: .7rem; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)); }
.lab-cards details, .bd-article .lab-cards details:not(.a):not(.b):not(.c) { background: #1f4e6b; color: #fff;
  border: 0; border-radius: 10px; margin: 0; min-height: 5.5rem; padding: .9rem 1.1rem; line-height: 1.4; }
.lab-cards details[open], .bd-article .lab-cards details[open]:not(.a):not(.b):not(.c) {
  background: #00694d; }
.lab-cards summary, .bd-article .lab-cards details:not(.a):not(.b):not(.c) > summary { cursor: pointer;
  font-weight: 600; margin: 0; padding: 0; color: #fff; }
.lab-cards summary:focus-visible { outline: 3px solid #e69f00; outline-offset: 3px; }
.lab-cards p { color: #fff; margin: .7rem 0 0; }
</style>"""


def load(name: str, *, language: str = "en") -> dict[str, Any]:
    """Read ``NAME.json``: ``{"en": {"title": …, "questions": […], "cards": […]}, "zh": …}``.

    A language that is not there yet falls back to English.

    Raises:
        InputError: no such quiz (the ones there are listed).
    """
    data = read_book("quizzes", name)
    return data.get(language, data["en"])


def quiz(name: str, *, language: str = "en") -> None:
    """Display the questions of ``NAME.json``; each answer explains itself when it is clicked.

    Raises:
        InputError: no such quiz.
        MissingExtraError: jupyterquiz is not installed.
    """
    questions = load(name, language=language)["questions"]
    jupyterquiz = need("jupyterquiz", extra="lab")
    with seeded(name):
        show_offline(
            lambda: jupyterquiz.display_quiz([as_jupyterquiz(q) for q in questions], colors=QUIZ_COLOURS)
        )


def cards(name: str, *, language: str = "en") -> None:
    """Display the cards of ``NAME.json``: click one, or press Enter on it, to see its other side.

    Raises:
        InputError: no such quiz.
    """
    show_html(as_card_page(load(name, language=language)["cards"]))


def as_card_page(deck: list[dict[str, str]]) -> str:
    """Return cards as HTML that needs no script: each is a question that opens."""
    faces = "".join(
        f"<details><summary>{html.escape(card['front'])}</summary><p>{html.escape(card['back'])}</p></details>"
        for card in deck
    )
    return f'{CARD_STYLE}<div class="lab-cards">{faces}</div>'


def as_jupyterquiz(question: dict[str, Any]) -> dict[str, Any]:
    """Add what jupyterquiz wants to know; one column, for the answers are sentences."""
    right = sum(answer["correct"] for answer in question["answers"])
    kind = "many_choice" if right > 1 else "multiple_choice"
    return {**question, "type": kind, "answer_cols": 1}


@contextmanager
def seeded(name: str) -> Iterator[None]:
    """Fix the ids that the libraries draw, without touching the reader's random numbers."""
    state = random.getstate()
    random.seed(name)
    try:
        yield
    finally:
        random.setstate(state)


def show_offline(draw: Callable[[], None]) -> None:
    """Display what ``draw`` displays, as one page part and one script, without the network.

    jupyterquiz fetches MathJax from a public server when it finds only half of one on the page, and
    stumbles when it is not there yet. Our questions have no formulas, so it shall not look for it.
    """
    display = need("IPython.display", extra="lab")
    capture = need("IPython.utils.capture", extra="lab").capture_output
    with capture() as drawn:
        draw()
    page = "".join(item.data.get("text/html", "") for item in drawn.outputs)
    script = "".join(item.data.get("application/javascript", "") for item in drawn.outputs)
    if page:
        display.display(display.HTML(STYLE + page))
        display.display(display.Javascript(without_fetching(script)))


def without_fetching(script: str) -> str:
    """Take out the line that would load MathJax from elsewhere, and all that waits for MathJax."""
    lines = [line for line in script.splitlines() if "cdn.jsdelivr.net" not in line]
    kept = "\n".join(line for line in lines if "document.head.appendChild(script)" not in line)
    return kept.replace("typeof MathJax", "typeof noFormulasHere")
