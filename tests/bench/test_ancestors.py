import json

import pytest

from bertlib.bench import ancestors
from bertlib.history import NGramModel


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """The command on a few documents, for the form of what it writes."""
    file = tmp_path_factory.mktemp("race") / "ancestors.json"
    few = ["--documents", "8", "--held-out", "2", "--epochs", "1"]
    ancestors.main([*few, "--seed", "3", "--save", str(file)])
    return json.loads(file.read_text(encoding="utf-8"))


def test_nobody_is_asked_what_he_cannot_be_asked(found):
    rows = {row["name"]: row for row in found["rows"]}
    assert list(rows)[-5:] == [
        "word2vec", "LSTM", "two LSTMs (ELMo)", "causal Transformer (GPT)", "masked Transformer (BERT)",
    ]  # fmt: skip
    assert [name for name, row in rows.items() if row["perplexity"] is None] == [
        "word2vec", "masked Transformer (BERT)",
    ]  # fmt: skip
    assert [name for name, row in rows.items() if row["backward_perplexity"]] == ["two LSTMs (ELMo)"]
    assert [name for name, row in rows.items() if row["pseudo_perplexity"]] == ["masked Transformer (BERT)"]
    assert all(row["seconds"] >= 0 and row["parameters"] > 0 for row in rows.values())


def test_the_numbers_are_those_of_the_models_by_themselves(found):
    stories = ancestors.read_stories(8, 2, world="village", seed=3)
    vocab_size = found["vocab_size"]
    assert len(stories.tokenizer) == vocab_size
    assert found["tokens"]["valid"] == sum(len(row) for row in stories.valid)
    alone = NGramModel(vocab_size, 2).fit(stories.train).perplexity(stories.valid)
    assert found["rows"][1]["perplexity"] == pytest.approx(alone, abs=1e-3)
    word2vec = next(row for row in found["rows"] if row["name"] == "word2vec")
    assert word2vec["parameters"] == 2 * 64 * vocab_size


def test_the_file_says_where_it_comes_from(found):
    assert found["provenance"]["seed"] == 3
    command = found["provenance"]["command"]
    assert "bertlib.bench.ancestors --documents 8 --held-out 2 --epochs 1 --world village --seed 3" in command


def test_no_stories_no_race(tmp_path):
    with pytest.raises(SystemExit, match="ancestors: world is 'moon'; the stories play in"):
        ancestors.main(["--world", "moon", "--save", str(tmp_path / "x.json")])
    with pytest.raises(SystemExit, match="ancestors: "):
        ancestors.main(["--documents", "0", "--save", str(tmp_path / "x.json")])
    assert not (tmp_path / "x.json").exists()
