"""The exercise *train-step*: one optimiser step of pre-training, written by the reader."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from bertlib.data.batches import Batch
from bertlib.lab.exercise import Case, Exercise, flawed
from bertlib.lab.exercises.modules import STILL
from bertlib.model import BertForPreTraining

CONFIG = STILL.replace(vocab_size=40, max_position_embeddings=10)
STEPS = 3


def one_step(
    model: BertForPreTraining, optimizer: torch.optim.Optimizer, batch: Batch, *, flaw: str = ""
) -> Tensor:
    """Forward, two losses, backward, clip, step, forget; one of these goes wrong if ``flaw`` says so."""
    selected = torch.ones_like(batch.selected) if flaw == "everywhere" else batch.selected
    output = model(batch.input_ids, batch.attention_mask, batch.token_type_ids, selected=selected)
    loss = F.cross_entropy(output.prediction_logits, batch.original_ids[selected])
    if flaw != "words alone":
        loss = loss + F.cross_entropy(output.seq_relationship_logits, batch.next_sentence_label)
    loss.backward()
    if flaw != "no clip":
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    if flaw != "no step":
        optimizer.step()
    if flaw != "no reset":
        optimizer.zero_grad()
    return loss


def a_batch(seed: int, *, texts: int = 4, length: int = 10) -> Batch:
    """Return a batch of random ids in which two words a text are hidden."""
    generator = torch.Generator().manual_seed(seed)
    original = torch.randint(5, CONFIG.vocab_size, (texts, length), generator=generator)
    selected = torch.zeros(texts, length, dtype=torch.bool)
    selected[:, [2, 7]] = True
    segments = (torch.arange(length) >= length // 2).long().expand(texts, length)
    labels = torch.randint(0, 2, (texts,), generator=generator)
    return Batch(
        original.masked_fill(selected, 4), torch.ones_like(original), segments, original, selected, labels
    )


def run(step: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Take three steps with one model; return the losses and how far the parameters have come."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(arguments["seed"])
        model = BertForPreTraining(CONFIG)
    for parameter in model.parameters():
        parameter.data *= arguments["scale"]
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    losses = []
    for number in range(STEPS):
        loss = step(model, optimizer, a_batch(arguments["seed"] + number))
        if loss is None:
            return None
        losses.append(float(torch.as_tensor(loss).detach()))
    size = torch.stack([parameter.detach().norm() for parameter in model.parameters()]).norm()
    return losses, float(size)


TRAIN_STEP = Exercise(
    name="train-step",
    difficulty="medium",
    minutes=20,
    hint="Six lines: output = model(...) with selected=batch.selected; the loss of the hidden words against "
    "batch.labels plus that of the pairs against batch.next_sentence_label; backward; clip_grad_norm_ at "
    "1.0; optimizer.step(); optimizer.zero_grad(). Return the loss.",
    praise="That is all there is to it. A million of these, and you have BERT.",
    reference=one_step,
    cases=lambda: [
        Case("three steps of a very small BERT", {"seed": 1, "scale": 1.0}),
        Case(
            "the same with weights so large that the gradient has to be clipped",
            {"seed": 2, "scale": 30.0},
            because="A rare wild gradient can undo an hour of training. Cut its norm to 1 before the step.",
        ),
    ],
    run=run,
    returns=("losses", "size of the weights afterwards"),
    mistakes=flawed(
        one_step,
        {
            "no reset": "the gradients are never reset: each step also takes all earlier ones. It wants "
            "zero_grad().",
            "everywhere": "the loss is taken at every position. Only the selected ones are questions; the "
            "others stand there to be read.",
            "words alone": "the loss of the pairs is missing: total = words + pairs.",
            "no clip": "the gradient is not clipped.",
            "no step": "nothing was learned: optimizer.step() is missing.",
        },
    ),
)
