"""A model takes the place of another only if it is of the same task and data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bertlib.errors import CheckpointError
from bertlib.finetune.choice import ChoiceTask
from bertlib.finetune.classification import ClassificationTask
from bertlib.finetune.formats import Columns
from bertlib.finetune.qa import QuestionTask
from bertlib.finetune.replacing import check_labels, check_same, source_of
from bertlib.finetune.request import Request

TEXTS = ClassificationTask(labels=("a", "b"))


@pytest.fixture
def holding(tmp_path):
    """A folder whose ``task.json`` says these things."""

    def holding(task, **facts):
        values = {"kind": task.kind, "task": task.to_dict(), **facts}
        (tmp_path / "task.json").write_text(json.dumps(values))
        return tmp_path

    return holding


def request(out, name="classify", data="a.csv", **fields):
    return Request(name=name, out=out, data=None if data is None else Path(data), **fields)


def test_an_empty_folder_and_the_same_again(holding, tmp_path):
    check_same(request(tmp_path))
    check_labels(tmp_path, TEXTS)
    data = source_of(request(tmp_path))
    out = holding(TEXTS, name="classify", data=data, columns=Columns().to_dict())
    for same in ("a.csv", "./a.csv", Path("a.csv").resolve()):
        check_same(request(out, data=same))
    check_labels(out, TEXTS)
    out = holding(TEXTS, name="classify", columns=Columns().to_dict())  # does not say of which data
    check_same(request(out))
    out = holding(QuestionTask(null_threshold=2.0), name="story-questions", data=None)
    check_same(request(out, "story-questions", data=None))
    check_labels(out, QuestionTask())  # the threshold is tuned anew


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "sst2"}, "holds a model with task classify, and this one has task sst2; choose another"),
        ({"data": "b.csv"}, r"with data .*a\.csv, and this one has data .*b\.csv; choose another folder"),
        ({"columns": Columns(label="topic")}, "with label label, and this one has label topic"),
        ({"columns": Columns(language="zh")}, "with language en, and this one has language zh"),
    ],
)
def test_another_task_or_other_data(fields, message, holding, tmp_path):
    out = holding(TEXTS, name="classify", data=source_of(request(tmp_path)), columns=Columns().to_dict())
    with pytest.raises(CheckpointError, match=message):
        check_same(request(out, **fields))


def test_other_labels(holding):
    out = holding(TEXTS)
    with pytest.raises(CheckpointError, match="with labels a, b, and this one has labels a, c; choose ano"):
        check_labels(out, ClassificationTask(labels=("a", "c")))
    out = holding(ChoiceTask(choices=4))
    with pytest.raises(CheckpointError, match="with choices 4, and this one has choices 2"):
        check_labels(out, ChoiceTask(choices=2))
