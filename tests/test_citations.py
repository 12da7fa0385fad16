"""Every key by which the package cites a work stands in the book's bibliography."""

import re
from pathlib import Path

import pytest

from bertlib.history.timeline import TIMELINE
from bertlib.variants.family import FAMILY

BIBLIOGRAPHY = (Path(__file__).parents[1] / "book" / "refs.bib").read_text(encoding="utf-8")
KEYS = re.findall(r"^@\w+\{([^,\s]+),", BIBLIOGRAPHY, re.M)


@pytest.mark.parametrize("entries", [TIMELINE, FAMILY], ids=["timeline", "family"])
def test_every_key_is_in_the_bibliography(entries):
    missing = {entry.citation for entry in entries} - set(KEYS)
    assert not missing


def test_no_key_stands_twice():
    assert len(KEYS) == len(set(KEYS))
