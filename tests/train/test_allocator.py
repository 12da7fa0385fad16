import resource
import sys

import pytest
import torch

from bertlib.train import allocator
from bertlib.train.allocator import kept_memory

HAS_GLIBC = sys.platform.startswith("linux") and allocator._mallopt() is not None


def page_faults(rounds=3):
    torch.zeros(30_000_000)  # 120 MB; a Mini's word scores take 75
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(rounds):
        torch.zeros(30_000_000)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.skipif(not HAS_GLIBC, reason="needs the GNU C library")
def test_the_same_memory_serves_again():
    usual = page_faults()
    with kept_memory() as made:
        kept = page_faults()
    assert made
    assert kept < usual / 10
    assert page_faults() > usual / 2  # set back


def test_it_can_be_left_out():
    with kept_memory(False) as made:
        assert not made


def test_other_systems_are_left_alone(monkeypatch):
    monkeypatch.setattr(allocator, "_mallopt", lambda: None)
    with kept_memory() as made:
        assert not made
