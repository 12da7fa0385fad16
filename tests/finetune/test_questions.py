"""Answers are found at their place, counted when not, and a long question leaves room for its context."""

from __future__ import annotations

import numpy as np
import pytest

from bertlib.data.examples import Answer, QuestionExample
from bertlib.errors import InputError
from bertlib.finetune import questions
from bertlib.finetune.offsets import PieceOffsets, covering
from bertlib.finetune.questions import Found, WindowCounts, find_answer, read_blocks, with_answers
from bertlib.finetune.task import Inputs
from bertlib.tokenizer import SPECIAL_TOKENS, WordPieceTokenizer

CONTEXT = "The  Japanese built it."
VOCAB = [*SPECIAL_TOKENS, "the", "japan", "##ese", "japanese", "built", "it", ".", "who", "?"]
VOCAB += ["sun", "##day", "##s", "may", "(", ")", "-", "1895", "1943", "18"]


@pytest.fixture(scope="module")
def tokenizer():
    return WordPieceTokenizer(VOCAB)


def ask(*answers, question="Who?", context=CONTEXT, impossible=False):
    return QuestionExample(question, context, tuple(Answer(*answer) for answer in answers), impossible)


def blocks(examples, tokenizer, *, max_length=32, max_question=64):
    return list(read_blocks(Inputs(examples, tokenizer, max_length), max_question=max_question))


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([("Japanese", 5)], Found(1, 1, False)),
        ([("Japan", 5)], Found(1, 1, True)),
        ([("panese built", 7)], Found(1, 2, True)),
        ([("it.", 20)], Found(3, 4, False)),
        ([("Japan", 4)], None),
        ([("Japan", -1)], None),
        ([("it.", 99)], None),
        ([(" ", 3)], None),
        ([("", 5)], None),
        ([("Japan", -1), ("built", 14)], Found(2, 2, False)),
    ],
)
def test_answers_are_found_at_their_offset(tokenizer, answers, expected):
    offsets = PieceOffsets(tokenizer).of(CONTEXT, np.array(tokenizer.words_to_ids(CONTEXT)))
    assert find_answer(ask(*answers), offsets) == expected


def released(context, text, start, tokenizer):
    """What google-research/bert learns from: of the words, cut at blanks, that the answer touches, the first
    and longest run of pieces that reads as the answer does when it is cut alone; else all of their pieces.
    """
    ids = tokenizer.words_to_ids(context)
    offsets = PieceOffsets(tokenizer).of(context, np.array(ids))
    begin = context.rfind(" ", 0, start) + 1
    end = (context + " ").index(" ", start + len(text))
    first, last = covering(offsets, begin, end)
    for i in range(first, last + 1):
        for j in range(last, i - 1, -1):
            if ids[i : j + 1] == tokenizer.words_to_ids(text):
                return context[offsets[i, 0] : offsets[j, 1]]
    return context[offsets[first, 0] : offsets[last, 1]]


@pytest.mark.parametrize(
    ("context", "text", "ours", "theirs"),
    [
        ("It (1895-1943).", "1895", "1895", "1895"),  # the two examples in its source
        ("The Japanese built it.", "Japan", "Japanese", "Japanese"),
        ("Sundays the sun", "Sunday", "Sunday", "Sunday"),  # ends inside a word, where a piece ends
        ("Sundays the sun", "unday", "Sunday", "Sundays"),
        ("Sundays the sun", "days the", "days the", "Sundays the"),
        ("It (1895-1943).", "8", "1895", "(1895-1943)."),
        ("It 18-1895-18.", "1895-1", "1895-18", "18-1895-18."),
    ],
)
def test_answers_inside_words_beside_those_of_the_released_code(tokenizer, context, text, ours, theirs):
    """Never wider than theirs, which goes from pieces back to whole words; the same where theirs is exact."""
    start = context.index(text)
    assert released(context, text, start, tokenizer) == theirs
    offsets = PieceOffsets(tokenizer).of(context, np.array(tokenizer.words_to_ids(context)))
    found = find_answer(ask((text, start), context=context), offsets)
    assert context[offsets[found.first, 0] : offsets[found.last, 1]] == ours
    assert found.widened == (ours != text)


def test_questions_without_a_place_are_left_out_and_counted(tokenizer):
    examples = [ask(("Japan", 5)), ask(("China", 5)), ask(impossible=True), ask(("built", 14))]
    (block,) = blocks(examples, tokenizer)
    rest, answers, counts = with_answers(block, PieceOffsets(tokenizer))
    assert rest.examples == [examples[0], examples[2], examples[3]]
    assert answers.tolist() == [[1, 1], [-1, -1], [2, 2]]
    assert counts == WindowCounts(questions=3, impossible=1, skipped=1, widened=1)


def test_a_context_is_tokenised_once_for_its_questions(tokenizer):
    (block,) = blocks([ask(("it", 20)), ask(("built", 14)), ask(context="It.")], tokenizer)
    assert block.contexts[0] is block.contexts[1]
    offsets = block.offsets(PieceOffsets(tokenizer))
    assert offsets[0] is offsets[1]
    assert [ids.tolist() for ids in block.contexts[1:]] == [[5, 8, 9, 10, 11], [10, 11]]


def test_blocks_do_not_change_what_is_read(tokenizer, monkeypatch):
    examples = [ask(question="who " * n, context="built it " * n) for n in range(1, 8)]
    whole = blocks(examples, tokenizer)[0]
    monkeypatch.setattr(questions, "BLOCK", 3)
    parts = blocks(examples, tokenizer)
    assert [len(part.examples) for part in parts] == [3, 3, 1]
    for column in ("questions", "contexts"):
        cut = [ids.tolist() for part in parts for ids in getattr(part, column)]
        assert cut == [ids.tolist() for ids in getattr(whole, column)]


@pytest.mark.parametrize(
    ("max_length", "max_question", "kept"), [(64, 10, 10), (64, 64, 30), (23, 64, 10), (5, 64, 1)]
)
def test_a_long_question_is_cut(tokenizer, max_length, max_question, kept):
    (block,) = blocks(
        [ask(question="who " * 40)], tokenizer, max_length=max_length, max_question=max_question
    )
    assert len(block.questions[0]) == kept
    windows = block.windows(max_length, 4)
    assert windows.size.max() == min(5, max_length - 3 - kept)


def test_no_room_is_one_clear_line(tokenizer):
    with pytest.raises(
        InputError, match=r"max_length is 4; expected at least 5, for a piece of the question"
    ):
        blocks([ask()], tokenizer, max_length=4)
