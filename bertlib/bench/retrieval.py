"""Does it find the paragraph? Words, vectors and a second look, on the questions of SQuAD; likeness on STS-B.

::

    python -m bertlib.bench.retrieval mini-books DATA --save retrieval.json

The folder DATA holds ``squad_v1.1`` and ``glue/STS-B``. Each question of SQuAD's dev set is to find its own
paragraph among all paragraphs of the dev set. Encoder and reranker learn from questions of the training set,
whose articles are others.
"""

from __future__ import annotations

import argparse
import copy
import sys
import time
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
from bertlib.search.index import nearest
from bertlib.search.measures import fuse, mean_reciprocal_rank, ranks, recall_at
from bertlib.search.rerank import CrossEncoder, Judged, hard_negatives, train_reranker
from bertlib.seeds import mix_seed, seeded
from bertlib.store import load_pretrained
from bertlib.tokenizer import WordPieceTokenizer
from bertlib.variants.sentence import SentenceEncoder
from bertlib.variants.sentence_losses import CosineRegression, InBatchNegatives
from bertlib.variants.sentence_training import (
    SentencePair,
    SentenceTraining,
    sts_scores,
    train_sentences,
)

T = TypeVar("T")
Rankings = list[list[int]]  # for each question, the numbers of paragraphs, best first

TOP = 100  # paragraphs that a search returns
DEPTH = 10  # of them that a reranker looks at again
WRONG = 4  # hard negatives a question, for the reranker
CONTRASTIVE = SentenceTraining(epochs=1, learning_rate=1e-3, batch_size=64)
REGRESSION = SentenceTraining(epochs=2, learning_rate=1e-3, batch_size=32)
RERANKING = SentenceTraining(epochs=1, learning_rate=1e-3, batch_size=16)


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


def again(reranker: CrossEncoder, task: Retrieval, found: Rankings) -> Rankings:
    """Sort the first ``DEPTH`` paragraphs of each question anew, by their best passage."""
    passages: dict[int, list[str]] = {}
    for text, owner in zip(task.passages, task.owners, strict=True):
        passages.setdefault(owner, []).append(text)
    asked = [(q, n) for q, row in zip(task.questions, found, strict=True) for n in row[:DEPTH]]
    pairs = [(q, text) for q, n in asked for text in passages[n]]
    marks = iter(reranker.scores(pairs, progress=True).tolist())
    best = iter([max(next(marks) for _ in passages[n]) for _, n in asked])
    ranked = []
    for row in found:
        order = sorted([(-next(best), n) for n in row[:DEPTH]])
        ranked.append([n for _, n in order] + row[DEPTH:])
    return ranked


def contrastive_encoder(body: BertModel, tokenizer: WordPieceTokenizer, task: Retrieval) -> SentenceEncoder:
    """Train a copy of the body on questions and the passages that answer them."""
    encoder = SentenceEncoder(copy.deepcopy(body), tokenizer)
    pairs = [SentencePair(q, task.passages[n]) for q, n in zip(task.questions, task.answers, strict=True)]
    train_sentences(encoder, pairs, loss=InBatchNegatives(), recipe=CONTRASTIVE)
    return encoder


def trained_reranker(
    encoder: SentenceEncoder, body: BertModel, tokenizer: WordPieceTokenizer, task: Retrieval
) -> CrossEncoder:
    """Train a copy of the body to tell the right passage from those that the encoder takes for it."""
    pool = sorted(set(task.answers))
    texts, right = [task.passages[n] for n in pool], [pool.index(n) for n in task.answers]
    near = nearest(encoder.encode(texts), encoder.encode(task.questions), top=WRONG + 1).numbers
    wrong = hard_negatives(near, right, texts, count=WRONG)
    examples = [Judged(q, texts[n], w) for q, n, w in zip(task.questions, right, wrong, strict=True)]
    device = next(body.parameters()).device
    with seeded(mix_seed(RERANKING.seed, 2), device):
        classifier = SequenceClassifier(copy.deepcopy(body), 1).to(device)
    reranker = CrossEncoder(classifier, tokenizer)
    train_reranker(reranker, examples, recipe=RERANKING)
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

    encoder = timed("train encoder", partial(contrastive_encoder, body, tokenizer, taught))
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
    reranker = timed("train reranker", partial(trained_reranker, encoder, body, tokenizer, asked))
    for label in ("words (BM25)", "words and vectors"):
        work = partial(again, reranker, sample, part[label])
        part[f"{label}; reranked"] = timed(f"rerank {label}", work)
    table["sample"] = {label: scores(rows, sample.right) for label, rows in part.items()}
    say({"sample": table["sample"]})
    return {
        "model": Path(name).name,
        "paragraphs": len(dev.paragraphs),
        "passages": len(dev.passages),
        "questions": {"all": len(dev.questions), "sample": len(sample.questions)},
        "trained_on": {"encoder": len(taught.questions), "reranker": len(asked.questions), "wrong": WRONG},
        "recipes": {"encoder": asdict(CONTRASTIVE), "reranker": asdict(RERANKING), "sts": asdict(REGRESSION)},
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
        origin = provenance(command, seed=CONTRASTIVE.seed, packages=("scipy",))
        write_results(given.save, {"provenance": origin} | found)


if __name__ == "__main__":
    main()
