"""Tables of every kind, right and wrong."""

import csv
import io

import pytest

from bertlib.data.examples import TextExample
from bertlib.errors import CorpusError
from bertlib.finetune.reading import read_table

FILES = {
    "a.csv": 'label,review\n1,"Good, ""very"" good"\n0,bad\n',
    "a.csv.gz": 'label,review\r\n1,"Good, ""very"" good"\r\n\r\n0,bad\r\n',
    "semicolons.csv": 'label;review\n1;"Good, ""very"" good"\n0;bad\n',
    "a.tsv.xz": '\ufefflabel\treview\n1\tGood, "very" good\n0\tbad\n',
    "guessed.txt": 'label\treview\n1\tGood, "very" good\n0\tbad',
    "a.jsonl": '{"review": "Good, \\"very\\" good", "label": 1}\n\n{"label": "0", "review": "bad", "x": []}\n',
}


@pytest.mark.parametrize("name", FILES)
def test_one_table_in_six_forms(write, name):
    read = read_table(write(name, FILES[name]), text="review", label="label")
    assert read == [
        TextExample('Good, "very" good', None, "1", "0"),
        TextExample("bad", None, "0", "1"),
    ]


def test_quotation_marks_belong_to_glues_text(write):
    """The same line, read as GLUE means it and as a spreadsheet would."""
    path = write("a.tsv", 'a\tb\n"quoted" word\tx\n"one\ttwo\n')
    assert [e.first for e in read_table(path, text="a")] == ['"quoted" word', '"one']
    good = write("b.tsv", 'a\tb\n"one ""1"""\ttwo\n')
    assert read_table(good, text="a", pair="b", quoted=True)[0][:2] == ('one "1"', "two")


def test_a_quoted_field_with_line_ends(write):
    path = write("a.csv", 'id,text\n7,"one\ntwo"\n8,three,four\n')
    with pytest.raises(CorpusError, match=r"line 4: 3 fields, cut at ','; expected 2 \('id', 'text'\)"):
        read_table(path, text="text")
    path = write("a.csv", 'id,text\n7,"one\r\ntwo"\n')
    assert read_table(path, text="text", name="id") == [TextExample("one\ntwo", name="7")]


def test_what_the_csv_module_writes_comes_back(write):
    """Every character that means something to a table."""
    texts = ["a,b", 'say "x"', "two\nlines", "tab\there", "", " blanks ", "；，"]
    buffer = io.StringIO()
    csv.writer(buffer).writerows([["text", "n"], *([text, 1] for text in texts)])
    assert [e.first for e in read_table(write("a.csv", buffer.getvalue()), text="text")] == texts


def test_an_open_quotation_mark_does_not_swallow_the_file(write):
    with pytest.raises(
        CorpusError,
        match=r"line 2: unexpected end of data; is a quotation mark left open\? If they enclose no fields, save "
        r"it as a TSV \(quoted=False in Python\)$",
    ):
        read_table(write("a.csv", 'text,n\n"never closed,1\nb,2\n'), text="text")


def test_without_a_header(write):
    path = write("a.tsv", "gj04\t1\t\tThe sailors rode.\ngj04\t0\t*\tRode sailors the.\n")
    by_number = read_table(path, text="3", label="1", header=False)
    by_name = read_table(path, text="s", label="l", header=("source", "l", "mark", "s"))
    assert by_number == by_name
    assert by_number[1] == TextExample("Rode sailors the.", None, "0", "1")
    with pytest.raises(
        CorpusError,
        match=r"no column 'sentence'; it has 'gj04', '1'.*; is that data\? No header: --no-header --text 0 "
        r"--label 1 \(header=False in Python\)$",
    ):
        read_table(path, text="sentence")
    with pytest.raises(CorpusError, match="no column '4'; it has '0', '1', '2', '3'"):
        read_table(path, text="4", header=False)


def test_a_wrong_column(write):
    path = write("a.csv", "Sentence,label\na,1\n")
    with pytest.raises(
        CorpusError, match=r"no column 'sentense'; it has 'Sentence', 'label'; did you mean 'Sentence'?"
    ):
        read_table(path, text="sentense")
    path = write("a.jsonl", '{"text": "a", "label": 1}\n{"txt": "b", "label": 0}\n')
    with pytest.raises(
        CorpusError, match="line 2 has no column 'text'; it has 'txt', 'label'; did you mean 'txt'"
    ):
        read_table(path, text="text")


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_the_files_own_ids(write, name):
    rows = {
        "a.csv": "id,text\nm7,a\nm{},b\n",
        "a.jsonl": '{{"id": "m7", "text": "a"}}\n{{"id": "m{}", "text": "b"}}\n',
    }[name]
    assert [e.name for e in read_table(write(name, rows.format(9)), text="text")] == ["m7", "m9"]
    assert [e.name for e in read_table(write(name, rows.format(7)), text="text")] == ["0", "1"]  # no names


def test_numbers(write):
    path = write("a.tsv", "a\tb\tscore\nx\ty\t3.80\nx\ty\t\n")
    read = read_table(path, text="a", pair="b", label="score", numeric=True)
    assert [e.label for e in read] == [3.8, None]
    for word in ("high", "nan", "inf"):
        path = write("a.tsv", f"a\tb\tscore\nx\ty\t1\n\nx\ty\t{word}\n")
        with pytest.raises(CorpusError, match=f"line 4: the label is '{word}'; expected a number"):
            read_table(path, text="a", label="score", numeric=True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("text\n", "holds no examples"),
        ("text,label\n\n", "holds no examples"),
        ("text,label\nonly\n", r"line 2: 1 fields, cut at ','; expected 2 \('text', 'label'\)"),
    ],
)
def test_wrong_tables(write, content, message):
    with pytest.raises(CorpusError, match=message):
        read_table(write("a.csv", content), text="text")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"text": "a"}\n{"text": \n', "line 2 is no JSON"),
        ('["a"]\n', "line 1 is a JSON list; expected one object a line"),
        ('{"text": ["a"]}\n', "line 1: 'text' is a list; expected a text or a number"),
    ],
)
def test_wrong_json_lines(write, content, message):
    with pytest.raises(CorpusError, match=message):
        read_table(write("a.jsonl", content), text="text")


@pytest.mark.data
def test_published_tables(shared_data):
    hotels = read_table(
        shared_data / "chinese_sentiment" / "ChnSentiCorp_htl_all.csv.xz", text="review", label="label"
    )
    labels = [e.label for e in hotels]
    assert (labels.count("1"), labels.count("0"), sum(not e.first for e in hotels)) == (5322, 2444, 1)
    pairs = read_table(
        shared_data / "glue" / "MRPC" / "msr_paraphrase_train.txt.xz", text="#1 String", pair="#2 String"
    )
    assert len(pairs) == 4076
    assert pairs[1].first.startswith("Yucaipa owned Dominick 's")
