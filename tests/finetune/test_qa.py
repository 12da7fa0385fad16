"""Questions from text to text: what is learned from, what is answered, when nothing is."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from bertlib import BertConfig, BertModel
from bertlib.data.examples import Answer, QuestionExample
from bertlib.errors import ConfigError, InputError
from bertlib.finetune.heads import QASpanHead
from bertlib.finetune.qa import QuestionTask
from bertlib.finetune.questions import WindowCounts
from bertlib.finetune.task import Inputs
from bertlib.tokenizer import SPECIAL_TOKENS, WordPieceTokenizer

VOCAB = [*SPECIAL_TOKENS, *"abcdefghijklmnopqrstuvwxyz?", *"北京在哪里国"]
LONG = "A B C D E F G H I J K L M"
LENGTH = 10  # 3 special, 2 for "q ?", 5 of the context


@pytest.fixture(scope="module")
def tokenizer():
    return WordPieceTokenizer(VOCAB)


def ask(text="", context=LONG, *, question="q?", impossible=False):
    answers = (Answer(text, context.index(text)),) if text else ()
    return QuestionExample(question, context, answers, impossible)


def oracle(task, examples, tokenizer, *, sure=5.0, null=0.0, length=LENGTH):
    """What a perfect head says: high where the labels of training point, everywhere else 0."""
    inputs = Inputs(examples, tokenizer, length)
    learned = task.features(inputs, training=True)
    logits = [np.zeros((size, 2), np.float32) for size in learned.lengths]
    for row, (start, end) in zip(logits, learned.labels["labels"], strict=True):
        row[0] = null
        if start:
            row[start, 0] = row[end, 1] = sure
    return {"logits": logits}, inputs


def test_rows_and_labels_by_hand(tokenizer):
    """Stride 3: windows A-E, D-H, G-K, J-M; "H I" is in the third only."""
    task = QuestionTask(stride=3)
    features, counts = task.counted(Inputs([ask("H I")], tokenizer, LENGTH))
    rows = [[tokenizer.vocab[i] for i in features.row(n)] for n in range(len(features))]
    assert [" ".join(row[4:-1]) for row in rows] == ["a b c d e", "d e f g h", "g h i j k", "j k l m"]
    assert rows[0][:4] == ["[CLS]", "q", "?", "[SEP]"]
    assert features.firsts.tolist() == [4] * 4
    assert features.labels["labels"].tolist() == [[0, 0], [0, 0], [5, 6], [0, 0]]
    assert counts == WindowCounts(questions=1, windows=4, without_answer=3)
    assert features.ids.dtype == features.labels["labels"].dtype == np.int32
    assert features.starts.dtype == np.int64


def test_an_answer_longer_than_any_window_is_counted(tokenizer):
    counts = QuestionTask(stride=3).counted(Inputs([ask("B C D E F G"), ask("A")], tokenizer, LENGTH))[1]
    assert counts == WindowCounts(questions=2, windows=8, without_answer=7, lost=1)


def test_a_batch_fits_the_head(tokenizer):
    features = QuestionTask().features(Inputs([ask("H I"), ask("A")], tokenizer, LENGTH), training=True)
    batch = features.batch(np.arange(3))
    sizes = BertConfig(
        vocab_size=len(VOCAB), hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )
    head = QuestionTask().head(BertModel(sizes), dropout=0.3)
    assert isinstance(head, QASpanHead)
    assert torch.isfinite(head(**batch).loss)


def test_the_stride_is_a_third_of_the_length(tokenizer):
    features = QuestionTask().features(Inputs([ask("A")], tokenizer, LENGTH), training=False)
    assert len(features) == 4  # 10 // 3 = 3, as by hand
    assert not features.labels


def test_windows_without_the_answer_are_counted_apart_from_questions_without(tokenizer):
    examples = [ask("H I"), ask(impossible=True), replace_start(ask("A"), 3)]
    task = QuestionTask(no_answer=True, stride=3)
    features, counts = task.counted(Inputs(examples, tokenizer, LENGTH))
    assert counts == WindowCounts(questions=2, impossible=1, windows=8, without_answer=3, skipped=1)
    assert len(features) == 8
    assert (features.labels["labels"][4:] == 0).all()


def replace_start(example, start):
    return example._replace(answers=(Answer(example.answers[0].text, start),))


def test_counting_without_training_looks_for_no_answers(tokenizer):
    inputs = Inputs([replace_start(ask("A"), -1)], tokenizer, LENGTH)
    _, counts = QuestionTask().counted(inputs, training=False)
    assert counts == WindowCounts(questions=1, windows=4)


def test_a_perfect_head_answers_in_the_words_of_the_context(tokenizer):
    examples = [ask("H I"), ask("Bé", "A  Bé\nC"), ask("C D E", "a b\tC D E"), ask("M")]
    task = QuestionTask()
    outputs, inputs = oracle(task, examples, tokenizer)
    said = task.decide(outputs, inputs)
    assert said == ["H I", "Bé", "C D E", "M"]
    assert task.score(said, examples) == {"exact": 1.0, "f1": 1.0}


def test_chinese_alike(tokenizer):
    task = QuestionTask(language="zh")
    examples = [ask("北京", "中国，北京。", question="哪里?")]
    outputs, inputs = oracle(task, examples, tokenizer, length=12)
    said = task.decide(outputs, inputs)
    assert said == ["北京"]
    assert task.score(["京北"], examples) == {"exact": 0.0, "f1": 0.5}


def test_blocks_do_not_change_answers(tokenizer, monkeypatch):
    from bertlib.finetune import questions

    examples = [ask(text) for text in LONG.split()] + [ask("C D", "C D")]
    task = QuestionTask()
    features = task.features(Inputs(examples, tokenizer, LENGTH), training=False)
    monkeypatch.setattr(questions, "BLOCK", 4)
    outputs, inputs = oracle(task, examples, tokenizer)
    other = task.features(inputs, training=False)
    assert (features.ids == other.ids).all()
    assert (features.starts == other.starts).all()
    assert task.decide(outputs, inputs) == [*LONG.split(), "C D"]


def test_no_answer_wins_by_the_threshold(tokenizer):
    """The answer scores 2 * 5; no answer 2 * 5.5 in each window, 1 more."""
    examples = [ask("H I")]
    for threshold, expected in ((0.0, ""), (1.0, "H I"), (0.99, "")):
        task = QuestionTask(no_answer=True, null_threshold=threshold)
        outputs, inputs = oracle(task, examples, tokenizer, null=5.5)
        assert task.decide(outputs, inputs) == [expected]
    always = QuestionTask()
    assert always.decide(outputs, inputs) == ["H I"]


def test_n_best_answers(tokenizer):
    examples = [ask("B", "A B A"), ask(impossible=True, context="A")]
    task = QuestionTask(no_answer=True, n_best=3)
    outputs, inputs = oracle(task, examples, tokenizer, null=2.0)
    listed = task.n_best_answers(outputs, inputs)
    assert [(one.text, one.start, one.score) for one in listed[0]] == [
        ("B", 2, 10.0), ("A B", 0, 5.0), ("B A", 2, 5.0), ("", -1, 4.0),
    ]  # fmt: skip
    assert sum(one.probability for one in listed[0]) == pytest.approx(1)
    assert [one.text for one in listed[1]] == ["", "A"]
    details = task.details(outputs, inputs)
    assert json.loads(json.dumps(details))[0]["answers"][0]["text"] == "B"


def test_the_threshold_is_tuned_on_known_questions(tokenizer):
    """An answer that is right and weak, one that is not there: only a threshold between 3 and 6 has both."""
    examples = [ask("B", "A B"), ask(impossible=True, context="A B"), ask("A", "A B")]
    task = QuestionTask(no_answer=True)
    outputs, inputs = oracle(task, examples, tokenizer, null=4.0)
    outputs["logits"][0][0] = 6.5  # no answer is better by 3
    outputs["logits"][1][0] = 3.0  # by 6, for no span scores more than 0
    tuned = task.tuned(outputs, inputs)
    assert tuned == replace(task, null_threshold=3.0)
    said = tuned.decide(outputs, inputs)
    assert said == ["B", "", "A"]
    assert tuned.score(said, examples)["no_answer_f1"] == 1.0
    with pytest.raises(InputError, match="a task that always answers has no threshold"):
        QuestionTask().tuned(outputs, inputs)


def test_answers_of_more_pieces_than_allowed_are_not_given(tokenizer):
    task = QuestionTask(max_answer=2)
    examples = [ask("A B C", "A B C D")]
    outputs, inputs = oracle(task, examples, tokenizer)
    (said,) = task.decide(outputs, inputs)
    assert said == "A"  # the best of those that are short enough, the first of two


def test_empty_texts_are_no_accident(tokenizer):
    examples = [QuestionExample("", "", (), True), ask(impossible=True, context=" \n")]
    task = QuestionTask(no_answer=True)
    outputs, inputs = oracle(task, examples, tokenizer)
    assert task.features(inputs, training=False).lengths.tolist() == [3, 5]
    assert task.decide(outputs, inputs) == ["", ""]
    assert task.tuned(outputs, inputs).null_threshold < np.inf


@pytest.mark.parametrize(
    ("examples", "training", "message"),
    [
        ([], True, "no examples; expected at least one"),
        ([], False, "no examples; expected at least one"),
        ([ask()], True, "question number 1 has no answer and is not marked as impossible"),
        (
            [ask("A"), ask(impossible=True)],
            True,
            "question number 2 has no answer in its context; make the task",
        ),
        ([replace_start(ask("A"), 3)] * 2, True, "2 questions, and none of their answers stands where"),
    ],
)
def test_what_cannot_be_learned_from(tokenizer, examples, training, message):
    with pytest.raises(InputError, match=message):
        QuestionTask().features(Inputs(examples, tokenizer, LENGTH), training=training)


def test_outputs_made_for_other_rows_are_refused(tokenizer):
    examples = [ask("H I"), ask("A")]
    outputs, inputs = oracle(QuestionTask(), examples, tokenizer)
    with pytest.raises(
        InputError, match="outputs for 6 rows, the examples have 6, and 4 rows of another length"
    ):
        QuestionTask().decide({"logits": outputs["logits"][:6]}, Inputs(examples, tokenizer, 13))
    with pytest.raises(InputError, match="outputs for 7 rows, the examples have 8"):
        QuestionTask().decide({"logits": outputs["logits"][:7]}, inputs)


def test_marks_need_known_answers():
    with pytest.raises(InputError, match="number 2 has no answer and is not marked"):
        QuestionTask().score(["A", "B"], [ask("A"), ask()])
    with pytest.raises(InputError, match="1 predictions for 2 examples"):
        QuestionTask().score(["A"], [ask("A"), ask("B")])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"stride": 0}, "stride is 0; expected at least 1"),
        ({"max_answer": 0}, "max_answer is 0"),
        ({"n_best": -1}, "n_best is -1"),
        ({"max_question": 0}, "max_question is 0"),
        ({"language": "fr"}, "language is 'fr'; expected en or zh"),
    ],
)
def test_tasks_that_are_none(fields, message):
    with pytest.raises(ConfigError, match=message):
        QuestionTask(**fields)


def test_the_task_is_made_of_the_data_and_of_its_fields():
    assert QuestionTask.of([ask("A")]) == QuestionTask()
    assert QuestionTask.of([ask("A"), ask(impossible=True)], language="zh").no_answer
    task = QuestionTask(no_answer=True, null_threshold=-1.25, stride=7)
    assert QuestionTask(**json.loads(json.dumps(task.to_dict()))) == task
