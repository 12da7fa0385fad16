import pytest

from bertlib.data.sentences import last_sentence_start, split_block, split_sentences

# Each case is written with | where a reader sees the sentence end.
ENGLISH = [
    "My dog is cute.|It likes playing.",
    "Stop!|Who goes there?|Nobody… or so I thought.",
    "Mr. and Mrs. Dursley of No. 4, Privet Drive, met Dr. Who.|They ran.",
    "It costs 3.14 pounds, e.g. at St. Pancras, i.e. in London.|Cheap!",
    "J. R. R. Tolkien and C. S. Lewis met in Oxford.|They talked.",
    "So did I.|Then we left.",
    "He was born in 1900.|The war came later.",
    "See Fig. 3 and pp. 12-14 of vol. 2.|They explain it.",
    '"What?" she asked.|"Nothing," he said.|"Go on."',
    "'No.'|“Yes!”|(He left.)|She stayed.",
    "He waited ... and waited ...|Nobody came.",
    "The U.S. Army marched.|We lived in the U.S.|The rent was low.",
    "Smith, Jones et al. Report this.|It was made by Acme Inc.|They sold it at 5 p.m.|We bought it.",
    "1. Take an egg.|Boil it.",
    "Wait...what?!|No way!!|Ok.",
    "No end in sight",
    "i.e. small letters. here the writer never uses capitals",
]
CHINESE = [
    "我的狗很可爱。|它喜欢玩。",
    "他说：“走吧。”|我们走了！|真的？",
    "「好。」|他笑了；|她也笑了……|天黑了。",
    "（他走了。）|然后呢？！|没有了。",
    "价格是3.14元。|BERT是模型。|It is Chinese!|对。",
    "你好!|走吧?|好",
    "“走吧！”，他说。",
]


@pytest.mark.parametrize("marked", ENGLISH + CHINESE)
def test_hand_split_sentences(marked):
    sentences = marked.split("|")
    blank = "" if marked in CHINESE else " "
    assert split_sentences(blank.join(sentences)) == sentences


def test_blanks_of_any_kind_and_line_ends():
    assert split_sentences("  One.\u3000 Two.\t Three\nfour.  \n\n") == ["One.", "Two.", "Three", "four."]
    assert split_sentences("") == split_sentences(" \n ") == []


def test_block_keeps_every_line_and_adds_no_blank_one():
    block = "One. Two. \nThree.  \n\n\n Four! 五。六\n \nSeven."
    split = split_block(block)
    assert split == "One.\nTwo. \nThree.  \n\n\n Four!\n五。\n六\n \nSeven."
    assert sum(not line.strip() for line in split.split("\n")) == sum(
        not x.strip() for x in block.split("\n")
    )


def test_splitting_takes_nothing_but_blanks_away():
    text = " ".join(ENGLISH + CHINESE).replace("|", " ")
    assert "".join(split_block(text).split()) == "".join(text.split())


def test_last_sentence_start():
    text = "One. Two, Mr. Three. Four"
    assert text[: last_sentence_start(text, 0, len(text))] == "One. Two, Mr. Three. "
    assert last_sentence_start(text, 5, 15) == -1
