"""A beginning and several ends: SWAG, CODAH, COPA and ComVE, each in the layout it is published in."""

from __future__ import annotations

from pathlib import Path

from bertlib.data.examples import ChoiceExample
from bertlib.errors import CorpusError
from bertlib.finetune.reading.opening import listed, some
from bertlib.finetune.reading.rows import read_rows

ENDINGS = ("ending0", "ending1", "ending2", "ending3")
CODAH = ("category", "prompt", *ENDINGS, "label")
OPTIONS = ("OptionA", "OptionB", "OptionC")
# the words in which COPA asks (Roemmele et al. 2011)
ASKS = {"cause": "What was the cause of this?", "effect": "What happened as a result?"}


def read_swag(path: str | Path) -> list[ChoiceExample]:
    """Read SWAG's CSV (Zellers et al. 2018).

    The prompt is the given sentence, ``sent1``; a choice is the begun one, ``sent2``, with an ending
    (Devlin et al. 2019, section 4.4). Labels are None in the test set, which has no column for them.

    Raises:
        CorpusError: as :func:`read_rows`; a label that is no choice, with its line.
    """
    rows = read_rows(path, ("sent1", "sent2", *ENDINGS), optional=("label", "fold-ind"))
    examples = [
        ChoiceExample(
            prompt=row.values["sent1"],
            choices=tuple(f"{row.values['sent2']} {row.values[name]}".strip() for name in ENDINGS),
            label=place(row.values.get("label") or None, "0123", f"{path}, line {row.line}"),
            name=row.values.get("fold-ind", str(number)),
        )
        for number, row in enumerate(rows)
    ]
    return some(examples, path)


def read_codah(path: str | Path) -> list[ChoiceExample]:
    """Read CODAH's TSV (Chen et al. 2019), which has no header: category, prompt, four endings, label.

    Raises:
        CorpusError: as :func:`read_rows`; a label that is no choice, with its line.
    """
    examples = [
        ChoiceExample(
            prompt=row.values["prompt"],
            choices=tuple(row.values[name] for name in ENDINGS),
            label=place(row.values["label"], "0123", f"{path}, line {row.line}"),
            name=str(number),
        )
        for number, row in enumerate(read_rows(path, CODAH[1:], delimiter="\t", header=CODAH))
    ]
    return some(examples, path)


def read_copa(path: str | Path) -> list[ChoiceExample]:
    """Read COPA as JSON Lines, the form of SuperGLUE: premise, choice1, choice2, question, label.

    The prompt is the premise and what is asked about it: its cause or its effect.

    Raises:
        CorpusError: as :func:`read_rows`; a question or a label of another kind, with its line.
    """
    examples = []
    wanted = ("premise", "question", "choice1", "choice2")
    for number, row in enumerate(read_rows(path, wanted, optional=("label", "idx"))):
        where, values = f"{path}, line {row.line}", row.values
        if values["question"] not in ASKS:
            raise CorpusError(
                f"{where}: the question is {values['question']!r}; expected {listed(list(ASKS))}"
            )
        examples.append(
            ChoiceExample(
                prompt=f"{values['premise']} {ASKS[values['question']]}",
                choices=(values["choice1"], values["choice2"]),
                label=place(values.get("label") or None, "01", where),
                name=values.get("idx", str(number)),
            )
        )
    return some(examples, path)


def read_comve(data: str | Path, answers: str | Path | None = None) -> list[ChoiceExample]:
    """Read ComVE's subtask B (Wang et al. 2020): why does a statement make no sense?

    Args:
        data: the CSV with ``id``, ``FalseSent``, ``OptionA`` to ``OptionC``.
        answers: the CSV without a header with id and letter; None: labels are None.

    Raises:
        CorpusError: as :func:`read_rows`; a letter that is no choice; answers to other statements.
    """
    right: dict[str, int | None] = {}
    if answers is not None:
        rows = read_rows(answers, ("id", "letter"), header=("id", "letter"))
        right = {
            row.values["id"]: place(row.values["letter"], "ABC", f"{answers}, line {row.line}")
            for row in rows
        }
    examples = [
        ChoiceExample(
            prompt=row.values["FalseSent"],
            choices=tuple(row.values[name] for name in OPTIONS),
            label=right.get(row.values["id"]),
            name=row.values["id"],
        )
        for row in read_rows(data, ("id", "FalseSent", *OPTIONS))
    ]
    if answers is not None and right.keys() != (ids := {example.name for example in examples}):
        raise CorpusError(
            f"{answers} answers {len(right.keys() & ids)} of the {len(ids)} statements of {data} and "
            f"{len(right.keys() - ids)} others; do the two files belong together?"
        )
    return some(examples, data)


def read_comve_split(source: Path, split: str, *, labels: bool = True) -> list[ChoiceExample] | None:
    """Read one split of ComVE's folder, whose data and answers lie in two files.

    Args:
        source: the folder around "train", "dev" and "test", or a file with data, its answers beside it.
        split: which of the three.
        labels: False: the answers are not looked at.

    Returns:
        The examples; None if there is no folder "dev".

    Raises:
        CorpusError: no data, or as :func:`read_comve`.
    """
    inner = source.parent if source.is_file() else source / split
    if split == "dev" and not inner.is_dir():
        return None
    data, right = (
        next((file for file in sorted(inner.glob("*")) if word in file.name), None)
        for word in ("data", "answers")
    )
    data = source if source.is_file() else data
    if data is None:
        raise CorpusError(f"there is no file with 'data' in its name in {inner}; give ComVE's folder")
    return read_comve(data, right if labels else None)


def place(label: str | None, labels: str, where: str) -> int | None:
    """Return the place of a label among the letters that are labels; None where there is none.

    Raises:
        CorpusError: it is none of them.
    """
    if label is not None and label not in tuple(labels):
        raise CorpusError(f"{where}: the label is {label!r}; expected {listed(labels)}")
    return None if label is None else labels.index(label)
