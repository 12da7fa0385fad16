"""The meter's share of the peak; the rate itself is tested with the trainer's other parts."""

import pytest
import torch

from bertlib.config import BertConfig
from bertlib.flops import flops_per_token
from bertlib.peak import peak_rate
from bertlib.recipes import Recipe
from bertlib.train.meter import Meter, Work

TINY = BertConfig.from_preset("tiny", vocab_size=300)


def test_without_work_no_share_is_claimed():
    meter = Meter(100)
    assert meter.share_of_peak(1e6) is None
    assert meter.share_name == "share of peak"


def test_share_is_that_of_the_machine_and_its_measurement_does_not_count(monkeypatch):
    work = Work(TINY, length=32, selected=0.15, device=torch.device("cpu"), devices=2)
    meter = Meter(100, work=work)
    possible = 2 * peak_rate("cpu").flops_per_s / flops_per_token(TINY, length=32)
    before = meter.mark
    assert meter.share_of_peak(possible / 2) == pytest.approx(0.5)
    assert meter.mark > before  # the time it took was taken out


def test_a_share_on_a_gpu_is_called_mfu():
    work = Work(TINY, length=32, selected=0.15, device=torch.device("cuda"))
    assert Meter(100, work=work).share_name == "mfu"


def test_a_reading_is_the_same_in_words_and_in_numbers():
    recipe = Recipe.for_preset("tiny", batch_size=4, max_length=32)
    meter = Meter.of_run(TINY, recipe.batch_config(), torch.device("cpu"), "fp32", 1)
    meter.mark -= 1.0  # a second ago
    meter.count()
    words, numbers = meter.reading()
    assert numbers.keys() == {"tokens_per_s", "seconds", "share_of_peak"}
    assert numbers["tokens_per_s"] == pytest.approx(4 * 32, rel=0.2)
    assert words == f"{numbers['tokens_per_s']} tokens/s, share of peak {numbers['share_of_peak']:.0%}"
