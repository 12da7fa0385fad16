import dataclasses
import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from bertlib.config import PRESETS, BertConfig
from bertlib.data.arrays import TokenCorpus
from bertlib.data.prepare import prepare_corpus
from bertlib.device import pick_device
from bertlib.errors import CheckpointError, ConfigError, CorpusError, VocabularyError
from bertlib.lock import sole_user
from bertlib.pretrain import Request, make_batches, new_model, pretrain
from bertlib.pretrain import _claim as claim
from bertlib.recipes import Recipe
from bertlib.reports import free_folder, how_to_go_on, newest_model, report_pretraining
from bertlib.store import load_pretrained
from bertlib.tokenizer import WordPieceTokenizer
from bertlib.train import CountingBaselines, read_log


def quiet(request, **options):
    return pretrain(request, progress=False, say=lambda _: None, **options)


def request(texts, recipe, out, **changes):
    return Request(**({"out": out, "recipe": recipe, "sources": (str(texts),)} | changes))


def weights(folder):
    return load_pretrained(folder / "model")[0].state_dict()


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def test_a_run_leaves_all_that_its_docstring_names(finished_run):
    names = {path.name for path in finished_run.out.iterdir() if not path.name.endswith(".lock")}
    assert names == {"tokenizer", "corpus", "checkpoints", "log.jsonl", "model", "run.json"}
    assert finished_run.steps == 4
    assert len(finished_run.blanks) == 3
    assert 0 < finished_run.baselines["unigram"] < finished_run.baselines["bigram"] < 1
    json.dumps(finished_run.to_dict())


def test_the_report_says_where_the_model_is_and_what_comes_next(finished_run):
    report = "\n".join(report_pretraining(finished_run))
    assert "held-out text: masked-word loss" in report
    assert f'bertlib fill-mask "..." --model {finished_run.out / "model"}' in report


def test_the_same_request_gives_the_same_bits(finished_run, texts, quick_recipe, tmp_path):
    quiet(request(texts, quick_recipe, tmp_path))
    assert same(weights(tmp_path), weights(finished_run.out))


def test_a_run_that_was_cut_off_goes_on_to_the_same_bits(finished_run, tmp_path):
    out = shutil.copytree(finished_run.out, tmp_path / "run")
    shutil.rmtree(out / "model")
    shutil.rmtree(out / "checkpoints" / "step-00000004")
    said = []
    pretrain(Request.load(out), resume=True, progress=False, say=said.append)
    assert any("from step 2" in line for line in said)
    assert same(weights(out), weights(finished_run.out))
    steps = [event["step"] for event in read_log(out / "log.jsonl") if event["event"] == "train"]
    assert steps == [1, 2, 3, 4]


def test_a_truncated_checkpoint_is_said_and_the_one_before_is_used(finished_run, tmp_path):
    out = shutil.copytree(finished_run.out, tmp_path / "run")
    file = out / "checkpoints" / "step-00000004" / "optimizer.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    said = []
    pretrain(Request.load(out), resume=True, progress=False, say=said.append)
    assert any("optimizer.safetensors has 1,000 bytes of" in line for line in said)
    assert any("using step-00000002 instead" in line for line in said)
    assert same(weights(out), weights(finished_run.out))


def test_another_configuration_cannot_be_slipped_in(finished_run, tmp_path):
    out = shutil.copytree(finished_run.out, tmp_path / "run")
    changed = Request.load(out)
    changed = dataclasses.replace(changed, recipe=changed.recipe.replace(preset="mini"))
    with pytest.raises(CheckpointError, match=r"model.hidden_size = 128, now it is 256"):
        quiet(changed, resume=True)


def test_a_folder_with_a_run_is_not_written_over(finished_run, texts, quick_recipe):
    with pytest.raises(CheckpointError, match=r"holds a run already; go on with .*--resume"):
        quiet(request(texts, quick_recipe, finished_run.out))


def test_minutes_become_steps_once(texts, quick_recipe, tmp_path):
    said = []
    wanted = request(
        texts, quick_recipe.replace(eval_every=10_000, save_every=10_000), tmp_path, minutes=0.01
    )
    result = pretrain(wanted, progress=False, say=said.append)
    assert any("0.01 minutes are" in line for line in said)
    assert result.steps >= 20
    assert Request.load(tmp_path).minutes is None
    assert Request.load(tmp_path).recipe.steps == result.steps


def test_held_out_text_of_ones_own(texts, quick_recipe, tmp_path):
    result = quiet(request(texts, quick_recipe, tmp_path, valid=(str(texts / "part-1.txt"),)))
    assert list((tmp_path / "valid").glob("tokens*.bin"))
    assert result.evaluation.pairs > 0


def test_a_vocabulary_that_exists_is_used(finished_run, texts, quick_recipe, tmp_path):
    given = str(finished_run.out / "tokenizer")
    result = quiet(request(texts, quick_recipe.replace(vocab_size=9999), tmp_path, tokenizer=given))
    assert result.vocab_size == 400


def test_a_document_of_one_sentence_cannot_be_paired(quick_recipe, tmp_path):
    (tmp_path / "one.txt").write_text("The dog barks at the moon every night.\n")
    with pytest.raises(CorpusError, match="sentence"):
        quiet(request(tmp_path / "one.txt", quick_recipe.replace(vocab_size=60), tmp_path / "run"))


def test_a_single_document_trains_without_pairs(quick_recipe, tmp_path):
    (tmp_path / "one.txt").write_text("The dog barks at the moon.\nThe cat sleeps.\n" * 40)
    result = quiet(
        request(tmp_path / "one.txt", quick_recipe.replace(vocab_size=60, nsp=False), tmp_path / "run")
    )
    assert result.evaluation.pairs == 0


def test_left_to_right_there_are_no_blanks_and_the_left_word_is_the_one_that_is_seen(
    texts, quick_recipe, tmp_path
):
    causal = quick_recipe.replace(objective="causal", nsp=False, steps=1)
    result = quiet(request(texts, causal, tmp_path))
    assert result.blanks == []
    corpus = TokenCorpus.load(tmp_path / "corpus")
    row = np.asarray(corpus.tokens).astype(int)
    counted = CountingBaselines.count(row, result.vocab_size)
    by_hand = (counted.follower[row[:-1]].numpy() == row[1:]).mean()
    assert result.baselines["bigram"] == pytest.approx(by_hand, abs=0.1)
    assert result.baselines["bigram"] > 1.5 * result.baselines["unigram"]


@pytest.mark.parametrize(
    ("text", "pairs", "asked"),
    [
        ("The dog barks at the moon.\nThe cat sleeps.\n" * 20, "sop", True),
        ("The dog barks at the moon.\nThe cat sleeps.\n" * 20, "nsp", False),
        ("The dog barks at the moon.\n\nThe cat sleeps.\n\n" * 20, "sop", False),
    ],
)
def test_held_out_text_is_asked_what_it_can_answer(finished_run, quick_recipe, tmp_path, text, pairs, asked):
    tokenizer = WordPieceTokenizer.load(finished_run.out / "tokenizer")
    (tmp_path / "valid.txt").write_text(text)
    valid = prepare_corpus([str(tmp_path / "valid.txt")], tokenizer, tmp_path / "valid", progress=False)
    train = TokenCorpus.load(finished_run.out / "corpus")
    recipe = quick_recipe.replace(pairs=pairs, eval_batches=40)
    _, held_out = make_batches(recipe, train, valid, tokenizer, torch.device("cpu"))
    assert held_out.steps_per_epoch < 20
    labels = torch.cat([held_out.batch(i).next_sentence_label for i in range(40)])
    assert (labels >= 0).any() == asked


def test_a_vocabulary_smaller_than_the_alphabet(texts, quick_recipe, tmp_path):
    with pytest.raises(VocabularyError, match=r"alphabet|characters"):
        quiet(request(texts, quick_recipe.replace(vocab_size=20), tmp_path))


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"preset": "huge"}, "the presets are tiny, mini, small, medium, base, large"),
        ({"preset": "tiny", "max_length": 256, "positions": 128}, "longer than the position table of 128"),
        ({"preset": "tiny", "warmup_share": 2.0}, "expected a share"),
    ],
)
def test_recipes_that_make_no_sense(changes, word):
    with pytest.raises(ConfigError, match=word):
        Recipe.for_preset(**changes)


@pytest.mark.parametrize("story", [False, True])
@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_has_a_recipe(preset, story):
    recipe = Recipe.for_preset(preset, story=story)
    assert recipe.model_config(100).hidden_size == BertConfig.from_preset(preset).hidden_size
    assert recipe.positions >= recipe.max_length
    assert recipe.training_config().steps == recipe.steps


def test_a_recipe_leaves_what_is_none():
    assert Recipe.for_preset("mini", steps=None) == Recipe.for_preset("mini")
    assert Recipe.for_preset("mini", max_length=256).positions == 256


def test_devices():
    assert pick_device("cpu").type == "cpu"
    with pytest.raises(ConfigError, match="try --device cpu"):
        pick_device("warp9")


def test_first_weights_follow_from_the_seed_alone(quick_recipe):
    torch.manual_seed(1)
    one = new_model(quick_recipe, 50).state_dict()
    torch.manual_seed(2)
    assert same(one, new_model(quick_recipe, 50).state_dict())
    assert not same(one, new_model(quick_recipe.replace(seed=1), 50).state_dict())


def test_names_of_runs_do_not_collide(tmp_path):
    first = free_folder(["my texts/"], "tiny", runs=tmp_path)
    assert first == tmp_path / "my_texts-tiny"
    first.mkdir()
    assert free_folder(["my texts/"], "tiny", runs=tmp_path) == tmp_path / "my_texts-tiny-2"
    assert free_folder(None, "mini", runs=tmp_path) == tmp_path / "story-mini"
    with pytest.raises(CheckpointError, match="make one with `bertlib pretrain`"):
        newest_model(runs=tmp_path)


def test_a_second_phase_starts_from_the_first_ones_weights_and_vocabulary(
    finished_run, quick_recipe, texts, tmp_path
):
    first = str(finished_run.out / "model")
    wide = quick_recipe.replace(
        max_length=16, positions=16, steps=1, learning_rate=1e-12, warmup_share=0.0, vocab_size=99
    )
    said = []
    result = pretrain(request(texts, wide, tmp_path, start=first), progress=False, say=said.append)
    assert f"starting from the weights of {first}" in said
    assert result.vocab_size == 400
    start, end = weights(finished_run.out), weights(tmp_path)
    assert all(torch.allclose(start[name], end[name], atol=1e-9) for name in start)
    assert Request.load(tmp_path).recipe.positions == quick_recipe.positions == 32


def test_a_second_phase_that_was_cut_off_does_not_start_again(finished_run, texts, quick_recipe, tmp_path):
    first = shutil.copytree(finished_run.out / "model", tmp_path / "first")
    wanted = request(texts, quick_recipe, tmp_path / "run", start=str(first))
    quiet(wanted)
    straight = weights(tmp_path / "run")
    assert not same(straight, weights(finished_run.out))
    shutil.rmtree(tmp_path / "run" / "checkpoints" / "step-00000004")
    shutil.rmtree(first)  # the run does not need it any more
    quiet(Request.load(tmp_path / "run"), resume=True)
    assert same(weights(tmp_path / "run"), straight)


@pytest.mark.parametrize(
    ("recipe", "options", "words"),
    [
        ({"preset": "mini"}, {}, r"hidden_size = 128, a mini has 256; .*--preset"),
        (
            {"max_length": 600, "positions": 600},
            {},
            r"max_length is 600, but the position table of .* has 32 rows",
        ),
        (
            {},
            {"tokenizer": "other"},
            r"another vocabulary \(400 pieces\) than this run's \(300\); leave out --tokenizer",
        ),
    ],
)
def test_a_start_that_does_not_fit_is_named(
    finished_run, texts, quick_recipe, tmp_path, recipe, options, words
):
    if options:
        WordPieceTokenizer.train([(texts / "part-0.txt").read_text()], 300).save(tmp_path / "other")
        options = {"tokenizer": str(tmp_path / "other")}
    wanted = request(
        texts,
        quick_recipe.replace(**recipe),
        tmp_path / "run",
        start=str(finished_run.out / "model"),
        **options,
    )
    with pytest.raises(CheckpointError, match=words):
        quiet(wanted)


def test_a_start_that_is_no_model(texts, quick_recipe, tmp_path):
    with pytest.raises(CheckpointError, match="no model in"):
        quiet(request(texts, quick_recipe, tmp_path / "run", start=str(tmp_path / "nothing")))


def test_of_two_runs_in_one_folder_the_second_is_refused(texts, quick_recipe, tmp_path):
    # the lock belongs to an open file, so that one process can play both
    with sole_user(tmp_path), pytest.raises(CheckpointError, match="is at work in"):
        quiet(request(texts, quick_recipe, tmp_path))
    quiet(request(texts, quick_recipe, tmp_path))


def test_a_run_goes_on_without_its_texts_and_without_the_vocabulary_it_was_given(
    finished_run, texts, quick_recipe, tmp_path
):
    given = shutil.copytree(finished_run.out / "tokenizer", tmp_path / "given")
    copied = shutil.copytree(texts, tmp_path / "texts")
    options = {"tokenizer": str(given), "valid": (str(copied / "part-1.txt"),)}
    quiet(request(copied, quick_recipe, tmp_path / "run", **options))
    straight = weights(tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "checkpoints" / "step-00000004")
    shutil.rmtree(given)
    shutil.rmtree(copied)
    quiet(Request.load(tmp_path / "run"), resume=True)
    assert same(weights(tmp_path / "run"), straight)


@pytest.mark.parametrize(
    "harm",
    [
        lambda values: "{",
        lambda values: "[1]",
        lambda values: json.dumps(values | {"of_a_later_version": 1}),
        lambda values: json.dumps(values | {"recipe": values["recipe"] | {"of_a_later_version": 1}}),
        lambda values: json.dumps({key: value for key, value in values.items() if key != "recipe"}),
    ],
)
def test_a_damaged_run_json_is_one_line(finished_run, tmp_path, harm):
    values = json.loads((finished_run.out / "run.json").read_text())
    (tmp_path / "run.json").write_text(harm(values))
    with pytest.raises(
        CheckpointError, match=r"run.json cannot be used \(.*damaged, or another version .*resume"
    ):
        Request.load(tmp_path)


@pytest.mark.parametrize(
    "changes",
    [{"precision": "fp8"}, {"save_every": 0}, {"learning_rate": -1.0}, {"dropout": 1.5}, {"seed": -1}],
)
def test_what_makes_no_sense_is_told_before_any_text_is_read(changes):
    with pytest.raises(ConfigError):
        Recipe.for_preset("tiny", **changes)


def test_another_process_that_does_not_see_the_folder(texts, quick_recipe, tmp_path):
    other = SimpleNamespace(is_main_process=False, process_index=3)
    with pytest.raises(CheckpointError, match=r"process 3 finds no corpus in .*see the same folder"):
        claim(request(texts, quick_recipe, tmp_path), other, resume=False)


def test_quiet_is_quiet(texts, quick_recipe, tmp_path, capsys):
    quiet(request(texts, quick_recipe, tmp_path))
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("length", "blanks"), [(17, 0), (18, 3)])
def test_a_position_table_too_short_for_the_blanks_does_not_end_a_run_in_an_error(
    texts, quick_recipe, tmp_path, length, blanks
):
    result = quiet(request(texts, quick_recipe.replace(max_length=length, positions=length), tmp_path))
    assert len(result.blanks) == blanks


def test_a_run_of_an_older_version_with_a_language_nobody_used_goes_on(quick_recipe, tmp_path):
    Request(out=tmp_path, recipe=quick_recipe, sources=("texts",)).save()
    file = tmp_path / "run.json"
    file.write_text(file.read_text().replace('"language": "en"', '"language": "zh"'))
    assert Request.load(tmp_path).language == "en"


def test_what_is_no_checkpoint_does_not_count(tmp_path):
    (tmp_path / "run.json").touch()
    for name in ("step-00000020", "step-00000500.bak"):
        (tmp_path / "checkpoints" / name).mkdir(parents=True)
    assert how_to_go_on(tmp_path).endswith("from step 20")
