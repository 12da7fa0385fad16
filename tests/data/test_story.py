import hashlib
import subprocess
import sys
from itertools import islice

import pytest

from bertlib.data.story import stories, story_documents, story_text, write_corpus
from bertlib.errors import InputError

PINNED = {
    "en": "4b538bd072ba8d05a4ee74424f91c20345d8695e67d750f226301eb0905f8de9",
    "zh": "2459cc728e086a8601e12483f1ee794f5587f6de2ac27872f7d4faad798069e6",
}


def digest(language: str) -> str:
    return hashlib.sha256(story_text(megabytes=0.02, seed=7, language=language).encode()).hexdigest()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_same_seed_tells_the_same_stories_on_every_machine(language: str) -> None:
    assert digest(language) == PINNED[language]


def test_another_process_with_another_hash_seed_tells_the_same() -> None:
    code = "from bertlib.data.story import story_text; print(story_text(megabytes=0.01, seed=3), end='')"
    out = [
        subprocess.run(
            [sys.executable, "-X", "utf8", "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            check=True,
            encoding="utf-8",
        ).stdout
        for seed in ("1", "2")
    ]
    assert out[0] == out[1] == story_text(megabytes=0.01, seed=3)


def test_seeds_languages_and_splits_differ() -> None:
    texts = {
        story_text(megabytes=0.005, seed=seed, language=language, split=split)
        for seed in (0, 1)
        for language in ("en", "zh")
        for split in ("train", "valid")
    }
    assert len(texts) == 8


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_document_stands_in_both_splits(language: str) -> None:
    def heroes(split: str) -> set[frozenset[str]]:
        return {
            frozenset(
                ref
                for sentence in document
                for mention in sentence.mentions
                if mention.kind == "person" and mention.form in ("name", "noun")
                for ref in mention.ref.split("+")
            )
            for document in islice(stories(seed=0, language=language, split=split), 400)
        }

    # Not only are the documents different, no two heroes of one split ever meet in the other.
    train, valid = heroes("train"), heroes("valid")
    assert {len(pair) for pair in train | valid} == {2}
    assert train.isdisjoint(valid)


def test_documents_are_stories_of_six_to_fourteen_sentences() -> None:
    lengths = [len(document) for document in islice(story_documents(seed=1), 500)]
    assert min(lengths) >= 6
    assert max(lengths) <= 14
    assert len(set(lengths)) > 5


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_file_is_as_large_as_asked_and_reads_as_a_corpus(language: str, tmp_path) -> None:
    path = write_corpus(tmp_path / "new" / "train.txt", megabytes=0.1, seed=2, language=language)
    text = path.read_text(encoding="utf-8")
    last = len(text.split("\n\n")[-1].encode())
    assert 100_000 - 2 <= len(text.encode()) <= 100_000 + last
    assert [len(block.splitlines()) for block in text.split("\n\n")][:3] == [
        len(document) for document in islice(story_documents(seed=2, language=language), 3)
    ]
    assert list((tmp_path / "new").iterdir()) == [path]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"megabytes": 0}, "megabytes is 0; expected more than 0"),
        ({"megabytes": float("nan")}, "megabytes is nan"),
        ({"megabytes": 1, "language": "fr"}, "language is 'fr'; the stories are told in en and zh"),
        ({"megabytes": 1, "split": "test"}, "split is 'test'; expected train or valid"),
    ],
)
def test_bad_requests_are_told_in_one_line(arguments: dict, said: str) -> None:
    with pytest.raises(InputError, match="^" + said.replace("(", r"\(")) as caught:
        story_text(seed=0, **arguments)
    assert "\n" not in str(caught.value)


def test_a_wrong_language_is_refused_before_anything_is_written(tmp_path) -> None:
    with pytest.raises(InputError, match="en and zh"):
        write_corpus(tmp_path / "a.txt", megabytes=1, seed=0, language="fr")
    assert not list(tmp_path.iterdir())
