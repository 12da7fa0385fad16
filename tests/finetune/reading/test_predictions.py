"""Predictions go out and come back, and only to the examples they were made for."""

import json

import pytest

from bertlib.data.examples import Answer, QuestionExample, TaggedExample, TextExample
from bertlib.errors import CorpusError, InputError
from bertlib.finetune.metrics import squad_scores
from bertlib.finetune.reading import check_out, read_predictions, write_predictions

QUESTIONS = [QuestionExample("?", "c", name=name) for name in "abc"]


def test_any_predictions(tmp_path):
    path = tmp_path / "predictions.jsonl"
    examples = [TaggedExample(("a", "b"), name=str(n)) for n in range(2)]
    write_predictions(path, examples, [("B-é", "O"), 0.5], task="tag", data="dev.conll")
    header, first, _ = path.read_text("utf8").splitlines()
    assert json.loads(header).items() > {"task": "tag", "data": "dev.conll"}.items()
    assert first == '{"name": "0", "prediction": ["B-é", "O"]}'
    assert read_predictions(path, examples) == [["B-é", "O"], 0.5]
    assert read_predictions(path, [one._replace(tags=("O", "O")) for one in examples[::-1]], task="tag") == [
        0.5,
        ["B-é", "O"],
    ]


def test_what_squads_script_reads(tmp_path):
    path = tmp_path / "predictions.json"
    write_predictions(path, QUESTIONS, ["Käse", "", "x"], task="squad")
    found = json.loads(path.read_text("utf8"))
    assert found == {"a": "Käse", "b": "", "c": "x"}
    assert squad_scores(found, {"a": ["käse"], "b": []})["exact"] == 1
    assert read_predictions(path, QUESTIONS[::-1], task="squad") == ["x", "", "Käse"]
    path.write_text('{"a": "Käse", "b": ""')
    with pytest.raises(CorpusError, match=r"predictions.json is no JSON .*; was it cut short"):
        read_predictions(path, QUESTIONS)
    path.write_text('["Käse"]')
    with pytest.raises(CorpusError, match="is a JSON list; expected an object of names and answers"):
        read_predictions(path, QUESTIONS)


def test_what_glues_leaderboard_reads(tmp_path):
    examples = [TextExample("a", "b", name=str(n)) for n in range(3)]
    path = tmp_path / "STS-B.tsv"
    write_predictions(path, examples, [-0.2, 2.50049, 7.0], task="stsb")
    assert path.read_text() == "index\tprediction\n0\t0.0\n1\t2.5\n2\t5.0\n"
    assert read_predictions(path, examples[::-1], task="stsb") == [5.0, 2.5, 0.0]
    write_predictions(path, examples, ["neutral", "entailment", "neutral"], task="mnli")
    assert path.read_text() == "index\tprediction\n0\tneutral\n1\tentailment\n2\tneutral\n"
    assert read_predictions(path, examples, task="mnli") == ["neutral", "entailment", "neutral"]
    for text, message in (
        ("0\t1\n1\t2\n", "has no column 'index'"),
        ("index\tprediction\n0\thigh\n", "line 2: the label is 'high'; expected a number"),
        ("index\tprediction\n0\t1\n0\t2\n", "line 3: the name '0' comes twice"),
        ("index\tprediction\n", r"holds 0 predictions, but none for 3 of 3 examples"),
    ):
        path.write_text(text)
        with pytest.raises(CorpusError, match=message):
            read_predictions(path, examples, task="stsb")


def test_names_that_promise_another_layout():
    for name, official in (("a.json", ".json"), ("a.tsv", ".tsv"), ("a.jsonl", ".tsv"), ("a", "")):
        check_out(name, official)
    message = r"a.tsv: a .tsv is for GLUE's submissions; name it a.jsonl, for a JSON object a line"
    with pytest.raises(InputError, match=message):
        check_out("a.tsv", ".json")
    with pytest.raises(InputError, match=r"a.json: a .json is for SQuAD's and CMRC's answers; name it"):
        check_out("a.json", "")


def test_predictions_of_another_data_set(tmp_path):
    path = tmp_path / "predictions"
    write_predictions(path, QUESTIONS, ["x"] * 3)
    others = [QuestionExample("?", "c", name=name) for name in "bcdefg"]
    message = (
        r"holds 3 predictions, but none for 4 of 6 examples \('d', 'e', 'f', and 1 more\); is it of another"
    )
    with pytest.raises(CorpusError, match=message):
        read_predictions(path, others)


def test_the_same_names_in_another_data_set(tmp_path):
    path = tmp_path / "said.jsonl"
    mine, others = ([TextExample(f"{word} {n}", name=str(n)) for n in range(2)] for word in ("my", "your"))
    write_predictions(path, mine, ["x", "y"], task="classify", data="my.csv")
    message = (
        r"is a predictions file for another data set \(my.csv\): the names are the same, the texts are not$"
    )
    with pytest.raises(CorpusError, match=message):
        read_predictions(path, others, task="classify")
    with pytest.raises(
        CorpusError, match=r"is a predictions file for another task: classify; expected sst2$"
    ):
        read_predictions(path, mine, task="sst2")
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))  # an older file says nothing
    assert read_predictions(path, others, task="sst2") == ["x", "y"]


def test_what_was_read_is_no_prediction(tmp_path):
    """A file that was cut after its first line is one JSON object, and holds nothing."""
    path = tmp_path / "said.jsonl"
    write_predictions(path, QUESTIONS, ["x"] * 3)
    path.write_text(path.read_text().splitlines(keepends=True)[0])
    with pytest.raises(CorpusError, match="holds 0 predictions, but none for 3 of 3 examples"):
        read_predictions(path, QUESTIONS)
    path.write_text('{"a": "x", "b": "x", "c": "x"}')
    with pytest.raises(CorpusError, match=r"line 1 is no prediction; .*scripts read is called NAME\.json"):
        read_predictions(path, QUESTIONS)


def test_labels_do_not_count(tmp_path):
    path = tmp_path / "said.jsonl"
    write_predictions(path, QUESTIONS, ["x"] * 3)
    answered = [one._replace(answers=(Answer("c", 0),)) for one in QUESTIONS]
    assert read_predictions(path, answered) == ["x"] * 3


def test_names_twice_and_left_over(tmp_path):
    path = tmp_path / "said.jsonl"
    write_predictions(path, QUESTIONS, ["x"] * 3)
    message = r"holds 3 predictions, and 1 of them for none of the 2 examples \('a'\); is it of another data"
    with pytest.raises(CorpusError, match=message):
        read_predictions(path, QUESTIONS[1:])
    path.write_text(path.read_text() + '{"name": "b", "prediction": "y"}\n')
    with pytest.raises(CorpusError, match="line 5: the name 'b' comes twice; expected one line each"):
        read_predictions(path, QUESTIONS)


def test_predictions_that_cannot_be_written(tmp_path):
    with pytest.raises(InputError, match="2 predictions for 3 examples"):
        write_predictions(tmp_path / "p", QUESTIONS, ["x", "y"])
    with pytest.raises(InputError, match="6 examples share 3 names"):
        write_predictions(tmp_path / "p", QUESTIONS * 2, ["x"] * 6)
    assert not list(tmp_path.iterdir())


def test_files_that_are_no_predictions(write):
    good = '{"name": "a", "prediction": 1}\n'
    for line in ("[]", "{", '{"name": "a"}', ""):
        with pytest.raises(CorpusError, match="line 2 is no prediction"):
            read_predictions(write("p.jsonl", good + line + "\n"), QUESTIONS)
