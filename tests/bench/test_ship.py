import dataclasses
import json
import re
import shutil
import threading
import time

import pytest
import torch
from typer.main import get_command

from bertlib.bench import ship_run
from bertlib.bench.model_card import render
from bertlib.bench.ship import choose_kind, main, ship
from bertlib.bench.trained_run import OPTIONS, HeldOut, TrainedRun, corpora, curve, elapsed, training_command
from bertlib.cli import app
from bertlib.errors import BertlibError, ConfigError
from bertlib.pretrain import pretrain
from bertlib.recipes import Recipe
from bertlib.request import Request
from bertlib.store import load_pretrained


@pytest.fixture(scope="module")
def shipped(finished_run, tmp_path_factory):
    """What the command makes of a run of four steps: its folder, the card, the curve."""
    home = tmp_path_factory.mktemp("shipped")
    out, curve_file = home / "small", home / "small-curve.json"
    main(f"{finished_run.out} --name small --out {out} --curve {curve_file} --device cpu --watts 20".split())
    return out, json.loads((out / "card.json").read_text()), json.loads(curve_file.read_text())


def test_the_shipped_weights_are_those_of_the_run_in_half_precision(shipped, finished_run):
    out, card, _ = shipped
    model, tokenizer = load_pretrained(out)
    full, _ = load_pretrained(finished_run.out / "model")
    assert card["dtype"] == "float16"
    for name, weight in full.state_dict().items():
        assert torch.equal(model.state_dict()[name], weight.half().float())
    assert card["files"]["model.safetensors"] == (out / "model.safetensors").stat().st_size
    assert (
        card["files"]["model.safetensors"]
        < 0.55 * (finished_run.out / "model/model.safetensors").stat().st_size
    )
    assert len(tokenizer) == card["model"]["vocab_size"]


def test_every_held_out_text_is_asked_once(finished_run):
    run = TrainedRun.read(finished_run.out)
    _, valid = corpora(run, finished_run.out, None, None)
    held_out = HeldOut(run, valid, torch.device("cpu"))
    texts = sum(len(batch.input_ids) for batch in held_out)
    assert texts == held_out.batches.texts_per_epoch
    assert texts % run.request.recipe.batch_size, (
        "the last batch has to be cut for this test to mean something"
    )


def test_the_card_holds_what_was_measured(shipped):
    _, card, _ = shipped
    assert card["phases"][-1]["steps"] == 4
    assert card["phases"][-1]["positions_seen"] == 4 * 8 * 32
    assert 0.5 * 4 * 8 * 32 < card["phases"][-1]["tokens_seen"] <= 4 * 8 * 32
    assert card["phases"][-1]["device"] == card["provenance"]["device"]
    assert card["phases"][-1]["cpu_seconds"] is None
    assert card["phases"][-1]["energy_wh"] == round(20 * card["phases"][-1]["wall_seconds"] / 3600, 2) or (
        card["phases"][-1]["wall_seconds"] == 0
    )
    assert card["held_out"]["mlm_loss"] == card["kinds"]["float16"]["mlm_loss"]
    assert abs(card["kinds"]["float16"]["loss_difference"]) < 1e-3
    errors = {name: kind["relative_weight_error"] for name, kind in card["kinds"].items()}
    assert errors["float16"] < errors["bfloat16"]
    assert 0 < card["baselines"]["unigram_accuracy"] < 1
    assert card["data"]["tokens"] > card["data"]["held_out_tokens"] > 0


def test_the_page_is_the_card_in_words(shipped):
    out, card, _ = shipped
    text = (out / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert text == render(card)
    assert f"{card['held_out']['mlm_loss']:.3f}" in text
    assert "| processor time of the process | not measured yet |" in text
    changed = card | {"held_out": card["held_out"] | {"mlm_loss": 1.2345}}
    assert "1.234" in render(changed)
    assert "1.234" not in text


def test_a_guess_that_draws_a_line_does_not_end_its_cell(shipped):
    _, card, _ = shipped
    item = {"text": "a | [MASK]", "guesses": [["|", 0.5]]}
    text = render(card | {"says": card["says"] | {"fixed": [item]}})
    assert r"| a \| [MASK] |  | `\|` 50.0% |" in text


def test_a_card_without_the_training_text_says_so(shipped):
    _, card, _ = shipped
    text = render(card | {"baselines": None, "data": card["data"] | {"tokens": None, "documents": None}})
    assert "not measured yet word pieces in not measured yet documents" in text
    assert "| the commonest word | not measured yet" in text


def test_no_machine_path_gets_into_the_card(shipped, finished_run):
    out, _, _ = shipped
    for name in ("card.json", "MODEL_CARD.md"):
        assert str(finished_run.out.parent.parent) not in (out / name).read_text(encoding="utf-8")


def test_the_curve_has_every_evaluation_and_few_points(shipped, finished_run):
    _, _, drawn = shipped
    assert drawn["train"]["step"] == [1, 2, 3, 4]
    assert drawn["valid"]["step"] == [2, 4]
    assert drawn["provenance"]["command"].startswith("python -m bertlib.bench.ship")
    run = TrainedRun.read(finished_run.out)
    thin = curve(run, points=2)["train"]
    assert thin["step"] == [2, 4]
    assert thin["mlm_loss"][0] == pytest.approx(sum(drawn["train"]["mlm_loss"][:2]) / 2, abs=1e-3)
    assert thin["tokens"] == [2 * 8 * 32, 4 * 8 * 32]


def test_the_clock_of_a_resumed_run_goes_on():
    events = [{"event": "train", "seconds": s} for s in (1.0, 5.0, 2.0, 3.0, 0.5)]
    assert elapsed([*events, {"event": "valid", "step": 3}]) == [1.0, 5.0, 7.0, 8.0, 8.5]
    assert elapsed([]) == []


def test_an_unfinished_run_is_shipped_from_its_newest_checkpoint(finished_run, tmp_path):
    run = shutil.copytree(finished_run.out, tmp_path / "run")
    shutil.rmtree(run / "model")
    shutil.rmtree(run / "checkpoints" / "step-00000004")
    card = ship(run, tmp_path / "out", name="half-way", device="cpu")
    assert card["phases"][-1]["steps"] == 2
    assert "2 of 4 planned" in (tmp_path / "out" / "MODEL_CARD.md").read_text()
    assert card["phases"][-1]["energy_wh"] is None


def test_a_run_without_checkpoints_is_shipped_from_its_model(finished_run, tmp_path):
    run = shutil.copytree(finished_run.out, tmp_path / "run")
    shutil.rmtree(run / "checkpoints")
    assert TrainedRun.read(run).step == 4
    shutil.rmtree(run / "model")
    with pytest.raises(BertlibError, match="no checkpoint yet"):
        TrainedRun.read(run)


def test_what_is_stored_is_the_most_exact_that_fits():
    kinds = {
        "float16": {"bytes": 17e6, "relative_weight_error": 1e-4},
        "bfloat16": {"bytes": 17e6, "relative_weight_error": 2e-3},
        "int8": {"bytes": 9e6, "relative_weight_error": 1e-2},
    }
    assert choose_kind(kinds) == "int8"
    assert choose_kind({name: kind | {"bytes": 1e6} for name, kind in kinds.items()}) == "float16"
    with pytest.raises(ConfigError, match=r"17\.0 MB at least.*at most 16 MB"):
        choose_kind({"float16": kinds["float16"]})


def test_the_command_of_a_run_names_what_is_unusual(tmp_path):
    recipe = Recipe.for_preset("mini", steps=500, batch_size=64, lowercase=False, nsp=False)
    request = Request(
        out=tmp_path,
        recipe=recipe,
        sources=("/far/away/books/train.txt.xz",),
        valid=("/far/away/books/v.txt",),
    )
    assert training_command(request) == (
        "bertlib pretrain books/train.txt.xz --valid books/v.txt --preset mini --steps 500 --batch-size 64 "
        "--cased --no-nsp"
    )


def test_the_command_of_a_run_has_all_that_makes_it_another(tmp_path):
    recipe = Recipe.for_preset(
        "tiny", pairs="sop", masking="words", static_masks=2, matmul_precision="highest", warmup_share=0.5,
        fsdp=True,
    )  # fmt: skip
    command = training_command(
        Request(out=tmp_path, recipe=recipe, sources=("a/b.txt",), start=str(tmp_path), encoding="latin-1")
    )
    assert command == (
        "bertlib pretrain a/b.txt --preset tiny --matmul highest --pairs sop --masking words --static-masks 2 "
        "--fsdp --start-from RUN/model --encoding latin-1   # and Recipe: warmup_share=0.5"
    )
    known = {
        option for parameter in get_command(app).commands["pretrain"].params for option in parameter.opts
    }
    known |= {"--no-nsp"}
    assert {"--" + name.removesuffix("_precision").replace("_", "-") for name in OPTIONS} <= known
    assert set(re.findall(r"--[a-z-]+", command)) <= known
    story = Request(out=tmp_path, recipe=Recipe.for_preset("tiny", story=True, objective="causal", nsp=False))
    assert training_command(story) == "bertlib pretrain --preset tiny --objective causal --no-nsp"


@pytest.mark.parametrize("masking", ["words", "spans"])
def test_runs_that_mask_words_or_spans_can_be_shipped(finished_run, masking):
    run = TrainedRun.read(finished_run.out)
    recipe = run.request.recipe.replace(masking=masking, pairs="sop")
    run = dataclasses.replace(run, request=dataclasses.replace(run.request, recipe=recipe))
    _, valid = corpora(run, finished_run.out, None, None)
    batch = next(iter(HeldOut(run, valid, torch.device("cpu"))))
    assert batch.selected.any()
    assert (batch.next_sentence_label >= 0).any()


def test_no_run_at_all_is_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit, match=r"ship: .*run\.json is missing"):
        main([str(tmp_path), "--out", str(tmp_path / "out")])


def test_pre_training_and_shipping_in_one_go(texts, tmp_path):
    out = tmp_path / "out"
    ship_run.main(
        f"{texts} --preset tiny --steps 3 --batch-size 8 --vocab-size 400 --precision fp32 --device cpu "
        f"--run {tmp_path / 'run'} --out {out}".split()
    )
    files = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    assert len(files) == 8
    assert {"log.jsonl", "mini-books-curve.json", "mini-books/MODEL_CARD.md"} <= set(files)
    card = json.loads((out / "mini-books" / "card.json").read_text())
    assert card["phases"][-1]["steps"] == 3
    assert card["phases"][-1]["cpu_seconds"] is not None


def test_power_is_read_while_it_trains(monkeypatch):
    read, asked = threading.Event(), []

    def draw():
        asked.append(told[-1])
        read.set()
        return 300_000

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "power_draw", draw)
    monkeypatch.setattr(ship_run, "POWER_EVERY", 0.001)
    meter, told = ship_run.PowerMeter(), []
    with meter.running():
        for line in ("learned a vocabulary of 400 word pieces", "training a tiny with 5 parameters on cuda"):
            told.append(line)
            meter.listen(line)
            time.sleep(0.02)
        assert read.wait(30)
    assert set(asked) == {told[1]}
    assert meter.told()["watts"] == 300


def test_what_starts_the_meter_is_what_a_run_says(texts, quick_recipe, tmp_path):
    said = []
    request = Request(out=tmp_path, recipe=quick_recipe.replace(steps=1), sources=(str(texts),), device="cpu")
    pretrain(request, progress=False, say=said.append)
    assert said[-1].startswith(ship_run.TRAINING)
    assert sum(line.startswith(ship_run.TRAINING) for line in said) == 1


def test_an_interrupted_run_is_shipped_all_the_same(texts, tmp_path, monkeypatch):
    real = ship_run.pretrain

    def interrupted(request, **options):
        real(request, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(ship_run, "pretrain", interrupted)
    recipe = Recipe.for_preset("tiny", steps=2, batch_size=4, vocab_size=400, eval_batches=1)
    request = Request(out=tmp_path / "run", recipe=recipe, sources=(str(texts),), device="cpu")
    ship_run.ship_run(request, tmp_path / "out", name="small")
    assert load_pretrained(tmp_path / "out" / "small")[0].config.vocab_size == 400


def test_the_gpu_recipe_is_a_recipe():
    recipe = Recipe.for_preset("mini", **ship_run.GPU)
    assert recipe.precision == "bf16"
    assert recipe.training_config().warmup_steps < recipe.steps


def test_two_phases_stand_side_by_side(finished_run, texts, quick_recipe, tmp_path):
    """A run that started from another's model tells of both, and the curve goes on where the first ended."""
    request = Request(
        out=tmp_path / "second",
        recipe=quick_recipe.replace(steps=2, max_length=16),
        sources=(str(texts),),
        start=str(finished_run.out / "model"),
        tokenizer=str(finished_run.out / "model"),
    )
    pretrain(request, progress=False, say=lambda _: None)
    told = {"cpu_seconds": [5.0]}
    card = ship(request.out, tmp_path / "out", name="both", device="cpu", told=told)
    assert [phase["steps"] for phase in card["phases"]] == [4, 2]
    assert [phase["cpu_seconds"] for phase in card["phases"]] == [5.0, None]
    text = (tmp_path / "out" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "| steps | 4 | 2 |" in text
    assert "learned from texts of 32, then 16." in text
    whole, first = curve(TrainedRun.read(request.out)), curve(TrainedRun.read(finished_run.out))
    count = len(first["train"]["step"])
    assert whole["train"]["step"][:count] == first["train"]["step"]
    assert whole["train"]["step"][-1] == 4 + 2
    assert whole["train"]["tokens"][-1] == 4 * 8 * 32 + 2 * 8 * 16
    assert whole["valid"]["step"][-1] == 4 + 2
