"""Exercises of *From text to tokens*, from a word to its pieces and back: match, join."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from bertlib.lab.exercise import Case, Exercise, Mistake

LONGEST = 100  # characters: the limit of the `tokenizers` library (google-research/bert has 200)


def longest_match(
    word: str, vocab: Sequence[str], *, marks: str = "##", limit: int = LONGEST, keep: bool = False
) -> list[str]:
    """Take the longest piece that fits, from the left; a rest that no piece fits makes the word [UNK].

    Args:
        word: one clean word.
        vocab: the pieces.
        marks: what a piece inside a word begins with ("" makes a wrong version).
        limit: the longest word that is looked at.
        keep: keep the pieces before a rest that fits nothing (a wrong version).
    """
    if len(word) > limit:
        return ["[UNK]"]
    pieces: list[str] = []
    rest = word
    while rest:
        prefix = marks if pieces else ""
        fits = [rest[:end] for end in range(len(rest), 0, -1) if prefix + rest[:end] in vocab]
        if not fits:
            return [*pieces, "[UNK]"] if keep else ["[UNK]"]
        pieces.append(prefix + fits[0])
        rest = rest[len(fits[0]) :]
    return pieces


def shortest_match(word: str, vocab: Sequence[str]) -> list[str]:
    """Take the shortest piece that fits: wrong."""
    pieces: list[str] = []
    while word:
        prefix = "##" if pieces else ""
        ends = [end for end in range(1, len(word) + 1) if prefix + word[:end] in vocab]
        if not ends:
            return ["[UNK]"]
        pieces.append(prefix + word[: ends[0]])
        word = word[ends[0] :]
    return pieces


def with_a_way_back(word: str, vocab: Sequence[str], *, inside: bool = False) -> list[str]:
    """Take the longest piece, and where the rest then fits nothing, a shorter one: wrong."""
    for end in range(len(word), 0, -1):
        piece = "##" * inside + word[:end]
        if piece in vocab:
            rest = with_a_way_back(word[end:], vocab, inside=True) if end < len(word) else []
            if rest != ["[UNK]"]:
                return [piece, *rest]
    return ["[UNK]"]


def fewest_pieces(word: str, vocab: Sequence[str]) -> list[str]:
    """Look at every way of cutting and take the one with the fewest pieces: sensible, and not BERT's way."""
    best: list[list[str] | None] = [[], *([None] * len(word))]
    for end in range(1, len(word) + 1):
        for start in range(end):
            piece, before = "##" * (start > 0) + word[start:end], best[start]
            if before is not None and piece in vocab:
                found, here = [*before, piece], best[end]
                best[end] = found if here is None or len(found) < len(here) else here
    return best[-1] or ["[UNK]"]


TRAP = ["un", "unp", "play", "##play", "##lay", "##ed", "##e", "##d", "##l", "##ay"]

LONGEST_MATCH = Exercise(
    name="longest-match",
    difficulty="medium",
    minutes=15,
    hint="Keep the place where the rest begins. Try the whole rest, then one letter less, and so on, with "
    "## in front unless the rest is the whole word. Found: take it and move on. Nothing found: [UNK].",
    praise="Greedy, short-sighted and fast: this is how every word enters BERT.",
    reference=longest_match,
    cases=lambda: [
        Case(
            "playing",
            {
                "word": "playing",
                "vocab": ["p", "play", "ing", "##l", "##a", "##y", "##i", "##ing", "##n", "##g"],
            },
        ),
        Case(
            "the vocabulary knows `ing`, but only as a word",
            {"word": "playing", "vocab": ["play", "ing", "##i", "##n", "##g"]},
            because="Inside a word only pieces with ## may be used.",
        ),
        Case(
            "a rest that nothing fits",
            {"word": "player", "vocab": ["play", "##e", "##ing"]},
            because="There is no ##r. A word with a hole in it is one [UNK], whatever was found before.",
        ),
        Case(
            "a trap for the greedy",
            {"word": "unplayed", "vocab": TRAP},
            because="unp is longer than un, so it is taken, and there is no way back.",
        ),
        Case(
            "greed without a way out",
            {"word": "player", "vocab": ["play", "playe", "##er", "##d"]},
            because="playe is the longest, and behind it nothing fits: [UNK], although play ##er was there.",
        ),
        Case("a word that is one piece", {"word": "play", "vocab": ["p", "play", "##lay"]}),
        Case("a word of 100 letters", {"word": "ha" * 50, "vocab": ["h", "##a", "##h", "##aha", "ha" * 50]}),
        Case(
            "a word of 101 letters",
            {"word": "ha" * 50 + "h", "vocab": ["ha" * 50, "##h"]},
            because="Words of more than 100 characters become [UNK] without a look at them.",
        ),
    ],
    mistakes=(
        Mistake("pieces inside the word were looked up without their ##.", partial(longest_match, marks="")),
        Mistake(
            "a very long word was cut. Over 100 characters it is [UNK].", partial(longest_match, limit=1000)
        ),
        Mistake(
            "a piece was put back because the rest did not fit. Greed has no way back: the word is [UNK].",
            lambda word, vocab: (with_a_way_back if len(word) < 100 else longest_match)(word, vocab),
        ),
        Mistake("the shortest piece was taken. Begin with the whole rest and shrink it.", shortest_match),
        Mistake(
            "pieces were kept although the rest fits nothing. Then the whole word is one [UNK].",
            partial(longest_match, keep=True),
        ),
        Mistake(
            "the word was cut into as few pieces as possible. That is cleverer than BERT, whose pieces "
            "you must get: the longest first, and no way back.",
            lambda word, vocab: fewest_pieces(word, vocab) if len(word) < 100 else longest_match(word, vocab),
        ),
        Mistake(
            "a word is only looked up as a whole: that is splitting on blanks, and playing becomes [UNK].",
            lambda word, vocab: [word] if word in vocab else ["[UNK]"],
        ),
    ),
)


def join_pieces(
    pieces: Sequence[str], *, hidden: Sequence[str] = ("[PAD]", "[CLS]", "[SEP]", "[MASK]"), glue: bool = True
) -> str:
    """Write pieces as text: ``##`` continues a word, marks are left out, [UNK] stays."""
    words: list[str] = []
    for piece in pieces:
        if piece in hidden:
            continue
        if glue and words and piece.startswith("##"):
            words[-1] += piece[2:]
        else:
            words.append(piece)
    return " ".join(words)


MARKED = ["[CLS]", "my", "dog", "like", "##s", "play", "##ing", "[SEP]", "[PAD]"]

JOIN_PIECES = Exercise(
    name="join-pieces",
    difficulty="easy",
    minutes=6,
    hint="Leave out [PAD], [CLS], [SEP] and [MASK] first. Then a piece that begins with ## is added to the "
    "last word without its ##; any other begins a new word. Join the words with blanks.",
    praise="Readable again. (Capitals and accents stay lost: they never became pieces.)",
    reference=join_pieces,
    cases=lambda: [
        Case("two words", {"pieces": ["likes", "play", "##ing"]}),
        Case("a framed and filled row", {"pieces": MARKED}),
        Case("a long word", {"pieces": ["unp", "##l", "##ay", "##able"]}),
        Case(
            "an unknown word",
            {"pieces": ["[CLS]", "my", "[UNK]", "is", "[MASK]", "[SEP]"]},
            because="[UNK] stands for a word of the text: a reader should see that something was there.",
        ),
        Case("nothing but marks", {"pieces": ["[CLS]", "[SEP]"]}),
    ],
    mistakes=(
        Mistake(
            "the pieces were joined with blanks, their ## still on them.", partial(join_pieces, glue=False)
        ),
        Mistake(
            "the ## were removed, the blanks before them not.",
            lambda pieces: join_pieces(pieces, glue=False).replace("##", ""),
        ),
        Mistake(
            "the marks are still there. They frame the text and are no part of it.",
            partial(join_pieces, hidden=()),
        ),
        Mistake(
            "the unknown word was left out like the marks. But there was a word.",
            lambda pieces: join_pieces([piece for piece in pieces if piece != "[UNK]"]),
        ),
        Mistake("all blanks are gone.", lambda pieces: join_pieces(pieces).replace(" ", "")),
    ),
)

EXERCISES = (LONGEST_MATCH, JOIN_PIECES)
