"""How tasks are marked: the metrics of GLUE, of tagging, and of SQuAD.

Where a well-kept library has the metric, it is used (scikit-learn, scipy: ``pip install
"bertlib[tasks]"``). Two are ours: SQuAD's, for its normalisation is part of the task (Rajpurkar et al. 2016,
section 6.1), and the F1 of entities, which neither of them has.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from bertlib.errors import InputError
from bertlib.extras import need

Scores = dict[str, float]  # by name, as shares from 0 to 1 (correlations from -1 to 1)
ARTICLES = re.compile(r"\b(a|an|the)\b")
SIGNS = str.maketrans("", "", string.punctuation)


def library(name: str) -> Any:
    """Import a module of the tasks extra.

    Raises:
        MissingExtraError: it is not installed.
    """
    return need(name, extra="tasks")


def same_length(predictions: Sequence[Any], truths: Sequence[Any]) -> None:
    """Refuse predictions for another set of examples.

    Raises:
        InputError: not as many predictions as truths, or none.
    """
    if len(predictions) != len(truths) or not len(truths):
        raise InputError(
            f"{len(predictions)} predictions for {len(truths)} examples; expected as many, and at least one"
        )


def accuracy(predictions: Sequence[int], truths: Sequence[int]) -> Scores:
    """Return the share of right answers (SST-2, MNLI, QNLI, RTE, WNLI)."""
    same_length(predictions, truths)
    return {"accuracy": float(library("sklearn.metrics").accuracy_score(truths, predictions))}


def accuracy_and_f1(predictions: Sequence[int], truths: Sequence[int]) -> Scores:
    """Return accuracy and the F1 of label 1 (MRPC, QQP)."""
    found = accuracy(predictions, truths)
    f1 = library("sklearn.metrics").f1_score(truths, predictions, zero_division=0)
    return found | {"f1": float(f1)}


def matthews(predictions: Sequence[int], truths: Sequence[int]) -> Scores:
    """Return Matthews' correlation: 0 for whoever always says the same (CoLA)."""
    same_length(predictions, truths)
    return {"matthews": float(library("sklearn.metrics").matthews_corrcoef(truths, predictions))}


def correlations(predictions: Sequence[float], truths: Sequence[float]) -> Scores:
    """Return Pearson's and Spearman's correlation (STS-B); 0 if all predictions are the same."""
    same_length(predictions, truths)
    if len(set(predictions)) == 1 or len(set(truths)) == 1:
        return {"pearson": 0.0, "spearman": 0.0}
    stats = library("scipy.stats")
    return {
        "pearson": float(stats.pearsonr(predictions, truths).statistic),
        "spearman": float(stats.spearmanr(predictions, truths).statistic),
    }


def entity_f1(predictions: Sequence[Sequence[str]], truths: Sequence[Sequence[str]]) -> Scores:
    """Return precision, recall and F1 over whole entities, from BIO tags (CoNLL-2003).

    An entity counts only with both borders and its type right.

    Raises:
        InputError: another number of sentences, or of tags in one.
    """
    check_tags(predictions, truths)
    found, wanted = (
        {(number, *entity) for number, tags in enumerate(side) for entity in entities(tags)}
        for side in (predictions, truths)
    )
    hits = len(found & wanted)
    precision, recall = hits / max(len(found), 1), hits / max(len(wanted), 1)
    f1 = 2 * hits / max(len(found) + len(wanted), 1)
    return {"precision": precision, "recall": recall, "f1": f1}


def word_accuracy(predictions: Sequence[Sequence[str]], truths: Sequence[Sequence[str]]) -> Scores:
    """Return the share of words with the right tag (parts of speech).

    Raises:
        InputError: another number of sentences, or of tags in one.
    """
    check_tags(predictions, truths)
    pairs = [pair for m, r in zip(predictions, truths, strict=True) for pair in zip(m, r, strict=True)]
    return {"accuracy": sum(mine == right for mine, right in pairs) / max(len(pairs), 1)}


def check_tags(predictions: Sequence[Sequence[str]], truths: Sequence[Sequence[str]]) -> None:
    """Refuse tags of other sentences.

    Raises:
        InputError: another number of sentences, or of tags in one.
    """
    same_length(predictions, truths)
    for number, (mine, right) in enumerate(zip(predictions, truths, strict=True), start=1):
        if len(mine) != len(right):
            raise InputError(f"sentence {number}: {len(mine)} tags for {len(right)} words; expected one each")


def entities(tags: Sequence[str]) -> list[tuple[str, int, int]]:
    """Return type, first and last word of each entity in a row of BIO tags.

    Like the script of CoNLL-2000, it forgives a missing B-: an I- that continues nothing of its own type
    begins an entity.

    Example:
        >>> entities(["B-PER", "I-PER", "O", "I-LOC", "B-LOC"])
        [('PER', 0, 1), ('LOC', 3, 3), ('LOC', 4, 4)]
    """
    found: list[tuple[str, int, int]] = []
    open_kind = ""
    for place, tag in enumerate(tags):
        mark, _, kind = tag.partition("-")
        if mark == "I" and kind == open_kind:
            found[-1] = (kind, found[-1][1], place)
        elif mark in ("B", "I"):
            found.append((kind, place, place))
        open_kind = kind if mark in ("B", "I") else ""
    return found


def normalised(answer: str) -> str:
    """Lower-case, without punctuation, articles and superfluous blanks: what SQuAD compares.

    Example:
        >>> normalised("The Eiffel  Tower!")
        'eiffel tower'
    """
    return " ".join(ARTICLES.sub(" ", answer.lower().translate(SIGNS)).split())


def exact_match(prediction: str, truth: str) -> float:
    """Return 1 if the two are the same after normalisation, else 0."""
    return float(normalised(prediction) == normalised(truth))


def word_f1(prediction: str, truth: str) -> float:
    """Return the F1 of the words that both share, counted as often as they occur.

    If one of the two is empty (no answer), both must be.
    """
    mine, right = normalised(prediction).split(), normalised(truth).split()
    if not mine or not right:
        return float(mine == right)
    shared = (Counter(mine) & Counter(right)).total()
    return 2 * shared / (len(mine) + len(right))


def check_answered(predictions: Mapping[str, str], truths: Mapping[str, Sequence[str]]) -> None:
    """Refuse predictions for other questions.

    Raises:
        InputError: questions without a prediction, or no questions.
    """
    if not truths:
        raise InputError("there are no questions to mark; expected at least one")
    missing = [name for name in truths if name not in predictions]
    if missing:
        raise InputError(
            f"{len(missing)} of {len(truths)} questions have no prediction, {', '.join(missing[:3])} among "
            "them; is this the predictions file of another data set?"
        )


def squad_scores(predictions: Mapping[str, str], truths: Mapping[str, Sequence[str]]) -> Scores:
    """Return mean exact match and F1, each against the best of the right answers.

    Args:
        predictions: question id: answer; "" says that there is none.
        truths: question id: right answers; none for a question without an answer (SQuAD 2.0).

    Returns:
        ``exact`` and ``f1``; where both kinds of questions occur, also for each kind alone
        (``has_answer_f1``, ``no_answer_f1``, …).

    Raises:
        InputError: questions without a prediction (a predictions file of another data set, perhaps).
    """
    check_answered(predictions, truths)
    marks = {name: best_marks(predictions[name], answers) for name, answers in truths.items()}
    kinds = {
        "": list(truths),
        "has_answer_": [name for name, answers in truths.items() if answers],
        "no_answer_": [name for name, answers in truths.items() if not answers],
    }
    if not (kinds["has_answer_"] and kinds["no_answer_"]):
        kinds = {"": kinds[""]}
    scores: Scores = {}
    for kind, names in kinds.items():
        for place, metric in enumerate(("exact", "f1")):
            scores[kind + metric] = sum(marks[name][place] for name in names) / len(names)
    return scores


def best_marks(prediction: str, answers: Sequence[str]) -> tuple[float, float]:
    """Return exact match and F1 against the right answer that is kindest to the prediction."""
    right = [answer for answer in answers if normalised(answer)] or [""]
    return max(exact_match(prediction, a) for a in right), max(word_f1(prediction, a) for a in right)
