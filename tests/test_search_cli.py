"""``bertlib search``: what it prints, keeps and refuses."""

import json

import pytest
import torch

from bertlib.finetune.heads import SequenceClassifier
from bertlib.search.rerank import CrossEncoder
from bertlib.store import load_pretrained
from bertlib.variants.sentence import SentenceEncoder


@pytest.fixture
def folder(tmp_path):
    home = tmp_path / "texts"
    home.mkdir()
    (home / "ships.txt").write_text("The harbour was quiet.\n\nTwo brothers built the\nship in a barn.\n")
    (home / "notes.md").write_text("# Birds\n\nThe heron stood in the reeds.\n\nThe owl slept.\n")
    return home


@pytest.fixture
def model(finished_run):
    return finished_run.out / "model"


def test_help_has_examples(bertlib):
    code, out, _ = bertlib("search", "--help")
    assert code == 0
    assert "bertlib search chapters/" in " ".join(out.split())


def test_words_are_found_and_marked_without_a_model(bertlib, folder):
    code, out, err = bertlib("search", folder, "Who built the ship?", "--method", "words", "--model", "none")
    assert code == 0
    assert out.splitlines()[0].startswith("ships.txt:3-4  ")
    assert out.splitlines()[1] == "  Two brothers *built* the *ship* in a barn."
    assert err == ""
    code, out, _ = bertlib("search", folder, "giraffe", "--method", "words")
    assert (code, out) == (0, "no passage shares a word with the question\n")


def test_a_model_that_did_not_learn_to_search_says_so(bertlib, folder, model):
    code, out, err = bertlib("search", folder, "the owl", "--model", model, "--top", 2)
    assert code == 0
    assert f"{model} was pre-trained only: its vectors have not learned to search" in err
    assert out.count("\n\n") == 1
    assert not list(folder.glob(".*"))  # nothing is written unasked


def test_json_tells_everything(bertlib, folder, model):
    code, out, _ = bertlib("search", folder, "The heron", "--model", model, "--method", "vectors", "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["passages"], found["method"], found["rerank"]) == (5, "vectors", None)
    assert len(found["hits"]) == 5
    assert set(found["hits"][0]) == {"text", "file", "line", "last_line", "score"}
    scores = [hit["score"] for hit in found["hits"]]
    assert scores == sorted(scores, reverse=True)


@pytest.fixture
def encoder(model, tmp_path):
    body, tokenizer = load_pretrained(model)
    return SentenceEncoder(body.bert, tokenizer).save(tmp_path / "encoder")


def test_an_index_is_kept_and_follows_the_texts(bertlib, folder, encoder, tmp_path):
    options = ("--model", encoder, "--index", tmp_path / "my.index", "--json")
    code, first, err = bertlib("search", folder, "owl", *options)
    assert code == 0
    assert f"index: {tmp_path / 'my.index'}" in err
    assert "pre-trained only" not in err
    code, again, err = bertlib("search", folder, "owl", *options)
    assert json.loads(again) == json.loads(first)
    assert err == ""
    (folder / "more.txt").write_text("Another owl.")
    code, more, err = bertlib("search", folder, "owl", *options)
    assert "the texts have changed since" in err
    assert json.loads(more)["passages"] == 6
    assert any(hit["file"] == "more.txt" for hit in json.loads(more)["hits"])


def test_a_cross_encoder_gives_the_scores(bertlib, folder, model, encoder, tmp_path):
    body, tokenizer = load_pretrained(model)
    torch.manual_seed(0)
    judge = CrossEncoder(SequenceClassifier(body.bert, 1).eval(), tokenizer)
    judge.save(tmp_path / "judge")
    code, out, _ = bertlib(
        "search", folder, "the owl", "--model", encoder, "--rerank", tmp_path / "judge", "--json"
    )
    hits = json.loads(out)["hits"]
    assert code == 0
    expected = judge.scores([("the owl", hit["text"]) for hit in hits])
    assert [hit["score"] for hit in hits] == pytest.approx(expected.tolist(), abs=1e-5)
    assert sorted(expected, reverse=True) == list(expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["FOLDER", "?"], "the question '?' has no word"),
        (["FOLDER", "owl", "--method", "magic"], "the method is 'magic'; expected vectors, words, both"),
        (["nowhere", "owl"], "there is no file or folder 'nowhere'"),
        (["EMPTY", "owl"], "no text in the folder"),
        (["FOLDER", "owl", "--model", "nowhere"], "no model in nowhere"),
        (["FOLDER", "owl", "--rerank", "nowhere", "--method", "words"], "nowhere has no reranker.json"),
        (["FOLDER", "owl", "--model", "MODEL", "--index", "OTHER"], "the index was made by another model"),
        (
            ["FOLDER", "owl", "--model", "MODEL", "--index", "FOLDER/notes.md"],
            "notes.md is missing or truncated",
        ),
    ],
)
def test_mistakes_are_one_line(bertlib, folder, model, tmp_path, arguments, message):
    (tmp_path / "empty").mkdir()
    if "OTHER" in arguments:
        body, tokenizer = load_pretrained(model)
        other = SentenceEncoder(body.bert, tokenizer, pooling="cls").save(tmp_path / "other")
        assert bertlib("search", folder, "owl", "--model", other, "--index", tmp_path / "i")[0] == 0
    names = {"FOLDER": folder, "EMPTY": tmp_path / "empty", "MODEL": model, "OTHER": tmp_path / "i"}
    names["FOLDER/notes.md"] = folder / "notes.md"
    code, out, err = bertlib("search", *(names.get(word, word) for word in arguments))
    assert code == 2
    assert message in err
    assert err.splitlines()[-1].startswith("bertlib: ")
    assert "Traceback" not in err
    assert out == ""
