"""The cost of features: what is counted is so, and the results say how to get them again."""

from __future__ import annotations

import json

import pytest

from bertlib.bench.squad_features import bench_features, main, measure
from bertlib.data.examples import Answer, QuestionExample
from bertlib.errors import ConfigError
from bertlib.tokenizer import SPECIAL_TOKENS, WordPieceTokenizer

TOKENIZER = WordPieceTokenizer([*SPECIAL_TOKENS, *"abc?"])


def examples(count):
    return [QuestionExample("a ?", "a b c " * (1 + i // 2), (Answer("c", 4),)) for i in range(count)]


def test_what_is_counted():
    cost = measure(examples(6), TOKENIZER, 14)  # rooms of 9 pieces, strides of 4: 3, 6 and 9 pieces a context
    assert (cost.questions, cost.contexts, cost.windows) == (6, 3, 6)
    assert (cost.without_answer, cost.skipped, cost.widened) == (0, 0, 0)
    ids = 2 * sum(1 + 2 + 1 + n + 1 for n in (3, 6, 9))
    assert cost.output_mb == pytest.approx((4 * ids + 8 * 7 + 4 * 6 + 2 * 4 * 6) / 1e6)
    assert cost.seconds > 0


def test_command_line(tmp_path, capsys):
    qas = [
        {"id": str(i), "question": "Who?", "answers": [{"text": "Ann", "answer_start": 0}]} for i in range(3)
    ]
    data = {"data": [{"title": "", "paragraphs": [{"context": "Ann did.", "qas": qas}]}]}
    file = tmp_path / "some.json"
    file.write_text(json.dumps(data))
    main([str(file), "--max-length", "32", "--step", "9", "--save", str(tmp_path / "out.json")])
    assert capsys.readouterr().out.splitlines()[1].split()[:4] == ["3", "1", "3", "0"]
    found = json.loads((tmp_path / "out.json").read_text())
    assert [size["questions"] for size in found["rows"]] == [3]
    expected = "python -m bertlib.bench.squad_features some.json --max-length 32 --step 9"
    assert found["provenance"]["command"] == expected


def test_bad_input_is_one_line(tmp_path):
    with pytest.raises(SystemExit, match=r"squad_features: .*nowhere\.json"):
        main([str(tmp_path / "nowhere.json")])
    with pytest.raises(ConfigError, match="the step is 0; expected at least 1 question"):
        bench_features(examples(2), TOKENIZER, step=0)
