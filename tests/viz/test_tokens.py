import pytest
from matplotlib.colors import to_rgb

from bertlib import viz
from bertlib.errors import InputError
from bertlib.tokenizer import greedy_pieces
from bertlib.viz.tokens import look_ups

STATES = [
    [["i", "##t"], ["t", "##i", "##t"]],
    [["it"], ["t", "##i", "##t"]],
    [["it"], ["t", "##it"]],
]


def words(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def filled(ax, colour: str) -> int:
    return sum(to_rgb(patch.get_facecolor()[:3]) == to_rgb(viz.COLOURS[colour]) for patch in ax.patches)


def test_each_merge_shows_its_new_piece_once():
    _, ax = viz.figure()
    viz.draw_merges(ax, STATES, ["start", "i + t", "##i + ##t"])
    assert words(ax).count("##t") == 3
    assert {"it", "##it", "start"} <= set(words(ax))
    assert filled(ax, "selected") == 2


def test_merges_want_a_label_a_row_and_the_same_words():
    _, ax = viz.figure()
    with pytest.raises(InputError, match="3 rows and 1 labels"):
        viz.draw_merges(ax, STATES, ["start"])
    with pytest.raises(InputError, match="different words"):
        viz.draw_merges(ax, [[["it"]], [["is"]]], ["a", "b"])


def test_every_question_of_the_match_is_one_bar():
    _, ax = viz.figure()
    viz.draw_matching(ax, "playing", {"play", "##ing"})
    assert len(ax.patches) == 5
    assert filled(ax, "token") == 2
    assert words(ax)[:7] == list("playing")
    assert [text for text in words(ax) if "##ing" in text] == ["\N{CHECK MARK} ##ing"]


def test_a_word_with_a_hole_says_so():
    _, ax = viz.figure()
    viz.draw_matching(ax, "pl", {"p"})
    assert words(ax)[-1] == "nothing fits: [UNK]"
    with pytest.raises(InputError, match="at least one letter"):
        viz.draw_matching(ax, "", {"p"})


@pytest.mark.parametrize("word", ["playing", "unplayed", "player", "p"])
def test_the_questions_are_those_of_the_tokeniser(word):
    vocab = {"p", "play", "un", "unp", "##l", "##ay", "##ed", "##ing", "##e"}
    asked = look_ups(word, vocab)
    found = ["##" * (start > 0) + word[start:end] for start, end, there in asked if there]
    assert (found if asked[-1][2] else ["[UNK]"]) == greedy_pieces(word, vocab)
