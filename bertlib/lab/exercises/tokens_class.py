"""The exercise *my-tokenizer*: cleaning, splitting, matching and joining in one class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bertlib.lab.exercise import Case, Exercise, Mistake
from bertlib.tokenizer import SPECIAL_TOKENS, WordPieceTokenizer, split_words

VOCAB = [
    *SPECIAL_TOKENS,
    *["my", "dog", "is", "cute", "it", "likes", "play", "a", ",", "!", "很", "可"],
    *["##ing", "##ed", "##play", "##a"],
]
UNKNOWN = VOCAB.index("[UNK]")


class Reference:
    """The library's tokeniser behind the exercise's two methods."""

    def __init__(self, vocab: Sequence[str]) -> None:
        self.vocab = list(vocab)
        self.library = WordPieceTokenizer(self.vocab)

    def encode(self, text: str) -> list[str]:
        """Return the pieces, from [CLS] to [SEP]."""
        return self.library.encode(text, allow_special=False).tokens

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ids; refuse an id that is not in the vocabulary."""
        return self.library.decode(ids)


class WordsOnly(Reference):
    """Splits on blanks and looks whole words up."""

    def encode(self, text: str) -> list[str]:
        """[CLS] and [SEP] are there; pieces are not."""
        words = [word if word in self.vocab else "[UNK]" for word in text.lower().split()]
        return ["[CLS]", *words, "[SEP]"]


class NoFrame(Reference):
    """Forgets [CLS] and [SEP]."""

    def encode(self, text: str) -> list[str]:
        """Return the pieces alone."""
        return super().encode(text)[1:-1]


class Cased(Reference):
    """Does not lower-case."""

    def __init__(self, vocab: Sequence[str]) -> None:
        super().__init__(vocab)
        self.library = WordPieceTokenizer(self.vocab, lowercase=False)


class BlanksOnly(Reference):
    """Cuts words into pieces, but text into words at blanks alone."""

    def encode(self, text: str) -> list[str]:
        """Cut each stretch between blanks as if it were one word."""
        pieces = ["[CLS]"]
        for word in text.split():
            inside = split_words(word)
            pieces += super().encode(word)[1:-1] if len(inside) == 1 else ["[UNK]"]
        return [*pieces, "[SEP]"]


class NegativeIds(Reference):
    """Lets Python count a negative id from the end of the list."""

    def decode(self, ids: Sequence[int]) -> str:
        """Look -1 up as the last piece."""
        return super().decode([number + len(self.vocab) if number < 0 else number for number in ids])


class UnknownIds(Reference):
    """Turns an id outside the vocabulary into [UNK]."""

    def decode(self, ids: Sequence[int]) -> str:
        """Replace what is not there."""
        return super().decode([number if 0 <= number < len(self.vocab) else UNKNOWN for number in ids])


def run(tokenizer_class: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Build the tokeniser; encode the text or decode the ids, whichever the case has."""
    tokenizer = tokenizer_class(arguments["vocab"])
    if "text" in arguments:
        return tokenizer.encode(arguments["text"])
    return tokenizer.decode(arguments["ids"])


def encoding(label: str, text: str, because: str = "") -> Case:
    """Return a case that encodes."""
    return Case(label, {"vocab": VOCAB, "text": text}, because=because)


def cases() -> list[Case]:
    """Return the classic edge cases, then three for the way back."""
    return [
        encoding("our sentence, with capitals", "My dog is cute it likes PLAYING"),
        encoding("with signs", "my dog is cute! it likes playing"),
        encoding("an empty text", "", "[CLS] [SEP] is a row too: an empty text must not crash a batch."),
        encoding("an unknown word", "my cat is cute", "Nothing fits `cat` to its end: one [UNK]."),
        encoding(
            "Chinese and English", "my dog很可爱", "Each ideograph is a word; 爱 is not in this vocabulary."
        ),
        encoding(r"control characters (play\xading\x00 dog)", "play\u00ading\x00 dog"),
        encoding(
            "an emoji behind a word", "my dog\U0001f436!", "BERT does not cut at an emoji: [UNK], all of it."
        ),
        encoding("an emoji and a blank", "my dog \U0001f436"),
        encoding("a word of 100 letters", "play" * 25),
        encoding("a word of 104 letters", "play" * 26, "Over 100 characters a word is [UNK]."),
        Case("back to text", {"vocab": VOCAB, "ids": [2, 5, 6, 11, 17, 3, 0, 0]}),
        Case(
            "an id past the end",
            {"vocab": VOCAB, "ids": [2, len(VOCAB), 3]},
            raises=ValueError,
            because="An id outside the vocabulary means that text and vocabulary do not belong together. "
            "Say so (raise ValueError).",
        ),
        Case(
            "an id below zero",
            {"vocab": VOCAB, "ids": [5, -1]},
            raises=ValueError,
            because="Python reads vocab[-1] as the last piece, without a word. Refuse it (raise ValueError).",
        ),
    ]


MY_TOKENIZER = Exercise(
    name="my-tokenizer",
    difficulty="hard",
    minutes=25,
    hint="encode: clean_text, then split_words, then longest_match for each word, all pieces in one list "
    "between [CLS] and [SEP]. decode: refuse ids that are not 0 ... V - 1, then join_pieces.",
    praise="The first part of your own BERT. Text goes in, pieces come out, and nothing crashes it.",
    reference=Reference,
    cases=cases,
    run=run,
    mistakes=(
        Mistake("words are looked up whole. `playing` needs its pieces.", WordsOnly),
        Mistake("the frame is missing: [CLS] in front and [SEP] behind.", NoFrame),
        Mistake("capitals were kept; this vocabulary is uncased.", Cased),
        Mistake("the text was split on blanks alone: signs and ideographs stuck to words.", BlanksOnly),
        Mistake("a negative id was counted from the end, as Python does.", NegativeIds),
        Mistake("a wrong id became [UNK], and nobody will ever know.", UnknownIds),
    ),
)
