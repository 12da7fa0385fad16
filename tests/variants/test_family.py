import dataclasses
import re

import pytest

from bertlib.errors import InputError
from bertlib.variants.family import FAMILY, ancestors, descendants, relative


def test_it_is_a_tree_that_grows_downwards():
    seen = {}
    for one in FAMILY:
        assert one.name not in seen
        assert all(seen[parent] <= one.year for parent in one.parents), one.name
        seen[one.name] = one.year
    assert len(FAMILY) >= 20
    assert [one.year for one in FAMILY] == sorted(one.year for one in FAMILY)


@pytest.mark.parametrize("one", FAMILY, ids=lambda one: one.name)
def test_each_says_in_one_line_what_changed(one):
    assert 0 < len(one.change) < 80
    assert re.fullmatch(r"[a-z]+\d{4}[a-z]?", one.citation)


def test_it_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        FAMILY[0].year = 1900


def test_lines_of_descent():
    assert [one.name for one in ancestors("Longformer")] == [
        "word2vec",
        "Transformer",
        "ELMo",
        "GPT",
        "BERT",
        "RoBERTa",
    ]
    assert [one.name for one in descendants("RoBERTa")][:2] == ["XLM-R", "Longformer"]
    assert ancestors("Transformer") == descendants("ModernBERT") == ()
    assert relative("BERT").parents == ("Transformer", "ELMo", "GPT")


@pytest.mark.parametrize("ask", [relative, ancestors, descendants])
def test_strangers_are_answered_with_the_known_names(ask):
    with pytest.raises(InputError, match="no 'Bert' in the family; there are word2vec, Transformer"):
        ask("Bert")
