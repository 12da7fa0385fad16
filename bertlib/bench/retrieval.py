"""Does it find the paragraph? Words, vectors and a second look, on the questions of SQuAD; likeness on STS-B.

::

    python -m bertlib.bench.retrieval mini-books DATA --save retrieval.json

The folder DATA holds ``squad_v1.1`` and ``glue/STS-B``. Each question of SQuAD's dev set is to find its own
paragraph among all paragraphs of the dev set. Encoder and rerankers learn from questions of the training set,
whose articles are others. A reranker sorts the best ten paragraphs anew: by what it says of [CLS], as in the
paper, or by matches (:mod:`bertlib.search.matching`); alone, or with the BM25 score blended in.
"""

from __future__ import annotations

import argparse
import copy
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from bertlib.bench.provenance import provenance, write_results
from bertlib.bench.retrieval_data import Retrieval, read_pairs, read_retrieval
from bertlib.device import pick_device
from bertlib.errors import BertlibError
from bertlib.finetune.heads import SequenceClassifier
from bertlib.finetune.metrics import correlations
from bertlib.finetune.packing import encode_texts
from bertlib.model import BertModel
from bertlib.search.bm25 import BM25
from bertlib.search.engine import AGAIN as DEPTH
from bertlib.search.index import nearest
from bertlib.search.matching import MatchingHead
from bertlib.search.measures import blend, fuse, mean_reciprocal_rank, ranks, recall_at
from bertlib.search.rerank import CrossEncoder, Judged, train_reranker
from bertlib.search.teaching import ENCODING, RERANKING, WRONG, judged_by_words, taught_encoder
from bertlib.seeds import mix_seed, seeded
from bertlib.store import load_pretrained
from bertlib.tokenizer import WordPieceTokenizer
from bertlib.variants.sentence import SentenceEncoder
from bertlib.variants.sentence_losses import CosineRegression
from bertlib.variants.sentence_training import (
    SentencePair,
    SentenceTraining,
    sts_scores,
    train_sentences,
)

T = TypeVar("T")
Rankings = list[list[int]]  # for each question, the numbers of paragraphs, best first
Scores = list[np.ndarray]  # for each question, how well these paragraphs fit

TOP = 100  # paragraphs that a search returns
HEADS = ("[CLS]", "matches")  # what a reranker's score is read off
REGRESSION = SentenceTraining(epochs=2, learning_rate=1e-3, batch_size=32)


def scores(found: Rankings, right: Sequence[int]) -> dict[str, float]:
    """Return recall at 1, 5 and 10 and the mean reciprocal rank among the passages found."""
    places = ranks(found, [{number} for number in right])
    table = {f"recall@{k}": recall_at(k, places) for k in (1, 5, 10)} | {"mrr": mean_reciprocal_rank(places)}
    return {name: round(value, 4) for name, value in table.items()}


def by_words(task: Retrieval) -> Rankings:
    """Return the best paragraphs of each question by BM25."""
    return BM25(task.paragraphs).search(task.questions, top=TOP).numbers.tolist()


def by_vectors(encoder: SentenceEncoder, task: Retrieval) -> Rankings:
    """Return the nearest paragraphs of each question; a paragraph is as near as its nearest passage."""
    found = nearest(encoder.encode(task.passages), encoder.encode(task.questions), top=2 * TOP).numbers
    return [list(dict.fromkeys(task.owners[n] for n in row))[:TOP] for row in found.tolist()]


def by_both(words: Rankings, vectors: Rankings) -> Rankings:
    """Return the fused rankings."""
    return [[n for n, _ in fuse(pair)][:TOP] for pair in zip(words, vectors, strict=True)]


def by_words_among(task: Retrieval, found: Rankings) -> Scores:
    """Return the BM25 score of the first ``DEPTH`` paragraphs of each question."""
    index = BM25(task.paragraphs)
    return [index.scores(q)[row[:DEPTH]] for q, row in zip(task.questions, found, strict=True)]


def by_pairs_among(reranker: CrossEncoder, task: Retrieval, found: Rankings) -> Scores:
    """Return the reranker's score of the first ``DEPTH`` paragraphs, that of their best passage."""
    passages: dict[int, list[str]] = {}
    for text, owner in zip(task.passages, task.owners, strict=True):
        passages.setdefault(owner, []).append(text)
    asked = [(q, n) for q, row in zip(task.questions, found, strict=True) for n in row[:DEPTH]]
    pairs = [(q, text) for q, n in asked for text in passages[n]]
    marks = iter(reranker.scores(pairs, progress=True).tolist())
    best = iter([max(next(marks) for _ in passages[n]) for _, n in asked])
    return [np.array([next(best) for _ in row[:DEPTH]]) for row in found]


def again(found: Rankings, given: Scores) -> Rankings:
    """Sort the first paragraphs of each question anew, as many as have scores."""
    return [
        [row[n] for n in np.argsort(-marks, kind="stable")] + row[len(marks) :]
        for row, marks in zip(found, given, strict=True)
    ]


def examples_of(task: Retrieval) -> list[Judged]:
    """Give each question wrong passages; those of its own paragraph are not wrong."""
    pool = sorted(set(task.answers))
    place, siblings = {n: i for i, n in enumerate(pool)}, defaultdict[int, list[int]](list)
    for number in pool:
        siblings[task.owners[number]].append(place[number])
    right = [
        sorted(siblings[owner], key=lambda n: n != place[answer])  # its own passage first
        for owner, answer in zip(task.right, task.answers, strict=True)
    ]
    return judged_by_words(task.questions, right, [task.passages[n] for n in pool], wrong=WRONG)


def trained_reranker(
    head: str, body: BertModel, tokenizer: WordPieceTokenizer, task: Retrieval
) -> CrossEncoder:
    """Train a copy of the body, under one of ``HEADS``, to tell right passages from wrong ones."""
    body = copy.deepcopy(body)
    device = next(body.parameters()).device
    with seeded(mix_seed(RERANKING.seed, 2), device):
        module = MatchingHead(body) if head == "matches" else SequenceClassifier(body, 1).to(device)
    reranker = CrossEncoder(module, tokenizer)
    train_reranker(reranker, examples_of(task), recipe=RERANKING)
    return reranker


def static_spearman(body: BertModel, tokenizer: WordPieceTokenizer, pairs: Sequence[SentencePair]) -> float:
    """Return Spearman's correlation for means of rows of the input table: no attention at all."""
    table = body.word_embeddings.detach().cpu().numpy()
    sides = [
        np.stack([table[row].mean(0) for row in encode_texts(tokenizer, texts)])
        for texts in ([pair.first for pair in pairs], [pair.second for pair in pairs])
    ]
    unit = [side / np.linalg.norm(side, axis=1, keepdims=True) for side in sides]
    cosines = (unit[0] * unit[1]).sum(1).tolist()
    return correlations(cosines, [float(pair.label or 0) for pair in pairs])["spearman"]


def likeness(
    body: BertModel, tokenizer: WordPieceTokenizer, searcher: SentenceEncoder, folder: Path
) -> dict[str, float]:
    """Return Spearman's correlations on STS-B's dev set, by what made the vectors."""
    train, dev = (read_pairs(folder, name) for name in ("train", "dev"))
    table = {"input table": static_spearman(body, tokenizer, dev)}
    for pooling in ("cls", "mean", "max"):
        encoder = SentenceEncoder(body, tokenizer, pooling=pooling)
        table[f"{pooling}, untrained"] = sts_scores(encoder, dev)["spearman"]
    table["mean, after SQuAD"] = sts_scores(searcher, dev)["spearman"]
    for name, start in (("mean, after STS-B", body), ("mean, after SQuAD and STS-B", searcher.bert)):
        encoder = SentenceEncoder(copy.deepcopy(start), tokenizer)
        train_sentences(encoder, train, loss=CosineRegression(), recipe=REGRESSION)
        table[name] = sts_scores(encoder, dev)["spearman"]
    return {name: round(value, 4) for name, value in table.items()}


def run(name: str, data: Path, *, pairs: int, judged: int, every: int, device: str) -> dict[str, Any]:
    """Measure everything.

    Args:
        name: of the model to start from.
        data: the folder with both data sets.
        pairs: questions of the training set for the encoder, spread evenly over it.
        judged: questions for the reranker.
        every: the reranker is asked every so many questions only, for reading pairs is dear.
        device: auto, cpu, cuda …
    """
    model, tokenizer = load_pretrained(name)
    body = model.bert.to(pick_device(device))
    train, dev = (read_retrieval(squad(data, part)) for part in ("train", "dev"))
    taught, asked = (train.some(max(1, len(train.questions) // count)) for count in (pairs, judged))
    sample, seconds = dev.some(every), dict[str, float]()

    def timed(label: str, work: Callable[[], T]) -> T:
        began = time.perf_counter()
        result = work()
        seconds[label] = round(time.perf_counter() - began, 1)
        print(f"{label}: {seconds[label]} s", file=sys.stderr)
        return result

    known = [
        SentencePair(q, taught.passages[n]) for q, n in zip(taught.questions, taught.answers, strict=True)
    ]
    encoder = timed("train encoder", partial(taught_encoder, body, tokenizer, known, recipe=ENCODING))
    found = {
        "words (BM25)": timed("words", partial(by_words, dev)),
        "vectors, untrained": timed("vectors", partial(by_vectors, SentenceEncoder(body, tokenizer), dev)),
        "vectors, trained": by_vectors(encoder, dev),
    }
    found["words and vectors"] = by_both(found["words (BM25)"], found["vectors, trained"])
    table = {"all": {label: scores(rows, dev.right) for label, rows in found.items()}}
    say(table)
    part = {label: rows[::every] for label, rows in found.items()}
    alike = timed("STS-B", partial(likeness, body, tokenizer, encoder, data / "glue"))
    say({"STS-B dev, Spearman": alike})
    for head in HEADS:
        reranker = timed(f"train {head}", partial(trained_reranker, head, body, tokenizer, asked))
        for first in ("words (BM25)", "words and vectors"):
            rows, label = part[first], f"{first}; reranked by {head}"
            marks = timed(label, partial(by_pairs_among, reranker, sample, rows))
            part[label] = again(rows, marks)
            part[f"{label} and words"] = again(rows, list(map(blend, marks, by_words_among(sample, rows))))
    table["sample"] = {label: scores(rows, sample.right) for label, rows in part.items()}
    say({"sample": table["sample"]})
    return {
        "model": Path(name).name,
        "paragraphs": len(dev.paragraphs),
        "passages": len(dev.passages),
        "questions": {"all": len(dev.questions), "sample": len(sample.questions)},
        "trained_on": {"encoder": len(taught.questions), "reranker": len(asked.questions), "wrong": WRONG},
        "recipes": {"encoder": asdict(ENCODING), "reranker": asdict(RERANKING), "sts": asdict(REGRESSION)},
        "depth": DEPTH,
        "retrieval": table,
        "sts_dev_spearman": alike,
        "seconds": seconds,
    }


def squad(data: Path, split: str) -> Path:
    """Return SQuAD's file, packed or not."""
    plain = data / "squad_v1.1" / f"{split}-v1.1.json"
    packed = plain.with_name(plain.name + ".xz")
    return packed if packed.exists() else plain


def say(tables: Mapping[str, Mapping[str, Any]]) -> None:
    """Print what was found, as soon as it was."""
    for kind, rows in tables.items():
        for label, row in rows.items():
            print(f"{kind}: {label}: {row}", flush=True)


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, measure, say and save what came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("model", help="a folder, or the name of a model that comes with the package")
    parser.add_argument("data", type=Path, help="the folder that holds squad_v1.1 and glue/STS-B")
    parser.add_argument("--pairs", type=int, default=20_000, help="training questions for the encoder")
    parser.add_argument("--judged", type=int, default=6_000, help="training questions for the reranker")
    parser.add_argument("--every", type=int, default=10, help="rerank every so many dev questions")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--save", type=Path, help="JSON for the results")
    given = parser.parse_args(arguments)
    try:
        found = run(
            given.model,
            given.data,
            pairs=given.pairs,
            judged=given.judged,
            every=given.every,
            device=given.device,
        )
    except BertlibError as error:
        sys.exit(f"retrieval: {error}")
    if given.save:
        command = (
            f"python -m bertlib.bench.retrieval {found['model']} DATA --pairs {given.pairs} "
            f"--judged {given.judged} --every {given.every}"
        )
        origin = provenance(command, seed=ENCODING.seed, packages=("scipy",))
        write_results(given.save, {"provenance": origin} | found)


if __name__ == "__main__":
    main()
