"""Tagged words: layouts, schemes, and lines that are wrong."""

import random

import pytest

from bertlib.data.examples import TaggedExample
from bertlib.errors import CorpusError
from bertlib.finetune.metrics import entities
from bertlib.finetune.reading import read_columns, to_bio

# CoNLL-2003 as it is published: IOB1, four columns
CONLL = """-DOCSTART- -X- -X- O

EU NNP I-NP I-ORG
rejects VBZ I-VP O
German JJ I-NP I-MISC

-DOCSTART- -X- -X- O
Peter NNP I-NP I-PER
Blackburn NNP I-NP I-PER
"""


def test_conll_2003_by_hand(write):
    path = write("eng.testa.gz", CONLL)
    assert read_columns(path) == [
        TaggedExample(("EU", "rejects", "German"), ("B-ORG", "O", "B-MISC"), "0"),
        TaggedExample(("Peter", "Blackburn"), ("B-PER", "I-PER"), "1"),
    ]
    assert read_columns(path, tag=1)[1].tags == ("NNP", "NNP")
    assert read_columns(path, tag=None)[0].tags is None


def test_separators(write):
    words = [("New York", "a\u00a0b", "#x"), ("c",)]
    tabs = "New York\tO\na\u00a0b\tB-X\n#x\tO\n \t\t \nc\tO"
    assert [e.words for e in read_columns(write("a", tabs))] == words
    blanks = "a\u00a0b   _  B-X\r\n#x _ O\r\n\r\n\r\nc _ O"
    assert [e.words for e in read_columns(write("a", blanks))] == [("a\u00a0b", "#x"), ("c",)]
    commas = "# text = a b\na,O\nb,O\n"
    assert read_columns(write("a", commas), separator=",", comment="# ")[0].words == ("a", "b")


@pytest.mark.parametrize(
    ("tags", "bio"),
    [
        ("I-A I-A B-A I-B O I-B", "B-A I-A B-A B-B O B-B"),  # IOB1
        ("B-A I-A B-A O B-B", "B-A I-A B-A O B-B"),  # BIO
        ("B-A I-A E-A S-A S-B O", "B-A I-A I-A B-A B-B O"),  # BIOES
        ("B-A L-A U-A B-A L-A", "B-A I-A B-A B-A I-A"),  # BILOU
        ("E-A I-A", "B-A B-A"),
        ("B-a-b I-a-b", "B-a-b I-a-b"),
        ("NN -LRB- VB I E", "NN -LRB- VB I E"),
    ],
)
def test_to_bio(tags, bio):
    assert to_bio(tags.split()) == tuple(bio.split())


def test_entities_survive_every_scheme():
    """Random entities, written in BIO, IOB1, BIOES and BILOU by other rules than the reader's."""
    draw = random.Random(0)
    for _ in range(200):
        spans, at = [], 0
        while at < 12:
            end = at + draw.randint(1, 3)
            if draw.random() < 0.6:
                spans.append((draw.choice("AB"), at, end - 1))
            at = end
        for scheme in ("BIO", "IOB1", "BIOES", "BILOU"):
            assert entities(to_bio(written(spans, at, scheme))) == spans


def written(spans, length, scheme):
    tags = ["O"] * length
    for kind, first, last in spans:
        for place in range(first, last + 1):
            tags[place] = f"I-{kind}"
        touches = any((kind, first - 1) == (other, end) for other, _, end in spans)
        tags[first] = f"B-{kind}" if scheme != "IOB1" or touches else f"I-{kind}"
        if scheme in ("BIOES", "BILOU"):
            tags[last] = f"{scheme[3] if last > first else scheme[4]}-{kind}"
            if scheme == "BILOU":
                tags[last] = f"{'L' if last > first else 'U'}-{kind}"
    return tags


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a X O\nb O\n", r"line 2: 2 columns \('b', 'O'\); expected 3"),
        ("a\nb\n", "line 1: 1 columns .*; expected word and tag"),
        ("a\tO\n\tO\n", "expected a word in column 0"),
        ("\n\n", "holds no examples"),
    ],
)
def test_wrong_lines(write, content, message):
    with pytest.raises(CorpusError, match=message):
        read_columns(write("a.conll", content))


def test_wrong_arguments(write):
    path = write("a.conll", "a O\n")
    for tag in (2, -3, 0):
        with pytest.raises(CorpusError, match=r"line 1: 2 columns .*; expected word and tag in columns"):
            read_columns(path, tag=tag)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("wnut17train.conll", (3394, 62730, 1975)),
        ("emerging.dev.conll", (1009, 15733, 836)),
        ("emerging.test.annotated", (1287, 23394, 1079)),
    ],
)
def test_wnut17(shared_data, name, counts):
    """Sentences, words and entities as the data's own description counts them."""
    path = shared_data / "wnut17" / f"{name}.xz"
    read = read_columns(path)
    found = sum(tag.startswith("B-") for e in read for tag in e.tags)
    assert (len(read), sum(len(e.words) for e in read), found) == counts
