"""Runs that are killed again and again end with the bits of one that was left in peace."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks its victims")


def soak(folder, **options):
    words = [f"--{name}={value}" for name, value in options.items()]
    command = [sys.executable, str(ROOT / "tests" / "train" / "soak.py"), str(folder), *words]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    print(done.stdout)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_killed_three_times(tmp_path):
    told = soak(tmp_path, kills=3, commands=1, steps=45)
    assert told["kills"] == 3


@pytest.mark.soak
def test_killed_fifty_times(tmp_path):
    told = soak(tmp_path, kills=50, commands=5, steps=1000)
    assert told["kills"] == 50
    assert told["commands"] >= 3
    assert told["in_a_save"] >= 3
    assert told["before_training"] >= 1
