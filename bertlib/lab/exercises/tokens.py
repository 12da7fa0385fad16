"""Exercises of *From text to tokens*, from text to words: clean it, then split it."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal

from bertlib.lab.exercise import Case, Exercise, Mistake
from bertlib.lab.exercises.tokens_class import MY_TOKENIZER

KEPT_CONTROLS = "\t\n\r"  # controls for Unicode, white space for BERT


def clean_text(
    text: str,
    lowercase: bool = True,
    *,
    control: str = "",
    kept: str = KEPT_CONTROLS,
    form: Literal["NFC", "NFD"] = "NFD",
) -> str:
    """Clean one character after the other; ``control``, ``kept`` and ``form`` make the wrong versions."""
    result = ""
    for char in text:
        if char in kept or unicodedata.category(char) == "Zs":
            result += " "
        elif unicodedata.category(char) in ("Cc", "Cf"):
            result += control
        elif lowercase:
            parts = unicodedata.normalize(form, char.lower())
            result += "".join(part for part in parts if unicodedata.category(part) != "Mn")
        else:
            result += char
    return result


def visible(reader: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    r"""Call the reader's function and write what cannot be seen as ``\xad``, so that a report can show it."""
    result = reader(*arguments.values())
    if not isinstance(result, str):
        return result
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in result)


CLEAN_TEXT = Exercise(
    name="clean-text",
    difficulty="easy",
    minutes=8,
    hint="unicodedata.category(char) says what a character is: Cc and Cf are controls, Zs is a blank, Mn an "
    "accent that stands alone. unicodedata.normalize('NFD', text) takes é apart. Tab and line end are Cc, "
    "so ask for char.isspace() first.",
    praise="Spotless: what looks alike is alike now, and what nobody can see is gone.",
    reference=clean_text,
    run=visible,
    cases=lambda: [
        Case("capitals and accents", {"text": "Crème BRÛLÉE", "lowercase": True}),
        Case(
            r"a tab, a line end, a no-break space (my\tdog\nis\xa0cute)",
            {"text": "my\tdog\nis\u00a0cute", "lowercase": True},
            because="Every kind of white space becomes one plain blank, so that words stay apart.",
        ),
        Case(
            r"a soft hyphen and a zero-width space inside words (play\xading do\u200bg)",
            {"text": "play\u00ading do\u200bg", "lowercase": True},
            because="Both are invisible and come along when one copies from a page. They vanish, and "
            "nothing takes their place: the word was never two.",
        ),
        Case(
            "a cased vocabulary",
            {"text": "Été at the Café", "lowercase": False},
            because="With lowercase=False neither capitals nor accents are touched.",
        ),
        Case("an empty text", {"text": "", "lowercase": True}),
    ],
    mistakes=(
        Mistake(
            "the accents are still there. Lower-casing leaves é as it is: take it apart first (NFD).",
            partial(clean_text, form="NFC"),
        ),
        Mistake(
            "the letters went with their accents. Take é apart (NFD), then drop the accent alone.",
            lambda text, lowercase: clean_text(text.lower(), False).encode("ascii", "ignore").decode(),
        ),
        Mistake(
            "words ran together. Unicode counts tab and line end as controls; here they are white space.",
            partial(clean_text, kept=""),
        ),
        Mistake(
            "an invisible character left a blank behind, and cut a word in two.",
            partial(clean_text, control=" "),
        ),
        Mistake(
            "text for a cased vocabulary was lower-cased.", lambda text, lowercase: clean_text(text, True)
        ),
    ),
)


def split_words(text: str, *, signs: str = "", cjk: bool = True) -> list[str]:
    """Walk through the text; ``signs`` replaces the rule for punctuation, ``cjk`` that for ideographs."""
    words: list[str] = []
    open_word = False
    for char in text:
        punctuation = char in (signs or string.punctuation) or (
            not signs and unicodedata.category(char)[0] == "P"
        )
        alone = punctuation or (cjk and unicodedata.name(char, "").startswith("CJK UNIFIED"))
        if not char.isspace():
            if open_word and not alone:
                words[-1] += char
            else:
                words.append(char)
        open_word = not alone and not char.isspace()
    return words


SPLIT_WORDS = Exercise(
    name="split-words",
    difficulty="medium",
    minutes=12,
    hint="Put a blank on either side of every character that stands alone, then call .split(). A "
    "character stands alone when it is in string.punctuation, when its Unicode category begins with P, "
    "or when its Unicode name says CJK UNIFIED.",
    praise="Cut as BERT cuts: no word leans on a comma any more, and every ideograph stands on its feet.",
    reference=split_words,
    cases=lambda: [
        Case("our sentence", {"text": "my dog is cute"}),
        Case("punctuation", {"text": "don't stop, it's well-known!"}),
        Case(
            "signs that Unicode does not call punctuation",
            {"text": "5$ + 3^2 = a~b"},
            because="BERT cuts at all ASCII signs, $ and ^ and = too; their category begins with S, not P.",
        ),
        Case(
            "Chinese and English",
            {"text": "我的dog，很可爱。"},
            because="Chinese writes no blanks: every ideograph is a word, and so are the signs ， and 。",
        ),
        Case(
            "kana, and a face",
            {"text": "犬がすき dog\U0001f436"},
            because="Japanese kana are no ideographs and an emoji is no punctuation: BERT cuts at neither.",
        ),
        Case("two blanks and nothing else", {"text": "  "}),
    ],
    mistakes=(
        Mistake(
            "only blanks cut. `cute!` and `cute` would be two different words.", lambda text: text.split()
        ),
        Mistake(
            "a run of ideographs stayed one word. That would need a vocabulary of all Chinese sentences.",
            partial(split_words, cjk=False),
        ),
        Mistake(
            "only ASCII signs cut; ， is punctuation too (its category begins with P).",
            partial(split_words, signs=string.punctuation),
        ),
        Mistake(
            "the punctuation was thrown away. It is a word as well: a question mark says something.",
            lambda text: [word for word in split_words(text) if word.isalnum()],
        ),
        Mistake(
            "everything that is no letter was cut off, emoji included; BERT leaves it where it is.",
            lambda text: split_words(text, signs="".join(c for c in text if not c.isalnum()) or "!"),
        ),
        Mistake("every character became a word.", lambda text: [char for char in text if not char.isspace()]),
    ),
)

EXERCISES = (CLEAN_TEXT, SPLIT_WORDS, MY_TOKENIZER)
