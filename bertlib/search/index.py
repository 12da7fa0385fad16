"""Search by vectors: every passage is read once, before anybody asks; a question is then one product."""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from bertlib.errors import CheckpointError, InputError, MissingExtraError
from bertlib.files import new_file
from bertlib.search.bm25 import Found
from bertlib.search.passages import Passage
from bertlib.variants.sentence import SentenceEncoder

QUESTIONS, VECTORS = 256, 65_536  # compared at once: a table of 64 MiB at most


@dataclass(frozen=True, kw_only=True)
class VectorIndex:
    """The vectors of N passages.

    Attributes:
        vectors: (N, H) float32 of length 1, so that a product is a cosine.
        passages: N.
        model: fingerprint of the encoder that made them.
    """

    vectors: np.ndarray
    passages: Sequence[Passage]
    model: str

    def search(self, questions: np.ndarray, *, top: int, library: str = "torch") -> Found:
        """Return the passages with the largest cosines; exact: every passage is compared.

        Args:
            questions: (Q, H) vectors of the same encoder, of length 1.
            top: passages a question, K; fewer if there are fewer.
            library: torch, or faiss (exact too; for millions of passages).

        Raises:
            InputError: vectors of another width, or an unknown library.
            MissingExtraError: faiss is not installed.
        """
        if questions.ndim != 2 or questions.shape[1] != self.vectors.shape[1]:
            raise InputError(
                f"the questions have shape {questions.shape}; expected (questions, {self.vectors.shape[1]})"
            )
        top = min(top, len(self.vectors))
        if library == "faiss":
            return faiss_search(self.vectors, questions, top=top)
        if library != "torch":
            raise InputError(f"library is {library!r}; expected torch or faiss")
        parts = [nearest(self.vectors, part, top=top) for part in blocks(questions, QUESTIONS)]
        if not parts:
            return Found(np.zeros((0, top), np.float32), np.zeros((0, top), np.int64))
        return Found(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def check(self, encoder: SentenceEncoder) -> None:
        """See that an encoder's questions can be compared with these vectors.

        Raises:
            CheckpointError: another encoder made them.
        """
        if self.model != encoder.fingerprint():
            raise CheckpointError(
                f"the index was made by another model ({self.model}; this one is {encoder.fingerprint()}); "
                "name that model, or another file for the index"
            )

    def save(self, file: Path) -> Path:
        """Write one safetensors file: the vectors, the passages as JSON in UTF-8, the model in its header.

        Raises:
            BertlibError: it cannot be written.
        """
        words = json.dumps(self.passages, ensure_ascii=False).encode()
        tensors = {
            "vectors": torch.from_numpy(self.vectors),
            "passages": torch.frombuffer(bytearray(words), dtype=torch.uint8),
        }
        with new_file(file) as temporary:
            save_file(tensors, temporary, metadata={"bertlib": "index", "model": self.model})
        return file

    @classmethod
    def load(cls, file: Path) -> VectorIndex:
        """Read what :meth:`save` wrote.

        Raises:
            CheckpointError: the file is missing, truncated, or no index.
        """
        try:
            with safe_open(file, framework="pt") as opened:
                facts = opened.metadata() or {}
                if facts.get("bertlib") != "index":
                    raise CheckpointError(f"{file} is no index; expected a file that `bertlib search` wrote")
                words = opened.get_tensor("passages").numpy().tobytes()
                vectors = opened.get_tensor("vectors").numpy()
        except (OSError, SafetensorError) as error:
            raise CheckpointError(f"{file} is missing or truncated ({error}); make it anew") from None
        return cls(vectors=vectors, passages=[Passage(*p) for p in json.loads(words)], model=facts["model"])


def build_index(
    encoder: SentenceEncoder,
    passages: Sequence[Passage],
    *,
    old: VectorIndex | None = None,
    progress: bool = True,
) -> VectorIndex:
    """Encode passages; those whose text an older index holds are taken from there.

    Args:
        encoder: with ``normalise``.
        passages: at least one.
        old: an index of the same encoder, perhaps of the same folder as it was.
        progress: show a bar.

    Raises:
        CheckpointError: ``old`` was made by another encoder.
        InputError: the encoder does not normalise.
    """
    if not encoder.normalise:
        raise InputError("the encoder does not normalise; expected SentenceEncoder(…, normalise=True)")
    known: dict[str, int] = {}
    if old is not None:
        old.check(encoder)
        known = {passage.text: row for row, passage in enumerate(old.passages)}
    new = sorted({passage.text for passage in passages} - known.keys())
    vectors = encoder.encode(new, progress=progress)
    if old is not None:
        vectors = np.concatenate([old.vectors, vectors])
    known |= {text: row for row, text in enumerate(new, start=len(vectors) - len(new))}
    rows = [known[passage.text] for passage in passages]
    return VectorIndex(vectors=vectors[rows], passages=passages, model=encoder.fingerprint())


def nearest(vectors: np.ndarray, questions: np.ndarray, *, top: int) -> Found:
    """Compare block by block and keep the best so far: memory does not grow with the passages."""
    asked = torch.from_numpy(questions)
    scores, numbers = torch.zeros(len(asked), 0), torch.zeros(len(asked), 0, dtype=torch.long)
    start = 0
    for block in blocks(vectors, VECTORS):
        here = asked @ torch.from_numpy(block).T  # (Q, block)
        best = here.topk(min(top, here.shape[1]), dim=1)
        scores = torch.cat([scores, best.values], dim=1)
        numbers = torch.cat([numbers, best.indices + start], dim=1)
        scores, order = scores.sort(dim=1, descending=True, stable=True)
        scores, numbers = scores[:, :top], numbers.gather(1, order)[:, :top]
        start += len(block)
    return Found(scores.numpy(), numbers.numpy())


def blocks(rows: np.ndarray, size: int) -> list[np.ndarray]:
    """Cut an array into pieces of at most ``size`` rows."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def faiss_search(vectors: np.ndarray, questions: np.ndarray, *, top: int) -> Found:
    """Do the same with faiss's exact index of inner products (Johnson et al. 2017).

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        faiss = importlib.import_module("faiss")
    except ImportError as error:
        raise MissingExtraError("faiss is not installed; pip install faiss-cpu") from error
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return Found(*index.search(questions, top))
