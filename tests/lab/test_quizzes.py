import json
import sys
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from bertlib.errors import InputError
from bertlib.lab import cards, quiz
from bertlib.lab.questions import as_card_page, as_jupyterquiz, load
from bertlib.lab.results import folder_of

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "book" / "quizzes").glob("*.json"))
QUESTIONS = [
    (file.stem, language, number, question)
    for file in FILES
    for language, data in json.loads(file.read_text("utf8")).items()
    for number, question in enumerate(data["questions"])
]
each_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
each_question = pytest.mark.parametrize(
    ("name", "language", "number", "question"),
    QUESTIONS,
    ids=[f"{n}-{lang}-{i}" for n, lang, i, _ in QUESTIONS],
)


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """Displaying needs a running IPython."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


@each_question
def test_a_question_has_a_key_and_explains_every_option(name, language, number, question):
    answers = question["answers"]
    assert set(question) == {"question", "answers"}
    assert question["question"].strip()
    assert 2 <= len(answers) <= 6
    assert all(set(answer) == {"answer", "correct", "feedback"} for answer in answers)
    assert all(type(answer["correct"]) is bool for answer in answers)
    assert 1 <= sum(answer["correct"] for answer in answers) < len(answers)
    assert all(len(answer["feedback"].split()) >= 3 for answer in answers)
    assert len({answer["answer"] for answer in answers}) == len(answers)
    assert len({answer["feedback"] for answer in answers}) == len(answers)


@each_question
def test_a_question_with_several_right_answers_says_so(name, language, number, question):
    several = sum(answer["correct"] for answer in question["answers"]) > 1
    assert as_jupyterquiz(question)["type"] == ("many_choice" if several else "multiple_choice")
    if several and language == "en":
        assert "Several are" in question["question"]


@each_file
def test_a_quiz_has_eight_questions_and_some_cards(file):
    for data in json.loads(file.read_text("utf8")).values():
        assert set(data) == {"title", "questions", "cards"}
        assert len(data["questions"]) >= 8
        assert len(data["cards"]) >= 5
        assert all(set(card) == {"front", "back"} for card in data["cards"])
        assert all(card["front"].strip() and card["back"].strip() for card in data["cards"])
        assert len({card["front"] for card in data["cards"]}) == len(data["cards"])


@each_file
def test_the_right_answer_is_not_always_in_one_place(file):
    questions = load(file.stem)["questions"]
    places = [[answer["correct"] for answer in question["answers"]].index(True) for question in questions]
    assert len(set(places)) > 1


@each_file
def test_it_draws_the_same_every_time_and_asks_nobody(file, shell):
    def drawn():
        with capture_output() as captured:
            quiz(file.stem)
            cards(file.stem)
        return [dict(output.data) for output in captured.outputs]

    first = drawn()
    assert first == drawn()
    assert "cdn.jsdelivr.net" not in json.dumps(first)
    assert len(first) == 3  # the quiz has a page part and a script, the cards one page part


def test_unknown_quiz_names_the_known():
    with pytest.raises(InputError, match="input-embeddings"):
        load("nothing")


def test_a_missing_language_falls_back_to_english():
    assert load("input-embeddings", language="xx") == load("input-embeddings", language="en")


def test_the_data_is_found_in_a_checkout_and_in_an_installed_package(tmp_path, monkeypatch):
    assert folder_of("quizzes") == ROOT / "book" / "quizzes"
    package = tmp_path / "lab"
    (package / "quizzes").mkdir(parents=True)
    monkeypatch.setattr(sys.modules[folder_of.__module__], "__file__", str(package / "results.py"))
    assert folder_of("quizzes") == package / "quizzes"


def test_a_card_keeps_its_other_side_folded_and_its_brackets():
    page = as_card_page([{"front": "a < b?", "back": "yes & no"}])
    assert "<details><summary>a &lt; b?</summary><p>yes &amp; no</p></details>" in page
