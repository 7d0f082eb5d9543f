"""Independent runs side by side: one process each, one BLAS thread each, answers in order.

A run is a function call whose arguments carry its seed, so where and when it is made cannot
change its result. Two things could: a BLAS that splits a product over another number of
threads sums in another order, and a forked process inherits whatever its parent had set up.
So every run is made in a fresh (spawned) process that is told to use one BLAS thread *before*
it imports NumPy, also when there is only one worker. Then `jobs=4` gives the bits of `jobs=1`.

No worker outlives its parent. Each watches a pipe whose other end only the parent holds: however
the parent ends, kill -9 included, the system closes that end. Ctrl-C is the parent's affair alone
(workers stand in groups of their own, which a terminal's Ctrl-C does not reach); it hands the
signal on, once, so that a training run can finish its step and save.
"""
import os
import signal
import threading
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, get_context, parent_process
from multiprocessing.connection import wait

from minigrad.arguments import count

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def run_all(function, calls, jobs=1, progress=None):
    """[function(*call) for call in calls], at most `jobs` at a time, in the order of `calls`.

    function   importable by name (a module's top-level function), for the workers import it
    calls      sequence of argument tuples, of things that can be sent to another process
    jobs       number of worker processes, >= 1
    progress   called as progress(text, fraction done) after each finished call

    Raises     what a call raised, with a note of which one; the calls not yet begun are dropped.
               After Ctrl-C, KeyboardInterrupt with what a worker had to say about it.
    """
    calls = list(calls)
    jobs = count("run_all", "jobs", jobs)
    results = [None] * len(calls)
    started = time.monotonic()
    others = set(active_children())
    with one_blas_thread():
        pool = ProcessPoolExecutor(max(1, min(jobs, len(calls))), mp_context=get_context("spawn"),
                                   initializer=begin_work)
        place = {}
        try:
            with ctrl_c_held():
                for i, call in enumerate(calls):
                    place[pool.submit(answer, function, call)] = i
            for done, future in enumerate(as_completed(place), start=1):
                results[place[future]] = result_of(future, place[future], len(calls))
                if progress is not None:
                    seconds = time.monotonic() - started
                    progress(f"{done} of {len(calls)} runs, {seconds:.0f} s", done / len(calls))
        except KeyboardInterrupt:
            stop(pool, set(active_children()) - others)
            raise KeyboardInterrupt(last_words(place)) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    return results


def stop(pool, workers):
    """Ctrl-C for the workers, and time to finish their step; a second Ctrl-C ends them at once."""
    for worker in workers:
        if worker.is_alive():
            os.kill(worker.pid, signal.SIGINT)
    try:
        pool.shutdown(wait=True, cancel_futures=True)
    except KeyboardInterrupt:
        for worker in workers:
            worker.kill()


@contextmanager
def ctrl_c_held():
    """Ctrl-C waits outside. Processes started inside begin with it held back, until `begin_work`
    lets it in; so none is hit while it still imports. Threads of BLAS or of CUDA do not hold it
    back: what they catch is kept until the end."""
    if not hasattr(signal, "pthread_sigmask"):      # Windows
        yield
        return
    heard, handler = [], signal.getsignal(signal.SIGINT)
    ours = handler is not None and threading.current_thread() is threading.main_thread()
    if ours:
        signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if ours:
            signal.signal(signal.SIGINT, handler)
        if heard:
            signal.raise_signal(signal.SIGINT)


# ---------------------------------------------------------------------- in a worker

interrupted = []                                    # not empty once a worker has heard Ctrl-C


def begin_work():
    """What a worker does first: watch its parent, leave its group, let Ctrl-C in."""
    threading.Thread(target=end_with_parent, daemon=True).start()
    if hasattr(os, "setpgrp"):
        os.setpgrp()
    note_ctrl_c()
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def end_with_parent():
    wait([parent_process().sentinel])
    os._exit(1)


def note_ctrl_c():
    """What a worker does about Ctrl-C between two calls: it will not begin another one."""
    signal.signal(signal.SIGINT, lambda number, frame: interrupted.append(number))


def answer(function, call):
    """function(*call) in a worker; a call that is under way is broken off by Ctrl-C as usual."""
    if interrupted:
        raise KeyboardInterrupt
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return function(*call)
    except KeyboardInterrupt:
        interrupted.append(signal.SIGINT)
        raise
    finally:
        note_ctrl_c()


# ---------------------------------------------------------------------- in the parent

def result_of(future, i, n):
    """The future's result, or its exception with a note that says which call it was."""
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise RuntimeError(f"run_all: a worker process died during {n} runs (out of memory, or "
                           "killed). Use fewer jobs.") from error
    except Exception as error:
        error.args = (f"{error} (run {i + 1} of {n})",)
        raise


def last_words(futures):
    """What the interrupted calls said, the first of them; "" if nothing."""
    stopped = [f.exception() for f in futures if f.done() and not f.cancelled()]
    return next((str(e) for e in stopped if isinstance(e, KeyboardInterrupt)), "")


@contextmanager
def one_blas_thread():
    """Processes started inside see a BLAS limited to one thread; this one is not changed."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
