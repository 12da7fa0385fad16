"""Kill a run with ``kill -9`` again and again, resume it each time, and compare it with one left in peace.

    python tests/train/soak.py FOLDER --kills 50 --commands 5

Most of the processes are forked from this one, which has torch loaded already, and call what ``bertlib
pretrain --resume`` calls; ``--commands`` of them are the real command. The moments are random: before
training (while the vocabulary is learned too), between steps, in the middle of a save.

Prints what it did as JSON; anything that is not as it should be is an AssertionError.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # threads would not survive the fork

import torch

from bertlib.data.story import write_corpus
from bertlib.pretrain import pretrain
from bertlib.recipes import Recipe
from bertlib.request import Request
from bertlib.train import newest_checkpoint, read_log

SAVE_EVERY, EVAL_EVERY = 3, 25


class Run:
    """One process that starts the run in a folder or goes on with it, and what it says."""

    def __init__(self, request: Request, *, command: bool) -> None:
        self.resume = (request.out / "run.json").exists()
        reader, writer = os.pipe()
        self.lines = os.fdopen(reader, encoding="utf-8")
        self.command = command and self.resume
        self.pid = self._command(request, writer) if self.command else self._fork(request, writer)
        os.close(writer)

    def _fork(self, request: Request, writer: int) -> int:
        pid = os.fork()
        if pid:
            return pid
        try:
            with os.fdopen(writer, "w", encoding="utf-8") as pipe:
                wanted = Request.load(request.out) if self.resume else request
                pretrain(
                    wanted,
                    resume=self.resume,
                    progress=False,
                    say=lambda line: print(line, file=pipe, flush=True),
                )
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)

    def _command(self, request: Request, writer: int) -> int:
        words = [sys.executable, "-m", "bertlib", "pretrain", "--resume", str(request.out)]
        return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=writer).pid

    def wait_for_training(self, limit: float) -> str | None:
        """Return the line with which training begins; None if it ended or took longer than ``limit`` seconds."""
        end = time.monotonic() + limit
        while (left := end - time.monotonic()) > 0:
            if not select.select([self.lines], [], [], left)[0]:
                return None
            line = self.lines.readline()
            if not line:
                return None
            if line.startswith("training a"):
                return line
        return None

    def kill(self) -> bool:
        """Kill it, whatever it does; return whether it was still there."""
        os.kill(self.pid, signal.SIGKILL)
        status = os.waitpid(self.pid, 0)[1]
        self.lines.close()
        return os.WIFSIGNALED(status)

    def finish(self) -> None:
        """Let it come to its end."""
        self.lines.read()
        assert os.waitpid(self.pid, 0)[1] == 0
        self.lines.close()


def last_step(out: Path) -> int:
    """Return the step of the newest whole checkpoint, 0 if there is none."""
    found = newest_checkpoint(out / "checkpoints")
    return found.step if found else 0


def logged(out: Path, event: str) -> list[dict]:
    """Return the events of one kind without what the clock decides."""
    path = out / "log.jsonl"
    events = [e for e in read_log(path) if e["event"] == event] if path.exists() else []
    timed = ("tokens_per_s", "seconds", "share_of_peak", "mfu")
    return [{key: value for key, value in e.items() if key not in timed} for e in events]


def kill_once(request: Request, *, command: bool, spare: float, dice: random.Random, told: Counter) -> None:
    """Start, wait a random time, kill, and look at what is left.

    Args:
        request: the run.
        command: through ``bertlib pretrain --resume``, once there is something to resume.
        spare: seconds of training that this process may have.
        dice: decide the moment.
        told: is counted up.
    """
    out, before = request.out, last_step(request.out)
    run = Run(request, command=command)
    early = dice.random() < 0.2
    line = run.wait_for_training(dice.uniform(0, 0.5) if early else 120)
    if line:
        assert (f"from step {before:,}" in line) == (before > 0), (line, before)
        time.sleep(dice.uniform(0, spare))
    assert run.kill(), "it ended before it could be killed: an error above, or too few --steps"
    after, trained = last_step(out), logged(out, "train")
    done = trained[-1]["step"] if trained else 0
    if line:  # else the log may still be that of the process before
        assert done - after <= 2 * SAVE_EVERY, (done, after)
    assert after >= before, "a checkpoint was lost"
    halves = list(out.glob("checkpoints/.step-*.tmp"))
    told.update(kills=1, commands=run.command, before_training=not line, in_a_save=bool(halves))
    told.update(steps_taken_again=max(done - after, 0))


def compare(out: Path, straight: Path, steps: int) -> None:
    """See that both runs ended with the same bits and wrote the same diary."""
    for file in (
        "model/model.safetensors",
        *(f"checkpoints/step-{steps:08d}/{x}.safetensors" for x in ("model", "optimizer")),
    ):
        assert (out / file).read_bytes() == (straight / file).read_bytes(), file
    assert [event["step"] for event in logged(out, "train")] == list(range(1, steps + 1))
    for kind in ("train", "valid"):
        assert logged(out, kind) == logged(straight, kind), kind
    assert not list(out.glob("checkpoints/.*")), "something half-written was left"


def soak(folder: Path, *, kills: int, commands: int, steps: int, seed: int) -> dict:
    """Do it all and return what was counted."""
    torch.set_num_threads(1)
    text, dice, told = (
        write_corpus(folder / "text.txt", megabytes=0.05, seed=0),
        random.Random(seed),
        Counter(),
    )
    recipe = Recipe.for_preset(
        "tiny", vocab_size=400, steps=steps, batch_size=8, max_length=32, dropout=0.1, log_every=1,
        save_every=SAVE_EVERY, eval_every=EVAL_EVERY, eval_batches=2,
    )  # fmt: skip
    straight, request = (
        Request(out=folder / name, recipe=recipe, sources=(str(text),)) for name in ("straight", "killed")
    )
    began = time.monotonic()
    peace = Run(straight, command=False)
    assert peace.wait_for_training(300)
    training = time.monotonic()
    peace.finish()
    a_step = (time.monotonic() - training) / steps
    with_command = set(dice.sample(range(1, kills), commands))
    for number in range(kills):
        left = steps - last_step(request.out)
        spare = left / (kills - number + 2) * a_step  # so that it lives until the last of them
        kill_once(request, command=number in with_command, spare=spare, dice=dice, told=told)
    last = Run(request, command=False)
    last.finish()
    compare(request.out, straight.out, steps)
    return dict(told) | {"steps": steps, "seed": seed, "seconds": round(time.monotonic() - began)}


def main() -> None:
    """Read the arguments, print the counts."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--commands", type=int, default=5)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    options = {key: value for key, value in vars(given).items() if key != "folder"}
    print(json.dumps(soak(given.folder, **options)))


if __name__ == "__main__":
    main()
