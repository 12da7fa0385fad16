"""The metric of Chinese questions: exact match and F1 as CMRC 2018 defines them (Cui et al. 2019).

Chinese has no blanks to split at, so the units are characters, and words only where the text is not Chinese.
F1 counts the longest run of units that both share, not a bag of them: order matters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from bertlib.finetune.metrics import Scores, check_answered

# The signs that CMRC's own script removes; others stay, and count. (It lists "……" too, but as it looks at one
# character after the other, it never finds it.)
SIGNS = str.maketrans("", "", "-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』")
# Its script splits what is not Chinese with the NLTK; this does so without: numbers, words, single signs.
UNITS = re.compile(r"[\u4e00-\u9fa5]|\d+(?:[.,]\d+)*|[^\W\u4e00-\u9fa5]+|[^\w\s]")


def plain(answer: str) -> str:
    """Lower-case, without the signs: what exact match compares."""
    return answer.lower().strip().translate(SIGNS)


def units(answer: str) -> list[str]:
    """Cut an answer into Chinese characters and the words of other languages.

    Example:
        >>> units("《BERT》有3.3亿参数。")
        ['bert', '有', '3.3', '亿', '参', '数']
    """
    return UNITS.findall(plain(answer))


def longest_shared(first: Sequence[str], second: Sequence[str]) -> int:
    """Return the length of the longest run of units that occurs in both.

    Example:
        >>> longest_shared("ABXCD", "ABCD")
        2
    """
    longest, before = 0, [0] * (len(second) + 1)
    for one in first:
        # now[j + 1]: the run that ends at this unit of the first and at unit j of the second
        now = [0] + [before[j] + 1 if one == other else 0 for j, other in enumerate(second)]
        longest, before = max(longest, *now), now
    return longest


def run_f1(prediction: str, truth: str) -> float:
    """Return the F1 of the longest shared run; if one of the two is empty, both must be."""
    mine, right = units(prediction), units(truth)
    if not mine or not right:
        return float(mine == right)
    return 2 * longest_shared(mine, right) / (len(mine) + len(right))


def cmrc_scores(predictions: Mapping[str, str], truths: Mapping[str, Sequence[str]]) -> Scores:
    """Return mean exact match and F1, each against the best of the right answers.

    Args:
        predictions: question id: answer; "" says that there is none.
        truths: question id: right answers; none for a question without an answer.

    Returns:
        ``exact`` and ``f1``.

    Raises:
        InputError: questions without a prediction, or no questions.
    """
    check_answered(predictions, truths)
    marks = [best_marks(predictions[name], answers) for name, answers in truths.items()]
    exact, f1 = (sum(column) / len(marks) for column in zip(*marks, strict=True))
    return {"exact": exact, "f1": f1}


def best_marks(prediction: str, answers: Sequence[str]) -> tuple[float, float]:
    """Return exact match and F1, each against the right answer that is kindest to the prediction."""
    right = answers or ("",)
    exact = max(float(plain(prediction) == plain(answer)) for answer in right)
    return exact, max(run_f1(prediction, answer) for answer in right)
