import torch

from bertlib.lab import toy, toy_attention

IT, DOG = toy.PIECES.index("it"), toy.PIECES.index("dog")


def test_the_module_holds_the_toy_matrices():
    mixed, weights = toy_attention.attention()(toy_attention.embedded()[None], need_weights=True)
    assert torch.allclose(mixed[0], toy_attention.attended(), atol=1e-5)
    assert torch.allclose(weights[0], toy_attention.weights(), atol=1e-5)


def test_it_finds_the_dog_in_head_0():
    row = toy_attention.weights()[0, IT]
    assert row.argmax() == DOG
    assert row[DOG] > 0.7


def test_it_finds_its_doings_in_head_1():
    order = toy_attention.weights()[1, IT].argsort(descending=True)
    assert {toy.PIECES[i] for i in order[:2]} == {"likes", "playing"}


def test_shapes_and_sums():
    parts = toy_attention.queries(), toy_attention.keys(), toy_attention.values()
    assert {part.shape for part in parts} == {(2, 10, 2)}
    assert torch.allclose(toy_attention.weights().sum(-1), torch.ones(2, 10))
    assert toy_attention.attended().shape == (10, 4)


def test_one_score_by_hand():
    """2 (thing + doing) times 2 (thing - frame), plus thing times quality."""
    it, dog = toy_attention.embedded()[IT], toy_attention.embedded()[DOG]
    by_hand = 2 * (it[0] + it[1]) * 2 * (dog[0] - dog[3]) + it[0] * dog[2]
    score = toy_attention.queries()[0, IT] @ toy_attention.keys()[0, DOG]
    assert torch.isclose(score, by_hand)
