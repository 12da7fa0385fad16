"""Which file is meant, by its name; and what is set aside where there is none."""

from __future__ import annotations

import lzma

import pytest

from bertlib.data.examples import QuestionExample
from bertlib.errors import CorpusError, InputError
from bertlib.finetune.splits import hold_out, means, split_file


def touch(folder, *names):
    for name in names:
        (folder / name).write_bytes(b"")


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train.csv", "train"),
        ("train-v1.1.json.xz", "train"),
        ("wnut17train.conll.xz", "train"),
        ("eng.train", "train"),
        ("TRAINING_set.TSV", "train"),
        ("dev-v2.0.json.gz", "dev"),
        ("emerging.dev.conll", "dev"),
        ("eng.testa", "dev"),
        ("val.csv", "dev"),
        ("cmrc2018_trial.json", "test"),
        ("emerging.test.annotated.xz", "test"),
        ("eng.testb", "test"),
    ],
)
def test_names_of_published_files(name, split):
    endings = (".csv", ".json", ".conll", ".tsv", ".annotated", "train", "testa", "testb")
    assert [one for one in ("train", "dev", "test") if means(name, one, endings)] == [split]


@pytest.mark.parametrize("name", ["latest.csv", "interval.csv", ".train.csv", "train.txt", "full.csv"])
def test_names_that_say_nothing(name):
    assert not any(means(name, split, (".csv",)) for split in ("train", "dev", "test"))


def test_one_file_of_a_split(tmp_path):
    touch(tmp_path, "train.csv", "valid.csv", "train.txt", "README.md")
    (tmp_path / "test.csv").mkdir()
    assert split_file(tmp_path, "train", (".csv",)) == tmp_path / "train.csv"
    assert split_file(tmp_path, "dev", (".csv",)) == tmp_path / "valid.csv"
    assert split_file(tmp_path, "test", (".csv",)) is None


def test_packed_files_are_found(tmp_path):
    (tmp_path / "dev-v1.1.json.xz").write_bytes(lzma.compress(b"{}"))
    assert split_file(tmp_path, "dev", (".json",)) == tmp_path / "dev-v1.1.json.xz"


def test_several_files_that_could_be_meant(tmp_path):
    touch(tmp_path, "train.csv", "old-train.csv")
    with pytest.raises(CorpusError, match=r"several files for 'train': old-train\.csv, train\.csv; name the"):
        split_file(tmp_path, "train", (".csv",))


def test_no_such_folder(tmp_path):
    with pytest.raises(CorpusError, match=r"there is no file or folder .*nowhere; is the path spelt right"):
        split_file(tmp_path / "nowhere", "train", (".csv",))


def test_a_share_is_set_aside():
    kept, aside = hold_out(range(100), 0.2, seed=0)
    assert (len(kept), len(aside)) == (80, 20)
    assert sorted(kept + aside) == list(range(100))
    assert kept == sorted(kept)  # in their order
    assert hold_out(range(100), 0.2, seed=0) == (kept, aside)
    assert hold_out(range(100), 0.2, seed=1) != (kept, aside)
    assert aside != list(range(80, 100))  # files are often sorted


def test_questions_about_one_context_stay_together():
    questions = [QuestionExample(f"q{n}", f"context {n % 10}", impossible=True) for n in range(50)]
    kept, aside = hold_out(questions, 0.3, seed=0)
    assert not {one.context for one in kept} & {one.context for one in aside}
    assert (len(kept), len(aside)) == (35, 15)


@pytest.mark.parametrize(
    ("number", "share", "message"),
    [
        (10, 0.0, "hold-out is 0.0; expected a share between 0 and 1"),
        (10, 1.0, "hold-out is 1.0"),
        (3, 0.1, "3 examples cannot be split 90% to 10%; give held-out examples with --dev"),
        (1, 0.5, "1 examples cannot be split"),
    ],
)
def test_nothing_to_set_aside(number, share, message):
    with pytest.raises(InputError, match=message):
        hold_out(range(number), share, seed=0)
