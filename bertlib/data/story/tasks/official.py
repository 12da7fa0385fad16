"""Tasks as files, each in the format of a public data set, so that whatever reads that one reads this."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from bertlib.data.story.tasks.sentiment import LABELS
from bertlib.data.story.tasks.source import SPLITS
from bertlib.data.story.tasks.tasks import story_task
from bertlib.files import new_folder, write_text

SIZES: Mapping[str, int] = MappingProxyType({"train": 800, "dev": 400, "test": 400})
_SWAG = (
    "video-id", "fold-ind", "startphrase", "sent1", "sent2", "gold-source",
    "ending0", "ending1", "ending2", "ending3", "label",
)  # fmt: skip


def write_story_task(
    folder: str | Path,
    name: str,
    *,
    sizes: Mapping[str, int] = SIZES,
    seed: int = 0,
    language: str = "en",
    world: str = "country",
) -> Path:
    """Write all splits of a task into a folder, all or nothing, and return the folder.

    ============  ===============  ====================================================
    task          as               files
    ============  ===============  ====================================================
    sentiment     GLUE's SST-2     train.tsv, dev.tsv, test.tsv
    entailment    GLUE's MNLI      train.tsv, dev_matched.tsv, test_matched.tsv
    similarity    GLUE's STS-B     train.tsv, dev.tsv, test.tsv
    entities      CoNLL            train.txt, dev.txt, test.txt
    questions     SQuAD 2.0        train.json, dev.json, test.json
    choices       SWAG             train.csv, val.csv, test.csv
    intents       Snips            train/, valid/, test/ with seq.in, seq.out and label
    ============  ===============  ====================================================

    The tests have their labels, where the public ones keep them secret.

    Args:
        folder: is made; what stood there is replaced.
        name: one of ``STORY_TASKS``.
        sizes: split -> examples.
        seed: as for :func:`story_task`, as are the others.
        language: "en" or "zh".
        world: "country" or "village".

    Raises:
        InputError: as :func:`story_task`.
    """
    texts: dict[str, str] = {}
    for split in SPLITS:
        examples = story_task(name, split=split, size=sizes[split], seed=seed, language=language, world=world)
        layout = _LAYOUTS[name]
        texts |= {file.format(layout.splits.get(split, split)): text for file, text in layout.write(examples)}
    with new_folder(Path(folder)) as new:
        for file, text in texts.items():
            (new / file).parent.mkdir(parents=True, exist_ok=True)
            write_text(new / file, text)
    return Path(folder)


class _Layout(NamedTuple):
    """How a task is written: files (``{}`` is the split) with their texts, and what splits are called."""

    write: Callable[[Sequence[Any]], list[tuple[str, str]]]
    splits: Mapping[str, str] = {}


def _tsv(header: str, rows: Iterable[Iterable[object]]) -> list[tuple[str, str]]:
    """GLUE's files: tabs, and no quoting at all."""
    lines = [header.split(), *rows]
    return [("{}.tsv", "".join("\t".join(map(str, row)) + "\n" for row in lines))]


def _sentiment(examples: Sequence[Any]) -> list[tuple[str, str]]:
    return _tsv("sentence label", ((e.first, LABELS.index(e.label)) for e in examples))


def _entailment(examples: Sequence[Any]) -> list[tuple[str, str]]:
    rows = ((i, e.first, e.second, e.label) for i, e in enumerate(examples))
    return _tsv("index sentence1 sentence2 gold_label", rows)


def _similarity(examples: Sequence[Any]) -> list[tuple[str, str]]:
    rows = ((i, e.first, e.second, e.label) for i, e in enumerate(examples))
    return _tsv("index sentence1 sentence2 score", rows)


def _entities(examples: Sequence[Any]) -> list[tuple[str, str]]:
    blocks = ("".join(f"{w} {t}\n" for w, t in zip(e.words, e.tags, strict=True)) for e in examples)
    return [("{}.txt", "\n".join(blocks))]


def _questions(examples: Sequence[Any]) -> list[tuple[str, str]]:
    paragraphs = [
        {
            "context": e.context,
            "qas": [
                {
                    "id": e.name,
                    "question": e.question,
                    "is_impossible": e.impossible,
                    "answers": [{"text": a.text, "answer_start": a.start} for a in e.answers],
                }
            ],
        }
        for e in examples
    ]
    squad = {"version": "v2.0", "data": [{"title": "Stories", "paragraphs": paragraphs}]}
    return [("{}.json", json.dumps(squad, ensure_ascii=False, indent=1) + "\n")]


def _choices(examples: Sequence[Any]) -> list[tuple[str, str]]:
    page = io.StringIO()
    table = csv.writer(page, lineterminator="\n")
    table.writerow(["", *_SWAG])
    for i, e in enumerate(examples):
        table.writerow([i, "story", e.name, e.prompt, e.prompt, "", "gold", *e.choices, e.label])
    return [("{}.csv", page.getvalue())]


def _intents(examples: Sequence[Any]) -> list[tuple[str, str]]:
    columns = {
        "seq.in": (" ".join(e.words) for e in examples),
        "seq.out": (" ".join(e.slots) for e in examples),
        "label": (e.intent for e in examples),
    }
    return [(f"{{}}/{file}", "".join(f"{line}\n" for line in lines)) for file, lines in columns.items()]


_LAYOUTS = {
    "sentiment": _Layout(_sentiment),
    "entailment": _Layout(_entailment, {"dev": "dev_matched", "test": "test_matched"}),
    "similarity": _Layout(_similarity),
    "entities": _Layout(_entities),
    "questions": _Layout(_questions),
    "choices": _Layout(_choices, {"dev": "val"}),
    "intents": _Layout(_intents, {"dev": "valid"}),
}
