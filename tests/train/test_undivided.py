"""Ctrl-C waits for the end of a step, and is not forgotten."""

import signal
import threading

import pytest

from bertlib.train.undivided import undivided


def test_ctrl_c_is_heard_at_the_end_and_the_handler_is_set_back():
    before, done = signal.getsignal(signal.SIGINT), []
    with pytest.raises(KeyboardInterrupt), undivided():
        done += [signal.raise_signal(signal.SIGINT), "the rest of the step"]
    assert done == [None, "the rest of the step"]
    assert signal.getsignal(signal.SIGINT) == before
    with undivided():
        done.append("nothing is left over")
    assert len(done) == 3


def test_a_second_time_it_does_not_wait():
    done = []
    with pytest.raises(KeyboardInterrupt), undivided():
        done += [signal.raise_signal(signal.SIGINT) for _ in range(2)] + ["never reached"]
    assert done == []


def test_an_error_of_the_block_stays_what_it_is():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(RuntimeError, match="no such kernel"), undivided():
        raise RuntimeError("no such kernel")
    assert signal.getsignal(signal.SIGINT) == before


def test_who_ignores_ctrl_c_goes_on_ignoring_it():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with undivided():
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_in_another_thread_there_are_no_signals_to_wait_for():
    done = []

    def work():
        with undivided():
            done.append(threading.current_thread().name)

    thread = threading.Thread(target=work, name="beside")
    thread.start()
    thread.join()
    assert done == ["beside"]


def test_a_block_that_fails_does_not_swallow_ctrl_c():
    def step():
        signal.raise_signal(signal.SIGINT)
        raise RuntimeError("out of memory")

    with pytest.raises(KeyboardInterrupt), undivided():
        step()


def test_who_ignores_ctrl_c_ignores_the_second_too():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with undivided():
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
