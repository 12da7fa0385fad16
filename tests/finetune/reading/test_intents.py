"""Three files whose lines belong together."""

import pytest

from bertlib.data.examples import IntentExample
from bertlib.errors import CorpusError
from bertlib.finetune.reading import read_intents


def folder(write, said, slots, intents):
    for name, content in (("seq.in", said), ("seq.out", slots), ("label", intents)):
        path = write(f"train/{name}.xz", content)
    return path.parent


def test_by_hand(write):
    path = folder(write, "play jazz \nhow  warm is it", "O B-genre \nO O O O\n", "PlayMusic\nGetWeather\n\n")
    assert read_intents(path) == [
        IntentExample(("play", "jazz"), ("O", "B-genre"), "PlayMusic", "0"),
        IntentExample(("how", "warm", "is", "it"), ("O", "O", "O", "O"), "GetWeather", "1"),
    ]


def test_one_file(write):
    path = folder(write, "play jazz\n", "O B-genre\n", "PlayMusic\n")
    assert read_intents(path / "seq.in.xz") == read_intents(path)
    bare = [IntentExample(("play", "jazz"), name="0")]
    (path / "seq.out.xz").unlink()
    assert read_intents(path, labels=False) == read_intents(path / "seq.in.xz", labels=False) == bare
    assert read_intents(write("new.txt", "play jazz\n"), labels=False) == bare


@pytest.mark.parametrize(
    ("said", "slots", "intents", "message"),
    [
        ("a\nb\n", "O\n", "X\nY\n", "2 lines in seq.in, 1 in seq.out and 2 in label; expected as many"),
        ("a\nb c\n", "O\nO\n", "X\nY\n", "line 2: 2 words, 1 slots"),
        ("a\n\nb\n", "O\n\nO\n", "X\nY\nZ\n", "line 2: 0 words"),
        ("a\nb\nc\n", "O\nO\nO\n", "X\n\nZ\n", "line 2: 1 words, 1 slots, the intent ''"),
        ("a\n", "", "X\n", "seq.out.xz is empty"),
    ],
)
def test_wrong_files(write, said, slots, intents, message):
    with pytest.raises(CorpusError, match=message):
        read_intents(folder(write, said, slots, intents))


def test_a_missing_file(write):
    path = write("train/seq.in", "a").parent
    with pytest.raises(CorpusError, match=r"has no seq\.out .*; it holds 'seq.in'"):
        read_intents(path)


@pytest.mark.data
@pytest.mark.parametrize(("split", "rows"), [("train", 13084), ("dev", 700), ("test", 700)])
def test_snips(shared_data, split, rows):
    read = read_intents(shared_data / "snips" / split)
    labels = (shared_data / "snips" / "intent_label.txt").read_text().split()
    slots = (shared_data / "snips" / "slot_label.txt").read_text().split()
    assert len(read) == rows
    assert {e.intent for e in read} == set(labels) - {"UNK"}
    assert {slot for e in read for slot in e.slots} <= set(slots)
