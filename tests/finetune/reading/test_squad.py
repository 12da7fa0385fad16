"""SQuAD's JSON: places of answers, titles, missing keys, and the published files."""

import copy
import json

import pytest

from bertlib.data.examples import Answer, QuestionExample
from bertlib.errors import CorpusError
from bertlib.finetune.reading import read_squad

CONTEXT = "Paris is in France ."
FILE = {
    "version": "v2.0",
    "data": [
        {
            "title": "Paris",
            "paragraphs": [
                {
                    "context": CONTEXT,
                    "qas": [
                        {
                            "id": "a",
                            "question": "Where is Paris?",
                            "answers": [
                                {"text": "France", "answer_start": 12},
                                {"text": " in France ", "answer_start": 8},
                                {"text": "France", "answer_start": 11},
                                {"text": "Gaul", "answer_start": -1},
                            ],
                        },
                        {"id": "b", "question": "Who?", "answers": [], "is_impossible": True},
                    ],
                }
            ],
        },
        {
            "title": "Rome",
            "paragraphs": [{"context": "Rome.", "qas": [{"id": "c", "question": "What?"}]}],
        },
    ],
}


def numbers(read):
    """Questions, impossible ones, answers, and answers that are not at their place."""
    starts = [answer.start for example in read for answer in example.answers]
    return len(read), sum(example.impossible for example in read), len(starts), starts.count(-1)


def test_by_hand(write):
    read = read_squad(write("dev.json.gz", json.dumps(FILE)))
    places = (Answer("France", 12), Answer("in France", 9), Answer("France", -1), Answer("Gaul", -1))
    assert read == [
        QuestionExample("Where is Paris?", CONTEXT, places, False, "a"),
        QuestionExample("Who?", CONTEXT, (), True, "b"),
        QuestionExample("What?", "Rome.", (), False, "c"),
    ]
    assert numbers(read) == (3, 1, 4, 2)


def test_titles(write):
    path = write("dev.json", json.dumps(FILE))
    assert [e.name for e in read_squad(path, titles=["Rome"])] == ["c"]
    with pytest.raises(CorpusError, match=r"no article 'Pariss' among its 2; did you mean 'Paris'?"):
        read_squad(path, titles=["Rome", "Pariss"])


@pytest.mark.parametrize(
    ("place", "key", "message"),
    [
        ([], "data", "expected a list under 'data', as in SQuAD; found keys 'version'"),
        (["data", 1], "paragraphs", r"data\[1\]: expected a list under 'paragraphs', .* keys 'title'"),
        (
            ["data", 0, "paragraphs", 0],
            "context",
            r"data\[0\]\.paragraphs\[0\]: expected a text under 'context'",
        ),
        (["data", 0, "paragraphs", 0, "qas", 1], "id", r"qas\[1\]: expected a text under 'id'"),
        (
            ["data", 0, "paragraphs", 0, "qas", 0, "answers", 3],
            "answer_start",
            r"qas\[0\]\.answers\[3\]: expected a whole number under 'answer_start'",
        ),
    ],
)
def test_a_missing_key_is_named_with_its_place(write, place, key, message):
    file = copy.deepcopy(FILE)
    thing = file
    for step in place:
        thing = thing[step]
    del thing[key]
    with pytest.raises(CorpusError, match=message):
        read_squad(write("dev.json", json.dumps(file)))


@pytest.mark.parametrize(("found", "said"), [(7, "a whole number"), (0.5, "a number"), (None, "null")])
def test_a_value_of_another_kind_is_named(write, found, said):
    file = copy.deepcopy(FILE)
    file["data"][0]["paragraphs"][0]["qas"][1]["id"] = found
    with pytest.raises(CorpusError, match=rf"expected a text under 'id', as in SQuAD; found {said}$"):
        read_squad(write("dev.json", json.dumps(file)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (json.dumps(FILE)[:-9], "is no JSON .*; was it cut short"),
        ("[]", "expected a list under 'data', as in SQuAD; found a list"),
        ('{"data": []}', "holds no examples"),
        ('{"data": ["x"]}', r"data\[0\]: expected a list under 'paragraphs', as in SQuAD; found a text"),
    ],
)
def test_other_files(write, content, message):
    with pytest.raises(CorpusError, match=message):
        read_squad(write("dev.json", content))


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "report"),
    [
        ("squad_v1.1/dev-v1.1", (10570, 0, 34726, 0)),
        pytest.param("squad_v1.1/train-v1.1", (87599, 0, 87599, 0), marks=pytest.mark.slow),
        ("squad_v2.0/dev-v2.0", (11873, 5945, 20302, 0)),
        ("xquad/xquad.en", (1190, 0, 1190, 0)),
        ("xquad/xquad.zh", (1190, 0, 1190, 0)),
        ("cmrc2018/cmrc2018_dev", (3219, 0, 9657, 200)),
        ("cmrc2018/cmrc2018_trial", (1002, 0, 1002, 5)),
    ],
)
def test_published_files(shared_data, name, report):
    """Questions, impossible ones, answers and misplaced ones as the data's own description counts them."""
    read = read_squad(shared_data / f"{name}.json.xz")
    assert numbers(read) == report
    for example in read:
        for text, start in example.answers:
            assert start == -1 or example.context[start : start + len(text)] == text


@pytest.mark.data
def test_the_suggested_split_of_squad_2(shared_data):
    titles = json.loads((shared_data / "squad_v2.0" / "split_suggestion.json").read_text())
    path = shared_data / "squad_v2.0" / "dev-v2.0.json.xz"
    held_out = read_squad(path, titles=titles["eval_titles"])
    assert numbers(held_out)[:2] == (2965, 1506)
    assert len(read_squad(path, titles=titles["train_titles"])) == 11873 - 2965
