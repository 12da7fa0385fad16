"""Questions and the passages that answer them: all it takes to teach a body to search."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path

from bertlib.errors import CorpusError, InputError
from bertlib.model import BertModel
from bertlib.search.bm25 import BM25
from bertlib.search.rerank import Judged, hard_negatives
from bertlib.tokenizer import WordPieceTokenizer
from bertlib.variants.sentence import SentenceEncoder
from bertlib.variants.sentence_losses import InBatchNegatives
from bertlib.variants.sentence_training import SentencePair, SentenceTraining, train_sentences

WRONG = 4  # hard negatives a question
ENCODING = SentenceTraining(learning_rate=1e-3, batch_size=64)
RERANKING = SentenceTraining(learning_rate=3e-4, batch_size=16)


def read_questions(file: Path) -> list[SentencePair]:
    """Read lines of question, tab, passage; empty ones are left out.

    Raises:
        CorpusError: no such file, none in UTF-8, a line that is not of this form, or fewer than two of them.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise CorpusError(f"cannot read {file}: {reason}; expected lines of question, tab, passage") from None
    pairs: list[SentencePair] = []
    for number, line in enumerate(lines, start=1):
        parts = [part.strip() for part in line.split("\t")]
        if any(parts):
            if len(parts) != 2 or not all(parts):
                raise CorpusError(f"{file}:{number}: {line[:60]!r}; expected question, tab, passage")
            pairs.append(SentencePair(parts[0], parts[1]))
    if len(pairs) < 2:
        raise CorpusError(f"{file} has {len(pairs)} questions; expected two at least, to tell passages apart")
    return pairs


def taught_encoder(
    body: BertModel,
    tokenizer: WordPieceTokenizer,
    pairs: Sequence[SentencePair],
    *,
    recipe: SentenceTraining = ENCODING,
    progress: bool = True,
) -> SentenceEncoder:
    """Train a copy of the body so that a question's vector is near that of its passage."""
    encoder = SentenceEncoder(copy.deepcopy(body), tokenizer)
    train_sentences(encoder, pairs, loss=InBatchNegatives(), recipe=recipe, progress=progress)
    return encoder.eval()


def judged_by_words(
    questions: Sequence[str], right: Sequence[Sequence[int]], passages: Sequence[str], *, wrong: int = WRONG
) -> list[Judged]:
    """Find wrong passages by BM25: they share words with the question, and do not answer it.

    Args:
        questions: Q of them.
        right: (Q) numbers of the passages that answer each, first the one to learn from.
        passages: all texts.
        wrong: passages a question.

    Raises:
        InputError: too few passages.
    """
    found = BM25(passages).search(questions, top=wrong + max(map(len, right))).numbers
    hard = hard_negatives(found, right, passages, count=wrong)
    return [Judged(q, passages[r[0]], w) for q, r, w in zip(questions, right, hard, strict=True)]


def judged_pairs(pairs: Sequence[SentencePair]) -> list[Judged]:
    """Make examples of pairs alone: the passages of other questions are the wrong ones.

    Raises:
        InputError: all of them have the same passage.
    """
    numbers = {text: number for number, text in enumerate(dict.fromkeys(pair.second for pair in pairs))}
    known: dict[str, set[int]] = {}  # all passages that answer a question
    for pair in pairs:
        known.setdefault(pair.first, set()).add(numbers[pair.second])
    right: list[list[int]] = []
    for pair in pairs:
        own = numbers[pair.second]
        right.append([own, *sorted(known[pair.first] - {own})])
    wrong = min(WRONG, len(numbers) - max(map(len, right)))
    if wrong < 1:
        raise InputError("one question has all the passages; expected others, to be the wrong ones")
    return judged_by_words([pair.first for pair in pairs], right, list(numbers), wrong=wrong)
