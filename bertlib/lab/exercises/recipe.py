"""Exercises of *Data and recipe*, the ingredients: documents, packed rows, the bill."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from bertlib.config import BertConfig
from bertlib.flops import flops_per_token
from bertlib.lab.exercise import Case, Exercise, Mistake, flawed

SIZES = ("layers", "hidden", "vocabulary", "texts", "length", "share")
Documents = list[list[str]]
Rows = list[list[int]]


def read_documents(lines: Sequence[str]) -> Documents:
    """Blank lines end documents; documents without a line are none."""
    text = "\n".join(line.strip() for line in lines)
    parts = (part.split("\n") for part in text.split("\n\n"))
    documents = [[line for line in part if line] for part in parts]
    return [document for document in documents if document]


def read_carelessly(lines: Sequence[str], *, last: bool = True, empty: bool = False) -> Documents:
    """Read line by line; without ``last`` the open document is forgotten, with ``empty`` none is left out."""
    documents: Documents = []
    open_one: list[str] = []
    for line in map(str.strip, lines):
        if line:
            open_one.append(line)
        elif open_one or empty:
            documents.append(open_one)
            open_one = []
    return [*documents, open_one] if last and (open_one or empty) else documents


def only_newline_is_blank(lines: Sequence[str]) -> Documents:
    """Take a line of blanks for text."""
    marked = [line if line.strip() or line in ("", "\n") else f"x{line}" for line in lines]
    return [
        ["" if line.startswith("x") else line for line in document] for document in read_documents(marked)
    ]


READ_DOCUMENTS = Exercise(
    name="read-documents",
    difficulty="easy",
    minutes=10,
    hint="Keep a list for the document that is open. A line with text goes into it. A blank line closes it, "
    "if there is anything in it. And when the lines are over, one may still be open.",
    praise="Any folder of txt files is a corpus now, however careless the hand that made it.",
    reference=read_documents,
    cases=lambda: [
        Case("two documents", {"lines": ["my dog is cute\n", "it likes playing\n", "\n", "cats sleep\n"]}),
        Case(
            "blank lines in front, in a row, and at the end",
            {"lines": ["\n", "my dog\n", "\n", "\n", "it plays\n", "\n"]},
            because="Several blank lines are one border. A document without a sentence is no document: "
            "whoever draws one at random would draw nothing.",
        ),
        Case(
            "a border that is made of blanks and a tab",
            {"lines": ["my dog\n", " \t \n", "it plays\n"]},
            because="Nobody sees the difference between an empty line and a line of blanks. strip() does.",
        ),
        Case("nothing at all", {"lines": []}),
    ],
    mistakes=(
        Mistake(
            "the last document got lost: no blank line follows it, so nothing closed it.",
            partial(read_carelessly, last=False),
        ),
        Mistake(
            "each blank line makes a document, even with nothing in it.", partial(read_carelessly, empty=True)
        ),
        Mistake(
            "the line ends are still there. Strip each line.",
            lambda lines: [[f"{line}\n" for line in document] for document in read_documents(lines)],
        ),
        Mistake(
            "a line that only holds blanks passed for text, so two documents grew together.",
            only_newline_is_blank,
        ),
        Mistake(
            "everything is one document: blank lines were dropped before anybody looked at them.",
            lambda lines: [[line.strip() for line in lines if line.strip()]],
        ),
    ),
)


def pack_rows(sentences: Sequence[Sequence[int]], size: int) -> Rows:
    """First come, first served: a sentence opens a new row when it does not fit any more."""
    rows: Rows = [[]]
    for sentence in sentences:
        if len(rows[-1]) + len(sentence) > size:
            rows.append([])
        rows[-1] = rows[-1] + list(sentence)[:size]
    return [row for row in rows if row]


def overfull(sentences: Sequence[Sequence[int]], size: int) -> Rows:
    """Look at the row before the sentence goes in, not after."""
    rows: Rows = [[]]
    for sentence in sentences:
        if len(rows[-1]) >= size:
            rows.append([])
        rows[-1] = rows[-1] + list(sentence)
    return [row for row in rows if row]


def torn(sentences: Sequence[Sequence[int]], size: int) -> Rows:
    """One long text, cut every ``size`` pieces."""
    text = [piece for sentence in sentences for piece in sentence]
    return [text[at : at + size] for at in range(0, len(text), size)]


def timid(sentences: Sequence[Sequence[int]], size: int) -> Rows:
    """Never fill the last place of a row."""
    return [row[:size] for row in pack_rows(sentences, size - 1)]


ONE_DOCUMENT = [[1, 2, 3, 4], [5, 6, 7], [8, 9, 10, 11], [12, 13], [14, 15]]

PACK_ROWS = Exercise(
    name="pack-rows",
    difficulty="medium",
    minutes=15,
    hint="Keep the open row. If len(row) + len(sentence) is more than size, put the row away and open a new "
    "one. A sentence longer than a row is cut to sentence[:size] first. At the end the open row goes in too.",
    praise="Whole sentences, in their order, and hardly any air between them.",
    reference=pack_rows,
    cases=lambda: [
        Case("five sentences, rows of eight", {"sentences": ONE_DOCUMENT, "size": 8}),
        Case(
            "a sentence that fills its row to the last place",
            {"sentences": [[1, 2], [3, 4], [5, 6, 7]], "size": 4},
            because="Four pieces fit into a row of four.",
        ),
        Case(
            "a sentence longer than a row, first of all",
            {"sentences": [[1, 2, 3, 4, 5, 6], [7, 8]], "size": 4},
            because="A row of the model ends where it ends. What is too long is cut, and it leaves no empty "
            "row in front of it.",
        ),
        Case("no sentence", {"sentences": [], "size": 4}),
    ],
    mistakes=(
        Mistake(
            "you look whether the row is full before the sentence goes in. Look whether it still fits.",
            overfull,
        ),
        Mistake("the last row got lost.", lambda sentences, size: pack_rows(sentences, size)[:-1]),
        Mistake("sentences are torn apart at the end of a row. Here they go in whole, or not at all.", torn),
        Mistake("the last place of a row always stays free: the comparison is off by one.", timid),
        Mistake(
            "every sentence has a row to itself. That is the waste we wanted to be rid of.",
            lambda sentences, size: [list(sentence)[:size] for sentence in sentences],
        ),
    ),
)


def step_flops(
    layers: int, hidden: int, vocabulary: int, texts: int, length: int, share: float, *, passes: int = 3
) -> float:
    """Billions of operations, by the library; a test holds its formula against PyTorch's own counter."""
    config = BertConfig(
        num_hidden_layers=layers,
        hidden_size=hidden,
        intermediate_size=4 * hidden,
        num_attention_heads=1,
        vocab_size=vocabulary,
        max_position_embeddings=length,
    )
    a_token = flops_per_token(config, length=length, selected=share, last_block_rows=False)
    return a_token * texts * length * passes / 3 / 1e9


def forgetful_flops(
    layers: int, hidden: int, vocabulary: int, texts: int, length: int, share: float, *, flaw: str
) -> float:
    """Count by the formula, and forget the part that ``flaw`` names."""
    scores = 0.0 if flaw == "scores" else 4.0 * length * hidden
    scores /= 2 if flaw == "mixing" else 1
    transform = 0 if flaw == "transform" else 2 * hidden * hidden
    output = 0 if flaw == "output" else transform + 2 * vocabulary * hidden
    return 3e-9 * texts * length * (layers * (24 * hidden * hidden + scores) + share * output)


STEP_FLOPS = Exercise(
    name="step-flops",
    difficulty="medium",
    minutes=12,
    hint="For one position: each block has 12 H^2 weights in its matrices, two operations each, and 4 T H "
    "for scores and mixing. The output layer, at a share of the positions: 2 H^2 + 2 V H. Times 3 for there "
    "and back, times all positions of the batch, divided by 1e9.",
    praise="Now you can say what a training run costs before anybody has paid for it.",
    reference=step_flops,
    cases=lambda: [
        Case("a Tiny, 32 texts of 20", dict(zip(SIZES, (2, 128, 1024, 32, 20, 0.15), strict=True))),
        Case("BERT-Base, 256 texts of 128", dict(zip(SIZES, (12, 768, 30522, 256, 128, 0.15), strict=True))),
        Case("BERT-Base, 256 texts of 512", dict(zip(SIZES, (12, 768, 30522, 256, 512, 0.15), strict=True))),
    ],
    mistakes=(
        Mistake(
            "this is the way forward only. Backward costs twice as much again.", partial(step_flops, passes=1)
        ),
        Mistake(
            "a product and a sum are two operations. You counted them as one.",
            lambda *sizes: step_flops(*sizes) / 2,
        ),
        Mistake(
            "the output layer is counted at every position. Only the share that is asked pays for it.",
            lambda layers, hidden, vocabulary, texts, length, share: step_flops(
                layers, hidden, vocabulary, texts, length, 1.0
            ),
        ),
        *flawed(
            forgetful_flops,
            {
                "scores": "the scores of attention are missing: every position looks at T others.",
                "mixing": "scores are one half of attention's T: mixing the values is 2 T H once more.",
                "output": "the output layer is missing.",
                "transform": "the output layer has a matrix of H x H before the word table. It is missing.",
            },
        ),
        Mistake("the answer wants billions: divide by 1e9.", lambda *sizes: step_flops(*sizes) * 1e9),
        Mistake(
            "this is one position. A batch has texts times length of them.",
            lambda layers, hidden, vocabulary, texts, length, share: (
                step_flops(layers, hidden, vocabulary, texts, length, share) / (texts * length)
            ),
        ),
    ),
)
EXERCISES = (READ_DOCUMENTS, PACK_ROWS, STEP_FLOPS)
