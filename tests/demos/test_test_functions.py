"""The grid of the induced metric: end-to-end numbers, the tables' logic, the demo itself."""

import json
import subprocess
import sys

import numpy as np
import pytest

from demos.induced_metric.test_functions import tables
from demos.induced_metric.test_functions.grid import (
    OPTIMIZERS, TASKS, carry_out, configurations, distinct_configurations, own_optimizer, own_runs,
    run_cell)
from optim import SGD, grid
from optim.sweep import Runs, best

# Settings, updates and last height from the published start; none changes when it moves by 1e-12.
ROBUST = [
    ("ackley", "log", (10, 0, 10), 10, 2.199e-11), ("rastrigin", "log", (10, .5, 1), 17, 1.742e-7),
    ("beale", "log", (.1, .5, .01), 55, 8.884e-8),
    ("himmelblau", "log", (10, .1, 10), 13, 7.303e-7),
    ("beale", "plain", (.1, .5, .01), 186, 9.457e-8),
    ("rosenbrock", "plain", (.01, .99, .1), 203, 5.522e-8),
    ("himmelblau", "plain", (.01, .5, .01), 197, 8.712e-7),
    ("himmelblau", "rms", (10, 0, .01, .85), 19, 8.075e-7),
    ("beale", "SGD", (.01, .9), 166, 9.20e-8), ("rosenbrock", "SGD", (.001, .99), 732, 5.36e-8),
    ("himmelblau", "SGD", (.01, .25), 18, 3.69e-8), ("rastrigin", "SGD", (1, .5), 2, 0.0),
    ("himmelblau", "Adam", (10, 0, .8), 10, 1.87e-7),
    ("beale", "NAdam", (1, .9, .99), 100, 2.64e-8),
    ("rastrigin", "NAdam", (1, .99, .99), 14, 4.78e-8),
]


@pytest.mark.parametrize("function, optimizer, settings, updates, height", ROBUST)
def test_best_configuration_of_a_robust_cell(function, optimizer, settings, updates, height):
    grids = OPTIMIZERS[optimizer][1]
    i = np.flatnonzero(np.logical_and.reduce(
        [np.isclose(grids[name], value) for name, value in zip(grids, settings)]))[0]
    runs, _ = run_cell(function, optimizer, [TASKS[function][0]], only=int(i))
    assert runs.updates[0, 0] == updates
    assert runs.values[0, 0] == pytest.approx(height, rel=2e-3, abs=0.0)


def test_the_grid_has_17640_runs():
    sizes = {o: configurations(o) for o in OPTIMIZERS}
    assert sizes == {"log": 288, "rms": 1440, "plain": 288, "Adam": 360, "NAdam": 1080, "SGD": 72}
    assert sum(sizes.values()) * len(TASKS) == 17640
    assert sum(map(distinct_configurations, OPTIMIZERS)) * len(TASKS) == 12480


@pytest.mark.parametrize("function, count", [("beale", 38), ("himmelblau", 53), ("ackley", 13)])
def test_counts_and_best_of_the_log_grid(function, count):
    runs, _ = run_cell(function, "log", [TASKS[function][0]])
    assert (runs.updates > 0).sum() == pytest.approx(count, abs=3)      # its chaotic part
    published = tables.PUBLISHED["best"]["cells"][function]["log"]
    assert runs.updates[0, best(runs)] == published[0]


def test_published_numbers_are_consistent():
    """Totals printed beside the table: 892 arrivals, and the mean updates over solved functions."""
    cells = tables.PUBLISHED["converged"]["cells"]
    assert sum(cells[o][f]["published"] for o in cells for f in TASKS) == 892
    for o, mean in {"log": 119.0, "NAdam": 137.5, "Adam": 156.7, "SGD": 229.5, "plain": 296.2,
                    "rms": 355.2}.items():
        solved = [u for u in (tables.PUBLISHED["best"]["cells"][f][o][0] for f in TASKS) if u]
        assert np.mean(solved) == pytest.approx(mean, abs=0.051)


def test_spread_of_moved_starts_in_a_few_letters():
    assert tables.spread([(58, 1e-8), (64, 1e-8)]) == "58-64"
    assert tables.spread([(58, 1e-8), (58, 2e-8)]) == "58"
    assert tables.spread([(580, 1e-8), (99, 1e-8), (None, 0.1)]) == "99-580 or none"
    assert tables.spread([(None, 0.02), (None, 0.3)]) == "f 0.02-0.3"


def test_result_names_none_when_nothing_arrives():
    runs = Runs(np.array([[0, 0], [3, 2]]), np.array([[0.5, 0.25], [1e-9, 1e-8]]))
    assert tables.result(runs) == (None, 0.25) and tables.result(runs, 1) == (2, 1e-8)


def test_two_processes_find_what_one_finds():
    work = {o: ("beale", o, [(0.0, 0.0), (1.0, 1.0)]) for o in ("SGD", "log")}
    said = []
    one, two = (carry_out(work, jobs, lambda *words: said.append(words)) for jobs in (1, 2))
    assert list(one) == list(two) == list(work) and len(said) == 4
    for o in work:
        for a, b in zip(one[o][0], two[o][0]):
            np.testing.assert_array_equal(a, b)


def in_a_process_of_its_own(*flags):
    """What the demo prints; its peak memory is then its own, not that of the tests before it."""
    done = subprocess.run([sys.executable, "-m", "demos", "test_functions", *flags],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def verdicts(found):
    """Of the claims that chaos cannot touch; and how many it can (or that can only fail)."""
    chaotic = ("Counts of arriving", "Shifted-loss counts", "No share")
    sure = [c["verdict"] for c in found["claims"] if not c["claim"].startswith(chaotic)]
    return sure, len(found["claims"]) - len(sure)


@pytest.mark.slow
def test_quick_demo(tmp_path):
    printed = in_a_process_of_its_own("--quick", "--out", str(tmp_path))
    found = json.loads((tmp_path / "test_functions.json").read_text())
    assert (tmp_path / "test_functions.png").stat().st_size > 50_000
    assert verdicts(found) == (["holds"] * 4, 1)
    assert found["data"]["grid"]["runs"] == 17640
    assert found["peak_memory_mb"] < 500
    assert max(map(len, printed.splitlines())) <= max(80, len(str(tmp_path)) + 30)
    assert "ackley     log          10 2.20e-11   10 2.20e-11 robust" in printed


@pytest.mark.slow
def test_default_demo(tmp_path):
    in_a_process_of_its_own("--out", str(tmp_path))
    found = json.loads((tmp_path / "test_functions.json").read_text())
    assert (tmp_path / "test_functions_starts.png").stat().st_size > 50_000
    assert verdicts(found) == (["holds"] * 6, 3)
    assert found["data"]["robust"] >= 15 and found["data"]["grid"]["distinct"] == 12480
    assert found["peak_memory_mb"] < 500


def test_an_optimizer_of_ones_own_joins_the_table(tmp_path):
    """Ten lines in a file; the heavy ball written there does what SGD does, row by row."""
    file = tmp_path / "ball.py"
    file.write_text('''
from minigrad.backend import xp
from optim import Optimizer, grid

class build(Optimizer):
    def __init__(self, lr, mu):
        self.configure(lr=lr, mu=mu)
    def init(self, theta):
        return {**super().init(theta), "v": xp.zeros_like(theta)}
    def update(self, g, loss, theta, state):
        t, lr = self.tick(state)
        state["v"] *= self.mu
        state["v"] += g
        return -lr * state["v"], state

settings = grid(lr=[1e-3, 1e-2], mu=[0.0, 0.9])
''')
    name, build, settings = own_optimizer(file)
    own = own_runs(build, settings)
    same = own_runs(SGD, grid(lr=[1e-3, 1e-2], momentum=[0.0, 0.9]))
    assert name == "ball" and set(own) == set(TASKS)
    for f in TASKS:
        np.testing.assert_array_equal(own[f].updates, same[f].updates)
    with pytest.raises(ValueError, match="--own .*nothing.py: there is no such file"):
        own_optimizer(tmp_path / "nothing.py")
    (tmp_path / "empty.py").write_text("settings = 3")
    with pytest.raises(ValueError, match="--own .*empty.py: needs build.*and settings"):
        own_optimizer(tmp_path / "empty.py")
