"""Wrong answers about tokens as readers write them, from their own code rather than the check's imitations."""

import re
import unicodedata
from collections import Counter, defaultdict
from itertools import pairwise

import pytest

from bertlib.lab import examine
from bertlib.lab.exercises.tokens_class import Reference


def only_lower(text, lowercase=True):
    return " ".join(text.lower().split()) if lowercase else text


def every_control_goes(text, lowercase=True):
    kept = "".join(char for char in text if unicodedata.category(char)[0] != "C")
    if lowercase:
        parts = unicodedata.normalize("NFD", kept.lower())
        kept = "".join(char for char in parts if unicodedata.category(char) != "Mn")
    return " ".join(kept.split())


def ascii_only(text, lowercase=True):
    return unicodedata.normalize("NFKD", text.lower()).encode("ascii", "ignore").decode()


def accents_always(text, lowercase=True):
    text = re.sub(r"\s", " ", text.lower() if lowercase else text)
    parts = unicodedata.normalize("NFD", text)
    return "".join(char for char in parts if unicodedata.category(char) not in ("Mn", "Cf", "Cc"))


def blanks(text):
    return text.split()


def word_pattern(text):
    return re.findall(r"\w+|[^\w\s]", text)


def letters_only(text):
    return re.findall(r"[a-z']+", text)


def main_block_only_ascii_signs(text):
    return re.findall(r"[\u4e00-\u9fff]|[!-/:-@\[-`{-~]|[^\s\u4e00-\u9fff!-/:-@\[-`{-~]+", text)


def ratio_without_counts(words, counts):
    pieces, pairs = Counter(), Counter()
    for word in words:
        pieces.update(word)
        pairs.update(pairwise(word))
    return {pair: n / (pieces[pair[0]] * pieces[pair[1]]) for pair, n in pairs.items()}


def only_counts(words, counts):
    pairs = defaultdict(int)
    for word, count in zip(words, counts, strict=True):
        for pair in pairwise(word):
            pairs[pair] += count
    return dict(pairs)


def divided_by_one_side(words, counts):
    pieces, pairs = Counter(), Counter()
    for word, count in zip(words, counts, strict=True):
        for place, piece in enumerate(word):
            pieces[piece] += count
            if place:
                pairs[word[place - 1], piece] += count
    return {pair: n / pieces[pair[0]] for pair, n in pairs.items()}


def by_text(word, pair):
    return " ".join(word).replace(" ".join(pair), "".join(pair).replace("##", "")).split()


def keeps_the_marks(word, pair):
    result = []
    for piece in word:
        if result and (result[-1], piece) == pair:
            result[-1] += piece
        else:
            result.append(piece)
    return result


def while_deleting(word, pair):
    for place in range(len(word) - 1):
        if place + 1 < len(word) and (word[place], word[place + 1]) == pair:
            word[place : place + 2] = [word[place] + word[place + 1].removeprefix("##")]
    return word


def forgets_the_marks(word, vocab):
    pieces = []
    while word:
        for end in range(len(word), 0, -1):
            if word[:end] in vocab:
                pieces.append(word[:end])
                word = word[end:]
                break
        else:
            return ["[UNK]"]
    return pieces


def marks_added_later(word, vocab):
    pieces = forgets_the_marks(word, [piece.removeprefix("##") for piece in vocab])
    return [pieces[0], *("##" + piece for piece in pieces[1:])]


def letter_by_letter_unknown(word, vocab):
    pieces, start = [], 0
    while start < len(word):
        for end in range(len(word), start, -1):
            piece = "##" * (start > 0) + word[start:end]
            if piece in vocab:
                pieces.append(piece)
                break
        else:
            pieces.append("[UNK]")
            end = start + 1
        start = end
    return pieces


def no_limit(word, vocab):
    pieces, start = [], 0
    while start < len(word):
        ends = (end for end in range(len(word), start, -1) if "##" * (start > 0) + word[start:end] in vocab)
        end = next(ends, None)
        if end is None:
            return ["[UNK]"]
        pieces.append("##" * (start > 0) + word[start:end])
        start = end
    return pieces


def limit_one_early(word, vocab):
    return ["[UNK]"] if len(word) >= 100 else no_limit(word, vocab)


def replace_marks(pieces):
    return " ".join(pieces).replace(" ##", "")


def drops_everything_in_brackets(pieces):
    return replace_marks(piece for piece in pieces if not piece.startswith("["))


def joined_without_blanks(pieces):
    return "".join(piece.removeprefix("##") for piece in pieces if not piece.startswith("["))


class SplitsOnBlanks:
    """Part C, mistake 14."""

    def __init__(self, vocab):
        self.ids = {word: number for number, word in enumerate(vocab)}
        self.words = list(vocab)

    def encode(self, text):
        return [word if word in self.ids else "[UNK]" for word in text.lower().split()]

    def decode(self, ids):
        return " ".join(self.words[number] for number in ids)


class Framed(SplitsOnBlanks):
    def encode(self, text):
        return ["[CLS]", *super().encode(text), "[SEP]"]


class PiecesOfBlanks(SplitsOnBlanks):
    def encode(self, text):
        pieces = [piece for word in text.lower().split() for piece in no_limit(word, self.words)]
        return ["[CLS]", *pieces, "[SEP]"]


class UntilItIsTrained(SplitsOnBlanks):
    """A vocabulary comes later: whoever encodes before is told nothing."""

    def __init__(self, vocab=()):
        self.ids, self.words = {}, []

    def encode(self, text):
        return ["[CLS]", *super().encode(text), "[SEP]"]


class NoEmptyText(SplitsOnBlanks):
    def encode(self, text):
        if not text:
            return []
        return ["[CLS]", *super().encode(text), "[SEP]"]


WRONG = {
    "clean-text": [only_lower, every_control_goes, ascii_only, accents_always],
    "split-words": [blanks, word_pattern, letters_only, main_block_only_ascii_signs],
    "pair-scores": [ratio_without_counts, only_counts, divided_by_one_side],
    "merge-pair": [by_text, keeps_the_marks, while_deleting],
    "longest-match": [
        forgets_the_marks,
        marks_added_later,
        letter_by_letter_unknown,
        no_limit,
        limit_one_early,
    ],
    "join-pieces": [replace_marks, drops_everything_in_brackets, joined_without_blanks],
    "my-tokenizer": [SplitsOnBlanks, Framed, PiecesOfBlanks, UntilItIsTrained, NoEmptyText],
}
CASES = [(name, wrong) for name, answers in WRONG.items() for wrong in answers]


def said(name, wrong):
    return " ".join(examine(name, wrong).text.split())


@pytest.mark.parametrize(("name", "wrong"), CASES, ids=[wrong.__name__ for _, wrong in CASES])
def test_it_is_rejected(name, wrong):
    report = examine(name, wrong)
    assert report.status in ("wrong", "error"), report.text
    assert "tried" in report.text


def test_splitting_on_blanks_is_explained():
    assert "`playing` needs its pieces" in said("my-tokenizer", Framed)
    assert "only blanks cut" in said("split-words", blanks)


def test_the_forgotten_marks_are_named():
    assert "without their ##" in said("longest-match", forgets_the_marks)


def test_a_changed_word_is_noticed():
    assert "changed `word`" in said("merge-pair", while_deleting)


@pytest.mark.parametrize("number", [-1, 999])
def test_an_id_outside_the_table_must_be_refused(number):
    """With everything else right, an id of no piece is still noticed."""

    class Trusting(Reference):
        def decode(self, ids):
            return " ".join(self.vocab[n % len(self.vocab)] for n in ids if n > 4).replace(" ##", "")

    report = said("my-tokenizer", Trusting)
    assert "should have been refused" in report
    assert "raise ValueError" in report
    with pytest.raises(ValueError, match="outside the vocabulary"):
        Reference(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]).decode([number])


def keeps_the_invisible(text, lowercase=True):
    parts = unicodedata.normalize("NFD", text.lower() if lowercase else text)
    spaced = "".join(" " if char.isspace() else char for char in parts)
    return "".join(char for char in spaced if unicodedata.category(char) != "Mn")


def test_invisible_characters_can_be_seen_in_the_report():
    assert r"came play\xading do\u200bg" in said("clean-text", keeps_the_invisible)
