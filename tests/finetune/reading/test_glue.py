"""All nine tasks: small files in their layouts, and the published ones where they are."""

from pathlib import Path

import pytest

from bertlib.data.examples import TextExample
from bertlib.errors import CorpusError, InputError
from bertlib.finetune import metrics
from bertlib.finetune.reading import GLUE, read_glue

STS = ["index", "genre", "filename", "year", "old_index", "source1", "source2", "sentence1", "sentence2"]
TREES = ["sentence1_binary_parse", "sentence2_binary_parse", "sentence1_parse", "sentence2_parse"]
MNLI = ["index", "promptID", "pairID", "genre", *TREES, "sentence1", "sentence2"]
HEADERS = {
    "CoLA": ["sentence"],
    "SST-2": ["sentence", "label"],
    "MRPC": ["\ufeffQuality", "#1 ID", "#2 ID", "#1 String", "#2 String"],
    "STS-B": [*STS, "score"],
    "QQP": ["id", "qid1", "qid2", "question1", "question2", "is_duplicate"],
    "MNLI": [*MNLI, "label1", "gold_label"],
    "QNLI": ["index", "question", "sentence", "label"],
    "RTE": ["index", "sentence1", "sentence2", "label"],
    "WNLI": ["index", "sentence1", "sentence2", "label"],
}


def table(task, labels):
    """A file in the task's layout whose fields say where they stand."""
    known, header = GLUE[task], HEADERS[task]
    if task == "CoLA":
        return "".join(f"gj04\t{label}\t\tsentence-{n}\n" for n, label in enumerate(labels))
    rows = ["\t".join(header)]
    for n, label in enumerate(labels):
        fields = {name.strip("\ufeff"): f"{name.strip()}-{n}" for name in header}
        rows.append("\t".join((fields | {known.label: str(label)}).values()))
    return "\n".join(rows) + "\n"


@pytest.mark.parametrize("task", GLUE)
def test_columns_of_each_task(write, tmp_path, task):
    known = GLUE[task]
    assert callable(getattr(metrics, known.metric))
    labels = known.labels or (0.0, 3.25)
    write(f"{task}/{known.splits['dev']}.tsv.xz", table(task, labels))
    read = read_glue(task, tmp_path, "dev")
    assert read == read_glue(task, tmp_path / task, "dev")
    assert [e.label for e in read] == list(labels)
    assert read[1].first == f"{known.first}-1"
    assert read[1].second == (f"{known.second}-1" if known.second else None)
    own = next((column for column in ("index", "id") if column in HEADERS[task]), None)
    assert read[1].name == (f"{own}-1" if own else "1")


def test_a_test_set_has_no_labels(write, tmp_path):
    write("CoLA/test.tsv", "index\tsentence\n0\tBill whistled.\n")
    assert read_glue("CoLA", tmp_path, "test") == [TextExample("Bill whistled.", None, None, "0")]
    write("MNLI/test_mismatched.tsv", "\t".join(MNLI) + "\n" + "\t".join(["7"] * 9 + ["b"]) + "\n")
    assert read_glue("MNLI", tmp_path, "test_mismatched") == [TextExample("7", "b", None, "7")]


@pytest.mark.parametrize("ending", ["", ".gz", ".xz"])
@pytest.mark.parametrize("task", GLUE)
def test_a_file_named_itself(write, task, ending):
    """Whatever it is called: what is read does not hang on the name."""
    labels = GLUE[task].labels or (0.0, 3.25)
    path = write(f"mine.tsv{ending}", table(task, labels))
    read = read_glue(task, path)
    assert [e.label for e in read] == list(labels)
    assert read_glue(task, path, "test", labels=False) == [e._replace(label=None) for e in read]


@pytest.mark.parametrize("header", ["index\tsentence", "sentence"])
@pytest.mark.parametrize("task", ["CoLA", "SST-2"])
def test_new_sentences(write, task, header):
    row = "0\tBill whistled." if "\t" in header else "Bill whistled."
    path = write("new.tsv", f"{header}\n{row}\n")
    assert read_glue(task, path, labels=False) == [TextExample("Bill whistled.", None, None, "0")]


def test_labels_that_nobody_looks_at(write, tmp_path):
    path = write("RTE/dev.tsv", table("RTE", ["entailment", "?"]))
    assert [e.label for e in read_glue("RTE", tmp_path, "dev", labels=False)] == [None, None]
    with pytest.raises(CorpusError, match=r"line 3: the label is '\?'"):
        read_glue("RTE", path)
    mnli = write("dev_matched.tsv", table("MNLI", ["neutral", "-"]))
    assert [e.name for e in read_glue("MNLI", mnli, labels=False)] == ["index-0"]  # those that are marked


def test_mnli_leaves_out_rows_without_a_majority(write, tmp_path):
    write("MNLI/dev_mismatched.tsv", table("MNLI", ["neutral", "-", "entailment"]))
    read = read_glue("MNLI", tmp_path, "dev_mismatched")
    assert [(e.label, e.name) for e in read] == [("neutral", "index-0"), ("entailment", "index-2")]


def test_only_qqp_has_broken_rows(write, tmp_path):
    """A question with a line end in it: its row lies in two pieces, and both are left out."""
    broken = "5\t1\t2\tWhy\nso?\tBecause?\t1\n"
    write("QQP/train.tsv", table("QQP", ["0", "1"]) + broken)
    assert [e.label for e in read_glue("QQP", tmp_path, "train")] == ["0", "1"]
    write("RTE/train.tsv", table("RTE", ["entailment"]) + "5\tWhy\n")
    with pytest.raises(CorpusError, match=r"line 3: 2 fields, cut at '\\t'; expected 4"):
        read_glue("RTE", tmp_path, "train")


def test_wrong_names_and_folders(write, tmp_path):
    with pytest.raises(InputError, match=r"no task 'SST2'; it has CoLA.*; did you mean 'SST-2'?"):
        read_glue("SST2", tmp_path, "dev")
    with pytest.raises(InputError, match="RTE has no split 'valid'; it has train, dev, test"):
        read_glue("RTE", tmp_path, "valid")
    with pytest.raises(CorpusError, match="no such folder"):
        read_glue("RTE", tmp_path / "none", "dev")
    write("CoLA/dev.tsv", table("CoLA", ["1"]))
    with pytest.raises(CorpusError, match=r"has no dev\.tsv .*; it holds 'CoLA'"):
        read_glue("RTE", tmp_path, "dev")


def test_files_of_another_task(write, tmp_path):
    write("CoLA/dev.tsv", "gj04\t1\t\tThe sailors rode the breeze.\n")
    with pytest.raises(
        CorpusError, match=r"no column 'sentence'; it has 'gj04'.*; is that data, or another task's file\?$"
    ):
        read_glue("SST-2", tmp_path / "CoLA", "dev")
    write("SST-2/dev.tsv", table("SST-2", ["1"]))
    with pytest.raises(CorpusError, match="line 1: 2 fields"):
        read_glue("CoLA", tmp_path / "SST-2", "dev")
    write("WNLI/dev.tsv", table("WNLI", ["1"]))
    with pytest.raises(
        CorpusError, match="line 2: the label is '1'; expected 'entailment', 'not_entailment'"
    ):
        read_glue("RTE", tmp_path / "WNLI", "dev")
    write("STS-B/dev.tsv", table("STS-B", ["much"]))
    with pytest.raises(CorpusError, match="line 2: the label is 'much'; expected a number"):
        read_glue("STS-B", tmp_path, "dev")


# rows of each published file, and how many have the task's first label, counted with awk
PUBLISHED = {
    ("CoLA", "train"): (8551, 2528),
    ("CoLA", "dev"): (1043, 322),
    ("CoLA", "test"): (1063, 0),
    ("SST-2", "dev"): (872, 428),
    ("SST-2", "test"): (1821, 0),
    ("MRPC", "train"): (3667, 1194),
    ("MRPC", "dev"): (408, 129),
    ("MRPC", "test"): (1725, 0),
    ("STS-B", "train"): (5749, 0),
    ("STS-B", "dev"): (1500, 0),
    ("STS-B", "test"): (1379, 0),
    ("QNLI", "dev"): (5463, 2702),
    ("QNLI", "test"): (5463, 0),
    ("RTE", "train"): (2490, 1249),
    ("RTE", "dev"): (277, 146),
    ("RTE", "test"): (3000, 0),
}


@pytest.mark.data
@pytest.mark.parametrize(("task", "split"), PUBLISHED)
def test_published_files(shared_data, task, split):
    read = read_glue(task, Path(shared_data, "glue"), split)
    rows, first = PUBLISHED[task, split]
    assert len(read) == rows
    assert sum(e.label in GLUE[task].labels[:1] for e in read) == first
    assert all(e.first and (e.second or GLUE[task].second is None) for e in read)
    assert all((e.label is None) == (split == "test") for e in read)
