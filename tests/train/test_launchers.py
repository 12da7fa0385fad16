"""The real command under torchrun and accelerate: one process or two, shared-out weights or not, one result."""

import json
import os
import socket
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file

from bertlib.data.story import write_corpus
from bertlib.recipes import Recipe
from bertlib.request import Request

STEPS = 10
TORCHRUN = ["torch.distributed.run", "--standalone", "--nproc_per_node=2", "-m"]
# "--cpu" would start one process only: accelerate leaves several CPUs to MPI
ACCELERATE = ["accelerate.commands.launch", "--multi_gpu", "--num_processes=2", "-m"]


def node(number, port):
    """One of two machines, each with one process."""
    where = ["--nnodes=2", f"--node_rank={number}", "--master_addr=127.0.0.1", f"--master_port={port}"]
    return ["torch.distributed.run", *where, "--nproc_per_node=1", "-m"]


def run(folder, text, *launchers, **changes):
    recipe = Recipe.for_preset(
        "tiny", story=True, vocab_size=200, batch_size=64, max_length=16, positions=32, steps=STEPS,
        save_every=STEPS // 2, log_every=1, eval_batches=2, **changes,
    )  # fmt: skip
    request = Request(out=folder, recipe=recipe, sources=(str(text),), device="cpu")
    folder.mkdir(exist_ok=True)
    if not (folder / "run.json").exists():
        request.save()
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    started = [
        subprocess.Popen(
            [sys.executable, "-m", *launcher, "bertlib", "pretrain", "--quiet", "--resume", str(folder)],
            stderr=subprocess.PIPE, text=True, env=environment,
        )
        for launcher in launchers or [()]
    ]  # fmt: skip
    for process in started:
        message = process.communicate(timeout=400)[1]
        assert process.returncode == 0, message[-3000:]


def losses(folder):
    lines = map(json.loads, (folder / "log.jsonl").read_text().splitlines())
    return [line["loss"] for line in lines if line["event"] == "train"]


def weights(folder, step=STEPS):
    path = folder / "checkpoints" / f"step-{step:08d}"
    return load_file(path / "model.safetensors") | load_file(path / "optimizer.safetensors")


def processes(folder):
    state = (folder / "checkpoints" / f"step-{STEPS:08d}" / "state.json").read_text()
    return json.loads(state)["settings"]["processes"]["number"]


def assert_same(ours, theirs):
    assert losses(ours) == pytest.approx(losses(theirs), abs=1e-5)
    assert len(losses(ours)) == STEPS
    assert weights(ours).keys() == weights(theirs).keys()
    for name, value in weights(theirs).items():
        assert value.shape == weights(ours)[name].shape, name
        assert torch.allclose(weights(ours)[name], value, atol=2e-4), name
    model = load_file(ours / "model" / "model.safetensors")
    for name, value in load_file(theirs / "model" / "model.safetensors").items():
        assert torch.allclose(model[name], value, atol=2e-4), name


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("text") / "stories.txt", megabytes=0.1, seed=0)


@pytest.fixture(scope="module")
def alone(text, tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone")
    run(folder, text)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("launcher", [TORCHRUN, ACCELERATE], ids=["torchrun", "accelerate"])
def test_one_times_64_is_two_times_32(launcher, text, alone, tmp_path):
    run(tmp_path, text, launcher)
    assert processes(tmp_path) == 2
    assert_same(tmp_path, alone)


@pytest.mark.slow
def test_shared_out_weights_learn_the_same_and_go_on_the_same(text, alone, tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    run(whole, text, TORCHRUN, fsdp=True)
    assert processes(whole) == 2
    assert_same(whole, alone)
    # as if it had been stopped half-way: back to step 5, read a whole checkpoint into shared-out weights
    whole.rename(cut)
    expected = weights(cut), losses(cut)
    for path in (cut / "checkpoints").glob(f"step-{STEPS:08d}"):
        path.rename(tmp_path / "aside")
    run(cut, text, TORCHRUN, fsdp=True)
    assert losses(cut) == pytest.approx(expected[1], abs=1e-6)
    for name, value in expected[0].items():
        assert torch.equal(weights(cut)[name], value), name


@pytest.mark.slow
def test_two_machines_that_nobody_asks_about_pairs(text, tmp_path):
    """Without that question a part of the model gets no gradient; nobody must wait for one."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    run(tmp_path, text, node(0, port), node(1, port), nsp=False, accumulation=2)
    assert processes(tmp_path) == 2
    assert len(losses(tmp_path)) == STEPS
