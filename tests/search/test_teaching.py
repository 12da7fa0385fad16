"""Teaching a body to search from a file of questions: what is read, who is wrong, and the command for it."""

from __future__ import annotations

import json

import pytest

from bertlib.errors import CorpusError, InputError
from bertlib.search.rerank import CrossEncoder, Judged
from bertlib.search.teaching import judged_pairs, read_questions
from bertlib.variants.sentence import SentenceEncoder
from bertlib.variants.sentence_training import SentencePair

PAIRS = [("who sat", "the cat sat"), ("who ran", "the dog ran"), ("who sat", "the hen sat")]


def test_pairs_are_read_line_by_line(tmp_path):
    file = tmp_path / "pairs.tsv"
    file.write_text("\ufeffwho sat\tthe\u2028cat sat\n\n 谁在跑 \t狗在跑\n", encoding="utf-8")
    expected = [SentencePair("who sat", "the\u2028cat sat"), SentencePair("谁在跑", "狗在跑")]
    assert read_questions(file) == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"cannot read .*pairs\.tsv: No such file"),
        (b"who\t\xff\n", "it is not UTF-8; expected lines of question, tab, passage"),
        (b"who sat\tthe cat\nwho ran\n", r"pairs\.tsv:2: 'who ran'; expected question, tab, passage"),
        (b"a\tb\tc\n", r":1: 'a\\tb\\tc'; expected"),
        (b"who\t \n", ":1: 'who"),
        (b"who sat\tthe cat\n\n", "has 1 questions; expected two at least"),
    ],
)
def test_files_that_hold_no_pairs(tmp_path, content, message):
    file = tmp_path / "pairs.tsv"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CorpusError, match=message):
        read_questions(file)


def test_passages_of_the_same_question_are_not_wrong():
    """Of three passages only the second question's is wrong for the first; it is the only choice."""
    assert judged_pairs([SentencePair(*pair) for pair in PAIRS]) == [
        Judged("who sat", "the cat sat", ("the dog ran",)),
        Judged("who ran", "the dog ran", ("the cat sat",)),
        Judged("who sat", "the hen sat", ("the dog ran",)),
    ]


def test_wrong_passages_share_words_with_the_question():
    texts = ["the cat sat", "a cat ran", "my dog", "no hen", "one fox", "two suns"]
    pairs = [SentencePair(text, text) for text in texts]
    assert judged_pairs(pairs)[0] == Judged("the cat sat", "the cat sat", ("a cat ran", *texts[2:5]))


def test_one_passage_is_no_choice():
    with pytest.raises(InputError, match="one question has all the passages"):
        judged_pairs([SentencePair("who", "the cat"), SentencePair("what", "the cat")])


@pytest.fixture
def pairs(tmp_path):
    file = tmp_path / "pairs.tsv"
    file.write_text("".join("\t".join(pair) + "\n" for pair in PAIRS))
    return file


def test_the_command_writes_what_a_search_reads(bertlib, pairs, finished_run, tmp_path):
    model, out, judge = finished_run.out / "model", tmp_path / "searcher", tmp_path / "judge"
    options = ("--out", out, "--rerank", judge, "--model", model, "--device", "cpu", "--quiet")
    code, printed, err = bertlib("search-train", pairs, *options, "--json")
    assert code == 0, err
    assert json.loads(printed) == {
        "questions": 3, "model": str(model), "out": str(out), "rerank": str(judge),
    }  # fmt: skip
    before = SentenceEncoder.load(out).fingerprint()
    assert CrossEncoder.load(judge).scores([("who", "the cat")]).shape == (1,)
    code, printed, err = bertlib("search-train", pairs, *options[:2], *options[4:], "--epochs", 3)
    assert f'next: bertlib search FOLDER "question" --model {out}' in printed
    assert SentenceEncoder.load(out).fingerprint() != before
    (tmp_path / "cats.txt").write_text("the cat sat\n")
    code, printed, err = bertlib(
        "search", tmp_path / "cats.txt", "who sat", "--model", out, "--rerank", judge
    )
    assert (code, printed.splitlines()[1]) == (0, "  the cat sat")
    assert "not learned" not in err


@pytest.mark.parametrize("option", ["--out", "--rerank"])
def test_a_folder_with_something_else_is_left_alone(bertlib, pairs, tmp_path, option):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/mine.txt").write_text("keep me")
    folders = {"--out": tmp_path / "out", "--rerank": tmp_path / "judge"} | {option: tmp_path / "notes"}
    code, _, err = bertlib("search-train", pairs, *(word for pair in folders.items() for word in pair))
    assert code == 2
    assert err.splitlines()[-1].startswith("bertlib: ")
    assert "mine.txt" in err
    assert not (tmp_path / "out").exists()


def test_mistakes_are_told_before_any_work(bertlib, pairs, tmp_path):
    out = tmp_path / "out"
    code, _, err = bertlib("search-train", pairs, "--out", out, "--epochs", 0)
    assert (code, err) == (2, "bertlib: epochs is 0; expected at least 1\n")
    code, _, err = bertlib("search-train", pairs, "--out", out, "--rerank", tmp_path / "x/../out")
    assert (code, err) == (
        2,
        f"bertlib: --out and --rerank are both {out}; expected a folder for each model\n",
    )


def test_help_has_examples(bertlib):
    code, out, _ = bertlib("search-train", "--help")
    assert code == 0
    assert "bertlib search-train questions.tsv --out" in " ".join(out.split())
