import os
import subprocess
import sys
import textwrap

import pytest

from bertlib.train import allocator
from bertlib.train.allocator import kept_memory

# Another malloc in its place (LD_PRELOAD) does not listen.
HAS_GLIBC = (
    sys.platform.startswith("linux") and allocator._mallopt() is not None and not os.environ.get("LD_PRELOAD")
)

# In a process of its own: what other tests have left on the heap would serve these tensors too.
MEASURE = """
    import resource
    import torch
    from bertlib.train.allocator import kept_memory

    def page_faults(cells, rounds=6):
        torch.zeros(cells)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(rounds):
            torch.zeros(cells)
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    cells = 30_000_000  # 120 MB; a Mini's word scores take 75
    usual = page_faults(cells)
    with kept_memory() as made:
        kept = page_faults(cells)
    print(int(made), usual, kept, page_faults(2 * cells))  # larger than what may still lie about
"""


@pytest.mark.skipif(not HAS_GLIBC, reason="needs the GNU C library's own malloc")
def test_the_same_memory_serves_again():
    command = [sys.executable, "-c", textwrap.dedent(MEASURE)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    made, usual, kept, after = map(int, done.stdout.split())
    assert made
    assert kept < usual / 2  # the first of them may still find no room
    assert after > usual  # set back


def test_it_can_be_left_out():
    with kept_memory(False) as made:
        assert not made


def test_other_systems_are_left_alone(monkeypatch):
    monkeypatch.setattr(allocator, "_mallopt", lambda: None)
    with kept_memory() as made:
        assert not made
