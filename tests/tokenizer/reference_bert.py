"""The oracle: BERT's pipeline in the `tokenizers` library, and texts that are hard on it."""

import lzma
import os
import random
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from bertlib.tokenizer import SPECIAL_TOKENS

ROOT = Path(__file__).resolve().parents[2]


def reference(vocab, *, lowercase, special=True):
    """The library's tokenizer; with `special` it keeps [MASK] and its like, written out, as one token."""
    tokenizer = Tokenizer(models.WordPiece({p: i for i, p in enumerate(vocab)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(
        ("[SEP]", vocab.index("[SEP]")), ("[CLS]", vocab.index("[CLS]"))
    )
    if special:
        tokenizer.add_special_tokens(list(SPECIAL_TOKENS))
    return tokenizer


def reference_words(text, *, lowercase):
    normal = normalizers.BertNormalizer(lowercase=lowercase).normalize_str(text)
    return [word for word, _ in pre_tokenizers.BertPreTokenizer().pre_tokenize_str(normal)]


def _span(*ranges):
    return [chr(point) for first, last in ranges for point in range(first, last + 1)]


WORDS = [
    "the",
    "Moon",
    "don't",
    "PLAYING",
    "unaffable",
    "3.14",
    "e-mail",
    "naïve",
    "café",
    "O’Neil",
    "1990s",
    "C3PO",
    "##ing",
    "A.B.",
    "x",
]
SPECIALS = [*SPECIAL_TOKENS, "[mask]", "[MASK", "MASK]", "[[MASK]]", "x[SEP]y", "[ MASK ]", "##[PAD]"]
EMOJI = [
    "\U0001f469\u200d\U0001f4bb",
    "\u2764\ufe0f",
    "\U0001f1e8\U0001f1f3",
    "\U0001f44d\U0001f3fd",
    "1\ufe0f\u20e3",
]
ALPHABETS = {
    "ascii": _span((0x20, 0x7E)),
    "letters": _span((0x61, 0x7A)),
    "latin": _span((0xA0, 0x24F), (0x1E00, 0x1EFF)),
    "greek, cyrillic, armenian, georgian": _span((0x370, 0x587), (0x10A0, 0x10FF), (0x1C80, 0x1CBF), (0x1F00, 0x1FFE)),
    "marks": _span((0x300, 0x36F), (0x483, 0x489), (0x1DC0, 0x1DFF), (0x20D0, 0x20F0)),
    "marks that survive": _span((0x302E, 0x302F), (0x1D157, 0x1D172), (0x8D4, 0x8E1), (0x1E000, 0x1E00A), (0x1E944, 0x1E94A))
    + list("\u1b44\u1baa\u1bf2\ua953\u0334\u0321\u0323\u0301\U0001d1bc\U0001d1c0"),
    "middle east, india, south-east asia": _span((0x590, 0x7FF), (0x900, 0xFFF), (0x1000, 0x10FF), (0x1780, 0x18AF)),
    "cjk": _span((0x4E00, 0x9FFF), (0x3400, 0x34FF), (0xF900, 0xFAFF)),
    "cjk planes": _span((0x20000, 0x200FF), (0x2A6C0, 0x2A7FF), (0x2B700, 0x2B9FF), (0x2CE80, 0x2CEFF), (0x2F800, 0x2FA2F), (0x30000, 0x300FF)),
    "kana, hangul": _span((0x3040, 0x31FF), (0x1100, 0x11FF), (0xAC00, 0xACFF), (0xFF00, 0xFFEF)),
    "punctuation": _span((0x21, 0x2F), (0x2000, 0x206F), (0x3000, 0x303F), (0xFE10, 0xFE6F), (0x2E00, 0x2E5F)),
    "controls": _span((0, 0x1F), (0x7F, 0x9F)),
    "format": _span((0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0xFE00, 0xFE0F), (0xE0001, 0xE007F), (0xE0100, 0xE010F))
    + list("\xad\u061c\u070f\ufeff\ufffd\ufffb"),
    "white space": list(" \t\n\r\v\f\x1c\x1d\x85\xa0\u1680\u180e\u2000\u2003\u2009\u200a\u2028\u2029\u202f\u205f\u3000"),
    "emoji": EMOJI + _span((0x1F300, 0x1F64F), (0x2600, 0x27BF)),
    "private use": _span((0xE000, 0xE0FF), (0xF0000, 0xF000F), (0x10FFF0, 0x10FFFF)),
    "words": WORDS,
    "specials": SPECIALS,
}  # fmt: skip
KINDS = [*ALPHABETS, "anything"]


def random_text(draw):
    """One text of up to three kinds of characters, now and then with blanks and common words between."""
    kinds = draw.sample(KINDS, draw.randint(1, 3)) + draw.choices(
        ["letters", "words", "specials"], [5, 3, 1], k=1
    )
    parts = []
    for _ in range(draw.randint(0, 16)):
        kind = draw.choice(kinds)
        parts.append(_any_character(draw) if kind == "anything" else draw.choice(ALPHABETS[kind]))
        if draw.random() < 0.15:
            parts.append(" ")
    if draw.random() < 0.005:  # longer than the longest word that is looked at
        parts.append("a" * draw.randint(95, 105))
    return "".join(parts)


def _any_character(draw):
    point = draw.randrange(0x110000 - 0x800)
    return chr(point + 0x800 * (point >= 0xD800))  # no lone surrogates: the library takes none


def random_texts(count, *, seed):
    draw = random.Random(seed)
    return [random_text(draw) for _ in range(count)]


def vocabulary_of(texts, *, lowercase, seed=0):
    """A vocabulary in which most words of the texts have pieces, from the reference's own words."""
    draw = random.Random(seed)
    words = {word for text in texts for word in reference_words(text, lowercase=lowercase)}
    pieces = set()
    for word in sorted(words):
        pieces.update(prefix + char for char in word for prefix in ("", "##"))
        start, length = draw.randrange(len(word)), draw.randint(1, 4)
        pieces.add("##" * (start > 0) + word[start : start + length])
    usable = sorted(pieces - {"##", *SPECIAL_TOKENS})
    return [*SPECIAL_TOKENS, *(piece for piece in usable if draw.random() < 0.95)]


def data_folder():
    """The public corpora, or skip."""
    folder = Path(os.environ.get("BERTLIB_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("no public corpora here; set BERTLIB_DATA to their folder")
    return folder


def corpus_lines(name):
    """All non-empty lines of a corpus."""
    lines = []
    for file in sorted((data_folder() / name).glob("*.txt.xz")):
        lines += filter(None, lzma.decompress(file.read_bytes()).decode("utf-8").split("\n"))
    return lines
