"""Every name of the command line reads what its publishers write, and makes the task that suits it."""

from __future__ import annotations

import json
import lzma
import tarfile

import pytest

from bertlib.data.examples import (
    Answer,
    ChoiceExample,
    IntentExample,
    QuestionExample,
    TaggedExample,
    TextExample,
)
from bertlib.data.story.tasks import STORY_TASKS
from bertlib.errors import CorpusError, InputError
from bertlib.finetune.formats import (
    FORMATS,
    STORY_SIZES,
    Columns,
    format_of,
    looked_for,
    read_examples,
    suited_model,
)
from bertlib.finetune.reading import GLUE
from bertlib.pretrained import shipped_names

SWAG = "video-id,fold-ind,startphrase,sent1,sent2,gold-source,ending0,ending1,ending2,ending3,label\n"
SQUAD = {
    "data": [
        {
            "title": "T",
            "paragraphs": [
                {
                    "context": "Anna sang.",
                    "qas": [
                        {"id": "1", "question": "Who?", "answers": [{"text": "Anna", "answer_start": 0}]},
                        {"id": "2", "question": "Why?", "answers": [], "is_impossible": True},
                    ],
                }
            ],
        }
    ]
}
ANSWERED = QuestionExample("Who?", "Anna sang.", (Answer("Anna", 0),), False, "1")
MNLI = "index\tpromptID\tpairID\tgenre\ts1b\ts2b\ts1p\ts2p\tsentence1\tsentence2\tlabel1\tgold_label\n"
STS = "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore\n"
# files as published, the first example, and the kind of task
CASES = {
    "classify": ({"train.csv": "text,label\na b,yes\nc,no\n"}, TextExample("a b", None, "yes", "0")),
    "regress": ({"train.tsv": "text\tlabel\na b\t\nc\t2.5\n"}, TextExample("a b", None, None, "0")),
    "imdb": (
        {"train/neg/0_1.txt": "Bad<br />film", "train/pos/0_9.txt": "Good"},
        TextExample("Bad film", None, "neg", "neg/0_1.txt"),
    ),
    "tag": (
        {"eng.train": "-DOCSTART- -X- O O\n\nU.N. NNP I-NP I-ORG\nsaid VBD I-VP O\n\n"},
        TaggedExample(("U.N.", "said"), ("B-ORG", "O"), "0"),
    ),
    "squad": ({"train-v2.0.json": json.dumps(SQUAD)}, ANSWERED),
    "cmrc": ({"cmrc2018_train.json": json.dumps(SQUAD)}, ANSWERED),
    "swag": (
        {"train.csv": SWAG + "v,7,A. B,A.,B,gold,w,x,y,z,2\n"},
        ChoiceExample("A.", ("B w", "B x", "B y", "B z"), 2, "7"),
    ),
    "codah": ({"train.tsv": "q\tA\tw\tx\ty\tz\t1\n"}, ChoiceExample("A", ("w", "x", "y", "z"), 1, "0")),
    "copa": (
        {
            "train.jsonl": '{"premise": "A.", "choice1": "x", "choice2": "y", "question": "cause", '
            '"label": 1, "idx": 5}\n'
        },
        ChoiceExample("A. What was the cause of this?", ("x", "y"), 1, "5"),
    ),
    "comve": (
        {
            "train/subtaskB_data_all.csv": "id,FalseSent,OptionA,OptionB,OptionC\n3,A,x,y,z\n",
            "train/subtaskB_answers_all.csv": "3,B\n",
        },
        ChoiceExample("A", ("x", "y", "z"), 1, "3"),
    ),
    "intents": (
        {
            "train/seq.in": "play it\ngo\n",
            "train/seq.out": "O B-what\nO\n",
            "train/label": "Play\nGo\n",
        },
        IntentExample(("play", "it"), ("O", "B-what"), "Play", "0"),
    ),
    "cola": ({"train.tsv": "gj04\t1\t\ta b\n"}, TextExample("a b", None, "1", "0")),
    "sst2": ({"SST-2/train.tsv": "sentence\tlabel\na b\t1\n"}, TextExample("a b", None, "1", "0")),
    "mrpc": (
        {"train.tsv": "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\n0\t8\t9\ta\tb\n"},
        TextExample("a", "b", "0", "0"),
    ),
    "stsb": ({"train.tsv": STS + "4\tg\tf\ty\to\ts\ts\ta\tb\t3.25\n"}, TextExample("a", "b", 3.25, "4")),
    "qqp": (
        {"train.tsv": "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n4\t1\t2\ta\tb\t1\n"},
        TextExample("a", "b", "1", "4"),
    ),
    "mnli": (
        {"train.tsv": MNLI + "\t".join(["4", *"1234567", "a", "b", "neutral", "neutral"]) + "\n"},
        TextExample("a", "b", "neutral", "4"),
    ),
    "qnli": (
        {"train.tsv": "index\tquestion\tsentence\tlabel\n4\ta\tb\tentailment\n"},
        TextExample("a", "b", "entailment", "4"),
    ),
    "rte": (
        {"RTE/train.tsv.xz": "index\tsentence1\tsentence2\tlabel\n4\ta\tb\tnot_entailment\n"},
        TextExample("a", "b", "not_entailment", "4"),
    ),
    "wnli": (
        {"train.tsv": "index\tsentence1\tsentence2\tlabel\n4\ta\tb\t1\n"},
        TextExample("a", "b", "1", "4"),
    ),
}
CASES["mnli-mm"] = CASES["mnli"]


@pytest.fixture
def put(tmp_path):
    """Write files below the test's folder, packed as their names say."""

    def put(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(lzma.compress(text.encode()) if name.endswith(".xz") else text.encode())
        return tmp_path

    return put


def test_no_name_is_forgotten():
    assert {*CASES, *(f"story-{name}" for name in STORY_TASKS)} == set(FORMATS)
    assert all(one.about for one in FORMATS.values())


@pytest.mark.parametrize("name", CASES)
def test_files_as_published(name, put):
    files, first = CASES[name]
    read = read_examples(name, put(files), "train", Columns())
    assert read is not None
    assert read[0] == first


@pytest.mark.parametrize("name", CASES)
def test_a_folder_without_held_out_examples(name, put):
    assert read_examples(name, put(CASES[name][0]), "dev", Columns()) is None


KINDS = {
    "classify": "classification", "regress": "regression", "imdb": "classification", "tag": "tagging",
    "squad": "question", "cmrc": "question", "swag": "choice", "codah": "choice", "copa": "choice",
    "comve": "choice", "intents": "intents", "stsb": "regression", "rte": "classification",
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_the_task_that_suits_it(name, put):
    read = read_examples(name, put(CASES[name][0]), "train", Columns())
    assert FORMATS[name].task(read, Columns()).kind == KINDS[name]


def test_what_the_tasks_know_beforehand(put):
    read = read_examples("squad", put(CASES["squad"][0]), "train", Columns())
    assert FORMATS["squad"].task(read, Columns()).no_answer
    assert not FORMATS["squad"].task(read[:1], Columns()).no_answer
    assert FORMATS["cmrc"].task(read[:1], Columns()).language == "zh"
    for name, glue in GLUE.items():
        task = FORMATS[name.lower().replace("-", "")].task([], Columns())
        assert getattr(task, "labels", ()) == glue.labels
    with pytest.raises(InputError, match="no examples"):
        FORMATS["classify"].task([], Columns())


def test_mnli_has_two_dev_sets(put):
    row = ["4", *"1234567", "a", "b", "neutral", "neutral"]
    folder = put(
        {
            f"dev_{name}.tsv": MNLI + "\t".join([*row[:8], name, *row[9:]]) + "\n"
            for name in ("matched", "mismatched")
        }
    )
    read = {name: read_examples(name, folder, "dev", Columns())[0].first for name in ("mnli", "mnli-mm")}
    assert read == {"mnli": "matched", "mnli-mm": "mismatched"}


def test_every_split_of_mnli_by_its_own_name(put):
    rows = {name: "\t".join(["4", *"1234567", name, "b", "neutral", "neutral"]) for name in "mu"}
    names = ("dev_matched.tsv", "dev_mismatched.tsv")
    folder = put({name: f"{MNLI}{row}\n" for name, row in zip(names, rows.values(), strict=True)})
    for task in ("mnli", "mnli-mm"):
        for source, split in ((folder, "dev_mismatched"), (folder / names[1], "dev")):
            assert read_examples(task, source, split, Columns())[0].first == "u"
    with pytest.raises(InputError, match=r"no split is called 'dev_mismatched'; expected train, dev, test$"):
        read_examples("rte", folder, "dev_mismatched", Columns())


def test_no_two_tasks_are_told_in_the_same_words():
    told = [one.about for one in FORMATS.values()]
    assert len(set(told)) == len(told)


NAMED = {name: (files, first) for name, (files, first) in CASES.items() if name not in ("imdb", "intents")}


@pytest.mark.parametrize("name", NAMED)
def test_a_file_named_itself(name, put):
    files, first = NAMED[name]
    path = put(files) / next(iter(files))
    for split in ("train", "dev", "test"):
        assert read_examples(name, path, split, Columns())[0] == first


def test_texts_and_utterances_without_labels(put):
    folder = put({"new/a.txt": "Fine", "seq.in": "play it\n"})
    bare = Columns(label=None, tag=None)
    for source in (folder / "new", folder / "new/a.txt"):
        assert read_examples("imdb", source, "test", bare) == [TextExample("Fine", name="a.txt")]
    for source in (folder, folder / "seq.in"):
        assert read_examples("intents", source, "test", bare) == [IntentExample(("play", "it"), name="0")]


def test_what_was_looked_for(put):
    folder = put({"train.csv": "x"})
    wanted = r"(expected a name that ends in .jsonl, also .gz or .xz; it holds 'train.csv')"
    assert looked_for("copa", folder) == wanted
    assert looked_for("imdb", folder) == "(it holds 'train.csv')"


@pytest.mark.parametrize("name", ["sst2", "imdb", "comve", "copa"])
def test_a_path_that_is_not_there(name, tmp_path):
    with pytest.raises(CorpusError, match=r"there is no file or folder .*none.tsv; is the path spelt right"):
        read_examples(name, tmp_path / "none.tsv", "dev", Columns())


def test_a_damaged_held_out_file_is_no_missing_one(put):
    folder = put({"train.tsv": "sentence\tlabel\na\t1\n", "dev.tsv": "sentence\nb\n"})
    with pytest.raises(CorpusError, match=r"dev\.tsv has no column 'label'"):
        read_examples("sst2", folder, "dev", Columns())


def test_columns_by_name_and_number(put):
    folder = put({"mails.csv": "a,b,c\n1,2,3\n", "words": "O x a\nB-X y b\n"})
    columns = Columns(text="1", pair="0", label="2", header=False)
    assert read_examples("classify", folder / "mails.csv", "train", columns)[1] == TextExample(
        "2", "1", "3", "1"
    )
    (read,) = read_examples("tag", folder / "words", "train", Columns(word=1, tag=0))
    assert (read.words, read.tags) == (("x", "y"), ("O", "B-X"))


def test_without_labels(put):
    folder = put({"new.csv": "text\na\n", "new.txt": "a\nb\n\nc\n"})
    columns = Columns(label=None, tag=None)
    assert read_examples("classify", folder / "new.csv", "test", columns) == [TextExample("a", name="0")]
    read = read_examples("tag", folder / "new.txt", "test", columns)
    assert read == [TaggedExample(("a", "b"), name="0"), TaggedExample(("c",), name="1")]


def test_other_words_for_dev(put):
    files = {name.replace("train", "valid"): text for name, text in CASES["intents"][0].items()}
    folder = put(files)
    assert len(read_examples("intents", folder, "dev", Columns())) == 2
    assert len(read_examples("intents", folder / "valid", "dev", Columns())) == 2  # the split itself
    assert FORMATS["intents"].is_split(folder / "valid")
    assert not FORMATS["intents"].is_split(folder)
    assert read_examples("intents", put({"x": ""}), "dev", Columns()) is not None


def test_comve_without_its_data(put):
    with pytest.raises(CorpusError, match=r"no file with 'data' in its name in .*test; give ComVE's"):
        read_examples("comve", put(CASES["comve"][0]), "test", Columns())
    assert read_examples("comve", put({"y": ""}), "dev", Columns()) is None


def test_imdb_as_an_archive(put, tmp_path):
    put({"aclImdb/train/pos/1.txt": "Good", "aclImdb/test/neg/1.txt": "Bad"})
    with tarfile.open(tmp_path / "imdb.tar", "w") as archive:
        archive.add(tmp_path / "aclImdb", "aclImdb")
    (read,) = read_examples("imdb", tmp_path / "imdb.tar", "test", Columns())
    assert (read.first, read.label) == ("Bad", "neg")
    assert FORMATS["imdb"].is_split(tmp_path / "imdb.tar")
    put({"aclImdb/dev/pos/1.txt": "Fine"})  # somebody has made one
    assert [one.first for one in read_examples("imdb", tmp_path, "dev", Columns())] == ["Fine"]


def test_the_story_world_needs_no_files(put, monkeypatch):
    monkeypatch.setitem(STORY_SIZES, "dev", 6)
    for name in STORY_TASKS:
        read = read_examples(f"story-{name}", None, "dev", Columns())
        assert [one.name for one in read] == [f"{name}-dev-{number}" for number in range(6)]
        FORMATS[f"story-{name}"].task(read, Columns()).check(read)
    with pytest.raises(InputError, match="story-sentiment is made up and reads no files; leave out"):
        read_examples("story-sentiment", put({}), "dev", Columns())


def test_names_and_sources_that_are_none(tmp_path):
    with pytest.raises(InputError, match="no split is called 'valid'; expected train, dev, test"):
        read_examples("swag", tmp_path, "valid", Columns())
    with pytest.raises(InputError, match=r"no task is called 'sst-2'; there are classify, .*mean 'sst2'\?"):
        format_of("sst-2")
    with pytest.raises(InputError, match="swag needs data; expected four endings of a sentence: SWAG's CSV"):
        read_examples("swag", None, "train", Columns())
    with pytest.raises(CorpusError, match="there is no file or folder"):
        read_examples("swag", tmp_path / "none.csv", "train", Columns())


def test_endings_decide_where_names_do_not(put):
    assert read_examples("squad", put({"train.csv": "x"}), "train", Columns()) is None


@pytest.mark.parametrize(
    ("name", "language", "model"),
    [
        ("story-intents", "en", "tiny-stories"),
        ("story-intents", "zh", "tiny-zh"),
        ("cmrc", "en", "tiny-zh"),
        ("classify", "zh", "tiny-zh"),
        ("sst2", "en", "mini-books"),
    ],
)
def test_the_shipped_model_that_knows_the_words(name, language, model):
    assert suited_model(name, language) == model
    assert model in shipped_names()
