"""An intent and slots: both are labelled, both are judged, and both must be known."""

from __future__ import annotations

import numpy as np
import pytest

from bertlib.data.examples import IntentExample
from bertlib.errors import InputError
from bertlib.finetune.joint import IntentTask, Understood
from bertlib.finetune.task import Inputs

TASK = IntentTask(intents=("ask", "tell"), slots=("B-X", "I-X", "O"))
EXAMPLES = [
    IntentExample(("abc", "x"), ("B-X", "I-X"), "tell", "u-1"),
    IntentExample(("a", "b", "c", "d", "x"), ("O", "O", "O", "O", "B-X"), "ask"),
]
LENGTH = 6  # the last word of the second is lost


def test_labels_for_both(tokenizer):
    batch = TASK.features(Inputs(EXAMPLES, tokenizer, LENGTH), training=True).batch(np.arange(2))
    assert batch["intents"].tolist() == [1, 0]
    assert batch["slots"].tolist() == [[-100, 0, -100, -100, 1, -100], [-100, 2, 2, 2, 2, -100]]


def test_verdicts_and_marks(tokenizer):
    slots = [np.eye(3)[[2, 0, 2, 2, 1, 2]], np.eye(3)[[2, 2, 2, 2, 0, 2]]]
    outputs = {"intent_logits": np.log([[1.0, 3.0], [0.5, 0.5]]), "slot_logits": slots}
    said = TASK.decide(outputs, Inputs(EXAMPLES, tokenizer, LENGTH))
    assert said == [
        Understood("tell", ("B-X", "I-X")),
        Understood("ask", ("O", "O", "O", "B-X", "O")),
    ]
    more = TASK.details(outputs, Inputs(EXAMPLES, tokenizer, LENGTH))
    assert more[0]["probabilities"] == pytest.approx({"ask": 0.25, "tell": 0.75})
    assert [one["filled"] for one in more] == [{"X": "abc x"}, {"X": "d"}]
    assert TASK.score(said, EXAMPLES) == {"intent_accuracy": 1.0, "slot_f1": 0.5, "exact": 0.5}


def test_all_of_it_right_is_needed_for_exact():
    wrong = [Understood("ask", EXAMPLES[0].slots), Understood("ask", EXAMPLES[1].slots)]
    assert TASK.score(wrong, EXAMPLES) == {"intent_accuracy": 0.5, "slot_f1": 1.0, "exact": 0.5}


def test_intents_and_slots_of_the_training_examples():
    assert IntentTask.of(EXAMPLES) == TASK
    with pytest.raises(InputError, match="no two different intents, only ask"):
        IntentTask.of(EXAMPLES[1:])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"intent": None}, "number 3 has no intent; expected one"),
        ({"slots": None}, "sentence number 3 has 0 slots for 2 words; expected one for each"),
        ({"slots": ("O",)}, "sentence number 3 has 1 slots for 2 words"),
    ],
)
def test_what_is_missing_at_every_turn(changes, message, tokenizer):
    examples = [*EXAMPLES, EXAMPLES[0]._replace(name="", **changes)]
    said = [Understood("ask", ("O",))] * 3
    with pytest.raises(InputError, match=message):
        TASK.features(Inputs(examples, tokenizer, LENGTH), training=True)
    with pytest.raises(InputError, match=message):
        TASK.check(examples)
    with pytest.raises(InputError, match=message):
        TASK.score(said, examples)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"intent": "tel"}, r"example u-1: the intent 'tel' was not seen.*did you mean 'tell'"),
        ({"slots": ("B-X", "I-Y")}, r"example u-1: the slot 'I-Y' was not seen.*did you mean 'I-X'"),
    ],
)
def test_what_training_does_not_have(changes, message, tokenizer):
    """Nothing to learn from; held out it is an error of the model and no error of the data."""
    strange = [EXAMPLES[0]._replace(**changes)]
    with pytest.raises(InputError, match=message):
        TASK.features(Inputs(strange, tokenizer, LENGTH), training=True)
    TASK.check(strange)
    assert TASK.score([Understood("tell", ("B-X", "I-X"))], strange)["exact"] == 0
