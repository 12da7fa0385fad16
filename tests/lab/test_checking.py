import time

import pytest
import torch

from bertlib.errors import InputError
from bertlib.lab import check, examine, hint
from bertlib.lab.patience import patience


def dots(first, second=None): ...


def documented(first, second=None):
    """Say something and do nothing."""


def refuses(first, second=None):
    raise NotImplementedError


def forgetful(first, second=None):
    first = ["[CLS]", *first]


def broken(first, second=None):
    return first + None


@pytest.mark.parametrize("stub", [dots, documented, refuses])
def test_an_untouched_stub_is_not_yet(stub, capsys):
    check("pack", stub)
    assert capsys.readouterr().out == '○ pack: not yet (easy, 5 minutes).\n  Stuck? lab.hint("pack")\n'


def test_a_forgotten_return_is_named():
    report = examine("pack", forgetful)
    assert report.status == "wrong"
    assert "Does it end with `return`?" in report.text


def test_an_error_shows_the_readers_line():
    report = examine("pack", broken)
    assert report.status == "error"
    assert "return first + None" in report.text
    assert "TypeError" in report.text


def test_an_endless_loop_is_stopped(monkeypatch):
    def endless(first, second=None):
        while True:
            try:
                first = list(first)
            except Exception:
                return first

    monkeypatch.setattr("bertlib.lab.checking.patience", lambda: patience(0.2))
    report = examine("pack", endless)
    assert report.status == "error"
    assert "A loop that never ends?" in report.text
    assert "tried" in report.text


def test_patience_leaves_no_alarm_behind():
    with patience(0.05):
        pass
    time.sleep(0.1)


def test_wrong_says_tried_expected_came():
    text = examine("pack", lambda first, second=None: (["[CLS]", *first], [0])).text
    for word in ("tried", "our pair", "expected", "came", "look at"):
        assert word in text


def test_success_says_what_was_tried():
    text = examine("truncate-pair", right_truncation).text
    assert text.startswith("✔ truncate-pair: 6 tries, all as expected.")
    assert "no room at all" in text


def right_truncation(first, second, room):
    first, second = list(first), list(second)
    while len(first) + len(second) > room:
        (first if len(first) > len(second) else second).pop()
    return first, second


def test_earlier_successes_are_counted():
    def no_single(first, second=None):
        second = second or []
        pieces = ["[CLS]", *first, "[SEP]", *second, "[SEP]"]
        return pieces, [0] * (len(first) + 2) + [1] * (len(second) + 1)

    assert "2 tries before this one came out as expected" in examine("pack", no_single).text


def test_unknown_exercise_offers_the_nearest():
    with pytest.raises(InputError, match="did you mean 'pack'"):
        check("pak", dots)


def test_the_readers_random_numbers_stay_where_they_were():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    examine("add-embeddings", lambda *arguments: None)
    examine("pad-batch", dots)
    assert torch.equal(before, torch.get_rng_state())


def test_hint_is_printed(capsys):
    hint("pack")
    assert "[SEP]" in capsys.readouterr().out
