"""Windows by hand, by the loops of google-research/bert, and against the `transformers` library."""

from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np
import pytest

from bertlib.data.examples import Answer, QuestionExample
from bertlib.finetune.offsets import PieceOffsets
from bertlib.finetune.qa import QuestionTask
from bertlib.finetune.reading.squad import read_squad
from bertlib.finetune.task import Inputs
from bertlib.finetune.windows import cut_windows, most_context, pack_windows, window_labels
from bertlib.tokenizer import SPECIAL_TOKENS, WordPieceTokenizer

DATA = Path(os.environ.get("BERTLIB_DATA", Path(__file__).parents[3] / "shared" / "data"))


def windows_of(pieces, room, stride):
    cut = cut_windows(np.array([pieces]), np.array([room]), stride)
    return list(zip(cut.first.tolist(), cut.size.tolist(), strict=True))


def reference_windows(pieces, room, stride):
    """One window after the other, as run_squad cuts them."""
    found, start = [], 0
    while start < pieces:
        size = min(pieces - start, room)
        found.append((start, size))
        if start + size == pieces:
            break
        start += min(size, stride)
    return found


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [(0, [(0, 0)]), (1, [(0, 1)]), (6, [(0, 6)]), (7, [(0, 6), (3, 4)]), (10, [(0, 6), (3, 6), (6, 4)])],
)
def test_windows_by_hand(pieces, expected):
    assert windows_of(pieces, 6, 3) == expected


def test_windows_as_the_reference_cuts_them():
    for pieces in range(1, 30):
        for room in range(1, 9):
            for stride in (1, 3, 8, 20):
                assert windows_of(pieces, room, stride) == reference_windows(pieces, room, stride)


def test_windows_of_several_questions():
    cut = cut_windows(np.array([3, 0, 9]), np.array([4, 4, 5]), 2)
    assert cut.question.tolist() == [0, 1, 2, 2, 2]
    assert cut.first.tolist() == [0, 0, 0, 2, 4]
    assert [cut.of(number) for number in range(3)] == [slice(0, 1), slice(1, 2), slice(2, 5)]


def reference_most_context(windows, place):
    """As run_squad decides which window may judge a piece."""
    best, winner = None, None
    for number, (start, size) in enumerate(windows):
        end = start + size - 1
        if not start <= place <= end:
            continue
        score = min(place - start, end - place) + 0.01 * size
        if best is None or score > best:
            best, winner = score, number
    return winner


def test_the_window_with_most_context_judges():
    for pieces in (1, 5, 17, 40):
        for room, stride in ((5, 2), (6, 3), (7, 7), (9, 4)):
            windows = reference_windows(pieces, room, stride)
            judge = most_context(*np.array(windows).T)
            assert judge.tolist() == [reference_most_context(windows, place) for place in range(pieces)]


def test_rows_by_hand():
    tokenizer = WordPieceTokenizer([*SPECIAL_TOKENS, *"abcdefg"])
    cut = cut_windows(np.array([5, 2]), np.array([3, 4]), 2)
    questions = [np.array([10, 11]), np.array([], dtype=np.int64)]
    rows = pack_windows(cut, questions, [np.arange(5, 10), np.array([7, 7])], tokenizer)
    cls, sep = tokenizer.cls_id, tokenizer.sep_id
    assert rows.ids.dtype == np.int32
    assert rows.ids.tolist() == [
        *[cls, 10, 11, sep, 5, 6, 7, sep],
        *[cls, 10, 11, sep, 7, 8, 9, sep],
        *[cls, sep, 7, 7, sep],
    ]
    assert (rows.lengths.tolist(), rows.firsts.tolist()) == ([8, 8, 5], [4, 4, 2])


def test_labels_by_hand():
    """Windows of pieces 0-2 and 2-4. Answers: both pieces 1-2; 2-3; 1-3, in neither; none at all."""
    cut = cut_windows(np.array([5] * 4), np.array([3] * 4), 2)
    answers = np.array([[1, 2], [2, 3], [1, 3], [-1, -1]])
    labels = window_labels(cut, np.full(8, 4), answers)
    assert labels.tolist() == [[5, 6], [0, 0], [0, 0], [4, 5], [0, 0], [0, 0], [0, 0], [0, 0]]


# the library's tokenizer as an independent reference


def theirs_like(tokenizer, folder):
    transformers = pytest.importorskip("transformers")
    return transformers.BertTokenizerFast.from_pretrained(tokenizer.save(folder))


def compare_with_transformers(examples, tokenizer, theirs, *, max_length, stride):
    """Every row's ids, its token types, its offsets, and where its answer begins and ends; returns the rows."""
    task = QuestionTask(stride=stride, max_question=max_length)
    ours = task.features(Inputs(examples, tokenizer, max_length), training=True)
    places, row = PieceOffsets(tokenizer), 0
    for one in examples:
        room = max_length - 3 - len(tokenizer.words_to_ids(one.question))
        expected = theirs(
            one.question,
            one.context,
            truncation="only_second",
            max_length=max_length,
            stride=max(room - stride, 0),
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
        )
        all_places = places.of(one.context, np.array(tokenizer.words_to_ids(one.context))).tolist()
        for number, ids in enumerate(expected["input_ids"]):
            assert ours.row(row).tolist() == ids
            first = int(ours.firsts[row])
            assert expected["token_type_ids"][number] == [0] * first + [1] * (len(ids) - first)
            offsets = expected["offset_mapping"][number][first:-1]
            begin = number * min(stride, room)
            assert [tuple(pair) for pair in all_places[begin : begin + len(offsets)]] == offsets
            assert ours.labels["labels"][row].tolist() == their_label(one, offsets, first)
            row += 1
    assert row == len(ours)
    return row


def their_label(one, offsets, first):
    """The label as tutorials of the library find it, character by character."""
    start, end = one.answers[0].start, one.answers[0].start + len(one.answers[0].text)
    covers = [a < end and b > start for a, b in offsets]
    whole = bool(offsets) and offsets[0][0] <= start and offsets[-1][1] >= end
    if not whole or not any(covers):
        return [0, 0]
    held = [first + place for place, covered in enumerate(covers) if covered]
    return [held[0], held[-1]]


TEXT = "the Tower of Śląsk was built in 1887–1889 (by Eiffel's men), naïve café 巴黎 don't 3.14% U.S. é–x"
WORDS = TEXT.split(" ")


def made_up(dice, count):
    """Questions whose answer is some words of a context made of words drawn by chance."""
    examples = []
    for _ in range(count):
        words = dice.choices(WORDS, k=dice.randrange(3, 90))
        context = dice.choice([" ", "  ", "\n"]).join(words)
        start = context.index(dice.choice(words))
        text = context[start : start + dice.randrange(1, 30)].rstrip()
        question = " ".join(dice.choices(WORDS, k=dice.randrange(1, 9)))
        examples.append(QuestionExample(question, context, (Answer(text, start),)))
    return examples


@pytest.fixture(scope="module")
def small_tokenizer():
    return WordPieceTokenizer.train(WORDS * 3, 90, progress=False)


@pytest.mark.parametrize(("max_length", "stride"), [(96, 20), (48, 7), (200, 66)])
def test_equal_to_transformers_on_made_up_questions(small_tokenizer, tmp_path, max_length, stride):
    examples = [
        one
        for one in made_up(random.Random(3), 80)
        if len(small_tokenizer.words_to_ids(one.question)) <= (max_length - 3) // 2
    ]
    theirs = theirs_like(small_tokenizer, tmp_path)
    rows = compare_with_transformers(examples, small_tokenizer, theirs, max_length=max_length, stride=stride)
    assert rows > len(examples) > 40


@pytest.mark.data
@pytest.mark.parametrize("file", ["squad_v1.1/dev-v1.1.json.xz", "xquad/xquad.zh.json.xz"])
def test_equal_to_transformers_on_real_questions(tmp_path, file):
    if not (DATA / file).exists():
        pytest.skip("no public data sets beside the checkout")
    examples = [one for one in read_squad(DATA / file)[:300] if one.answers[0].start >= 0]
    texts = {one.context for one in examples} | {one.question for one in examples}
    tokenizer = WordPieceTokenizer.train(sorted(texts), 3_000, progress=False)
    theirs = theirs_like(tokenizer, tmp_path)
    assert compare_with_transformers(examples, tokenizer, theirs, max_length=160, stride=53) > 300
