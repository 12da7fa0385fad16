"""The exercise *my-tokenizer*: cleaning, splitting, matching and joining in one class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bertlib.lab.exercise import Case, Exercise, flawed
from bertlib.tokenizer import SPECIAL_TOKENS, WordPieceTokenizer, split_words

VOCAB = [
    *SPECIAL_TOKENS,
    *["my", "dog", "is", "cute", "it", "likes", "play", "a", ",", "!", "很", "可"],
    *["##ing", "##ed", "##play", "##a"],
]
UNKNOWN = VOCAB.index("[UNK]")


class Reference:
    """The library's tokeniser behind the exercise's two methods; ``flaw`` makes the wrong versions."""

    flaw = ""

    def __init__(self, vocab: Sequence[str]) -> None:
        self.vocab = list(vocab)
        self.library = WordPieceTokenizer(self.vocab, lowercase=self.flaw != "cased")

    def encode(self, text: str) -> list[str]:
        """Return the pieces, from [CLS] to [SEP]."""
        pieces = self.library.encode(text, allow_special=False).tokens
        if self.flaw == "words only":
            words = [word if word in self.vocab else "[UNK]" for word in text.lower().split()]
            return ["[CLS]", *words, "[SEP]"]
        if self.flaw == "blanks only":  # what stands between blanks is taken for one word
            words = [word if len(split_words(word)) == 1 else "[UNK]" for word in text.split()]
            return self.library.encode(" ".join(words)).tokens
        return pieces[1:-1] if self.flaw == "no frame" else pieces

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ids; refuse an id that is not in the vocabulary."""
        size = len(self.vocab)
        if self.flaw == "from the end":
            ids = [number + size if number < 0 else number for number in ids]
        if self.flaw == "unknown":
            ids = [number if 0 <= number < size else UNKNOWN for number in ids]
        return self.library.decode(ids)


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
    mistakes=flawed(
        Reference,
        {
            "words only": "words are looked up whole. `playing` needs its pieces.",
            "no frame": "the frame is missing: [CLS] in front and [SEP] behind.",
            "cased": "capitals were kept; this vocabulary is uncased.",
            "blanks only": "the text was split on blanks alone: signs and ideographs stuck to words.",
            "from the end": "a negative id was counted from the end, as Python does.",
            "unknown": "a wrong id became [UNK], and nobody will ever know.",
        },
    ),
)
