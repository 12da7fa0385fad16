"""One small file of results of each kind, as the benches write them."""

from __future__ import annotations

from typing import Any

ORIGIN = {
    "tokenizers": "0.1",
    "command": "bertlib bench x",
    "device": "a <CPU>",
    "threads": 2,
    "torch": "2.13.0",
    "seed": None,
}
TRAINER, MATMUL = "transformers Trainer", "transformers, matmul medium"
SAME = MATMUL + ", memory kept"


def ratio(median: float) -> dict[str, float]:
    return {"median": median, "low": 0.9 * median, "high": 1.1 * median}


def cell(**changes: Any) -> dict[str, Any]:
    usual = {"preset": "mini", "vocab_size": 30_522, "batch_size": 32, "max_length": 128, "device": "cpu"}
    return usual | {"precision": "fp32"} | changes


def bench(**changes: Any) -> dict[str, Any]:
    """One cell of ``bertlib bench pretrain --sweep``."""
    sides = {
        TRAINER: {"tokens_per_s": 1000.0, "share_of_peak": 0.1, "ratios": {SAME: ratio(0.5)}},
        MATMUL: {"tokens_per_s": 1800.0, "share_of_peak": 0.2, "ratios": {TRAINER: ratio(1.8)}},
        SAME: {"tokens_per_s": 2000.0, "share_of_peak": 0.2, "ratios": {TRAINER: ratio(2.0)}},
        "bertlib, matmul highest": {"tokens_per_s": 1, "ratios": {TRAINER: ratio(2.5), SAME: ratio(1.25)}},
        "bertlib, matmul medium": {
            "tokens_per_s": 4500.0,
            "ratios": {TRAINER: ratio(4.5), MATMUL: ratio(2.5), SAME: ratio(2.2)},
        },
    }
    losses = {"bertlib": [10.0, 9.0, 8.5], "transformers": [10.0, 9.1, 8.4]}
    return {
        "cell": cell(**changes),
        "sides": sides,
        "curves": {"with dropout": losses, "largest_difference": 0.1},
    }


def curve(*losses: float) -> dict[str, Any]:
    columns = {"step": list(range(10, 10 * len(losses) + 1, 10)), "mlm_loss": list(losses)}
    return {"train": columns, "valid": columns | {"nsp_accuracy": [0.5] * len(losses)}}


KINDS: dict[str, dict[str, Any]] = {
    "retrieval": {
        "questions": {"all": 100, "sample": 10},
        "paragraphs": 20,
        "retrieval": {
            "all": {"words (BM25)": {"mrr": 0.6, "recall@1": 0.5, "recall@10": 0.8}},
            "sample": {"words (BM25); reranked": {"mrr": 0.7, "recall@1": 0.6, "recall@10": 0.8}},
        },
        "sts_dev_spearman": {"[CLS], untrained": 0.1, "mean, trained": 0.5},
    },
    "tasks": {
        "tasks": {
            "CoLA": {
                "metric": "matthews",
                "examples": [8551, 1043],
                "note": "",
                "pretrained": {"mean": 0.2, "lowest": 0.1, "highest": 0.3, "count": 3},
                "random": {"mean": -0.01, "lowest": -0.03, "highest": 0.0, "count": 3},
            },
            "SQuAD": {
                "metric": "f1",
                "examples": [100, 10],
                "note": "a part of it",
                "pretrained": {"mean": 0.4, "lowest": 0.4, "highest": 0.4, "count": 1},
                "random": {"mean": 0.1, "lowest": 0.1, "highest": 0.1, "count": 1},
            },
        },
    },
    "sweep": {
        "cells": [bench(), bench(vocab_size=8192), {"cell": cell(preset="base"), "not_measured": "no room"}]
    },
    "quick": bench(),
    "tricks": {
        "cell": cell(),
        "tricks": {"masking": "at once"},
        "removed": {
            "all tricks": {"tokens_per_s": 9.0, "ratio": ratio(1)},
            "without masking": {"tokens_per_s": 8.0, "ratio": ratio(0.9)},
            "without luck": None,
        },
        "added": {},
        "reasons": {"+ compile": "no compiler"},
    },
    "tokenize": {
        "megabytes_per_s": {"tokenizers": 5.0, "bertlib": 10.0},
        "ratios": {"bertlib": 2.0},
        "spread": {"bertlib": [1.9, 2.1]},
    },
    "inference": {
        "cell": cell(),
        "shapes": [
            {
                "batch_size": size,
                "max_length": 16,
                "texts_per_s": {"transformers": 1.0, "bertlib, matmul highest": 2.0},
                "ratios": {"bertlib, matmul highest": {"transformers": ratio(size)}},
            }
            for size in (1, 8)
        ],
    },
    "load": {
        "preset": "mini",
        "ratio": 2.0,
        "sides": {"bertlib": {"load_s": 0.1}, "transformers": {"load_s": 0.2}},
    },
    "saving": {
        "preset": "tiny",
        "device": "cpu",
        "save_every": 5,
        "megabytes": 9.0,
        "step_ms": 8.0,
        "copy_ms": 1.0,
        "save_ms": 40.0,
        "share": 0.012,
        "spread": [-0.01, 0.03],
    },
    "corpus": {"megabytes": 10.0, "seconds": 2.0, "workers": 2},
    "curve": curve(6.0, 5.0, 4.0),
    "gallery": {
        "runs": [curve(6.0, 5.0) | {"cause": "a & b"}, curve(30.0, 5.0) | {"cause": "c"}],
        "unigram": 5.5,
    },
    "shares": {"accuracy": {"unigram": 0.1, "BERT": {"mean": 0.3, "low": 0.2, "high": 0.4}}, "steps": 5},
}
