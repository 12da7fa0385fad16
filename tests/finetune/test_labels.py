"""Labels in an order anybody expects, and messages that name example, label and the nearest one."""

from __future__ import annotations

import pytest

from bertlib.data.examples import TextExample
from bertlib.errors import InputError
from bertlib.finetune.labels import distinct, listed, named, number_of, one_a_word


def test_numbers_by_size_words_by_letter():
    assert distinct(["10", "9", "-1", None, "9"]) == ("-1", "9", "10")
    assert distinct(["10", "9", "b"]) == ("10", "9", "b")
    assert distinct(["01", "1", "0"]) == ("0", "01", "1")
    assert distinct(["²", "--1"]) == ("--1", "²")  # neither is a number


@pytest.mark.parametrize(
    ("labels", "found"), [(["a", "a"], "only a;"), ([], "only none at all;"), ([None], "none at all")]
)
def test_one_label_is_nothing_to_learn(labels, found):
    with pytest.raises(InputError, match=found):
        distinct(labels)


def test_the_place_of_a_label():
    assert number_of("b", ("a", "b"), example="7") == 1
    assert number_of(3, ("2", "3"), example="7") == 1


def test_an_unknown_label_is_named_with_the_nearest():
    with pytest.raises(InputError, match=r"example 7: the tag 'B-PRE' was not seen in training; known are "):
        number_of("B-PRE", ("B-PER", "O"), example="7", what="tag")
    with pytest.raises(InputError, match=r"B-PER, O \(did you mean 'B-PER'\?\)"):
        number_of("B-PRE", ("B-PER", "O"), example="7", what="tag")
    with pytest.raises(InputError, match=r"known are no, yes$"):
        number_of("quite", ("no", "yes"), example="7")


def test_a_missing_label():
    with pytest.raises(InputError, match="example 7 has no intent; expected one of a, b"):
        number_of(None, ("a", "b"), example="7", what="intent")


def test_many_labels_are_cut_short():
    assert listed([str(n) for n in range(30)]).endswith("10, 11, … (30 in all)")


def test_what_an_example_is_called():
    examples = [TextExample("a", name="q-5"), TextExample("b")]
    assert list(named(examples)) == [("q-5", examples[0]), ("number 2", examples[1])]


@pytest.mark.parametrize(("tags", "count"), [(None, 0), (("O",), 1), (("O",) * 3, 3)])
def test_one_label_a_word(tags, count):
    assert one_a_word(("O", "O"), ("a", "b"), name="s-1", what="tags") == ("O", "O")
    with pytest.raises(InputError, match=f"sentence s-1 has {count} tags for 2 words; expected one for each"):
        one_a_word(tags, ("a", "b"), name="s-1", what="tags")
