import os
import signal
import subprocess
import sys
import textwrap

import pytest

from bertlib.errors import CheckpointError
from bertlib.lock import sole_user

HOLD = """
    import sys, time
    from pathlib import Path
    from bertlib.lock import sole_user
    with sole_user(Path(sys.argv[1])):
        print("mine", flush=True)
        time.sleep(60)
"""


def hold(folder):
    command = [sys.executable, "-c", textwrap.dedent(HOLD), str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_second_process_is_told_who_has_the_folder(tmp_path):
    holder = hold(tmp_path)
    try:
        assert holder.stdout.readline() == "mine\n"
        with pytest.raises(CheckpointError, match=rf"another process \(number {holder.pid} on .*--out"):
            sole_user(tmp_path).__enter__()
        with sole_user(tmp_path, "training"):
            pass  # another part is another lock
    finally:
        holder.kill()
        holder.communicate()


def test_kill_9_releases_it(tmp_path):
    holder = hold(tmp_path)
    assert holder.stdout.readline() == "mine\n"
    os.kill(holder.pid, signal.SIGKILL)
    holder.communicate()
    with sole_user(tmp_path):
        assert (tmp_path / ".run.lock").read_text().startswith(f"{os.getpid()} on ")


def test_of_two_that_start_at_the_same_moment_one_is_refused(tmp_path):
    both = [hold(tmp_path / "new"), hold(tmp_path / "new")]
    try:
        first = [process.stdout.readline() for process in both]  # the loser ends, which ends its output
        assert sorted(first) == ["", "mine\n"]
        loser = both[first.index("")]
        assert "is at work in" in loser.communicate()[1]
    finally:
        for process in both:
            process.kill()
            process.communicate()


def test_it_is_released_at_the_end_of_the_block_and_after_an_error(tmp_path):
    with pytest.raises(RuntimeError), sole_user(tmp_path):
        raise RuntimeError
    with sole_user(tmp_path):
        pass
