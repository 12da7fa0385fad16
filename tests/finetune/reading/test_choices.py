"""Four layouts of multiple choice."""

import pytest

from bertlib.data.examples import ChoiceExample
from bertlib.errors import CorpusError
from bertlib.finetune.reading import read_codah, read_comve, read_comve_split, read_copa, read_swag

SWAG = ",video-id,fold-ind,startphrase,sent1,sent2,gold-source,ending0,ending1,ending2,ending3"


def test_swag(write):
    row = '0,v1,3416,"A man sits. He","A man sits.",He,gold,"sings, loud.",falls.,runs.,eats.'
    wanted = ChoiceExample("A man sits.", ("He sings, loud.", "He falls.", "He runs.", "He eats."), 2, "3416")
    assert read_swag(write("train.csv", f"{SWAG},label\n{row},2\n")) == [wanted]
    assert read_swag(write("test.csv.xz", f"{SWAG}\n{row}\n")) == [wanted._replace(label=None)]
    with pytest.raises(CorpusError, match="line 2: the label is '4'; expected '0', '1', '2', '3'"):
        read_swag(write("train.csv", f"{SWAG},label\n{row},4\n"))
    with pytest.raises(CorpusError, match=r"no column 'sent1'; it has 'id', 'text'$"):
        read_swag(write("train.csv", "id,text\n1,a\n"))
    with pytest.raises(CorpusError, match=r"'3416', .*; is that data, or another task's file\?$"):
        read_swag(write("train.csv", row + "\n"))
    with pytest.raises(CorpusError, match=r"unexpected end of data; is a quotation mark left open\?$"):
        read_swag(write("train.csv", f'{SWAG}\n0,"v\n'))


def test_codah(write):
    row = 'o\tI am "hungry". I\teat.\tsit.\tfly.\tsing.\t'
    wanted = ChoiceExample('I am "hungry". I', ("eat.", "sit.", "fly.", "sing."), 0, "0")
    assert read_codah(write("full_data.tsv", row + "0\n")) == [wanted]
    with pytest.raises(CorpusError, match="line 1: the label is '01'"):
        read_codah(write("full_data.tsv", row + "01\n"))
    with pytest.raises(CorpusError, match="line 2: 2 fields"):
        read_codah(write("full_data.tsv", row + "0\na\tb\n"))


def test_copa(write):
    row = '{"premise": "It fell.", "choice1": "a", "choice2": "b", "question": "%s", "label": %s, "idx": 7}\n'
    read = read_copa(write("val.jsonl", row % ("cause", "1") + row % ("effect", "null")))
    assert read[0] == ChoiceExample("It fell. What was the cause of this?", ("a", "b"), 1, "7")
    assert (read[1].prompt, read[1].label) == ("It fell. What happened as a result?", None)
    with pytest.raises(CorpusError, match="line 1: the question is 'why'; expected 'cause', 'effect'"):
        read_copa(write("val.jsonl", row % ("why", "1")))
    with pytest.raises(CorpusError, match="line 1: the label is '2'"):
        read_copa(write("val.jsonl", row % ("cause", "2")))


def test_comve(write):
    data = write(
        "data.csv", 'id,FalseSent,OptionA,OptionB,OptionC\n7,"He, drinks apples.",a,b,c\n9,x,d,e,f\n'
    )
    read = read_comve(data, write("answers.csv", "9,A\n7,C\n"))
    assert read[0] == ChoiceExample("He, drinks apples.", ("a", "b", "c"), 2, "7")
    assert [e.label for e in read] == [2, 0]
    assert [e.label for e in read_comve(data)] == [None, None]
    with pytest.raises(CorpusError, match="line 2: the label is 'D'; expected 'A', 'B', 'C'"):
        read_comve(data, write("answers.csv", "9,A\n7,D\n"))


def test_comve_by_split_and_by_file(write, tmp_path):
    data = write("train/data.csv.gz", "id,FalseSent,OptionA,OptionB,OptionC\n7,x,a,b,c\n")
    answers = write("train/answers.csv", "7,B\n")
    wanted = [ChoiceExample("x", ("a", "b", "c"), 1, "7")]
    assert read_comve_split(tmp_path, "train") == read_comve_split(data, "dev") == wanted
    assert read_comve_split(tmp_path, "dev") is None
    answers.write_text("?")
    assert read_comve_split(data, "test", labels=False) == [wanted[0]._replace(label=None)]


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ("9,A\n8,B\n", "answers 1 of the 2 statements of .* and 1 others; do the two files belong"),
        ("9,A\n7,B\n8,B\n", "answers 2 of the 2 statements of .* and 1 others"),
        ("9,A\n7,\n", "line 2: the label is ''; expected 'A', 'B', 'C'"),
    ],
)
def test_comve_with_answers_of_another_set(write, answers, message):
    data = write("data.csv", "id,FalseSent,OptionA,OptionB,OptionC\n7,x,a,b,c\n9,x,d,e,f\n")
    with pytest.raises(CorpusError, match=message):
        read_comve(data, write("answers.csv", answers))


@pytest.mark.data
def test_published_files(shared_data):
    codah = read_codah(shared_data / "codah" / "full_data.tsv.xz")
    assert [sum(e.label == place for e in codah) for place in range(4)] == [689, 684, 697, 706]
    for split, data, answers, rows in (
        ("train", "data_all", "answers_all", 10000),
        ("dev", "dev_data", "gold_answers", 997),
        ("test", "test_data", "gold_answers", 1000),
    ):
        folder = shared_data / "comve" / split
        read = read_comve(folder / f"subtaskB_{data}.csv.xz", folder / f"subtaskB_{answers}.csv.xz")
        assert len(read) == rows
        assert all(e.label in (0, 1, 2) for e in read)
        assert sum(not all(e.choices) for e in read) == (3 if split == "train" else 0)  # as published
