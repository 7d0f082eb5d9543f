"""Independent runs in other processes: order, one BLAS thread, errors."""
import math
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from optim.parallel import THREADS, run_all


def test_results_keep_the_order_of_the_calls():
    calls = [(2.0, k) for k in range(7)]
    expected = [2.0**k for k in range(7)]
    lines = []
    assert run_all(math.pow, calls, jobs=3, progress=lambda *line: lines.append(line)) == expected
    assert len(lines) == 7 and lines[-1][0].startswith("7 of 7 runs, ") and lines[-1][1] == 1.0
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


SCRIPT = textwrap.dedent("""
    import signal, sys, threading, time
    from optim.parallel import run_all

    def rest(path):
        open(path, "w").close()
        time.sleep(30)

    if __name__ == "__main__":
        signal.signal(signal.SIGINT, signal.default_int_handler)    # a shell's background job ignores it
        threading.Thread(target=time.sleep, args=(30,), daemon=True).start()    # as BLAS and CUDA do
        try:
            open(sys.argv[1] + "nearly", "w").close()
            run_all(rest, [(sys.argv[1] + str(i),) for i in range(3)], jobs=2)
        except KeyboardInterrupt as stop:
            print("stopped", repr(str(stop)))
""")


def start(tmp_path):
    """The script in a process of its own, and in a group of its own."""
    (tmp_path / "script.py").write_text(SCRIPT)
    return subprocess.Popen([sys.executable, tmp_path / "script.py", tmp_path / "begun"],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            start_new_session=True,
                            env={**os.environ, "PYTHONPATH": os.pathsep.join(
                                [os.getcwd(), os.environ.get("PYTHONPATH", "")])})


def begin(tmp_path):
    """... once both workers are at work."""
    process = start(tmp_path)
    deadline = time.monotonic() + 20
    while not (tmp_path / "begun1").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    return process


def test_ctrl_c_stops_the_workers_without_noise(tmp_path):
    """As a terminal does it: the signal goes to the whole group of processes."""
    process = begin(tmp_path)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (out, err) == ("stopped ''\n", "")
    assert not (tmp_path / "begun2").exists()


def children(pid):
    """Processes that have `pid` as an ancestor, and live."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as file:
                    state, parent = file.read().rpartition(")")[2].split()[:2]
            except OSError:
                continue
            if state != "Z":
                parents[int(entry)] = int(parent)
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def is_worker(pid):
    """Not what an import or the system of processes starts for its own ends."""
    try:
        with open(f"/proc/{pid}/cmdline") as file:
            return "spawn_main" in file.read()
    except OSError:
        return False


def alive(pids):
    still = set()
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] != "Z":
                    still.add(pid)
        except OSError:
            pass
    return still


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks for processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_no_worker_is_left_three_seconds_after_the_parent_was_told_to_end(tmp_path, number):
    """The signal goes to the parent alone."""
    process = begin(tmp_path)
    workers = children(process.pid)
    assert len(workers) >= 2
    os.kill(process.pid, number)
    sent = time.monotonic()
    out, err = process.communicate(timeout=20)
    while alive(workers) and time.monotonic() < sent + 3.0:
        time.sleep(0.02)
    assert not alive(workers)
    assert time.monotonic() < sent + 3.0
    assert out == ("stopped ''\n" if number == signal.SIGINT else "")
    assert "Traceback" not in err                   # the system may say what it cleaned up


def test_ctrl_c_while_the_workers_still_import(tmp_path):
    process = start(tmp_path)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (
            (tmp_path / "begunnearly").exists() and any(map(is_worker, children(process.pid)))):
        time.sleep(0.005)                               # an import may have children of its own
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)          # two workers' imports: CuPy's take seconds
    assert out == "stopped ''\n" and err == ""
