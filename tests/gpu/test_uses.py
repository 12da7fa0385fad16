"""What people type, on a GPU: pre-training, its benches, fine-tuning, search, a relative, the other library."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from bertlib.bench import ship_run
from bertlib.bench.best_batch import bench_best_batch
from bertlib.bench.cell import Cell, Data
from bertlib.bench.memory import measure_here
from bertlib.bench.pretrain import OUR_TRAINER, TRAINER, bench_pretraining
from bertlib.bench.variants import EXTRAS, TRICKS, variant_step
from bertlib.cloze import fill_mask
from bertlib.data.examples import TextExample
from bertlib.finetune.formats import Columns, task_of
from bertlib.finetune.predicting import predict
from bertlib.finetune.recipe import FineTuning
from bertlib.finetune.training import fine_tune
from bertlib.search import build_index
from bertlib.search.passages import Passage
from bertlib.store import load_pretrained
from bertlib.tokenizer import WordPieceTokenizer
from bertlib.train import read_log
from bertlib.variants.electra import Electra, pretrain_electra
from bertlib.variants.sentence import SentenceEncoder
from bertlib.variants.sentence_losses import InBatchNegatives
from bertlib.variants.sentence_training import SentencePair, SentenceTraining, train_sentences

pytestmark = pytest.mark.gpu

LETTERS = "abcdefghijklmnopqrstuvwxyz"
TINY = ("--vocab-size", 400, "--batch-size", 8, "--max-length", 32)


@pytest.fixture(scope="module")
def tokenizer():
    return WordPieceTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS])


@pytest.fixture
def body(make_model, tokenizer):
    return make_model(vocab_size=len(tokenizer)).bert.eval()


def letters(count: int, alphabet: str) -> list[str]:
    dice = np.random.default_rng(count)
    return [" ".join(dice.choice(list(alphabet), size=dice.integers(2, 9))) for _ in range(count)]


def test_pretrain_and_resume(bertlib, texts, tmp_path, device) -> None:
    run = tmp_path / "run"
    code, out, err = bertlib(
        "pretrain", texts, "--preset", "tiny", *TINY, "--steps", 6, "--save-every", 3, "--precision", "bf16",
        "--device", device, "--out", run, "--json",
    )  # fmt: skip
    assert code == 0, err
    assert f"parameters on {device.type}" in err
    assert json.loads(out)["steps"] == 6
    events = [event for event in read_log(run / "log.jsonl") if event["event"] == "train"]
    assert all(np.isfinite(event["loss"]) for event in events)
    assert ("mfu" in events[-1]) == (device.type == "cuda")
    model, tokenizer = load_pretrained(run / "model")
    guesses = [fill_mask(m, tokenizer, "the [MASK] is here .") for m in (model, model.to(device))]
    assert [guess.token for guess in guesses[0][0]] == [guess.token for guess in guesses[1][0]]
    for newest in sorted((run / "checkpoints").iterdir())[1:]:
        (newest / "state.json").unlink()  # as if it had been cut off before its end
    code, _, err = bertlib("pretrain", "--resume", run, "--quiet")
    assert code == 0, err
    assert sorted(path.name for path in (run / "checkpoints").iterdir()) == ["step-00000003", "step-00000006"]


def test_a_model_is_trained_and_shipped(texts, tmp_path, device) -> None:
    ship_run.main(
        f"{texts} --preset tiny --steps 3 --batch-size 8 --vocab-size 400 --device {device} "
        f"--run {tmp_path / 'run'} --out {tmp_path / 'out'}".split()
    )
    card = json.loads((tmp_path / "out" / "mini-books" / "card.json").read_text())
    assert card["phases"][-1]["precision"] == "bf16"
    assert np.isfinite(card["held_out"]["mlm_loss"])


def test_the_quick_comparison_and_each_at_its_best(device) -> None:
    pytest.importorskip("transformers")
    cell = Cell(preset="tiny", vocab_size=300, batch_size=4, max_length=16, device=str(device), matmul="high")
    found = bench_pretraining(cell, rounds=1, steps=1)
    assert all(
        side.first_loss == pytest.approx(6.4, abs=0.5) for side in found.sides.values()
    )  # ln 300 + ln 2
    best = bench_best_batch(cell, rounds=1, most=256)
    assert set(best.sides) == {TRAINER, OUR_TRAINER}
    assert best.sides[OUR_TRAINER].ratios[TRAINER].median > 0
    json.dumps(best.to_dict())
    assert measure_here(OUR_TRAINER, cell) > 0


@pytest.mark.parametrize("extra", [name for name in EXTRAS if name != "compile"])
def test_what_the_ablation_adds(gpu, extra) -> None:
    cell = Cell(preset="tiny", vocab_size=300, batch_size=4, max_length=16, device=str(gpu))
    step = variant_step(cell, Data(cell).batch, TRICKS, extra=extra)
    losses = [float(step()) for _ in range(4)]
    assert all(np.isfinite(losses))


def test_fine_tuning_and_verdicts(body, tokenizer, device) -> None:
    pytest.importorskip("sklearn")
    examples = [TextExample(t, label="early") for t in letters(40, LETTERS[:13])]
    examples += [TextExample(t, label="late") for t in letters(40, LETTERS[13:])]
    task = task_of(examples, Columns())
    recipe = FineTuning(epochs=3, learning_rate=2e-3, batch_size=16, max_length=16)
    tuned = fine_tune(task, body, tokenizer, examples, examples[::4], recipe, device=device, progress=False)
    assert next(tuned.model.parameters()).device.type == device.type
    assert tuned.best.scores[task.best] > 0.9
    there = predict(tuned.model, task, tokenizer, examples, max_length=16)
    here = predict(tuned.model.cpu(), task, tokenizer, examples, max_length=16)
    assert np.mean([a == b for a, b in zip(there, here, strict=True)]) > 0.97  # a draw may fall either way


def test_search(body, tokenizer, device) -> None:
    passages = [Passage(text, "file", n, n) for n, text in enumerate(letters(50, LETTERS), start=1)]
    here = SentenceEncoder(body, tokenizer)
    right, name = here.encode([passage.text for passage in passages]), here.fingerprint()
    there = here.to(device)
    assert there.fingerprint() == name
    index = build_index(there, passages, progress=False)
    assert index.vectors == pytest.approx(right, abs=1e-4)  # of length 1
    found = index.search(there.encode([passages[7].text]), top=3)
    assert found.numbers[0, 0] == 7
    pairs = [SentencePair(text, text + " " + text[:1]) for text in letters(32, LETTERS)]
    recipe = SentenceTraining(epochs=4, batch_size=16, learning_rate=1e-3)
    losses = train_sentences(there, pairs, loss=InBatchNegatives(), recipe=recipe, progress=False)
    assert np.mean(losses[-2:]) < np.mean(losses[:2])


def test_a_relative_that_draws_words(make_model, make_batches, device) -> None:
    config = make_model().config
    torch.manual_seed(0)
    losses = pretrain_electra(Electra(config).to(device), make_batches(pairs="none"), steps=3)
    assert all(torch.isfinite(loss).all() for loss in losses)


def test_the_same_model_in_the_other_library(make_model, make_batches, device) -> None:
    pytest.importorskip("transformers")
    from bertlib.interop import to_transformers

    batch, model = make_batches().batch(0), make_model(device).eval()
    inputs = (batch.input_ids, batch.attention_mask, batch.token_type_ids)
    theirs = to_transformers(model).to(device).eval()
    with torch.no_grad():
        got, right = model(*inputs).prediction_logits, theirs(*inputs).prediction_logits
    assert ((got - right).norm() / right.norm()).item() < 1e-3
