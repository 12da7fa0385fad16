"""Learning a WordPiece vocabulary: start from characters, merge the best pair, again and again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, get_args

from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from tqdm import tqdm

from bertlib.errors import InputError, VocabularyError
from bertlib.tokenizer.merges import PairTable, Score
from bertlib.tokenizer.normalize import CharTable, spaced
from bertlib.tokenizer.pieces import INNER, MAX_WORD_CHARS, SPECIAL_TOKENS

Engine = Literal["auto", "own", "library"]

MANY_WORDS = 60_000  # different words (about 8 MB of English) from which "auto" calls the library
_REPEATS = 1_000  # copies of a word handed to the library in one go


def learn_vocabulary(
    words: Mapping[str, int],
    vocab_size: int,
    *,
    min_frequency: int = 2,
    score: Score = "frequency",
    engine: Engine = "auto",
    progress: bool = True,
) -> list[str]:
    """Learn a vocabulary: five special tokens, the alphabet, then pieces in the order they were merged.

    The alphabet has every character seen ``min_frequency`` times, and its ``##`` form when it was seen
    inside a word. Words with a rarer character teach nothing: encoding will make them [UNK] anyway.
    The result depends on nothing but the arguments; equals are merged in the order of their pieces' ids.

    Which score? Pieces per word of held-out books and Wikipedia (``valid.txt``) at 8,192 pieces, learned
    from 5 MB of both (``sample_texts`` of ``train.txt``): frequency 1.221, likelihood 1.239, ratio 3.009 (it
    spends the vocabulary on rare names). Hence the default, although ``likelihood`` is nearer to the
    WordPiece of the literature; see :func:`pair_score`.

    Args:
        words: how often each word occurs, see :func:`count_words`.
        vocab_size: pieces wanted; fewer when no pair occurs ``min_frequency`` times any more.
        min_frequency: the least count of a character or pair worth a place.
        score: what to merge first.
        engine: ``own`` is the code in :mod:`bertlib.tokenizer.merges`; ``library`` is the WordPieceTrainer
            of ``tokenizers``, which always merges by frequency and gives the same pieces in the same order,
            several times faster; ``auto`` takes the library for more than 60,000 different words.
        progress: show a bar when it takes longer than two seconds.

    Raises:
        VocabularyError: no words, or ``vocab_size`` is smaller than the alphabet.
        InputError: unknown score or engine, or the library asked for another score than frequency.
    """
    _check_options(min_frequency, score, engine)
    plain, inner = alphabet(words, min_frequency=min_frequency)
    start = [*SPECIAL_TOKENS, *plain, *inner]
    _check_size(vocab_size, start, words, min_frequency)
    known = set(plain)
    usable = {word: words[word] for word in sorted(words) if known.issuperset(word)}
    if engine == "library" or (engine == "auto" and score == "frequency" and len(usable) > MANY_WORDS):
        return _learn_by_library(usable, vocab_size, start, plain, min_frequency)
    return _learn(usable, vocab_size, start, min_frequency, score, progress)


def count_words(texts: Iterable[str], *, lowercase: bool = True, progress: bool = True) -> Counter[str]:
    """Count the words of all texts, normalised and split as BERT does it; over 100 characters is no word.

    Memory grows with the number of different words, not with the texts.

    Raises:
        InputError: ``texts`` is one string (it would be read letter by letter) or holds something else.
    """
    if isinstance(texts, str):
        raise InputError("texts is one str; expected several: pass [text], or the lines of a file")
    table = CharTable(lowercase)
    counts: Counter[str] = Counter()
    for text in tqdm(texts, desc="counting words", unit=" texts", delay=2, disable=not progress):
        if not isinstance(text, str):
            raise InputError(f"texts holds a {type(text).__name__}; expected only str")
        counts.update(spaced(text, table).split())
    for word in [word for word in counts if len(word) > MAX_WORD_CHARS]:
        del counts[word]
    return counts


def alphabet(words: Mapping[str, int], *, min_frequency: int) -> tuple[list[str], list[str]]:
    """Return the characters seen ``min_frequency`` times, and the ``##`` forms of those seen inside words.

    Example:
        >>> alphabet({"abba": 2, "c": 1}, min_frequency=2)
        (['a', 'b'], ['##a', '##b'])
    """
    seen: Counter[str] = Counter()
    inside: set[str] = set()
    for word, count in words.items():
        for char in word:
            seen[char] += count
        inside.update(word[1:])
    plain = sorted(char for char, count in seen.items() if count >= min_frequency)
    return plain, [INNER + char for char in plain if char in inside]


def _check_options(min_frequency: int, score: str, engine: str) -> None:
    """Refuse what is no choice."""
    if min_frequency < 1:
        raise InputError(f"min_frequency is {min_frequency}; expected at least 1")
    for name, value, known in (("score", score, get_args(Score)), ("engine", engine, get_args(Engine))):
        if value not in known:
            raise InputError(f"{name} is {value!r}; expected one of {', '.join(known)}")
    if engine == "library" and score != "frequency":
        raise InputError(f"the library merges by frequency only; for score {score!r} use engine='own'")


def _check_size(vocab_size: int, start: list[str], words: Mapping[str, int], min_frequency: int) -> None:
    """Refuse an empty text and a vocabulary that has no room for the alphabet."""
    if not words:
        raise VocabularyError("the texts hold no words; expected some text to learn a vocabulary from")
    letters = len(start) - len(SPECIAL_TOKENS)
    if not letters:
        raise VocabularyError(
            f"no character occurs {min_frequency} times in the {len(words)} different words; "
            "give more text or a smaller min_frequency (--min-frequency)"
        )
    if vocab_size < len(start):
        raise VocabularyError(
            f"vocab_size {vocab_size} is smaller than the alphabet: {letters} characters (plain and ##) and "
            f"{len(SPECIAL_TOKENS)} special tokens make {len(start)}; choose at least {len(start)}, or a "
            f"min_frequency (--min-frequency) above {min_frequency} so that rare characters are left out"
        )


def _learn(
    words: Mapping[str, int], size: int, start: list[str], min_frequency: int, score: Score, progress: bool
) -> list[str]:
    """Merge until the vocabulary is full or nothing is left to merge."""
    table = PairTable(words, start)
    with tqdm(
        total=size, initial=len(start), desc="merging", unit=" pieces", delay=2, disable=not progress
    ) as bar:
        while len(table.pieces) < size:
            pair = table.best(score=score, min_frequency=min_frequency)
            if pair is None:
                break
            table.merge(pair)
            bar.update(len(table.pieces) - bar.n)
    return table.pieces


def _learn_by_library(
    words: Mapping[str, int], size: int, start: list[str], plain: list[str], min_frequency: int
) -> list[str]:
    """Let ``tokenizers`` merge our words.

    Its own order of the ``##`` characters changes from run to run, and with it the order of equals; handed
    over as "special tokens" they keep the ids they have here, which makes the result deterministic.
    """
    trainer = trainers.WordPieceTrainer(
        vocab_size=size,
        min_frequency=min_frequency,
        special_tokens=start,
        initial_alphabet=plain,
        limit_alphabet=len(plain),
        show_progress=False,
    )
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.train_from_iterator(_repeated(words), trainer)
    ids = tokenizer.get_vocab()
    return sorted(ids, key=ids.__getitem__)


def _repeated(words: Mapping[str, int]) -> Iterator[str]:
    """Yield every word as often as it was counted: the library takes texts, not counts."""
    for word, count in words.items():
        for done in range(0, count, _REPEATS):
            yield f"{word} " * min(_REPEATS, count - done)
