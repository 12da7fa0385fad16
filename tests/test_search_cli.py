"""``bertlib search``: what it prints, keeps and refuses."""

import json

import pytest
import torch

from bertlib.finetune import ClassificationTask, FineTunedModel, save_finetuned
from bertlib.finetune.heads import SequenceClassifier
from bertlib.search import BM25, blend
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
    assert f"the vectors of {model} have not learned to search" in err
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
    assert "not learned" not in err
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
    options = ("search", folder, "the owl", "--model", encoder, "--rerank", tmp_path / "judge", "--json")
    code, out, _ = bertlib(*options, "--no-blend")
    hits = json.loads(out)["hits"]
    assert code == 0
    expected = judge.scores([("the owl", hit["text"]) for hit in hits])
    assert [hit["score"] for hit in hits] == pytest.approx(expected.tolist(), abs=1e-5)
    assert sorted(expected, reverse=True) == list(expected)
    _, out, _ = bertlib(*options)
    found, texts = json.loads(out), [hit["text"] for hit in hits]
    both = blend(expected, BM25(texts).scores("the owl"))
    scores = {hit["text"]: hit["score"] for hit in found["hits"]}
    assert scores == pytest.approx(dict(zip(texts, both, strict=True)), abs=1e-3)
    assert found["blend"] is True


def test_files_that_cannot_be_read_are_skipped_and_named(bertlib, folder):
    (folder / "photo.txt").write_bytes(b"\xff\xd8\xff\x00" * 99)
    (folder / "notes.ipynb").write_text("{")
    code, out, err = bertlib("search", folder, "ship", "--method", "words")
    assert (code, out.count("\n")) == (0, 2)
    names = "notes.ipynb, photo.txt"
    assert err == f"2 files skipped that cannot be read; search one alone to see why: {names}\n"
    code, _, err = bertlib("search", folder / "photo.txt", "ship", "--method", "words")
    assert (code, err.count("\n")) == (2, 1)
    assert "photo.txt is not UTF-8" in err


def test_what_is_printed_has_an_end(bertlib, folder):
    (folder / "long.txt").write_text("ship" * 5_000)
    _, out, _ = bertlib("search", folder, "ship" * 5_000, "--method", "words")
    assert out.endswith("…\n")
    assert len(out) < 1100


def test_vectors_alone_are_said_to_be(bertlib, folder, encoder):
    code, out, _ = bertlib("search", folder, "giraffe", "--model", encoder, "--top", 1)
    assert code == 0
    assert out.startswith("no passage shares a word with the question; the nearest by vectors:\n")
    assert out.count("\n") == 3
    for method, question in [("both", "owl giraffe"), ("vectors", "giraffe")]:
        _, out, _ = bertlib("search", folder, question, "--model", encoder, "--method", method)
        assert "no passage" not in out


def test_the_body_of_a_fine_tuned_model_can_search(bertlib, folder, model, tmp_path):
    body, tokenizer = load_pretrained(model)
    task = ClassificationTask(labels=("a", "b"))
    tuned = save_finetuned(
        tmp_path / "tuned",
        FineTunedModel(model=task.head(body.bert), task=task, tokenizer=tokenizer, max_length=32, facts={}),
    )
    options = ("owl", "--method", "vectors", "--json", "--model")
    code, out, err = bertlib("search", folder, *options, tuned)
    assert code == 0
    assert f"the vectors of {tuned} have not learned to search" in err
    _, same, _ = bertlib("search", folder, *options, model)
    assert json.loads(out)["hits"] == json.loads(same)["hits"]


def test_an_index_of_other_texts_is_not_replaced(bertlib, folder, encoder, tmp_path):
    index, other = tmp_path / "my.index", tmp_path / "other"
    options = ("owl", "--model", encoder, "--index", index)
    assert bertlib("search", folder, *options)[0] == 0
    before = index.read_bytes()
    other.mkdir()
    (other / "notes.md").write_text("Something else.")
    code, out, err = bertlib("search", other, *options)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert f"{index} holds the vectors of other texts, and writing would replace them; name another" in err
    assert index.read_bytes() == before
    assert bertlib("search", folder, *options)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["FOLDER", "?"], "the question '?' has no word"),
        (["FOLDER", "owl", "--method", "magic"], "the method is 'magic'; expected vectors, words, both"),
        (["FOLDER", "owl", "--top", "0"], "top is 0; expected at least 1 passage"),
        (["FOLDER", "owl", "--model", "MODEL", "--index", "FOLDER/notes.md/i"], "could not write"),
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
    names["FOLDER/notes.md/i"] = folder / "notes.md/i"
    code, out, err = bertlib("search", *(names.get(word, word) for word in arguments))
    assert code == 2
    assert message in err
    assert err.splitlines()[-1].startswith("bertlib: ")
    assert "Traceback" not in err
    assert out == ""
