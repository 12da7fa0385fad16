"""Where does a sentence end? Rules for English and Chinese, one regular expression over a whole block.

The expression finds every place that *might* be an end: a closing mark, perhaps quotes and brackets, and
what follows. A short function then looks at both sides and decides. A wrong decision costs little here (a
"sentence" of two, or half of one), so the rules stay few enough to read; Kiss and Strunk (2006) show how
far one can go.
"""

from __future__ import annotations

import re

# Marks, closing quotes and brackets, the gap, and (looked at only) the first character of what follows.
# The first mark stands outside any repetition: so the engine can leap from mark to mark.
_MAYBE_END = re.compile(
    r"""(?P<end> (?P<marks> [.!?…。！？；] [.!?…。！？；]* ) (?P<closers> ["'”’»)\]』」）】》〉]* ) )
        (?P<gap> [^\S\n]* )
        (?= ["'“‘’«(\[¿¡—–\-]* (?P<next> \S ) )""",
    re.VERBOSE,
)
_LAST_WORD = re.compile(r"(?<!\w)\w+(?:\.\w+)*$")  # Mr, U.S, 12
_NEXT_WORD = re.compile(r"\W*([^\W\d_]+)")
_WIDE = frozenset("。！？；")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# No sentence ends here: something always follows.
_TITLES = _words(
    "mr mrs ms dr prof rev gen col capt lt sgt maj cpl adm gov sen rep pres hon st mt ft messrs mme mlle mgr "
    "vs cf eg e.g ie i.e viz ph.d"
)
# These take a number: "No. 5", "pp. 12-14", "Jan. 3".
_COUNTED = _words(
    "no nos p pp vol vols fig figs ch chap sec art op ca c approx para eq "
    "jan feb mar apr jun jul aug sep sept oct nov dec"
)
# A sentence may well end here; whether it does, the next word tells.
_SHORTENED = _words("inc ltd co corp bros jr sr esq etc al dept univ assn ave blvd rd")
_OPENERS = _words(
    "A After All An And As At Both But By During For From He Her His How However I If In It Its Later Many "
    "Most My No On One Our She Since So Some That The Their Then There These They This Those Though Thus To "
    "We What When Where While Who Why With You Your"
)


def split_sentences(paragraph: str) -> list[str]:
    """Split a paragraph into its sentences, without the blanks around them.

    Ends are ``. ! ? …`` before a blank and no small letter (but not after ``Mr.``, ``e.g.`` or the initials
    of J. R. R. Tolkien), and ``。！？；…`` of Chinese, which need no blank. Closing quotes and brackets stay
    with the sentence they close.

    Args:
        paragraph: text; line ends, if any, end a sentence too.

    Returns:
        The sentences in order; none of them is empty.

    Example:
        >>> split_sentences('Mr. Fox paid 3.14 pounds. "Too much!" He left.')
        ['Mr. Fox paid 3.14 pounds.', '"Too much!"', 'He left.']
        >>> split_sentences("他说：“走吧。”我们走了！")
        ['他说：“走吧。”', '我们走了！']
    """
    lines = (line.strip() for line in split_block(paragraph).split("\n"))
    return [line for line in lines if line]


def split_block(text: str) -> str:
    r"""Put every sentence of a block on a line of its own: the gap behind each end becomes ``"\n"``.

    Lines that are there stay, blank ones too, and no blank line is added: blank lines separate documents.

    Args:
        text: any number of paragraphs, one a line.

    Returns:
        The text with line ends added; nothing but blanks is taken away.
    """
    return _MAYBE_END.sub(_with_line_end, text)


def last_sentence_start(text: str, start: int, stop: int) -> int:
    """Return where the last sentence that begins within ``text[start:stop]`` begins, or -1 if none does."""
    starts = [match.end() for match in _MAYBE_END.finditer(text, start, stop) if _is_end(match)]
    return starts[-1] if starts else -1


def _with_line_end(match: re.Match[str]) -> str:
    return match["end"] + "\n" if _is_end(match) else match[0]


def _is_end(match: re.Match[str]) -> bool:
    """Decide whether the marks found end a sentence."""
    marks, following = match["marks"], match["next"]
    if not _WIDE.isdisjoint(marks):
        return following not in "，、："  # “走吧！”，他说
    if not match["gap"]:  # "3.14", "wait...what", but "好!走吧": Chinese leaves no gap
        return marks != "." and following >= "\u2e80"
    if following.islower():  # "What?" she asked.
        return False
    if marks != "." or match["closers"]:
        return True
    return not _is_abbreviation(match)


def _is_abbreviation(match: re.Match[str]) -> bool:
    """Does the single dot belong to the word before it (and the sentence goes on)?"""
    text, dot, following = match.string, match.start(), match["next"]
    found = _LAST_WORD.search(text, max(0, dot - 10), dot)  # all of them are shorter than that
    if found is None:
        return False
    word, small = found[0], found[0].lower()
    if word.isdigit():  # "2. The second point" opens a list, "in 1900. The" ends a sentence
        return len(word) <= 3 and (found.start() == 0 or text[found.start() - 1] == "\n")
    if len(word) == 1 and word.isupper():  # an initial
        return word != "I"
    if small in _TITLES:
        return True
    if small in _COUNTED:
        return following.isdigit()
    return (small in _SHORTENED or "." in word) and not _opens_sentence(match)  # Inc., U.S., p.m.


def _opens_sentence(match: re.Match[str]) -> bool:
    word = _NEXT_WORD.match(match.string, match.end())
    return word is not None and word[1] in _OPENERS
