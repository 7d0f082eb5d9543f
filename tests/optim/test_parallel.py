"""Independent runs in other processes: order, one BLAS thread, errors."""
import math
import os

import pytest

from optim.parallel import THREADS, run_all


def test_results_keep_the_order_of_the_calls():
    calls = [(2.0, k) for k in range(7)]
    expected = [2.0**k for k in range(7)]
    lines = []
    assert run_all(math.pow, calls, jobs=3, progress=lines.append) == expected
    assert len(lines) == 7 and lines[-1].startswith("7/7 runs, ")
    assert run_all(math.pow, calls, jobs=1) == expected
    assert run_all(math.pow, []) == []


def test_workers_have_one_blas_thread_and_this_process_is_left_alone(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    assert run_all(os.getenv, [(name,) for name in THREADS], jobs=1) == ["1", "1", "1"]
    assert os.environ["OMP_NUM_THREADS"] == "7" and "MKL_NUM_THREADS" not in os.environ


def test_an_error_says_which_run():
    with pytest.raises(ValueError, match=r"run 2 of 3"):
        run_all(math.sqrt, [(1.0,), (-1.0,), (4.0,)], jobs=1)


def test_a_worker_that_dies():
    with pytest.raises(RuntimeError, match=r"a worker process died .*Use fewer jobs"):
        run_all(os._exit, [(1,)], jobs=1)


@pytest.mark.parametrize("jobs", [0, -1, 1.5, True])
def test_jobs_is_a_positive_number(jobs):
    with pytest.raises(ValueError, match="jobs must be a whole number >= 1"):
        run_all(math.sqrt, [(1.0,)], jobs=jobs)
