"""From files to a folder: what is read, what is kept, and what is left when something goes wrong."""

from __future__ import annotations

import json
import re
import weakref
from pathlib import Path
from typing import ClassVar

import pytest
import torch

import bertlib.finetune.run as running
from bertlib.data.examples import TextExample
from bertlib.errors import CheckpointError, ConfigError, CorpusError, InputError, TrainingError
from bertlib.finetune.classification import ClassificationTask
from bertlib.finetune.folder import load_finetuned
from bertlib.finetune.formats import Columns
from bertlib.finetune.heads import SequenceClassifier
from bertlib.finetune.qa import QuestionTask
from bertlib.finetune.questions import WindowCounts
from bertlib.finetune.request import Data, Request, load_data, load_start, space_for, tell_windows
from bertlib.finetune.run import blind, report, run

QUICK = {"epochs": 2, "learning_rate": 1e-2, "batch_size": 16, "max_length": 16, "dropout": 0.0}


def write_table(path, examples):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("text,label\n" + "".join(f"{one.first},{one.label}\n" for one in examples))
    return path


@pytest.fixture
def letters(tmp_path, planted):
    """A folder with a table to train on and one to mark."""
    write_table(tmp_path / "letters/train.csv", planted("classification", 64))
    write_table(tmp_path / "letters/dev.csv", planted("classification", 20, seed=1))
    return tmp_path / "letters"


@pytest.fixture
def request_for(letters, pretrained, tmp_path):
    def request_for(name="classify", **fields):
        usual = {"out": tmp_path / "out", "data": letters, "model": str(pretrained), "changes": QUICK,
                 "device": "cpu"}  # fmt: skip
        return Request(name=name, **usual | fields)

    return request_for


def test_from_files_to_a_folder(request_for, letters, planted):
    said: list[str] = []
    result = run(request_for(), say=said.append)
    start = f"model: {request_for().model}"
    assert said == [start, "64 examples to train on, 20 held out; classification"]
    assert result.examples == (64, 20)
    assert result.scores["accuracy"] > 0.9
    assert result.baseline == {"accuracy": 0.5}
    assert [epoch.number for epoch in result.epochs] == [1, 2]
    tuned = load_finetuned(result.out)
    assert tuned.evaluate(planted("classification", 20, seed=1)) == result.scores
    assert tuned.facts["scores"] == result.scores
    assert tuned.facts["name"] == "classify"
    assert tuned.facts["recipe"]["learning_rate"] == 1e-2
    assert tuned.facts["columns"] == Columns().to_dict()
    assert json.loads(json.dumps(result.to_dict()))["task"]["labels"] == ["early", "late"]
    lines = report(result)
    assert "fine-tuned on 64 examples in" in lines[0]
    assert "of 2 was the best" in lines[0]
    assert lines[1].startswith("held-out (20 examples): accuracy ")
    assert "without a look at the text: accuracy 0.500" in lines[2]
    assert lines[-1] == f"next: bertlib predict {result.out} FILE"


def test_the_same_again(request_for, tmp_path):
    one, two = (run(request_for(out=tmp_path / name)) for name in "ab")
    assert one.scores == two.scores
    files = [(tmp_path / name / "model.safetensors").read_bytes() for name in "ab"]
    assert files[0] == files[1]


def test_nothing_held_out(request_for, letters):
    data = load_data(request_for(data=letters / "train.csv", hold_out=0.25))
    assert (len(data.train), len(data.dev)) == (48, 16)
    (letters / "dev.csv").unlink()
    assert len(load_data(request_for()).dev) == 6
    assert load_data(request_for()) == load_data(request_for())
    other = load_data(request_for(changes={"seed": 1}))
    assert other.dev != load_data(request_for()).dev


def test_held_out_files_that_are_named(request_for, letters):
    assert len(load_data(request_for(data=letters / "train.csv", dev=letters / "dev.csv")).dev) == 20
    assert len(load_data(request_for(data=letters / "train.csv", dev=letters)).dev) == 20
    (letters / "dev.csv").unlink()
    with pytest.raises(CorpusError, match="has no held-out file; name it, or put 'dev' into its name"):
        load_data(request_for(data=letters / "train.csv", dev=letters))


def test_files_that_are_not_clear(request_for, letters):
    write_table(letters / "valid.csv", [])
    with pytest.raises(CorpusError, match=r"several files for 'dev': dev\.csv, valid\.csv"):
        load_data(request_for())
    (letters / "train.csv").rename(letters / "letters.csv")
    with pytest.raises(CorpusError, match="has no file to train on; name it, or put 'train' into its name"):
        load_data(request_for())


def test_one_split_of_intents_is_not_its_own_dev_set(request_for, tmp_path):
    folder = tmp_path / "snips/train"
    folder.mkdir(parents=True)
    (folder / "seq.in").write_text("".join(f"a {letter}\n" for letter in "bcdefghijk"))
    (folder / "seq.out").write_text("O B-X\n" * 10)
    (folder / "label").write_text("ask\ntell\n" * 5)
    data = load_data(request_for("intents", data=folder, hold_out=0.2))
    assert (len(data.train), len(data.dev)) == (8, 2)
    assert not set(data.train) & set(data.dev)


@pytest.mark.parametrize("named", ["", "train"])
def test_one_split_of_reviews_is_cut_in_two(request_for, tmp_path, named):
    """Whether its folder is named or the one around it: no test set has to lie beside it."""
    for number in range(10):
        path = tmp_path / f"aclImdb/train/{'pn'[number % 2]}/{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"a {number}")
    data = load_data(request_for("imdb", data=tmp_path / "aclImdb" / named, hold_out=0.2))
    assert (len(data.train), len(data.dev)) == (8, 2)
    assert not set(data.train) & set(data.dev)


def test_a_limit_takes_some_of_all_and_knows_all_labels(request_for, tmp_path, planted):
    examples = sorted(planted("classification", 64), key=lambda one: one.label)
    rare = [examples[0]._replace(label="rare")]
    path = write_table(tmp_path / "sorted.csv", examples + rare)
    dev = write_table(tmp_path / "dev.csv", examples[:3] + rare)
    data = load_data(request_for(data=path, dev=dev, limit=20))
    assert len(data.train) == 20
    assert 5 < sum(one.label == "late" for one in data.train) < 15
    assert data.task.labels == ("early", "late", "rare")


def test_a_held_out_label_that_training_does_not_have(request_for, letters):
    with (letters / "dev.csv").open("a") as file:
        file.write("a b,erly\n")
    with pytest.raises(InputError, match=r"example 20: the label 'erly' was not seen in training; .*'early'"):
        run(request_for())


class Poisoned(SequenceClassifier):
    """Learns, until a step after which its loss is no number."""

    left = 0

    def forward(self, *inputs, labels=None, **more):
        said = super().forward(*inputs, labels=labels, **more)
        if labels is None:
            return said
        self.left -= 1
        return said if self.left >= 0 else said._replace(loss=said.loss * float("nan"))


def poison(monkeypatch, after):
    left = iter(after)

    def build(bert):
        model = Poisoned(bert, 2)
        model.left = next(left)
        return model

    monkeypatch.setattr(running, "builder", lambda spec, task: build)


def test_the_last_good_model_stays_after_a_loss_that_is_no_number(request_for, monkeypatch, planted):
    """Four steps an epoch; the seventh is poisoned."""
    poison(monkeypatch, after=[6])
    with pytest.raises(TrainingError, match=r"seed 0, step 7 of 8: .*out holds the best epoch before that"):
        run(request_for())
    tuned = load_finetuned(request_for().out)
    assert tuned.evaluate(planted("classification", 20, seed=1)) == tuned.facts["scores"]


def test_the_best_seed_stays_when_a_later_one_fails(request_for, monkeypatch, planted):
    poison(monkeypatch, after=[99, 2])
    with pytest.raises(TrainingError, match=r"seed 1, step 3 of 8: .*out holds the best epoch before that"):
        run(request_for(seeds=2))
    tuned = load_finetuned(request_for().out)
    assert tuned.facts["recipe"]["seed"] == 0
    assert tuned.evaluate(planted("classification", 20, seed=1)) == tuned.facts["scores"]


def test_a_failed_run_leaves_an_older_model_alone(request_for, monkeypatch, letters):
    out = run(request_for()).out
    before = {file.name: file.read_bytes() for file in out.iterdir()}
    with pytest.raises(TrainingError, match=r"or a longer warm-up \(it was 10% of the steps\)$"):
        run(request_for(changes=QUICK | {"learning_rate": 1e30}))
    with pytest.raises(ConfigError):
        run(request_for(changes=QUICK | {"epochs": 0}))
    with pytest.raises(CorpusError):
        run(request_for(dev=Path("nowhere")))
    assert {file.name: file.read_bytes() for file in out.iterdir()} == before


def test_what_is_wrong_is_said_before_anything_is_read(request_for, tmp_path, monkeypatch):
    monkeypatch.setattr(running, "load_data", lambda request: pytest.fail("read"))
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.tex").write_text("")
    with pytest.raises(CheckpointError, match=r"no fine-tuned model \(thesis\.tex\)"):
        run(request_for())
    with pytest.raises(ConfigError, match="0 seeds; expected at least 1"):
        run(request_for(out=tmp_path / "new", seeds=0))
    with pytest.raises(InputError, match="freeze 'heads'; expected 'embeddings', 'body', or a number"):
        run(request_for(out=tmp_path / "new", changes={"freeze": "heads"}))
    with pytest.raises(ConfigError, match="epochs is 0; expected at least 1"):
        run(request_for(out=tmp_path / "new", changes={"epochs": 0}))


def test_nothing_is_said_before_everything_is_read(request_for, letters):
    with (letters / "dev.csv").open("a") as file:
        file.write("a b,erly\n")
    said: list[str] = []
    with pytest.raises(InputError, match="the label 'erly' was not seen in training"):
        run(request_for(), say=said.append)
    with pytest.raises(InputError, match="a BiLSTM labels words, and this is classification"):
        run(request_for(build="bilstm:last"), say=said.append)
    assert said == []


def test_several_seeds(request_for):
    said: list[str] = []
    result = run(request_for(seeds=2, changes=QUICK | {"epochs": 1, "learning_rate": 3e-3}), say=said.append)
    assert said[2:] == ["run 1 of 2, with seed 0", "run 2 of 2, with seed 1"]
    assert len(result.runs) == 2
    assert result.runs[0] != result.runs[1]
    assert result.scores == max(result.runs, key=lambda scores: scores["accuracy"])
    lines = report(result)
    assert lines[0].startswith("fine-tuned with 2 seeds on 64 examples in ")
    assert lines[0].endswith(f"epoch 1 of 1 with seed {result.recipe.seed} was the best")
    assert lines[1].startswith(f"held-out (20 examples) with seed {result.recipe.seed}: accuracy 0.")
    assert lines[2].startswith("    all seeds: accuracy 0.")
    assert "± " in lines[2]
    assert load_finetuned(result.out).facts["runs"] == result.runs


def test_a_small_search(request_for):
    said: list[str] = []
    changes = {name: value for name, value in QUICK.items() if name != "learning_rate"}
    result = run(request_for(search=2, changes=changes | {"epochs": 1}), say=said.append)
    assert said[2] == "random search over learning_rate: 2 trials"
    assert said[3:5] == [
        f"trial {row['trial']} of 2, learning_rate {row['learning_rate']}" for row in result.trials
    ]
    assert said[5].startswith(f"best of 2 trials: learning_rate {result.recipe.learning_rate}; accuracy 0.")
    table = report(result)[3:6]
    assert table[0].split() == ["trial", "learning_rate", "accuracy", "seconds"]
    assert [line.split()[2] for line in table[1:]] == [f"{row['score']:.3f}" for row in result.trials]
    best = max(result.trials, key=lambda row: row["score"])
    assert result.recipe.learning_rate == best["learning_rate"]
    assert result.recipe.batch_size == 16  # what was fixed stays
    assert result.scores["accuracy"] == pytest.approx(best["score"])
    assert load_finetuned(result.out).facts["trials"] == result.trials


def test_a_search_trains_each_recipe_once_and_remembers_one_model(request_for, tmp_path, monkeypatch):
    recipes, models, fine_tune = [], [], running.fine_tune

    def watched(task, body, tokenizer, train, dev, recipe, **options):
        assert sum(model() is not None for model in models) <= 1
        tuned = fine_tune(task, body, tokenizer, train, dev, recipe, **options)
        recipes.append(recipe)
        models.append(weakref.ref(tuned.model))
        return tuned

    monkeypatch.setattr(running, "fine_tune", watched)
    changes = {name: value for name, value in QUICK.items() if name != "learning_rate"} | {"epochs": 1}
    found = run(request_for(search=3, limit=16, changes=changes))
    rates = [row["learning_rate"] for row in found.trials]
    assert [recipe.learning_rate for recipe in recipes] == rates
    changed = changes | {"learning_rate": found.recipe.learning_rate}
    alone = run(request_for(out=tmp_path / "alone", limit=16, changes=changed))
    assert found.scores == alone.scores
    files = [(result.out / "model.safetensors").read_bytes() for result in (found, alone)]
    assert files[0] == files[1]
    recipes.clear()
    more = run(request_for(search=3, seeds=2, limit=16, changes=changes))
    assert recipes[3:] == [found.recipe.replace(seed=1)]
    assert more.runs[0] == found.scores


def test_a_search_for_more_than_there_is_says_so(request_for):
    said: list[str] = []
    changes = {name: value for name, value in QUICK.items() if name != "learning_rate"} | {"epochs": 1}
    result = run(request_for(search=30, limit=16, changes=changes), say=said.append)
    assert said[2] == "random search over learning_rate: 3 trials; there are no more points"
    assert len(result.trials) == 3


def test_each_epoch_says_which_run_it_is_of(request_for, capsys):
    changes = {name: value for name, value in QUICK.items() if name != "learning_rate"} | {"epochs": 1}
    run(request_for(search=2, seeds=2, limit=16, changes=changes), progress=True)
    err = capsys.readouterr().err
    assert "trial 1 of 2, learning_rate 0.0" in err
    assert re.search(r"trial 2 of 2, learning_rate 0\.\d+: epoch 1 of 1: loss ", err)
    assert "seed 1: epoch 1 of 1: loss " in err


class TwoScores(ClassificationTask):
    """Its score is always 0; another one rises."""

    found: ClassVar[list[float]] = []

    def score(self, predictions, examples):
        return {"accuracy": 0.0, "other": self.found.pop(0)}


def test_at_a_tie_the_other_scores_decide_between_epochs_seeds_and_trials(request_for, monkeypatch):
    task = TwoScores(labels=("early", "late"))
    monkeypatch.setattr(running, "load_data", lambda request: load_data(request)._replace(task=task))
    monkeypatch.setattr(running, "save_finetuned", lambda folder, tuned: folder)
    monkeypatch.setattr(running, "blind", lambda data: {})
    TwoScores.found = [0.1, 0.3, 0.4, 0.2]
    found = run(request_for(seeds=2))
    assert (found.recipe.seed, found.scores["other"]) == (1, 0.4)
    assert "epoch 1 of 2 with seed 1 was the best" in report(found)[0]
    TwoScores.found = [0.1, 0.5, 0.2]
    changes = {name: value for name, value in QUICK.items() if name != "learning_rate"} | {"epochs": 1}
    found = run(request_for(search=3, changes=changes))
    assert found.recipe.learning_rate == found.trials[1]["learning_rate"]
    assert found.scores["other"] == 0.5


def test_texts_that_the_vocabulary_cannot_read(request_for, letters):
    said: list[str] = []
    write_table(letters / "train.csv", [TextExample(f"a {n} ö!", label=f"l{n % 2}") for n in range(16)])
    (letters / "dev.csv").unlink()
    run(request_for(changes=QUICK | {"epochs": 1}), say=said.append)
    assert said[2] == (
        "50% of the pieces are unknown to small; try --model with one that knows the language, such as "
        "tiny-zh for Chinese"
    )


def test_how_much_is_trained(request_for):
    said: list[str] = []
    result = run(
        request_for(build="adapters:2", scratch=True, changes=QUICK | {"epochs": 1}), say=said.append
    )
    (line,) = [line for line in report(result) if "parameters are trained" in line]
    assert line == f"    {result.trained}"
    assert 0 < result.trained.share < 0.5
    assert "frozen (--build or --freeze) and random (--from-scratch); leave one" in said[-1]


def test_another_model_is_not_replaced(request_for, letters, tmp_path):
    out = run(request_for(changes=QUICK | {"epochs": 1})).out
    before = (out / "model.safetensors").read_bytes()
    said: list[str] = []
    run(request_for(changes=QUICK | {"epochs": 1, "seed": 1}), say=said.append)
    assert f"{out} holds a model of the same task and data; it will be replaced" in said
    assert (out / "model.safetensors").read_bytes() != before
    with pytest.raises(CheckpointError, match="holds a model with task classify, and this one has task sst2"):
        run(request_for("sst2"))
    with pytest.raises(CheckpointError, match=r"with data .*letters, and this one has data .*nowhere\.csv; "):
        run(request_for(data=tmp_path / "nowhere.csv"))


def test_what_is_searched(request_for, pretrained):
    body = load_start(request_for()).body
    assert max(space_for(body, {})["learning_rate"]) == 1e-3
    assert set(space_for(body, {"epochs": 2, "batch_size": None})) == {"batch_size", "learning_rate"}


def test_random_weights_instead_of_learned_ones(request_for):
    learned, scratch = load_start(request_for()).body, load_start(request_for(scratch=True)).body
    again = load_start(request_for(scratch=True)).body
    weights = [body.pooler.dense.weight for body in (learned, scratch, again)]
    assert not torch.equal(weights[0], weights[1])
    assert torch.equal(weights[1], weights[2])
    assert scratch.config == learned.config
    other = load_start(request_for(scratch=True, changes={"seed": 1})).body
    assert not torch.equal(other.pooler.dense.weight, weights[1])


def write_squad(path, examples):
    paragraphs = [
        {
            "context": one.context,
            "qas": [
                {
                    "id": one.name,
                    "question": one.question,
                    "answers": [{"text": a.text, "answer_start": a.start} for a in one.answers],
                    "is_impossible": one.impossible,
                }
            ],
        }
        for one in examples
    ]
    path.write_text(json.dumps({"data": [{"title": "T", "paragraphs": paragraphs}]}))
    return path


def test_when_to_say_that_there_is_no_answer_is_chosen_on_held_out_questions(request_for, tmp_path, planted):
    train = write_squad(tmp_path / "train.json", planted("question", 48))
    questions = planted("question", 18, seed=1)
    dev = write_squad(tmp_path / "dev.json", questions)
    said: list[str] = []
    result = run(request_for("squad", data=train, dev=dev, changes=QUICK | {"epochs": 1}), say=said.append)
    assert said[2] == (
        "48 questions, 48 windows; 0 of them without the answer to their question, 0 answers in no window"
    )
    assert isinstance(result.task, QuestionTask)
    assert result.task.no_answer
    assert result.task.null_threshold != 0
    assert result.scores["f1"] >= result.epochs[0].scores["f1"]
    wanted = f"; no-answer threshold {result.task.null_threshold:.2f}, chosen on these examples"
    assert report(result)[1].endswith(wanted)
    tuned = load_finetuned(result.out)
    assert tuned.task == result.task
    assert tuned.evaluate(questions) == result.scores
    assert result.baseline == {}


def test_each_seed_has_its_own_threshold(request_for, tmp_path, planted, monkeypatch):
    """What is compared is what is kept: the spread is over runs that were all tuned."""
    train = write_squad(tmp_path / "train.json", planted("question", 48))
    dev = write_squad(tmp_path / "dev.json", planted("question", 18, seed=1))
    tuned, chosen = [], running.tuned_threshold

    def watched(*arguments):
        tuned.append(chosen(*arguments))
        return tuned[-1]

    monkeypatch.setattr(running, "tuned_threshold", watched)
    changes = QUICK | {"epochs": 1}
    result = run(request_for("squad", data=train, dev=dev, changes=changes, seeds=2))
    assert result.runs == [scores for _, scores in tuned]
    assert tuned[0][0] != tuned[1][0]
    kept = max(tuned, key=lambda pair: pair[1]["f1"])
    assert (result.task, result.scores) == kept
    assert load_finetuned(result.out).task == kept[0]
    assert report(result)[2].startswith("    all seeds: f1 ")


def test_whoever_does_not_look(planted):
    task = ClassificationTask(labels=("early", "late"))
    examples = planted("classification", 9)  # five early ones
    assert blind(Data(task, examples, examples)) == {"accuracy": pytest.approx(5 / 9)}


def test_what_became_of_the_answers_is_said():
    said: list[str] = []
    tell_windows(WindowCounts(questions=2, windows=9, without_answer=3, lost=1), said.append)
    assert said == [
        "2 questions, 9 windows; 3 of them without the answer to their question, 1 answer in no window"
    ]
    tell_windows(WindowCounts(questions=2, skipped=1, widened=2), said.append)
    assert said[2:] == [
        "1 question left out: the answer is not where its offset says",
        "2 answers widened to whole pieces",
    ]


def test_the_recipe_of_the_kept_run_has_its_own_seed(request_for):
    result = run(request_for(seeds=3))
    scores = [scores["accuracy"] for scores in result.runs]
    kept = load_finetuned(result.out).facts["recipe"]["seed"]
    assert kept == scores.index(max(scores))
