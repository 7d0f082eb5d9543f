"""Runs that are broken off go on bit for bit; runs that are others are refused by name."""
import copy
import os
import signal
import sys
import time

import numpy as np
import pytest

import optim
from minigrad.backend import on_device, xp
from optim.training import Diverged, checkpoint
from optim.training.identity import Identity

sys.path.insert(0, os.path.dirname(__file__))
from runs_to_break import (OPTIMIZERS, PROBLEMS, Plain, Running, same, score, shuffled,  # noqa: E402
                           train)


class Crash(Exception):
    pass


def subclasses(kind):
    for sub in kind.__subclasses__():
        yield sub
        yield from subclasses(sub)


def test_every_optimizer_of_the_library_is_broken_off_here():
    public = {kind.__name__ for kind in subclasses(optim.Optimizer)
              if getattr(optim, kind.__name__, None) is kind and kind is not optim.ScalarRate}
    broken = {type(make(np.random.default_rng(0))).__name__ for make in OPTIMIZERS.values()}
    assert public <= broken, f"no run to break for {', '.join(sorted(public - broken))}"


@pytest.mark.parametrize("optimizer, problem", [
    *((name, "plain") for name in OPTIMIZERS),
    *((name, problem) for problem in PROBLEMS if problem != "plain"
      for name in ("Adam", "SAM", "Muon", "PerturbedSGD", "LBFGS"))])
def test_a_run_that_crashed_goes_on_bit_for_bit(tmp_path, optimizer, problem):
    """Broken off between two checkpoints in the middle of an epoch, twice; fresh objects each
    time, as in a new process."""
    settings = dict(epochs=4, evaluate_every=1, checkpoint_every=3)
    train(optimizer, problem, tmp_path / "whole.npz", **settings)
    for _ in range(2):                              # after steps 8 and 14; saved at 6 and 12
        calls = []

        def crash(theta):
            calls.append(theta)
            if len(calls) == 8:
                raise Crash
            return score(theta)

        with pytest.raises(Crash):
            train(optimizer, problem, tmp_path / "broken.npz", **{**settings, "evaluate": crash})
    run, made, posed, rng = train(optimizer, problem, tmp_path / "broken.npz", **settings)
    whole, broken = (checkpoint.load(tmp_path / f"{name}.npz") for name in ("whole", "broken"))
    assert whole["step"] == 16 and len(whole["history"]["loss"]) == 16
    for part in whole:
        assert part == "seconds" or same(whole[part], broken[part]), part
    if "Perturbed" in optimizer:
        assert made.rng is run.state["rng"] is rng
    if problem == "restless":
        assert posed.rng is rng
    if problem == "running statistics":
        assert posed.running["losses"] == whole["kept"]["problem.running"]["losses"] > 15


def test_a_generator_of_its_own_is_the_one_in_the_state_afterwards(tmp_path):
    def go(epochs):
        method = optim.PerturbedSGD(0.05, 0.1, np.random.default_rng(5))
        run = optim.train(Plain(), method, shuffled, rng=np.random.default_rng(7), epochs=epochs,
                          checkpoint=tmp_path / "a.npz", resume=True, progress=None)
        return run, method

    go(2)
    run, method = go(3)
    assert method.rng is run.state["rng"]
    (tmp_path / "a.npz").unlink()
    whole, _ = go(3)
    assert same(whole.theta, run.theta) and same(whole.state, run.state)


def test_a_generator_in_both_places_does_not_care_for_a_checkpoint(tmp_path):
    runs = [optim.train(Plain(), optim.PerturbedSGD(0.05, 0.1, rng), shuffled, rng=rng, epochs=3,
                        checkpoint=path, progress=None)
            for path in (None, tmp_path / "a.npz") for rng in [np.random.default_rng(7)]]
    assert same(runs[0].theta, runs[1].theta)


def test_generators_keep_their_children(tmp_path):
    rng = np.random.default_rng(3)
    rng.spawn(2)
    checkpoint.save(tmp_path / "a.npz", {"rng": rng})
    back = checkpoint.load(tmp_path / "a.npz")["rng"]
    assert back.spawn(1)[0].random() == rng.spawn(1)[0].random()


# ---------------------------------------------------------------------- another run

def go(path, seed=7, optimizer=None, problem=None, batches=shuffled, **settings):
    settings = {"epochs": 2, "resume": True, "progress": None, **settings}
    return optim.train(problem or Plain(), optimizer or optim.Adam(0.01), batches,
                       rng=np.random.default_rng(seed), checkpoint=path, **settings)


def others(rng):
    """`shuffled`, of other data."""
    for x, y in shuffled(rng):
        yield x + 1.0, y


def halves(rng):
    for x, y in shuffled(rng):
        yield x[:3], y[:3]


class Double(Plain):
    def start(self, rng):
        return super().start(rng).astype("float32")


KILLS = int(os.environ.get("MINIGRAD_KILLS", "20"))      # at random moments, in each set-up
FIXED = [(xp.ones((4, 3)), xp.zeros((4, 2))), (xp.zeros((4, 3)), xp.ones((4, 2)))]
ALIKE = [(xp.ones((4, 3)), xp.zeros((4, 2))), (xp.zeros((4, 3)), 2 * xp.ones((4, 2)))]
START = xp.ones(8)


@pytest.mark.parametrize("first, second, name", [
    ({}, {"optimizer": optim.SGD(0.01)}, "was made by Adam, not by SGD"),
    ({}, {"optimizer": optim.Adam(0.02)}, "optimizer.lr was 0.01, here it is 0.02"),
    ({}, {"optimizer": optim.Adam(0.01, beta1=0.8)}, "optimizer.beta1 was 0.9, here it is 0.8"),
    ({"optimizer": optim.SAM(optim.Adam(0.01))}, {"optimizer": optim.SAM(optim.SGD(0.01))},
     "optimizer.base was Adam, here it is SGD"),
    ({"optimizer": optim.SAM(optim.SGD(0.01))}, {"optimizer": optim.SAM(optim.SGD(0.03))},
     "optimizer.base.lr was 0.01, here it is 0.03"),
    ({"optimizer": optim.SGD(optim.cosine(0.1, 99))},
     {"optimizer": optim.SGD(optim.cosine(0.1, 100))}, "learning rate of step 1 was"),
    ({}, {"schedule": optim.constant(0.02)}, "optimizer.lr was 0.01, here it is <lambda>"),
    ({"optimizer": optim.PerturbedSGD(0.1, 0.1, np.random.default_rng(1))},
     {"optimizer": optim.PerturbedSGD(0.1, 0.2, np.random.default_rng(1))},
     "optimizer.sigma was 0.1, here it is 0.2"),
    ({"optimizer": optim.PerturbedSGD(0.1, 0.1, np.random.default_rng(1))},
     {"optimizer": optim.PerturbedSGD(0.1, 0.1, np.random.default_rng(2))},
     "optimizer.rng was PCG64 seed 1, here it is PCG64 seed 2"),
    ({}, {"problem": Running()}, "problem was Plain, here it is Running"),
    ({}, {"problem": Double()}, "problem was Plain, here it is Double"),
    ({}, {"seed": 8}, "seed was PCG64 seed 7, here it is PCG64 seed 8"),
    ({}, {"batches": others}, "first batch was .*, here it is "),
    ({}, {"batches": halves}, "first batch was .*, here it is "),
    ({}, {"batches": FIXED}, "batches was drawn, here it is "),
    ({"batches": FIXED}, {"batches": ALIKE}, "batches was .*, here it is "),
    ({}, {"accumulate": 2}, "accumulate was 1, here it is 2"),
    ({}, {"clip": 1.0}, r"clip was None, here it is 1\.0"),
    ({}, {"theta": START}, "start was drawn, here it is "),
    ({"theta": START}, {"theta": 2 * START}, "start was .*, here it is "),
    ({"identity": {"quick": True}}, {"identity": {"quick": False}},
     "quick was True, here it is False"),
    ({"identity": {"quick": True}}, {}, "quick was True, here it is not there"),
    ({"theta": START}, {"theta": START.astype("float32")}, "start was .*float64.*float32"),
])
def test_another_run_is_refused_by_the_name_of_what_differs(tmp_path, first, second, name):
    path = tmp_path / "a.npz"
    go(path, **first)
    before = path.read_bytes()
    with pytest.raises(RuntimeError, match=rf"checkpoint: .*a\.npz (is of another run: )?{name}"):
        go(path, **copy.deepcopy(second))
    assert path.read_bytes() == before              # and left alone
    anew = go(path, **{**copy.deepcopy(second), "resume": "restart"})
    assert same(anew.theta, go(tmp_path / "b.npz", **copy.deepcopy(second)).theta)


def test_more_epochs_other_scores_and_the_same_objects_again_are_the_same_run(tmp_path):
    problem, method, path = Running(), optim.Adam(0.01), tmp_path / "a.npz"
    go(path, problem=problem, optimizer=method)
    go(path, problem=problem, optimizer=method, epochs=3, evaluate=score)
    twice = go(path, problem=problem, optimizer=method, epochs=4, patience=9, evaluate=score)
    whole = go(tmp_path / "b.npz", problem=Running(), epochs=4)
    assert same(twice.theta, whole.theta) and twice.step == 16


def test_restart_also_takes_the_place_of_a_file_that_cannot_be_read(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"PK and so on")
    with pytest.raises(RuntimeError, match="damaged or cut short"):
        go(tmp_path / "a.npz")
    assert go(tmp_path / "a.npz", resume="restart").step == 8
    with pytest.raises(ValueError, match="resume must be True, False or 'restart', got 'again'"):
        go(tmp_path / "a.npz", resume="again")


def test_after_a_divergence_the_rate_and_nothing_else_may_differ(tmp_path):
    wild = dict(optimizer=optim.SGD(1e200), batches=FIXED)
    with np.errstate(all="ignore"), pytest.raises(Diverged, match="resume it with a smaller rate"):
        go(tmp_path / "a.npz", **wild)
    with pytest.raises(RuntimeError, match="optimizer.momentum was 0.0, here it is 0.9"):
        go(tmp_path / "a.npz", optimizer=optim.SGD(0.01, momentum=0.9), batches=FIXED)
    assert go(tmp_path / "a.npz", optimizer=optim.SGD(0.01), batches=FIXED).step == 4
    with pytest.raises(RuntimeError, match="optimizer.lr was 0.01, here it is 0.02"):
        go(tmp_path / "a.npz", optimizer=optim.SGD(0.02), batches=FIXED)


def test_large_arrays_are_read_once():
    class Holder:
        data = None

    holder = Holder()
    holder.data = (xp.zeros(200_000), xp.zeros(3))
    identity = Identity({"problem": holder})
    first = identity.read()
    assert len(identity.sums) == 1 and identity.read() == first and identity.changed() == {}
    holder.data[1][0] = 1.0
    assert list(identity.changed()) == ["problem.data"]


# ---------------------------------------------------------------------- content

@pytest.mark.parametrize("change, reason", [
    (lambda t: t.pop("theta"), "theta is missing"), (lambda t: t.pop("noise"), "noise is missing"),
    (lambda t: t.pop("waited"), "waited is missing"),
    (lambda t: t.update(theta=t["theta"][:5]), r"its theta is float64\[5\], this run's is float64"),
    (lambda t: t.update(theta=t["theta"].astype("float32")), r"its theta is float32\[8\]"),
    (lambda t: t.update(best=t["theta"][:5]), r"its best is float64\[5\]"),
    (lambda t: t["state"].pop("m"), "its state has no m"),
    (lambda t: t["state"].update(m=t["theta"][:2]), r"its state.m is float64\[2\]"),
    (lambda t: t.update(step=7), "its history has no entry of loss for every step"),
    (lambda t: t.update(step=-1), "step is -1"), (lambda t: t.update(epoch="2"), "epoch is '2'"),
    (lambda t: t.update(state=3), "state is 3"),
    (lambda t: t["history"].pop("delta"), "its history has no entry of delta"),
    (lambda t: t.update(epoch_rng={"bit_generator": "PCG64"}), "state is missing|'state'"),
    (lambda t: t.update(rng=3), "'int' object"),
    (lambda t: t.update(kept=3), "int"),
    (lambda t: t.update(rng=np.random.Generator(np.random.Philox(3))), "PCG64"),
])
def test_content_that_does_not_fit_is_a_sentence(tmp_path, change, reason):
    path = tmp_path / "a.npz"
    go(path, evaluate=score)
    tree = checkpoint.load(path)
    change(tree)
    checkpoint.save(path, tree)
    with pytest.raises(RuntimeError, match=rf"a\.npz does not hold what a run holds \(.*{reason}"):
        go(path, evaluate=score)


@pytest.mark.parametrize("name", ["loss", "delta", "epochs", "evaluated", "seconds", "s"])
def test_scores_never_write_over_the_history(tmp_path, name):
    method = optim.InducedMetric(0.05)
    with pytest.raises(ValueError, match=f"train: evaluate gave a score named '{name}', under "
                                         "which the history keeps something else"):
        go(tmp_path / "a.npz", optimizer=method, evaluate=lambda theta: {"fine": 1.0, name: 2.0})
    with pytest.raises(ValueError, match="evaluate gave no score"):
        go(tmp_path / "b.npz", evaluate=lambda theta: {})


def test_states_whose_names_meet_are_kept_apart(tmp_path):
    tree = {"a.b": np.arange(3), "a": {"b": np.arange(4)}, "about": np.arange(5),
            "file": np.arange(6)}
    checkpoint.save(tmp_path / "a.npz", tree)
    assert same(checkpoint.load(tmp_path / "a.npz"), tree)
    for wrong in ({("a", 1): 2}, {"x": range(3)}, {"x": np.array([object()])}):
        with pytest.raises(TypeError, match="checkpoint: cannot store"):
            checkpoint.save(tmp_path / "b.npz", wrong)


@pytest.mark.parametrize("argument, wrong", [
    (argument, wrong) for argument in ("problem", "evaluate", "checkpoint", "identity", "progress",
                                       "resume", "optimizer", "batches")
    for wrong in (3, 2.5, (), np.ones(3), object())])
def test_wrong_kinds_are_a_sentence(argument, wrong):
    given = {"problem": Plain(), "optimizer": optim.SGD(0.1), "batches": FIXED, argument: wrong}
    with pytest.raises((TypeError, ValueError), match=rf"^train: .*\bgot|{argument}"):
        optim.train(given.pop("problem"), given.pop("optimizer"), given.pop("batches"), steps=1,
                    rng=np.random.default_rng(0), **{"progress": None, **given})


# ---------------------------------------------------------------------- kill -9

def in_a_child(work):
    """The process id of a child that does the work and ends."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os._exit(0)
        except BaseException as error:              # noqa: BLE001  (a child must not return)
            os.write(2, f"{error!r}\n".encode())
            os._exit(1)
    return pid


EACH = [*((name, "plain") for name in OPTIMIZERS),
        *((name, problem) for problem in PROBLEMS if problem != "plain"
          for name in ("SGD", "SAM", "Muon", "PerturbedSGD", "LBFGS"))]


@pytest.mark.slow
@pytest.mark.skipif(on_device or not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("optimizer, problem", EACH)
def test_killed_at_twenty_random_moments_all_is_as_if_nothing_had_happened(
        tmp_path, optimizer, problem):
    settings = dict(epochs=25, evaluate_every=3, checkpoint_every=2)

    def work(path):
        train(optimizer, problem, path, **settings)

    began = time.monotonic()
    os.waitpid(in_a_child(lambda: work(tmp_path / "whole.npz")), 0)
    length = time.monotonic() - began
    whole = checkpoint.load(tmp_path / "whole.npz")
    assert whole["step"] == 100
    rng, kills, runs = np.random.default_rng(len(optimizer)), 0, 0
    while kills < KILLS:
        path = tmp_path / f"{runs}.npz"
        while True:
            pid = in_a_child(lambda: work(path))
            time.sleep(float(rng.random()) * 0.6 * length)
            if kills < KILLS and os.waitpid(pid, os.WNOHANG) == (0, 0):
                os.kill(pid, signal.SIGKILL)
            elif kills < KILLS:
                break
            status = os.waitpid(pid, 0)[1]
            assert status in (0, signal.SIGKILL)
            kills += status == signal.SIGKILL
            if status == 0:
                break
        broken = checkpoint.load(path)
        assert broken["step"] == 100
        for part in whole:
            assert part == "seconds" or same(whole[part], broken[part]), part
        runs += 1
    print(f"{optimizer}, {problem}: {kills} kills in {runs} runs of {length:.2f} s, all equal")
