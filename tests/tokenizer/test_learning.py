"""Learning a vocabulary: scores, merges, engines, errors."""

import math
import random
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from reference_bert import corpus_lines

from bertlib.errors import InputError, VocabularyError
from bertlib.tokenizer import (
    SPECIAL_TOKENS,
    WordPieceTokenizer,
    count_words,
    greedy_pieces,
    learn_vocabulary,
    pair_score,
    train,
)
from bertlib.tokenizer.merges import PairTable, join
from bertlib.tokenizer.train import alphabet

HUGS = {"hug": 10, "pug": 5, "pun": 12, "bun": 4, "hugs": 5}
SCORES = ["frequency", "likelihood", "ratio"]
ENGLISH = [
    "The captain walked along the walls, talking and walking; the talker talked of walkers.",
    "Walking and talking, the captains were captured: captive captains capture nothing!",
    "Nothing, said the king, is nothing but something that nothing brings to kings.",
]


def learn(words, size, **options):
    return learn_vocabulary(
        words, size, **{"min_frequency": 1, "engine": "own", "progress": False, **options}
    )


@pytest.mark.parametrize(
    ("score", "first"),
    # ##u ##g stands there 20 times; ##g ##s is 5 / (20 * 5), the highest ratio
    [("frequency", "##ug"), ("likelihood", "##ug"), ("ratio", "##gs")],
)
def test_the_first_merge_by_hand(score, first):
    start = [*SPECIAL_TOKENS, *"bghnpsu", "##g", "##n", "##s", "##u"]
    assert learn(HUGS, len(start) + 1, score=score) == [*start, first]


def test_scores_by_hand():
    f_ab, f_a, f_b = np.array([20.0, 5.0]), np.array([36.0, 20.0]), np.array([20.0, 5.0])
    assert pair_score(f_ab, f_a, f_b, 113).tolist() == [20, 5]
    assert pair_score(f_ab, f_a, f_b, 113, kind="ratio").tolist() == [1 / 36, 1 / 20]
    expected = [20 * math.log(113 / 36), 5 * math.log(113 / 20)]
    assert pair_score(f_ab, f_a, f_b, 113, kind="likelihood").tolist() == pytest.approx(expected)


def naive(words, size, *, min_frequency, score):
    """Count everything again before each merge."""
    plain, inner = alphabet(words, min_frequency=min_frequency)
    vocab = [*SPECIAL_TOKENS, *plain, *inner]
    cut = {w: [w[0], *("##" + c for c in w[1:])] for w in sorted(words) if set(w) <= set(plain)}
    while len(vocab) < size:
        single, pairs = Counter(), Counter()
        for word, pieces in cut.items():
            for piece in pieces:
                single[piece] += words[word]
            for pair in pairwise(pieces):
                pairs[pair] += words[word]
        total = sum(single.values())
        scored = {}
        for (a, b), n in pairs.items():
            if n >= min_frequency:
                ratio = n / (single[a] * single[b])
                value = {"frequency": n, "ratio": ratio, "likelihood": n * math.log(ratio * total)}[score]
                scored[a, b] = (-round(value, 12), vocab.index(a), vocab.index(b))
        if not scored:
            break
        a, b = min(scored, key=scored.__getitem__)
        merged = a + b[2:]
        vocab += [merged] * (merged not in vocab)
        cut = {word: join(pieces, (a, b), merged) for word, pieces in cut.items()}
    return vocab


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("seed", range(4))
def test_bookkeeping_equals_counting_again(score, seed):
    draw = random.Random(seed)
    words = {"".join(draw.choices("abcd", k=draw.randint(1, 7))): draw.randint(1, 9) for _ in range(60)}
    for min_frequency in (1, 3):
        options = {"min_frequency": min_frequency, "score": score}
        assert learn(words, 80, **options) == naive(words, 80, **options)


def test_counts_stay_right_while_merging():
    words = count_words(ENGLISH, progress=False)
    plain, inner = alphabet(words, min_frequency=1)
    table = PairTable(words, [*plain, *inner])
    while pair := table.best(score="frequency", min_frequency=2):
        table.merge(pair)
        single, pairs = Counter(), Counter()
        for word, weight in zip(table.words, table.weights, strict=True):
            single.update({n: weight * word.count(n) for n in set(word)})
            for neighbours in pairwise(word):
                pairs[neighbours] += weight
        assert table.frequency.tolist() == [single[n] for n in range(len(table.pieces))]
        assert {p: table.count[row] for p, row in table.rows.items() if table.count[row]} == pairs


@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize("size", [70, 100, 400])
def test_both_engines_give_the_same(lowercase, size):
    texts = [*ENGLISH, "中国的船长说话。船长走路。", "Ένας καπετάνιος, ένας βασιλιάς"] * 2
    vocabs = [
        WordPieceTokenizer.train(texts, size + 60, lowercase=lowercase, engine=engine, progress=False).vocab
        for engine in ("own", "library")
    ]
    assert vocabs[0] == vocabs[1]
    assert len(set(vocabs[0])) == len(vocabs[0])


@pytest.mark.parametrize("engine", ["own", "library"])
def test_what_a_vocabulary_looks_like(engine):
    texts = [*ENGLISH, "中国船长走路。走路！"] * 2
    tokenizer = WordPieceTokenizer.train(texts, 120, engine=engine, progress=False)
    assert tuple(tokenizer.vocab[:5]) == SPECIAL_TOKENS
    assert (tokenizer.pad_id, tokenizer.unk_id, tokenizer.cls_id, tokenizer.sep_id, tokenizer.mask_id) == (
        0,
        1,
        2,
        3,
        4,
    )
    assert len(tokenizer) == 120
    assert {"walk", "##ing", "captain"} <= set(tokenizer.vocab)
    assert not any(piece != piece.lower() for piece in tokenizer.vocab[5:])
    chinese = [piece for piece in tokenizer.vocab if set(piece) & set("中国船长走路")]
    assert sorted(chinese) == sorted("中国船长走路")  # each alone, none inside a word
    assert tokenizer.unk_id not in tokenizer.words_to_ids(" ".join(texts))


def test_a_cased_vocabulary_keeps_capitals():
    tokenizer = WordPieceTokenizer.train(["Élan ÉLAN Élan élan"] * 2, 40, lowercase=False, progress=False)
    assert {"É", "é", "L"} <= set(tokenizer.vocab)
    assert tokenizer.decode(tokenizer.words_to_ids("Élan ÉLAN élan")) == "Élan ÉLAN élan"
    assert "e" in WordPieceTokenizer.train(["Élan"] * 2, 40, progress=False).vocab


@pytest.mark.parametrize("engine", ["own", "library"])
def test_the_order_of_the_texts_changes_nothing(engine):
    texts = [*ENGLISH, *HUGS]
    train_once = lambda t: WordPieceTokenizer.train(t, 110, engine=engine, progress=False).vocab  # noqa: E731
    assert (
        train_once(texts)
        == train_once(texts[::-1])
        == train_once(iter(texts))
        == train_once([" ".join(texts)])
    )


def test_auto_takes_the_library_for_many_words(monkeypatch):
    calls = []
    monkeypatch.setattr(train, "_learn_by_library", lambda *_: calls.append("library") or [])
    monkeypatch.setattr(train, "_learn", lambda *_: calls.append("own") or [])
    monkeypatch.setattr(train, "MANY_WORDS", 5)
    for words, score in [
        (HUGS, "frequency"),
        ({**HUGS, "bugs": 2}, "frequency"),
        ({**HUGS, "bugs": 2}, "ratio"),
    ]:
        learn(words, 50, engine="auto", score=score)
    assert calls == ["own", "library", "own"]


def test_rare_characters_are_left_out():
    words = {"aaa": 5, "ab": 1, "x": 1}
    assert alphabet(words, min_frequency=2) == (["a"], ["##a"])
    assert learn(words, 9, min_frequency=2) == [*SPECIAL_TOKENS, "a", "##a", "aa", "aaa"]


def test_learning_stops_when_nothing_is_left_to_merge():
    assert learn({"ab": 3}, 1_000) == [*SPECIAL_TOKENS, "a", "b", "##b", "ab"]


def test_words_are_counted():
    assert count_words(["The cat, the CAT", "cat" * 34], progress=False) == {"the": 2, "cat": 2, ",": 1}
    assert count_words(["The"], lowercase=False, progress=False) == {"The": 1}


@pytest.mark.parametrize(
    ("texts", "options", "kind", "message"),
    [
        ([], {}, VocabularyError, "the texts hold no words; expected some text"),
        (["", " \n\x00"], {}, VocabularyError, "the texts hold no words"),
        (["abc"], {}, VocabularyError, "no character occurs 2 times in the 1 different words"),
        (["abc abc"], {"vocab_size": 9}, VocabularyError,
         r"vocab_size 9 is smaller than the alphabet: 5 characters .* 5 special tokens make 10; choose at least 10"),
        (["abc abc"], {"vocab_size": 0}, VocabularyError, "vocab_size 0 is smaller"),
        ("abc", {}, InputError, "texts is one str; expected several"),
        (["abc", 3], {}, InputError, "texts holds a int"),
        (["abc"], {"min_frequency": 0}, InputError, "min_frequency is 0; expected at least 1"),
        (["abc"], {"engine": "magic"}, InputError, "engine is 'magic'; expected one of auto, own, library"),
        (["abc"], {"score": "luck"}, InputError, "score is 'luck'; expected one of frequency, likelihood, ratio"),
        (["abc"], {"score": "ratio", "engine": "library"}, InputError, "use engine='own'"),
    ],
)  # fmt: skip
def test_errors_are_one_clear_line(texts, options, kind, message):
    with pytest.raises(kind, match=message) as error:
        WordPieceTokenizer.train(texts, options.pop("vocab_size", 100), progress=False, **options)
    assert "\n" not in str(error.value)


def test_greedy_pieces():
    vocab = {"un", "u", "##aff", "##able", "##a", "##b"}
    assert greedy_pieces("unaffable", vocab) == ["un", "##aff", "##able"]
    assert greedy_pieces("unaffablex", vocab) == ["[UNK]"]
    assert greedy_pieces("ub", vocab) == ["u", "##b"]
    assert greedy_pieces("", vocab) == []
    assert greedy_pieces("u" + "b" * 100, vocab, unknown="?") == ["?"]


@pytest.mark.slow
@pytest.mark.data
def test_frequency_cuts_held_out_english_into_the_fewest_pieces():
    """The order of the scores that learn_vocabulary reports, on a smaller piece of the same text."""
    lines = corpus_lines("pretrain_small_en")
    words = count_words(lines[::30], progress=False)
    held_out = count_words(lines[5::90], progress=False)
    pieces = {}
    for score in SCORES:
        vocab = set(learn(words, 2_000, min_frequency=2, score=score))
        pieces[score] = sum(len(greedy_pieces(w, vocab)) * n for w, n in held_out.items()) / held_out.total()
    assert pieces["frequency"] < pieces["likelihood"] < pieces["ratio"]
    assert pieces["ratio"] > 1.5 * pieces["frequency"]
