"""Every work that the package cites, by key or by author and year, stands in the book's bibliography."""

import calendar
import re
from pathlib import Path

import pytest

from bertlib.history.timeline import TIMELINE
from bertlib.variants.family import FAMILY

ROOT = Path(__file__).parents[1]
BIBLIOGRAPHY = (ROOT / "book" / "refs.bib").read_text(encoding="utf-8")
KEYS = re.findall(r"^@\w+\{([^,\s]+),", BIBLIOGRAPHY, re.M)
NAME = r"[A-Z][\w'-]*[a-zà-ž]"
NOT_NAMES = {"In", *calendar.month_name}
CITATION = re.compile(rf"\b({NAME}(?: (?:and|&) {NAME}| et al\.)?),? \(?((?:1[89]|20)\d\d)[a-z]?\b")


def cited(text: str) -> set[str]:
    """Return "Name 1999", "Name and Other 1999" or "Name et al. 1999", however a text breaks its lines."""
    found = CITATION.findall(re.sub(r"\s+(?:# )?", " ", text))
    return {f"{who} {year}".replace("&", "and") for who, year in found if who not in NOT_NAMES}


def wording(entry: str) -> str:
    """Return how a text cites an entry of the bibliography."""
    fields = dict(re.findall(r"^\s*(\w+)\s*=\s*\{(.+)\}", entry, re.M))
    first, *others = (author.split(",")[0] for author in fields["author"].split(" and "))
    names = first if not others else f"{first} and {others[0]}" if len(others) == 1 else f"{first} et al."
    return f"{names} {fields['year']}"


@pytest.mark.parametrize("entries", [TIMELINE, FAMILY], ids=["timeline", "family"])
def test_every_key_is_in_the_bibliography(entries):
    missing = {entry.citation for entry in entries} - set(KEYS)
    assert not missing


def test_no_key_stands_twice():
    assert len(KEYS) == len(set(KEYS))


def test_every_author_and_year_is_in_the_bibliography():
    entries = {wording(entry) for entry in re.split(r"^(?=@)", BIBLIOGRAPHY, flags=re.M) if entry.strip()}
    texts = {path: cited(path.read_text(encoding="utf-8")) for path in (ROOT / "bertlib").rglob("*.py")}
    missing = {path.relative_to(ROOT).as_posix(): works - entries for path, works in texts.items()}
    assert not {path: works for path, works in missing.items() if works}


def test_citations_are_found_in_every_form():
    text = "Wei and\n# Zou 2019, Mikolov et al. 2013b; Kiss & Strunk (2006), Vig, 2019. In 2019, in May 2019"
    assert cited(text) == {"Wei and Zou 2019", "Mikolov et al. 2013", "Kiss and Strunk 2006", "Vig 2019"}
