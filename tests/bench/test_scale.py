"""The bill of a large pre-training: the page shows what the command prints, and the sums are right."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bertlib.bench.scale import (
    BYTES_PER_SENTENCE,
    BYTES_PER_TOKEN,
    Undertaking,
    count_text,
    hours_table,
    needs_table,
)
from bertlib.errors import ConfigError

PAGE = (Path(__file__).parents[2] / "book" / "beyond-one-machine.md").read_text(encoding="utf-8")
PLANS = [Undertaking(preset="base"), Undertaking(preset="large")]
BASE, H200, A100 = PLANS[0], "NVIDIA H200", "NVIDIA A100-SXM4-80GB"


def test_the_page_shows_what_the_command_prints():
    tables = re.findall(r"(?:^\|.*\n)+", PAGE, re.M)
    assert [table.splitlines() for table in tables] == [needs_table(PLANS), hours_table(PLANS)]


def test_the_page_says_what_its_tables_say():
    text = " ".join(PAGE.split())
    one, eight, many = (f"{BASE.hours(H200, count):.1f} hours" for count in (1, 8, 64))
    assert f"eight cards, sixty-four cards: {one}, {eight}, {many}." in text
    assert BASE.hours(H200, 8) < BASE.hours(H200, 64)
    assert f"done with them in {BASE.arithmetic_seconds(H200, 64) * 1e3:.1f} ms" in text
    assert f"waits {BASE.exchange_seconds(H200, 64) * 1e3:.1f} ms" in text
    energy = [f"{BASE.kilowatt_hours(H200, count):.0f}" for count in (64, 8)]
    assert f"{energy[0]} kWh for the same BERT that eight cards make for {energy[1]}." in text
    state = 16 * PLANS[1].parameters / 1e9
    assert f"Large drops from {state:.1f} to {state / 8:.1f} GB a card" in text
    assert f"A word piece is {BYTES_PER_TOKEN} bytes" in text
    assert f"{BYTES_PER_SENTENCE:.0f} bytes of text to a sentence" in text
    assert "about 92 bytes a sentence" in text
    assert 11.5e9 < 92 * BASE.text_gb * 1e9 / BYTES_PER_SENTENCE < 12.5e9  # "about twelve gigabytes"


def test_published_sizes():
    """Devlin et al. 2019, section 3: 110 million and 340 million parameters."""
    assert [round(plan.parameters / 1e6, -1) for plan in PLANS] == [110, 340]


def test_hours_are_operations_over_peak_and_share():
    by_hand = 256 * 128 * 1e6 * (BASE.flops / BASE.positions) / (989e12 * 0.4) / 3600
    assert BASE.hours(H200, 1) == pytest.approx(by_hand)
    assert BASE.hours(H200, 8) == pytest.approx(by_hand / 8)
    assert replace(BASE, share=0.2).hours(A100, 1) == pytest.approx(by_hand * 2 * 989 / 312)
    assert BASE.exchange_seconds(H200, 1) == 0
    assert BASE.exchange_seconds(H200, 64) == pytest.approx(2 * 63 / 64 * 4 * BASE.parameters / 50e9)
    assert BASE.hours(H200, 64) * 3.6 == pytest.approx(1e3 * BASE.exchange_seconds(H200, 64))


def test_a_longer_text_is_more_to_store_and_not_more_to_compute():
    double = replace(BASE, text_gb=2 * BASE.text_gb)
    assert double.corpus_bytes == 2 * BASE.corpus_bytes
    assert double.flops == BASE.flops
    assert BASE.corpus_bytes == pytest.approx(16e9 * (2 / BYTES_PER_TOKEN + 8 / BYTES_PER_SENTENCE))


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ConfigError, match="share of the peak is 40"):
        Undertaking(share=40)
    with pytest.raises(ConfigError, match="no published peak is known for 'Abacus'"):
        BASE.hours("Abacus", 1)


def test_the_plan_of_an_epoch_is_measured():
    command = [sys.executable, "-m", "bertlib.bench.scale", "--plan", "300000"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    found = re.fullmatch(
        r"300,000 sentences: (-?\d+) bytes of each are kept, (\d+) are needed at the peak\n", done.stdout
    )
    assert found, done.stderr
    assert int(found[2]) == pytest.approx(92, rel=0.35)  # small plans pay a little more


@pytest.mark.data
def test_bytes_per_word_piece_are_those_of_real_text():
    data = Path(os.environ.get("BERTLIB_DATA", Path(__file__).parents[3] / "shared" / "data"))
    file = data / "pretrain_wiki_en" / "valid.txt.xz"
    if not file.exists():
        pytest.skip("no public corpora beside the checkout")
    found = count_text([str(file)], vocab_size=8_192, sample_mb=1)
    assert found.text_bytes / found.tokens == pytest.approx(BYTES_PER_TOKEN, rel=0.1)
    assert found.text_bytes / found.sentences == pytest.approx(BYTES_PER_SENTENCE, rel=0.2)
