"""Sentences of a chapter that state a number, each beside the output that gave it.

``claims/TOPIC.json`` is a list of pairs: a part of a sentence in the chapter's prose, and what a cell printed.
"""

import json
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
CHAPTERS = sorted((HERE.parents[1] / "chapters").glob("*.ipynb"))
HOME = {path.stem.partition("-")[2]: path for path in CHAPTERS}
CLAIMS = [
    (path.stem, sentence, output)
    for path in sorted((HERE / "claims").glob("*.json"))
    for sentence, output in json.loads(path.read_text("utf8"))
]


def text_of(value: str | list[str]) -> str:
    """Notebook files keep text as one string or as lines."""
    return value if isinstance(value, str) else "".join(value)


@pytest.mark.parametrize(
    ("topic", "sentence", "output"),
    CLAIMS,
    ids=[f"{topic}: {sentence[:30]}" for topic, sentence, _ in CLAIMS],
)
def test_a_sentence_says_what_was_measured(topic, sentence, output):
    cells = json.loads(HOME[topic].read_text("utf8"))["cells"]
    prose = "\n".join(text_of(c["source"]) for c in cells if c["cell_type"] == "markdown")
    printed = "\n".join(text_of(o.get("text", "")) for c in cells for o in c.get("outputs", ()))
    assert " ".join(sentence.split()) in " ".join(prose.split())
    assert output in printed
