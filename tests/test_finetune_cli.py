"""Fine-tune, mark and ask on the command line: every kind of task, every mistake in one line."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys

import pytest
import torch

from bertlib import BertConfig, BertForPreTraining, WordPieceTokenizer
from bertlib.finetune import formats
from bertlib.store import save_pretrained
from bertlib.tokenizer import SPECIAL_TOKENS

QUICK = ["--epochs", 1, "--max-length", 16, "--batch-size", 8, "--device", "cpu"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A pre-trained model, in appearance: random weights, a vocabulary of letters."""
    torch.manual_seed(0)
    tokenizer = WordPieceTokenizer([*SPECIAL_TOKENS, *"abcdefghijklmnopqrstuvwxyz?."])
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=32,
    )  # fmt: skip
    return save_pretrained(tmp_path_factory.mktemp("m") / "small", BertForPreTraining(config), tokenizer)


def squad(number):
    qas = [
        {"id": f"q{number}", "question": "q?", "answers": [{"text": "x", "answer_start": 2}]},
        {"id": f"n{number}", "question": "z?", "answers": [], "is_impossible": True},
    ]
    return {"paragraphs": [{"context": f"a x {'bcdefgh'[number % 7]}", "qas": qas}]}


def files_of(kind):
    """One split of each format, twelve examples, by file name."""
    numbers = range(12)
    return {
        "classify": {"{}.csv": "text,label\n" + "".join(f"a {'xy'[n % 2]},l{n % 2}\n" for n in numbers)},
        "regress": {"{}.csv": "text,label\n" + "".join(f"a {'xy'[n % 2]},{n}\n" for n in numbers)},
        "tag": {"{}.txt": "a O\nx B-X\n\n" * 12},
        "copa": {
            "{}.jsonl": "".join(
                json.dumps(
                    {"premise": "a", "choice1": "x", "choice2": "y", "question": "cause", "label": n % 2}
                )
                + "\n"
                for n in numbers
            )
        },
        "intents": {
            "{}/seq.in": "a x\ny\n" * 6, "{}/seq.out": "O B-X\nO\n" * 6, "{}/label": "ask\ntell\n" * 6,
        },
        "squad": {"{}.json": json.dumps({"data": [squad(n) for n in range(6)]})},
    }[kind]  # fmt: skip


def write_data(folder, kind):
    for split in ("train", "dev", "test"):
        for name, text in files_of(kind).items():
            path = folder / name.format(split)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return folder


@pytest.fixture
def tune(bertlib, model, tmp_path):
    """Run ``bertlib finetune`` on twelve examples, quickly; the folder is ``tmp_path / "run"``."""

    def tune(kind, *more):
        data = write_data(tmp_path / "data", kind)
        return bertlib("finetune", kind, data, "--model", model, "--out", tmp_path / "run", *QUICK, *more)

    return tune


@pytest.mark.parametrize("command", ["finetune", "evaluate", "predict"])
def test_every_command_explains_itself_with_examples(bertlib, command):
    code, out, _ = bertlib(command, "--help")
    assert code == 0
    assert "Examples" in out
    assert f"bertlib {command}" in " ".join(out.split())


def test_all_tasks_are_listed(bertlib):
    code, out, _ = bertlib("finetune", "list")
    assert code == 0
    assert "classify             texts or pairs in classes" in out
    assert "story-questions" in out
    _, out, _ = bertlib("finetune", "list", "--json")
    assert json.loads(out)["sst2"].startswith("GLUE")


TYPED = {
    "classify": ["--text", "a x"],
    "regress": ["--text", "a x", "--and", "b"],
    "tag": ["--text", "a x."],
    "copa": ["--text", "a", "--and", "x", "--and", "y"],
    "intents": ["--text", "a x"],
    "squad": ["--text", "q?", "--and", "a x b"],
}


@pytest.mark.parametrize("kind", TYPED)
def test_train_mark_predict(kind, tune, bertlib, tmp_path):
    code, out, err = tune(kind)
    assert code == 0, err
    assert "held-out (12 examples): " in out
    assert out.endswith(f"next: bertlib predict {tmp_path / 'run'} FILE\n")
    assert "epoch 1 of 1: loss" in err
    run, data = tmp_path / "run", tmp_path / "data"
    code, out, _ = bertlib("evaluate", run, data, "--json")
    assert code == 0
    marks = json.loads(out)
    assert marks["examples"] == 12
    code, out, _ = bertlib("predict", run, data, "--split", "dev", "--out", tmp_path / "said.jsonl")
    assert (code, out) == (0, f"12 predictions in {tmp_path / 'said.jsonl'}\n")
    code, out, _ = bertlib("evaluate", run, data, "--predictions", tmp_path / "said.jsonl", "--json")
    assert code == 0
    assert json.loads(out)["scores"] == marks["scores"]
    code, out, _ = bertlib("predict", run, *TYPED[kind])
    assert code == 0
    assert out.count("\n") == 1
    code, out, _ = bertlib("predict", run, *TYPED[kind], "--json")
    assert code == 0
    assert json.loads(out)["name"] == "typed"
    code, out, _ = bertlib("predict", run, data, "--json")
    assert [json.loads(line)["name"] for line in out.splitlines()][:2] == (
        ["q0", "n0"] if kind == "squad" else ["0", "1"]
    )


def test_json_and_nothing_else(tune, tmp_path):
    code, out, err = tune("classify", "--json", "--seeds", 2)
    assert code == 0
    found = json.loads(out)
    assert len(found["runs"]) == 2
    assert found["task"]["labels"] == ["l0", "l1"]
    assert "epoch 1 of 1" in err
    code, out, err = tune("classify", "--quiet")
    assert (code, err) == (0, "")
    assert "held-out" in out


@pytest.mark.parametrize("build", ["adapters:2", "lora:1", "bilstm:last"])
def test_other_things_on_a_body(build, tune, bertlib, tmp_path):
    assert tune("tag", "--build", build)[0] == 0
    code, out, _ = bertlib("predict", tmp_path / "run", "--text", "a x")
    assert code == 0
    assert out.startswith("a")


def test_options_reach_the_recipe(tune, tmp_path):
    code, _, _ = tune(
        "classify", "--learning-rate", 0.002, "--dropout", 0.2, "--weight-decay", 0.3, "--layer-decay", 0.9,
        "--freeze", "embeddings", "--patience", 2, "--seed", 5, "--from-scratch", "--limit", 8,
    )  # fmt: skip
    assert code == 0
    facts = json.loads((tmp_path / "run/task.json").read_text())
    assert facts["recipe"] == {
        "epochs": 1, "learning_rate": 0.002, "batch_size": 8, "warmup_share": 0.1, "weight_decay": 0.3,
        "clip": 1.0, "dropout": 0.2, "max_length": 16, "layer_decay": 0.9, "freeze": "embeddings",
        "patience": 2, "seed": 5,
    }  # fmt: skip
    assert (facts["start"], facts["examples"]) == ("random weights", 8)
    assert json.loads((tmp_path / "run/config.json").read_text())["hidden_dropout_prob"] == 0.2


def test_a_search(tune):
    code, out, err = tune("classify", "--search", 2, "--json")
    assert code == 0
    assert len(json.loads(out)["trials"]) == 2
    assert "random search over learning_rate" in err
    code, out, err = tune("classify", "--search", 2, "--quiet")
    assert (code, err) == (0, "")
    assert "    trial  learning_rate  accuracy  seconds\n" in out


def test_the_story_world_without_files(bertlib, model, tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "STORY_SIZES", {"train": 24, "dev": 20, "test": 10})
    code, out, _ = bertlib(
        "finetune", "story-sentiment", "--model", model, "--out", tmp_path / "run", "--limit", 16, *QUICK
    )
    assert code == 0
    assert "held-out (20 examples)" in out
    assert out.endswith(f"next: bertlib predict {tmp_path / 'run'}\n")
    code, out, err = bertlib("predict", tmp_path / "run")
    assert (code, out.count("\n")) == (0, 10), err
    assert bertlib("evaluate", tmp_path / "run", "--split", "test")[0] == 0


def test_new_texts_need_no_labels(tune, bertlib, tmp_path):
    tune("classify")
    (tmp_path / "new.csv").write_text("text\na x\n")
    code, out, _ = bertlib("predict", tmp_path / "run", tmp_path / "new.csv")
    assert code == 0
    assert out.endswith("%)  a x\n")


@pytest.mark.parametrize(
    ("kind", "more", "message"),
    [
        ("classify", ["--text", "body"], "no column 'body'; it has 'text', 'label'"),
        ("classify", ["--label", "labels"], "no column 'labels'; it has 'text', 'label'; did you mean"),
        ("classify", ["--freeze", "heads"], "freeze 'heads'; expected 'embeddings', 'body', or a number"),
        ("classify", ["--build", "bilstm:last"], "a BiLSTM labels words, and this is classification"),
        ("tag", ["--build", "magic"], "no model is built from 'magic'"),
        ("tag", ["--stride", 8], "--stride is for questions, and tag is tagging; leave it out"),
        ("squad", ["--stride", 0], "stride is 0; expected at least 1"),
        ("classify", ["--augment", "magic"], "augment is 'magic'; expected drop, swap, replace"),
        ("tag", ["--augment", "swap"], "for tagged examples take ReplaceWords (--augment replace)"),
        ("squad", ["--augment", "drop"], "a QuestionExample cannot be augmented"),
        ("classify", ["--max-length", 64], "max_length is 64; this model reads at most 32 pieces"),
        ("classify", ["--epochs", 0], "epochs is 0; expected at least 1"),
        ("classify", ["--seed", -1], "seed is -1; expected at least 0"),
        ("classify", ["--seeds", 0], "0 seeds; expected at least 1"),
        ("classify", ["--limit", 0], "limit is 0; expected at least 1 example"),
        ("classify", ["--search", -2], "random search with -2 trials; expected at least 1"),
        ("classify", ["--search", 2, "--method", "luck"], "method 'luck'; expected grid, random or bayesian"),
        ("classify", ["--method", "luck"], "method 'luck'; expected grid, random or bayesian"),
        ("classify", ["--search", 2, "--method", "grid"], "2 trials of a grid of 3 points, which is walked"),
        ("classify", ["--search", 2, "--learning-rate", 1e-3], "nothing is left to search: batch_size, lear"),
        ("classify", ["--text", "label"], "the column 'label' is both text and label, and would give the"),
        ("tag", ["--tag", 0], "column 0 is both word and tag"),
        ("classify", ["--device", "abacus"], "device 'abacus' cannot be used here"),
        ("classify", ["--build", "lora:0"], "lora:0: the size is 0; expected at least 1"),
        ("squad", ["--language", "fr"], "language is 'fr'; expected en or zh"),
        ("classify", ["--model", "nowhere"], "no model in nowhere"),
        ("classify", ["--dev", "nowhere"], "there is no file or folder nowhere"),
        ("classify", ["--learning-rate", 1e30], "is no finite number; try a lower"),
    ],
)
def test_mistakes_are_one_line(tune, kind, more, message):
    code, out, err = tune(kind, "--quiet", *more)
    assert code == 2, err
    assert message in err
    assert (err.count("\n"), out) == (1, "")


# A job that a script puts into the background ignores Ctrl-C, and so do its children: here it is heard again.
HEARING = (
    "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "runpy.run_module('bertlib', run_name='__main__')"
)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent in another way")
def test_ctrl_c_says_what_was_saved(model, tmp_path):
    data, run = write_data(tmp_path / "data", "classify"), tmp_path / "run"

    def stopped_after(words):
        """Send a process the signal once it has said these words; return what it says then."""
        command = [
            sys.executable, "-c", HEARING, "finetune", "classify", data, "--model", model, "--out", run,
            "--epochs", 10_000, "--batch-size", 2, "--device", "cpu",
        ]  # fmt: skip
        with subprocess.Popen(map(str, command), stderr=subprocess.PIPE, text=True) as process:
            next(line for line in process.stderr if words in line)
            process.send_signal(signal.SIGINT)
            last = process.communicate(timeout=60)[1].splitlines()[-1]
        assert process.returncode == 130
        return last

    assert stopped_after("epoch 2 of") == f"bertlib: stopped; {run} holds the best epoch before that"
    first = {file.name: file.read_bytes() for file in run.iterdir()}
    assert "task.json" in first
    (data / "train.csv").write_text("text,label\n" + "a x,l0\nb y,l1\n" * 10_000)
    assert stopped_after("examples to train on") == "bertlib: stopped; nothing was saved"
    assert {file.name: file.read_bytes() for file in run.iterdir()} == first
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith(".")] == []


def test_a_place_that_cannot_be_written_is_refused_before_any_work(tune, bertlib, model, tmp_path):
    def mistake(*words):
        code, out, err = bertlib(*words)
        assert (code, err.count("\n"), out) == (2, 1, "")
        return err

    tune("classify")
    run, data = tmp_path / "run", tmp_path / "data"
    (tmp_path / "note").write_text("")
    out = tmp_path / "note" / "run"
    err = mistake("finetune", "classify", "nowhere", "--model", model, "--out", out, "--quiet")
    assert f"could not write {out}: Not a directory" in err
    assert "make the folder first" in mistake("predict", run, data, "--out", tmp_path / "no" / "p.jsonl")
    assert "it is a folder" in mistake("predict", run, data, "--out", data)


def test_data_that_is_none(bertlib, model, tmp_path):
    def mistake(*words):
        code, out, err = bertlib("finetune", *words, "--quiet", "--model", model, "--out", tmp_path / "run")
        assert (code, err.count("\n"), out) == (2, 1, "")
        return err

    assert "no task is called 'clasify'" in mistake("clasify")
    assert "did you mean 'classify'?" in mistake("clasify")
    assert "classify needs data; expected texts or pairs in classes" in mistake("classify")
    assert "there is no file or folder nowhere" in mistake("classify", "nowhere")
    assert "reads no files; leave out" in mistake("story-sentiment", tmp_path)
    (tmp_path / "empty.csv").write_text("")
    assert "empty.csv is empty" in mistake("classify", tmp_path / "empty.csv")
    (tmp_path / "header.csv").write_text("text,label\n")
    assert "holds no examples" in mistake("classify", tmp_path / "header.csv")
    (tmp_path / "one.csv").write_text("text,label\na,x\nb,x\n")
    assert "no two different labels, only x" in mistake("classify", tmp_path / "one.csv")
    (tmp_path / "gap.csv").write_text("text,label\n" + "a,x\nb,y\n" * 9 + "c,\n")
    message = mistake("classify", tmp_path / "gap.csv", "--dev", tmp_path / "gap.csv")
    assert "example 18 has no label; expected one of x, y" in message
    (tmp_path / "word.csv").write_text("text,label\na,1\nb,much\n")
    assert "line 3: the label is 'much'; expected a number" in mistake("regress", tmp_path / "word.csv")
    (tmp_path / "run").mkdir()
    (tmp_path / "run/thesis.tex").write_text("")
    assert "no fine-tuned model (thesis.tex)" in mistake("story-sentiment")


def test_mistakes_with_a_finished_model(tune, bertlib, tmp_path):
    tune("classify")
    run, data = tmp_path / "run", tmp_path / "data"

    def mistake(*words):
        code, out, err = bertlib(*words)
        assert (code, err.count("\n"), out) == (2, 1, "")
        return err

    assert "expected either a file or folder, or one text" in mistake("predict", run)
    assert "expected either a file or folder, or one text" in mistake("predict", run, data, "--text", "a")
    assert "--and goes with --text" in mistake("predict", run, data, "--and", "a")
    assert "2 times --and" in mistake("predict", run, "--text", "a", "--and", "b", "--and", "c")
    assert "classify needs data" in mistake("evaluate", run)
    assert "no split is called 'tests'; expected train, dev, test" in mistake(
        "evaluate", run, data, "--split", "tests"
    )
    bertlib("predict", run, data, "--out", tmp_path / "said.jsonl")
    (data / "dev.csv").write_text("text,label\n" + "a,l0\n" * 13)
    words = ("evaluate", run, data, "--predictions", tmp_path / "said.jsonl")
    assert "none for 1 of 13 examples ('12'); is it of another data set?" in mistake(*words)
    (data / "dev.csv").write_text("text,label\na,l2\n")
    assert "the label 'l2' was not seen in training; known are l0, l1" in mistake("evaluate", run, data)
    (run / "model.safetensors").write_bytes(b"short")
    assert "missing or truncated" in mistake("evaluate", run, data)
    shutil.rmtree(run)
    assert "no fine-tuned model in" in mistake("predict", run, "--text", "a")


def test_glue_from_one_file_to_a_submission(bertlib, model, tmp_path):
    """The printed next step works with the files as they lie in the benchmark's folder."""
    train, test, run = tmp_path / "train.tsv", tmp_path / "test.tsv", tmp_path / "run"
    train.write_text("sentence\tlabel\n" + "a x\t0\nb y\t1\n" * 10)
    test.write_text("index\tsentence\n7\ta x\n8\tb y\n")
    code, _, err = bertlib("finetune", "sst2", train, "--model", model, "--out", run, *QUICK)
    assert code == 0, err
    code, out, _ = bertlib("predict", run, test)
    assert (code, out.count("\n")) == (0, 2)
    code, out, _ = bertlib("evaluate", run, train)
    assert (code, out.startswith("20 examples: accuracy")) == (0, True)
    assert bertlib("predict", run, test, "--out", tmp_path / "SST-2.tsv")[0] == 0
    head, first, second = (tmp_path / "SST-2.tsv").read_text().splitlines()
    assert (head, first[:2], second[:2]) == ("index\tprediction", "7\t", "8\t")
    known = tmp_path / "known.tsv"
    known.write_text("index\tsentence\tlabel\n7\ta x\t0\n8\tb y\t1\n")
    code, out, err = bertlib("evaluate", run, known, "--predictions", tmp_path / "SST-2.tsv", "--json")
    assert code == 0, err
    assert out == bertlib("evaluate", run, known, "--json")[1]
    code, out, err = bertlib("predict", run, test, "--out", tmp_path / "said.json")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "a .json is for SQuAD's and CMRC's answers; name it said.jsonl" in err
    bertlib("predict", run, test, "--out", tmp_path / "said.jsonl")
    other = tmp_path / "other.tsv"
    other.write_text("index\tsentence\tlabel\n7\ta y\t0\n8\tb x\t1\n")
    code, out, err = bertlib("evaluate", run, other, "--predictions", tmp_path / "said.jsonl")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert f"is a predictions file for another data set ({test})" in err


def test_answers_as_squads_script_reads_them(tune, bertlib, tmp_path):
    tune("squad")
    run, dev, said = tmp_path / "run", tmp_path / "data/dev.json", tmp_path / "said.json"
    assert bertlib("predict", run, dev, "--out", said)[0] == 0
    assert sorted(json.loads(said.read_text()))[:2] == ["n0", "n1"]
    code, out, _ = bertlib("evaluate", run, dev, "--predictions", said, "--json")
    assert code == 0
    assert json.loads(out) == json.loads(bertlib("evaluate", run, dev, "--json")[1])


def test_how_answers_are_chosen_can_be_changed(tune, bertlib, tmp_path):
    code, _, err = tune("squad", "--stride", 2)
    assert code == 0, err
    run, dev = tmp_path / "run", tmp_path / "data/dev.json"
    assert json.loads((run / "task.json").read_text())["task"]["stride"] == 2

    def said(threshold):
        _, out, _ = bertlib("predict", run, dev, "--threshold", threshold, "--n-best", 2, "--json")
        rows = [json.loads(line) for line in out.splitlines()]
        assert {len(row["answers"]) for row in rows} == {3}  # two, and none
        return [row["prediction"] for row in rows]

    assert not any(said(-1e9))
    assert all(said(1e9))
    _, out, _ = bertlib("evaluate", run, dev, "--threshold", -1e9, "--json")
    assert json.loads(out)["scores"]["no_answer_exact"] == 1
    words = ("predict", run, dev, "--n-best", 0)
    assert bertlib(*words) == (2, "", "bertlib: n_best is 0; expected at least 1\n")
    code, out, err = bertlib("evaluate", run, dev, "--threshold", 1, "--predictions", dev)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "predictions are marked as they are; leave out --ensemble and --threshold" in err


def test_several_runs_answer_together(tune, bertlib, tmp_path):
    tune("classify")
    run, other, data = tmp_path / "run", tmp_path / "other", tmp_path / "data"
    run.rename(other)
    tune("classify", "--seed", 1)

    def shares(*more):
        _, out, _ = bertlib("predict", run, data, *more, "--json")
        return [json.loads(line)["probabilities"]["l0"] for line in out.splitlines()]

    one, both = shares(), shares("--ensemble", other)
    two = [2 * mean - share for mean, share in zip(both, one, strict=True)]
    run.rename(tmp_path / "first")
    other.rename(run)
    assert shares() == pytest.approx(two, abs=1e-6)
    assert one != pytest.approx(two, abs=1e-6)
    code, out, _ = bertlib("evaluate", run, data, "--ensemble", tmp_path / "first")
    assert (code, out.startswith("12 examples: accuracy ")) == (0, True)
    shutil.rmtree(run)
    tune("tag")
    code, out, err = bertlib("predict", run, "--text", "a", "--ensemble", tmp_path / "first")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "model 2 of 2 has another task, vocabulary or length than the first" in err


def test_changed_copies_are_learned_from_too(tune, tmp_path):
    code, _, err = tune("classify", "--augment", "replace")
    assert code == 0, err
    assert "24 examples to train on, 12 held out" in err
    assert json.loads((tmp_path / "run/task.json").read_text())["augment"] == "replace"
    shutil.rmtree(tmp_path / "run")
    assert tune("tag", "--augment", "replace")[0] == 0


def test_files_of_another_format_are_told(bertlib, model, tmp_path):
    (tmp_path / "train.csv").write_text("text,label\na,0\n")
    code, out, err = bertlib("finetune", "copa", tmp_path, "--model", model, "--quiet")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "(expected a name that ends in .jsonl, also .gz or .xz; it holds 'train.csv')" in err
