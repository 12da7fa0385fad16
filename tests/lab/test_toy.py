import torch
from torch.nn import functional as F

from bertlib.lab import toy


def test_the_ten_columns_are_what_the_tokenizer_packs():
    pair = toy.tokenizer().encode_pair("my dog is cute", "it likes playing")
    assert pair.tokens == list(toy.PIECES)
    assert pair.ids == toy.ids().tolist()
    assert pair.token_type_ids == toy.segments().tolist()


def test_a_number_can_be_read_backwards():
    assert toy.summed()[6].tolist() == torch.tensor([3.46, 0.33, 0.26, 1.13]).tolist()
    digits = (toy.summed() * 100).round().long()
    assert torch.equal(digits // 100, toy.token_table()[toy.ids()].long())


def test_the_module_holds_the_toy_numbers():
    out = toy.embedding()(toy.ids()[None], toy.segments()[None])[0]
    assert torch.allclose(out, F.layer_norm(toy.summed(), (4,)), atol=1e-5)


def test_it_stands_near_dog():
    distances = torch.cdist(toy.summed(), toy.summed())[6]
    assert toy.PIECES[int(distances.argsort()[1])] == "dog"


def test_tables_are_copies():
    toy.token_table().zero_()
    assert toy.token_table().sum() > 0
