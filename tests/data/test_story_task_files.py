"""The files of the story tasks are those of the public data sets: read back with the standard library."""

import csv
import json
from pathlib import Path

import pytest

from bertlib.data.story.tasks import story_task, write_story_task
from bertlib.errors import InputError

SIZES = {"train": 12, "dev": 7, "test": 5}
LANGUAGES = pytest.mark.parametrize("language", ["en", "zh"])


def written(folder: Path, name: str, language: str) -> Path:
    return write_story_task(folder / name, name, sizes=SIZES, seed=4, language=language)


def made(name: str, split: str, language: str):
    return story_task(name, split=split, size=SIZES[split], seed=4, language=language)


def table(path: Path) -> list[dict[str, str]]:
    header, *rows = [line.split("\t") for line in path.read_text("utf-8").splitlines()]
    return [dict(zip(header, row, strict=True)) for row in rows]


@LANGUAGES
def test_glue(tmp_path: Path, language: str) -> None:
    rows = table(written(tmp_path, "sentiment", language) / "dev.tsv")
    assert [(r["sentence"], ("negative", "positive")[int(r["label"])]) for r in rows] == [
        (e.first, e.label) for e in made("sentiment", "dev", language)
    ]
    rows = table(written(tmp_path, "entailment", language) / "dev_matched.tsv")
    assert [(r["sentence1"], r["sentence2"], r["gold_label"]) for r in rows] == [
        (e.first, e.second, e.label) for e in made("entailment", "dev", language)
    ]
    rows = table(written(tmp_path, "similarity", language) / "train.tsv")
    assert [(r["sentence1"], r["sentence2"], float(r["score"])) for r in rows] == [
        (e.first, e.second, e.label) for e in made("similarity", "train", language)
    ]


@LANGUAGES
def test_conll(tmp_path: Path, language: str) -> None:
    text = (written(tmp_path, "entities", language) / "test.txt").read_text("utf-8")
    blocks = [[line.split(" ") for line in block.splitlines()] for block in text.split("\n\n")]
    assert [tuple(zip(*block, strict=True)) for block in blocks] == [
        (e.words, e.tags) for e in made("entities", "test", language)
    ]


@LANGUAGES
def test_squad(tmp_path: Path, language: str) -> None:
    squad = json.loads((written(tmp_path, "questions", language) / "train.json").read_text("utf-8"))
    assert squad["version"] == "v2.0"
    for paragraph, example in zip(
        squad["data"][0]["paragraphs"], made("questions", "train", language), strict=True
    ):
        (asked,) = paragraph["qas"]
        assert (asked["id"], asked["question"], asked["is_impossible"]) == (
            example.name, example.question, example.impossible,
        )  # fmt: skip
        for answer in asked["answers"]:
            start = answer["answer_start"]
            assert paragraph["context"][start : start + len(answer["text"])] == answer["text"]


@LANGUAGES
def test_swag(tmp_path: Path, language: str) -> None:
    with (written(tmp_path, "choices", language) / "val.csv").open(encoding="utf-8", newline="") as page:
        rows = list(csv.DictReader(page))
    assert [
        (r["sent1"], tuple(r[f"ending{i}"] for i in range(4)), int(r["label"]), r["sent2"]) for r in rows
    ] == [(e.prompt, e.choices, e.label, "") for e in made("choices", "dev", language)]


@LANGUAGES
def test_snips(tmp_path: Path, language: str) -> None:
    folder = written(tmp_path, "intents", language)
    lines = [
        (folder / "valid" / name).read_text("utf-8").splitlines() for name in ("seq.in", "seq.out", "label")
    ]
    assert [
        (tuple(said.split()), tuple(slots.split()), intent)
        for said, slots, intent in zip(*lines, strict=True)
    ] == [(e.words, e.slots, e.intent) for e in made("intents", "dev", language)]


def test_nothing_is_written_for_a_task_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no story task 'news'"):
        write_story_task(tmp_path / "news", "news")
    assert not list(tmp_path.iterdir())
