"""Tags: the first piece of a word learns and speaks, and every word gets a tag."""

from __future__ import annotations

import numpy as np
import pytest

from bertlib.data.examples import TaggedExample
from bertlib.errors import ConfigError, InputError
from bertlib.finetune.tagging import TaggingTask
from bertlib.finetune.task import Inputs

TASK = TaggingTask(tags=("B-X", "I-X", "O"))
EXAMPLES = [
    TaggedExample(("a", "abc", "x"), ("O", "B-X", "I-X"), "s-1"),
    TaggedExample(("x", "a", "b", "ab", "a"), ("B-X", "O", "O", "O", "O")),
]
LENGTH = 6


def oracle(examples, tokenizer):
    """Logits of a head that has learned the labels by heart."""
    known = TASK.features(Inputs(examples, tokenizer, LENGTH), training=True)
    rows = np.split(known.labels["labels"], known.starts[1:-1])
    return {"logits": [np.eye(3)[np.maximum(row, 0)] for row in rows]}


def test_rows_and_labels(tokenizer):
    """Four pieces a row: "a" and "abc" fill one."""
    features = TASK.features(Inputs(EXAMPLES, tokenizer, LENGTH), training=True)
    batch = features.batch(np.arange(4))
    assert batch["labels"].tolist() == [
        [-100, 2, 0, -100, -100, -100],
        [-100, 1, -100, -100, -100, -100],
        [-100, 0, 2, 2, -100, -100],
        [-100, 2, -100, 2, -100, -100],
    ]
    assert batch["token_type_ids"].sum() == 0


def test_verdicts_and_entities(tokenizer):
    outputs = oracle(EXAMPLES, tokenizer)
    said = TASK.decide(outputs, Inputs(EXAMPLES, tokenizer, LENGTH))
    assert said == [list(one.tags) for one in EXAMPLES]
    more = TASK.details(outputs, Inputs(EXAMPLES, tokenizer, LENGTH))
    assert more[0] == {"entities": [{"type": "X", "words": "abc x", "first_word": 1}]}
    assert TASK.score(said, EXAMPLES) == {"precision": 1, "recall": 1, "f1": 1}


def test_entities_or_words():
    assert TaggingTask.of(EXAMPLES) == TASK
    verbs = [TaggedExample(("a", "b"), ("NOUN", "VERB")), TaggedExample(("a",))]
    task = TaggingTask.of(verbs)
    assert (task.tags, task.metric, task.best) == (("NOUN", "VERB"), "words", "accuracy")
    assert task.score([["NOUN", "NOUN"]], verbs[:1]) == {"accuracy": 0.5}
    with pytest.raises(ConfigError, match="metric is 'pieces'; expected entities or words"):
        TaggingTask(tags=("a", "b"), metric="pieces")


@pytest.mark.parametrize("tags", [None, ("O",)])
def test_missing_tags_at_every_turn(tags, tokenizer):
    examples = [*EXAMPLES, TaggedExample(("a", "b"), tags)]
    message = f"sentence number 3 has {len(tags or ())} tags for 2 words; expected one for each"
    with pytest.raises(InputError, match=message):
        TASK.features(Inputs(examples, tokenizer, LENGTH), training=True)
    with pytest.raises(InputError, match=message):
        TASK.check(examples)
    with pytest.raises(InputError, match=message):
        TASK.score([["O"]] * 3, examples)


def test_a_tag_that_training_does_not_have(tokenizer):
    """Nothing to learn from; held out it is an error of the model and no error of the data."""
    examples = [TaggedExample(("a", "b"), ("B-XX", "O"), "s-9")]
    with pytest.raises(InputError, match=r"example s-9: the tag 'B-XX' was not seen.*did you mean 'B-X'"):
        TASK.features(Inputs(examples, tokenizer, LENGTH), training=True)
    TASK.check(examples)
    assert TASK.score([["B-X", "O"]], examples)["f1"] == 0
