"""Typed words become examples, verdicts become lines and JSON, and come back from JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from bertlib.data.examples import (
    ChoiceExample,
    IntentExample,
    QuestionExample,
    TaggedExample,
    TextExample,
)
from bertlib.errors import BertlibError, CorpusError, InputError
from bertlib.finetune.asking import adjusted, line_of, plain, read_for, read_verdicts, typed
from bertlib.finetune.choice import ChoiceTask
from bertlib.finetune.classification import ClassificationTask, RegressionTask
from bertlib.finetune.folder import FineTunedModel
from bertlib.finetune.formats import Columns, task_of
from bertlib.finetune.joint import IntentTask, Understood
from bertlib.finetune.qa import QuestionTask
from bertlib.finetune.reading import write_predictions
from bertlib.finetune.tagging import TaggingTask

TASKS = {
    "classification": ClassificationTask(labels=("a", "b")),
    "regression": RegressionTask(),
    "tagging": TaggingTask(tags=("B-X", "O")),
    "choice": ChoiceTask(choices=2),
    "intents": IntentTask(intents=("ask", "tell"), slots=("B-X", "O")),
    "question": QuestionTask(),
}


@pytest.mark.parametrize(
    ("kind", "text", "others", "example"),
    [
        ("classification", "so good", [], TextExample("so good", None, None, "typed")),
        ("regression", "a", ["b"], TextExample("a", "b", None, "typed")),
        ("tagging", "Anna's in York.", [], TaggedExample(("Anna", "'", "s", "in", "York", "."), None, "typed")),
        ("tagging", "安娜在York3。", [], TaggedExample(("安", "娜", "在", "York3", "。"), None, "typed")),
        ("choice", "So", ["one", "two"], ChoiceExample("So", ("one", "two"), None, "typed")),
        ("intents", "play it!", [], IntentExample(("play", "it", "!"), None, None, "typed")),
        ("question", "Who?", ["Anna."], QuestionExample("Who?", "Anna.", (), False, "typed")),
    ],
)  # fmt: skip
def test_typed_words(kind, text, others, example):
    assert typed(TASKS[kind], text, others) == example


@pytest.mark.parametrize(
    ("kind", "others", "message"),
    [
        ("classification", ["a", "b"], "2 times --and beside --text; expected a text with --text, and its"),
        ("tagging", ["a"], "1 time --and beside --text; expected a text with --text alone"),
        ("intents", ["a"], "expected a text with --text alone"),
        ("choice", ["a"], "expected the beginning with --text and 2 ends with --and"),
        ("question", [], "0 times --and beside --text; expected the question with --text and its context"),
    ],
)
def test_words_missing_or_too_many(kind, others, message):
    with pytest.raises(InputError, match=message):
        typed(TASKS[kind], "x", others)


def test_lines_for_people():
    sure = {"probabilities": {"a": 0.25, "b": 0.75}}
    assert line_of(TextExample("so good"), "b", sure) == "b (75.0%)  so good"
    assert line_of(TextExample("so good"), 2.345, {}) == "2.35  so good"
    assert line_of(TaggedExample(("in", "York")), ["O", "B-X"], {}) == "in York/B-X"
    more = {"probabilities": [0.1, 0.9]}
    assert line_of(ChoiceExample("So", ("one", "two")), 1, more) == "1: two (90.0%)  So"
    said = Understood("ask", ("O", "B-X"))
    more = {"probabilities": {"ask": 0.6, "tell": 0.4}, "filled": {"X": "it"}}
    assert line_of(IntentExample(("play", "it")), said, more) == "ask (60.0%)  X: it"
    assert line_of(IntentExample(("play", "it")), said, more | {"filled": {}}) == "ask (60.0%)"
    question = QuestionExample("Who?", "Anna.")
    assert line_of(question, "Anna", {}) == "Anna  Who?"
    assert line_of(question, "", {}) == "(no answer)  Who?"


def test_a_line_shows_both_texts_and_stays_a_line():
    sure = {"probabilities": {"a": 0.25, "b": 0.75}}
    assert line_of(TextExample("so good", "so\n bad"), "b", sure) == "b (75.0%)  so good | so bad"
    assert line_of(TextExample("x" * 99, "y" * 99), 2.0, {}) == f"2.00  {'x' * 39}… | {'y' * 39}…"
    assert line_of(TextExample("x" * 99), "b", sure) == f"b (75.0%)  {'x' * 79}…"


@pytest.fixture
def tuned(planted, body, tokenizer):
    def tuned(kind, **facts):
        task = task_of(planted(kind, 12), Columns())
        torch.manual_seed(0)
        return FineTunedModel(
            model=task.head(body).eval(), task=task, tokenizer=tokenizer, max_length=16, facts=facts
        )

    return tuned


@pytest.mark.parametrize("kind", TASKS)
def test_verdicts_there_and_back(kind, tuned, planted, tmp_path):
    model, examples = tuned(kind), planted(kind, 6)
    said, more = model.answers(examples)
    json.dumps(more)
    write_predictions(tmp_path / "said.jsonl", examples, [plain(verdict) for verdict in said])
    back = read_verdicts(model.task, tmp_path / "said.jsonl", examples)
    assert back == said
    assert model.task.score(back, examples) == model.task.score(said, examples)
    lines = [line_of(*three) for three in zip(examples, said, more, strict=True)]
    assert all(lines)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("tagging", "late"),
        ("regression", "late"),
        ("choice", "late"),
        ("intents", ["O"]),
        ("classification", 1),
        ("question", 0.5),
    ],
)
def test_predictions_of_another_kind_of_task(kind, said, planted, tmp_path):
    write_predictions(tmp_path / "said.jsonl", planted(kind, 2), [said, said])
    with pytest.raises(CorpusError, match=f"and this is {kind}; is it another task's file"):
        read_verdicts(TASKS[kind], tmp_path / "said.jsonl", planted(kind, 2))


def test_predictions_of_other_data(planted, tmp_path):
    write_predictions(tmp_path / "said.jsonl", planted("choice", 2), [0, 1])
    with pytest.raises(CorpusError, match=r"none for 1 of 3 examples \('2'\); is it of another"):
        read_verdicts(TASKS["choice"], tmp_path / "said.jsonl", planted("choice", 3))


def test_files_are_read_as_in_training(tuned, tmp_path):
    (tmp_path / "test.csv").write_text("body,topic\nso,x\n")
    columns = Columns(text="body", label="topic").to_dict()
    model = tuned("classification", name="classify", columns=columns)
    for source in (tmp_path, tmp_path / "test.csv"):
        assert read_for(model, source, "test", labels=True)[0] == TextExample("so", None, "x", "0")
        assert read_for(model, source, "test", labels=False)[0] == TextExample("so", None, None, "0")
    (tmp_path / "test.csv").write_text("body\nso\n")
    assert read_for(model, tmp_path, "test", labels=False) == [TextExample("so", None, None, "0")]
    with pytest.raises(CorpusError, match="no column 'topic'"):
        read_for(model, tmp_path, "test", labels=True)
    with pytest.raises(InputError, match="has no file for 'dev'; name the file itself"):
        read_for(model, tmp_path, "dev", labels=True)
    with pytest.raises(InputError, match="classify needs data"):
        read_for(model, None, "dev", labels=True)


def test_how_answers_are_chosen_is_for_questions(tuned):
    model = tuned("question")
    changed = adjusted(model, null_threshold=2.5, n_best=None)
    assert (changed.task.null_threshold, changed.task.n_best, changed.model) == (2.5, 20, model.model)
    assert adjusted(model, null_threshold=None) is model
    with pytest.raises(InputError, match="are for questions, and this is tagging; leave them out"):
        adjusted(tuned("tagging"), n_best=3)
    always = replace(model, task=QuestionTask())
    with pytest.raises(InputError, match=r"models that may answer nothing .*; leave it out"):
        adjusted(always, null_threshold=0.0)


def test_a_model_that_remembers_no_format(tuned, tmp_path):
    with pytest.raises(BertlibError, match="does not say how its data was read; ask it with --text"):
        read_for(tuned("classification"), tmp_path, "dev", labels=True)
