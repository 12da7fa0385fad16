import sys
import unicodedata

import pytest
from reference_bert import random_texts, reference_words

from bertlib.tokenizer import split_words
from bertlib.tokenizer.normalize import CharTable, align, decompose, normalize_char, spaced
from bertlib.tokenizer.unicode_tables import COMBINING_CLASS, CodePoints


@pytest.mark.parametrize(
    ("text", "uncased", "cased"),
    [
        ("Hello, World!", ["hello", ",", "world", "!"], ["Hello", ",", "World", "!"]),
        ("naïve Ångström", ["naive", "angstrom"], ["naïve", "Ångström"]),
        ("中文abc", ["中", "文", "abc"], ["中", "文", "abc"]),
        ("\U00020000x\U0002f800", ["\U00020000", "x", "\u4e3d"], ["\U00020000", "x", "\U0002f800"]),
        ("a$b^c~d", ["a", "$", "b", "^", "c", "~", "d"], ["a", "$", "b", "^", "c", "~", "d"]),
        ("ΣΑΣ", ["σασ"], ["ΣΑΣ"]),  # no final sigma
        ("İstanbul Straße", ["istanbul", "straße"], ["İstanbul", "Straße"]),
        ("한국어", [unicodedata.normalize("NFD", "한국어")], ["한국어"]),
        ("a\u00adb\u200dc\ufeffd\ue000e", ["abcde"], ["abcde"]),
        ("a\x0bb\x1cc\u2028d\u00a0e\u3000f", ["abc", "d", "e", "f"], ["abc", "d", "e", "f"]),
        ("don’t", ["don", "’", "t"], ["don", "’", "t"]),
        ("", [], []),
    ],
)
def test_words_by_hand(text, uncased, cased):
    assert split_words(text) == uncased
    assert split_words(text, lowercase=False) == cased


@pytest.mark.parametrize("lowercase", [True, False])
def test_every_character_is_treated_as_by_the_library(lowercase):
    """The planes that hold characters in full, of the empty ones a part."""
    points = [*range(0xD800), *range(0xE000, 0x32400), *range(0xE0000, 0xE0200)]
    check_points([*points, *range(0x32400, 0x110000, 499)], lowercase)


def check_points(points, lowercase):
    table = CharTable(lowercase)
    for start in range(0, len(points), 4096):
        text = " ".join(f"x{chr(point)}y" for point in points[start : start + 4096])
        assert spaced(text, table).split() == reference_words(text, lowercase=lowercase)


@pytest.mark.parametrize("lowercase", [True, False])
def test_alignment_says_where_characters_stem_from(lowercase):
    table = CharTable(lowercase)
    for text in random_texts(1_000, seed=6):
        normal, sources = align(text, table)
        assert normal == spaced(text, table)
        assert len(normal) == len(sources)
        assert sources == sorted(sources)
        assert all(0 <= source < len(text) for source in sources)


def test_marks_that_survive_are_sorted():
    """A note's stem (class 216) and the marks around it, which decomposition may have to exchange."""
    for text in [
        "\U0001d15e\u0321x",
        "a\u302e\u1b44b",
        "\U0001d1bc\u0334\u302fz",
        "\u302e\U0001d165",
        "é\u302e\u0323",
    ]:
        assert split_words(text) == reference_words(text, lowercase=True)


def test_the_pattern_of_rare_marks_misses_no_character():
    """Whatever decomposes into a surviving mark has to take the longer road, or offsets would be wrong."""
    from bertlib.tokenizer.normalize import _SURVIVING_MARKS

    for point in range(sys.maxunicode + 1):
        if any(ord(part) in COMBINING_CLASS for part in decompose(chr(point))):
            assert _SURVIVING_MARKS.search(chr(point)), hex(point)


def test_the_table_of_characters_stays_small(monkeypatch):
    monkeypatch.setattr("bertlib.tokenizer.normalize.MAX_TABLE", 10)
    table = CharTable(True)
    text = "".join(map(chr, range(0x370, 0x3FF)))
    assert text.translate(table) == "".join(normalize_char(char, True) for char in text)
    assert len(table) <= 10


def test_code_points():
    some = CodePoints("9-a d 20-22")
    assert [point for point in range(40) if point in some] == [9, 10, 13, 32, 33, 34]
