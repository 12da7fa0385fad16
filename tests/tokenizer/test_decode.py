import pytest

from bertlib.tokenizer.decode import join_pieces, tidy


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        ("play ##ing un ##aff ##able", "playing unaffable"),
        ("don ' t stop , it ' s the boy ' s !", "don't stop, it's the boy's!"),
        ('he said : " stop ! " and went', 'he said: "stop!" and went'),
        ("( see [ 1 ] ) 100 % of $ 5", "(see [1]) 100% of $5"),
        ("a well - known 1 , 000 . 5 and / or", "a well-known 1,000.5 and/or"),
        ("中 国 , 你 好 。 “ 是 ”", "中国, 你好。“是”"),
        ("my dog 中 国 bert", "my dog 中国 bert"),
        ("[MASK] ##ing [UNK] .", "[MASK]ing [UNK]."),
        ("song # 5", "song #5"),
        ("##ing", "##ing"),
        ("", ""),
    ],
)
def test_pieces_become_text(pieces, text):
    assert join_pieces(pieces.split()) == text


def test_tidying_twice_changes_nothing():
    for text in ["he said : don ' t ( ever ) stop , 中 国 !", "a - b / c", '" x " , " y "']:
        assert tidy(tidy(text)) == tidy(text)
