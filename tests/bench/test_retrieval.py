"""SQuAD read as a search task, and the measuring from end to end on a few made-up articles."""

import json

import numpy as np
import pytest

from bertlib.bench import retrieval
from bertlib.bench.retrieval_data import read_pairs, read_retrieval
from bertlib.search.rerank import CrossEncoder

WORDS = ["ship", "cow", "moon", "king", "lamp", "tree"]


def paragraph(first, second):
    """Two passages: forty words at most a passage, so that the second sentence stands alone."""
    return f"The {first} was {'very ' * 36}old. The {second} stood {'far ' * 20}away."


def squad(words):
    paragraphs = [
        {
            "context": (context := paragraph(first, second)),
            "qas": [
                {
                    "id": f"{first}{word}",
                    "question": f"What about the {word}?",
                    "answers": [{"text": word, "answer_start": context.index(word)}],
                }
                for word in (first, second)
            ],
        }
        for first, second in zip(words[::2], words[1::2], strict=True)
    ]
    return {"data": [{"title": "Things", "paragraphs": paragraphs}]}


@pytest.fixture
def data(tmp_path):
    (tmp_path / "squad_v1.1").mkdir()
    (tmp_path / "glue/STS-B").mkdir(parents=True)
    for split in ("train", "dev"):
        (tmp_path / f"squad_v1.1/{split}-v1.1.json").write_text(json.dumps(squad(WORDS)))
        rows = ["index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore"]
        rows += [f"{n}\tg\tf\ty\t{n}\ts\ts\tthe {w}\tthe {WORDS[n // 2]}\t{n}.0" for n, w in enumerate(WORDS)]
        (tmp_path / f"glue/STS-B/{split}.tsv").write_text("\n".join(rows) + "\n")
    return tmp_path


def test_questions_know_paragraph_and_passage(data):
    task = read_retrieval(data / "squad_v1.1/dev-v1.1.json")
    assert task.owners == [0, 0, 1, 1, 2, 2]
    assert task.right == [0, 0, 1, 1, 2, 2]
    assert task.answers == [0, 1, 2, 3, 4, 5]
    assert all(word in task.passages[number] for word, number in zip(WORDS, task.answers, strict=True))
    assert task.some(4).answers == [0, 4]
    assert task.some(4).passages == task.passages


def test_scores_become_likenesses(data):
    assert [pair.label for pair in read_pairs(data / "glue", "dev")] == pytest.approx(
        [0, 0.2, 0.4, 0.6, 0.8, 1]
    )


def test_words_find_every_paragraph(data):
    task = read_retrieval(data / "squad_v1.1/dev-v1.1.json")
    assert retrieval.scores(retrieval.by_words(task), task.right)["recall@1"] == 1


def test_a_paragraph_is_as_good_as_its_best_passage(data):
    class Judge(CrossEncoder):
        def __init__(self):
            pass

        def scores(self, pairs, **_):
            return np.array([question.strip("?").split()[-1] in text for question, text in pairs], float)

    task = read_retrieval(data / "squad_v1.1/dev-v1.1.json")
    found = [[2, 1, 0]] * 6
    ranked = retrieval.again(found, retrieval.by_pairs_among(Judge(), task, found))
    assert [row[0] for row in ranked] == task.right
    assert all(sorted(row) == [0, 1, 2] for row in ranked)


def test_only_the_paragraphs_with_scores_are_sorted():
    scores = [np.array([0.1, 0.3]), np.array([2.0, 2.0])]
    assert retrieval.again([[5, 7, 1], [4, 3, 2]], scores) == [[7, 5, 1], [4, 3, 2]]


def test_words_score_the_paragraphs_found(data):
    task = read_retrieval(data / "squad_v1.1/dev-v1.1.json").some(2)
    (first, _, last) = retrieval.by_words_among(task, [[1, 0], [0, 1], [2, 0]])
    assert (first[1] > first[0], last[0] > last[1]) == (True, True)


def test_passages_of_the_same_paragraph_are_not_wrong(data, monkeypatch):
    monkeypatch.setattr(retrieval, "WRONG", 4)
    task = read_retrieval(data / "squad_v1.1/train-v1.1.json")
    for example, right, answer in zip(retrieval.examples_of(task), task.right, task.answers, strict=True):
        assert example.right == task.passages[answer]
        assert set(example.wrong) == {
            p for p, owner in zip(task.passages, task.owners, strict=True) if owner != right
        }


def test_everything_is_measured_and_saved_with_its_origin(data, finished_run, capsys, monkeypatch):
    monkeypatch.setattr(retrieval, "WRONG", 2)
    for name in ("ENCODING", "REGRESSION", "RERANKING"):
        recipe = retrieval.SentenceTraining(batch_size=4, max_length=32)
        monkeypatch.setattr(retrieval, name, recipe)
    retrieval.main(
        [str(finished_run.out / "model"), str(data), "--pairs", "6", "--judged", "6", "--every", "2",
         "--device", "cpu", "--save", str(data / "found.json")]
    )  # fmt: skip
    found = json.loads((data / "found.json").read_text())
    assert found["provenance"]["command"].startswith("python -m bertlib.bench.retrieval model DATA --pairs 6")
    assert found["questions"] == {"all": 6, "sample": 3}
    assert found["retrieval"]["all"]["words (BM25)"]["mrr"] == 1
    assert set(found["retrieval"]["sample"]) - set(found["retrieval"]["all"]) == {
        f"{first}; reranked by {head}{beside}"
        for first in ("words (BM25)", "words and vectors")
        for head in ("[CLS]", "matches")
        for beside in ("", " and words")
    }
    assert "mean, after SQuAD and STS-B" in found["sts_dev_spearman"]
    assert "all: words (BM25)" in capsys.readouterr().out


def test_a_missing_file_is_one_line(tmp_path, finished_run):
    with pytest.raises(SystemExit, match=r"^retrieval: .*dev-v1\.1\.json|^retrieval: .*train-v1\.1\.json"):
        retrieval.main([str(finished_run.out / "model"), str(tmp_path)])
