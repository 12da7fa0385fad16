"""The family tree of BERT as data: who came from whom, and what changed.

The year is that of the paper, of its preprint on arXiv or of the released weights, whichever came first; the
citation may say a later one. A parent is a model whose idea or weights the child starts from; not every
influence is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bertlib.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Relative:
    """One model.

    Attributes:
        name: as its authors write it.
        year: of the paper, preprint or weights, whichever came first.
        parents: names, all of them in the table above this one; none for a root.
        change: what differs from the parents, in one line.
        citation: its key in the book's bibliography.
    """

    name: str
    year: int
    parents: tuple[str, ...]
    change: str
    citation: str


_ROWS: Sequence[tuple[int, str, str, str, str]] = (
    # year, name, citation, parents (they stand above their children), what changed
    (2013, "word2vec", "mikolov2013a", "", "one vector a word, from guessing the words around it"),
    (2017, "Transformer", "vaswani2017", "", "attention alone, no recurrence; encoder and decoder"),
    (2018, "ELMo", "peters2018", "word2vec", "vectors in context, from two one-sided LSTM language models"),
    (2018, "GPT", "radford2018", "Transformer", "the decoder, pre-trained left to right, then fine-tuned"),
    (2018, "BERT", "devlin2019", "Transformer ELMo GPT", "the encoder, two-sided: masked words and NSP"),
    (2018, "mBERT", "pires2019", "BERT", "one model and one vocabulary for the Wikipedias of 104 languages"),
    (2019, "Transformer-XL", "dai2019", "Transformer", "relative positions; remembers the stretch before"),
    (2019, "XLM", "conneau2019", "BERT", "masked words in pairs of translated sentences"),
    (2019, "BioBERT", "lee2020", "BERT", "BERT trained further on biomedical abstracts and articles"),
    (2019, "GPT-2", "radford2019", "GPT", "larger, byte-level BPE, tasks asked for in plain text"),
    (2019, "SciBERT", "beltagy2019", "BERT", "trained on scientific papers, with a vocabulary of their own"),
    (2019, "MASS", "song2019", "Transformer BERT", "reads a text without a span, writes the span"),
    (2019, "UniLM", "dong2019", "BERT", "one-sided, two-sided and prefix masks on one encoder"),
    (2019, "XLNet", "yang2019", "Transformer-XL BERT", "word after word in random orders; no [MASK]"),
    (2019, "SpanBERT", "joshi2020", "BERT", "spans are masked and guessed from their borders; no NSP"),
    (2019, "RoBERTa", "liu2019", "BERT", "trained longer on ten times the text; new masks, no NSP"),
    (2019, "Sentence-BERT", "reimers2019", "BERT", "a text becomes one vector, to be compared"),
    (2019, "TinyBERT", "jiao2020", "BERT", "a small student copies attention and hidden vectors"),
    (2019, "ALBERT", "lan2020", "BERT", "factorised word table, one block for all, sentence order"),
    (2019, "DistilBERT", "sanh2019", "BERT", "half the blocks, taught by BERT's soft targets"),
    (2019, "T5", "raffel2020", "Transformer BERT", "encoder and decoder; every task from text to text"),
    (2019, "BART", "lewis2020", "BERT GPT", "encoder and decoder, to repair a spoiled text"),
    (2019, "XLM-R", "conneau2020", "XLM RoBERTa", "RoBERTa's recipe on 2.5 TB of text in 100 languages"),
    (2020, "ELECTRA", "clark2020", "BERT", "finds the words that were replaced, in all of the text"),
    (2020, "Longformer", "beltagy2020", "RoBERTa", "a sliding window, some global positions; length 4,096"),
    (2020, "ColBERT", "khattab2020", "BERT", "search with one vector a word piece, compared late"),
    (2020, "DeBERTa", "he2021", "BERT RoBERTa", "what a word is and where it stands attend separately"),
    (2020, "BigBird", "zaheer2020", "RoBERTa", "window, global and random positions; length 4,096"),
    (2021, "RoFormer", "su2021", "BERT", "positions turn the queries and keys"),
    (2021, "DeBERTaV3", "he2023", "DeBERTa ELECTRA", "DeBERTa that finds replaced words"),
    (2023, "MosaicBERT", "portes2023", "BERT RoBERTa", "ALiBi, gated feed-forward, no padding"),
    (2024, "ModernBERT", "warner2024", "MosaicBERT RoFormer", "GeGLU, local and global blocks; length 8,192"),
)  # fmt: skip

FAMILY: tuple[Relative, ...] = tuple(
    Relative(name=name, year=year, parents=tuple(parents.split()), change=change, citation=key)
    for year, name, key, parents, change in _ROWS
)


def relative(name: str) -> Relative:
    """Look one up.

    Raises:
        InputError: nobody of that name (the known names are listed).
    """
    for one in FAMILY:
        if one.name == name:
            return one
    raise InputError(f"no {name!r} in the family; there are {', '.join(one.name for one in FAMILY)}")


def ancestors(name: str) -> tuple[Relative, ...]:
    """Return all from whom it descends, in the order of the table.

    Raises:
        InputError: nobody of that name.
    """
    found = set(relative(name).parents)
    for one in reversed(FAMILY):  # parents stand above their children
        if one.name in found:
            found |= set(one.parents)
    return tuple(one for one in FAMILY if one.name in found)


def descendants(name: str) -> tuple[Relative, ...]:
    """Return all that descend from it, in the order of the table.

    Raises:
        InputError: nobody of that name.
    """
    line = {relative(name).name}
    for one in FAMILY:
        if line & set(one.parents):
            line.add(one.name)
    return tuple(one for one in FAMILY if one.name in line - {name})
