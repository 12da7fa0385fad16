"""Predictions go out and come back, and only to the examples they were made for."""

import json

import pytest

from bertlib.data.examples import QuestionExample, TaggedExample
from bertlib.errors import CorpusError, InputError
from bertlib.finetune.metrics import squad_scores
from bertlib.finetune.reading import (
    read_predictions,
    read_squad_predictions,
    write_predictions,
    write_squad_predictions,
)

QUESTIONS = [QuestionExample("?", "c", name=name) for name in "abc"]


def test_squad_predictions(tmp_path):
    path = tmp_path / "predictions.json"
    write_squad_predictions(path, QUESTIONS, ["Käse", "", "x"])
    found = json.loads(path.read_text("utf8"))
    assert found == {"a": "Käse", "b": "", "c": "x"}
    assert squad_scores(found, {"a": ["käse"], "b": []})["exact"] == 1
    assert read_squad_predictions(path, QUESTIONS[::-1]) == ["x", "", "Käse"]
    assert read_squad_predictions(path, QUESTIONS[1:]) == ["", "x"]  # of a part


def test_any_predictions(tmp_path):
    path = tmp_path / "predictions.jsonl"
    examples = [TaggedExample(("a", "b"), name=str(n)) for n in range(2)]
    write_predictions(path, examples, [("B-é", "O"), 0.5])
    assert path.read_text("utf8").splitlines()[0] == '{"name": "0", "prediction": ["B-é", "O"]}'
    assert read_predictions(path, examples) == [["B-é", "O"], 0.5]


@pytest.mark.parametrize("kind", ["squad", "any"])
def test_predictions_of_another_data_set(tmp_path, kind):
    write, read = {
        "squad": (write_squad_predictions, read_squad_predictions),
        "any": (write_predictions, read_predictions),
    }[kind]
    path = tmp_path / "predictions"
    write(path, QUESTIONS, ["x"] * 3)
    others = [QuestionExample("?", "c", name=name) for name in "bcdefg"]
    message = (
        r"holds 3 predictions, but none for 4 of 6 examples \('d', 'e', 'f', and 1 more\); is it of another"
    )
    with pytest.raises(CorpusError, match=message):
        read(path, others)


def test_predictions_that_cannot_be_written(tmp_path):
    for write in (write_predictions, write_squad_predictions):
        with pytest.raises(InputError, match="2 predictions for 3 examples"):
            write(tmp_path / "p", QUESTIONS, ["x", "y"])
        with pytest.raises(InputError, match="6 examples share 3 names"):
            write(tmp_path / "p", QUESTIONS * 2, ["x"] * 6)
    assert not list(tmp_path.iterdir())


def test_files_that_are_no_predictions(write):
    for content in ("[]", '{"a": 1}', '{"data": []}'):
        with pytest.raises(
            CorpusError, match="is no predictions file; expected one JSON object of ids and answers"
        ):
            read_squad_predictions(write("p.json", content), QUESTIONS)
    good = '{"name": "a", "prediction": 1}\n'
    for line in ("[]", "{", '{"name": "a"}', ""):
        with pytest.raises(CorpusError, match="line 2 is no prediction"):
            read_predictions(write("p.jsonl", good + line + "\n"), QUESTIONS)
