"""train: the loop against hand-written loops, resuming bit for bit, and all that stops it."""
import errno
import os
import signal
import subprocess
import sys
import textwrap
from types import SimpleNamespace

import numpy as np
import pytest

import minigrad as mg
from minigrad import Layout
from minigrad.backend import on_device, to_host, xp
from optim import SGD, Adam, LogInducedMetric, RMSInducedMetric, checkpoint, train
from optim.training.run import per_epoch
from optim.training import Diverged

QUIET = dict(progress=None)


class Line:
    """Least squares in 3 unknowns with input dropout; a problem as `train` sees one."""

    layout = Layout({"W": xp.zeros((3, 1))})
    batched = True

    def start(self, rng):
        return xp.asarray(rng.standard_normal(3))

    def tree_loss(self, params, batch=None, rng=None):
        x, y = batch
        if rng is not None:
            x = x * xp.asarray(rng.random(x.shape) < 0.8)
        return mg.mean_squared_error(mg.matmul(x, params["W"]), y) + 0.1


class Calm(Line):
    """The same without noise."""

    def tree_loss(self, params, batch=None):
        return Line.tree_loss(self, params, batch)


RNG = np.random.default_rng(1)
X, Y = xp.asarray(RNG.standard_normal((20, 3))), xp.asarray(RNG.standard_normal((20, 1)))
FIXED = [(X[i:i + 5], Y[i:i + 5]) for i in range(0, 20, 5)]


def shuffled(rng):
    """Minibatches of 6, 6, 6 and 2; each drawn as it is asked for."""
    order = rng.permutation(20)
    for i in range(0, 20, 6):
        rows = xp.asarray(order[i:i + 6])
        yield X[rows] + 1e-3 * xp.asarray(rng.standard_normal(3)), Y[rows]


def gradient(theta, batch):
    x, y = to_host(batch[0]), to_host(batch[1])
    r = x @ theta[:, None] - y
    return (2.0 / len(x)) * (x.T @ r)[:, 0], float(np.mean(r * r) + 0.1)


def bowl(theta):
    return mg.sum(mg.square(theta), axis=-1)


def rng():
    return np.random.default_rng(7)


def test_sgd_over_fixed_batches_is_the_loop_in_the_paper():
    run = train(Calm(), SGD(0.1), FIXED, epochs=3, rng=rng(), **QUIET)
    theta, losses = rng().standard_normal(3), []
    for _ in range(3):
        for batch in FIXED:
            g, loss = gradient(theta, batch)
            losses.append(loss)
            theta = theta - 0.1 * g
    np.testing.assert_allclose(to_host(run.theta), theta, rtol=1e-12)
    np.testing.assert_allclose(run.history["loss"], losses, rtol=1e-12)
    assert run.step == 12 and run.history["epochs"] == [4, 8, 12] and run.stopped == "steps"


def test_a_plain_function_and_a_batch_of_points():
    start = xp.asarray([[1.0, -2.0], [0.5, 3.0]])
    run = train(bowl, SGD(0.25), steps=3, theta=start, rng=rng(), **QUIET)
    np.testing.assert_allclose(to_host(run.theta), to_host(start) / 8, rtol=1e-14)
    np.testing.assert_allclose(run.history["loss"][1], [1.25, 2.3125], rtol=1e-14)
    np.testing.assert_allclose(run.history["delta"][0], np.linalg.norm(to_host(start), axis=1) / 2)
    np.testing.assert_array_equal(to_host(start), [[1.0, -2.0], [0.5, 3.0]])    # points are values


def test_float32_stays_float32():
    run = train(bowl, Adam(0.1), steps=3, theta=xp.ones(4, "float32"), rng=rng(), clip=0.5,
                schedule=lambda t: 0.1 / (t + 1), evaluate=bowl, **QUIET)
    assert run.theta.dtype == run.best.dtype == np.float32


def test_steps_and_epochs_whichever_comes_first_and_the_epoch_is_closed():
    by_steps = train(Calm(), SGD(0.1), FIXED, steps=8, rng=rng(), evaluate=lambda t: 1.0, **QUIET)
    by_epochs = train(Calm(), SGD(0.1), FIXED, epochs=2, steps=100, rng=rng(), **QUIET)
    np.testing.assert_array_equal(to_host(by_steps.theta), to_host(by_epochs.theta))
    assert by_steps.history["evaluated"] == [4, 8]
    assert train(Calm(), SGD(0.1), FIXED, epochs=9, steps=5, rng=rng(), **QUIET).step == 5


def test_accumulation_is_one_large_batch():
    small = train(Calm(), Adam(0.05), FIXED, epochs=3, accumulate=4, rng=rng(), **QUIET)
    large = train(Calm(), Adam(0.05), [(X, Y)], epochs=3, rng=rng(), **QUIET)
    np.testing.assert_allclose(to_host(small.theta), to_host(large.theta), rtol=1e-10)
    assert small.step == 3
    assert train(Calm(), SGD(0.1), FIXED, epochs=2, accumulate=3, rng=rng(), **QUIET).step == 4


def test_the_schedule_sets_the_rate_of_each_step_and_leaves_the_optimizer_as_it_was():
    optimizer = SGD(9.0)
    run = train(bowl, optimizer, steps=3, theta=xp.ones(1), rng=rng(),
                schedule=lambda t: [0.5, 0.25, 0.0][t], **QUIET)
    np.testing.assert_allclose(run.history["loss"], [1.0, 0.0, 0.0])
    run = train(bowl, optimizer, steps=2, theta=xp.ones(1), rng=rng(),
                schedule=lambda t: [0.25, 0.0][t], **QUIET)
    np.testing.assert_allclose(to_host(run.theta), [0.5])
    assert optimizer.lr == 9.0


def test_the_best_point_is_kept_and_patience_ends_the_run():
    scores = iter([3.0, 1.0, 2.0, 1.0, 5.0, 0.0])
    seen = []

    def evaluate(theta):
        seen.append(theta)
        return {"error": next(scores), "other": 4.0}

    run = train(Calm(), SGD(0.01), FIXED, epochs=9, evaluate=evaluate, patience=3, rng=rng(),
                **QUIET)
    assert run.stopped == "patience" and run.epoch == 5
    assert run.best_score == 1.0 and run.best_step == 8
    np.testing.assert_array_equal(to_host(run.best), to_host(seen[1]))
    assert run.history["error"] == [3.0, 1.0, 2.0, 1.0, 5.0] and run.history["other"] == [4.0] * 5
    assert run.history["evaluated"] == [4, 8, 12, 16, 20]


def test_the_best_point_is_kept_row_by_row():
    scores = iter([xp.asarray([3.0, 1.0]), xp.asarray([2.0, float("nan")])])
    run = train(bowl, SGD(0.25), steps=2, theta=xp.ones((2, 3)), rng=rng(),
                evaluate=lambda theta: next(scores), evaluate_every=1, **QUIET)
    np.testing.assert_array_equal(run.best_score, [2.0, 1.0])
    np.testing.assert_array_equal(run.best_step, [2, 1])
    np.testing.assert_allclose(to_host(run.best), [[0.25] * 3, [0.5] * 3])


def test_the_metric_factor_is_in_the_history():
    xi, batches = 0.5, [FIXED[0], FIXED[1]]
    optimizer = RMSInducedMetric(lr=0.1, momentum=0.0, xi=xi, beta=0.0, beta_rms=0.9)
    run = train(Calm(), optimizer, batches, epochs=2, rng=rng(), **QUIET)
    g = gradient(rng().standard_normal(3), FIXED[0])[0]
    assert run.history["s"][0] == pytest.approx(1 / (1 + xi * np.abs(g).sum()), rel=1e-6)
    low, middle, high = per_epoch(run.history)
    assert low[1] == min(run.history["s"][2:]) and high[0] == max(run.history["s"][:2])
    assert len(middle) == 2


def test_rows_of_s_and_an_unfinished_epoch():
    run = train(bowl, RMSInducedMetric(lr=0.1), steps=5, theta=xp.ones((3, 2)), rng=rng(), **QUIET)
    assert np.shape(run.history["s"]) == (5, 3)
    assert per_epoch({"s": [1.0, 3.0, 2.0, 7.0], "epochs": [3]})[1].tolist() == [2.0, 7.0]


# ---------------------------------------------------------------------- interruption and resuming

MAKERS = {"SGD": lambda: SGD(0.05, momentum=0.9), "Adam": lambda: Adam(0.05),
          "rms": lambda: RMSInducedMetric(lr=0.05)}


class Crash(Exception):
    pass


def evaluate(theta):
    return bowl(theta)


@pytest.mark.parametrize("optimizer", MAKERS)
@pytest.mark.parametrize("at", [1, 3, 4, 5, 9])
def test_a_resumed_run_has_the_bits_of_an_unbroken_one(tmp_path, optimizer, at):
    settings = dict(epochs=3, evaluate_every=2, checkpoint_every=1, clip=2.0, **QUIET)
    whole = train(Line(), MAKERS[optimizer](), shuffled, rng=rng(), evaluate=evaluate,
                  checkpoint=tmp_path / "whole.npz", **settings)
    calls = []

    def crash(theta):
        calls.append(theta)
        if 2 * len(calls) > at:
            raise Crash
        return evaluate(theta)

    settings["checkpoint"] = tmp_path / "broken.npz"
    with pytest.raises(Crash):
        train(Line(), MAKERS[optimizer](), shuffled, rng=rng(), evaluate=crash, **settings)
    generator = rng()
    generator.random(9)                             # whatever state it is in
    again = train(Line(), MAKERS[optimizer](), shuffled, rng=generator, evaluate=evaluate,
                  resume=True, **settings)
    assert to_host(again.theta).tobytes() == to_host(whole.theta).tobytes()
    assert to_host(again.best).tobytes() == to_host(whole.best).tobytes()
    drop = {"seconds"}
    assert {k: v for k, v in again.history.items() if k not in drop} == {
        k: v for k, v in whole.history.items() if k not in drop}
    assert len(whole.history["loss"]) == 12 and whole.history["evaluated"] == [2, 4, 6, 8, 10, 12]


def test_resuming_a_finished_run_returns_it_and_more_steps_extend_it(tmp_path):
    settings = dict(evaluate=evaluate, checkpoint=tmp_path / "a.npz", **QUIET)
    whole = train(Line(), Adam(0.1), shuffled, epochs=4, rng=rng(), evaluate=evaluate, **QUIET)
    half = train(Line(), Adam(0.1), shuffled, epochs=2, rng=rng(), **settings)
    again = train(Line(), Adam(0.1), shuffled, epochs=2, rng=rng(), resume=True, **settings)
    assert again.history == half.history and again.stopped == "steps"
    np.testing.assert_array_equal(to_host(again.theta), to_host(half.theta))
    more = train(Line(), Adam(0.1), shuffled, epochs=4, rng=rng(), resume=True, **settings)
    assert to_host(more.theta).tobytes() == to_host(whole.theta).tobytes()


def test_resume_without_a_file_starts_afresh(tmp_path):
    run = train(Line(), SGD(0.1), shuffled, epochs=1, rng=rng(), checkpoint=tmp_path / "a.npz",
                resume=True, **QUIET)
    assert run.step == 4 and (tmp_path / "a.npz").exists()


def test_ctrl_c_finishes_the_step_saves_and_says_how_to_go_on(tmp_path):
    path = tmp_path / "a.npz"
    settings = dict(epochs=3, evaluate_every=1, **QUIET)
    whole = train(Line(), Adam(0.1), shuffled, rng=rng(), evaluate=evaluate, **settings)

    def press(theta):
        if os.path.exists(path) and checkpoint.load(path)["step"] == 4 and not pressed:
            pressed.append(True)
            os.kill(os.getpid(), signal.SIGINT)
        return evaluate(theta)

    pressed = []
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt, match=(
            r"stopped by Ctrl-C after step 5; saved to .*a\.npz\. "
            r"To go on, resume \(resume=True, or --resume\)")):
        train(Line(), Adam(0.1), shuffled, rng=rng(), evaluate=press, checkpoint=path,
              checkpoint_every=4, **settings)
    assert signal.getsignal(signal.SIGINT) is before
    assert checkpoint.load(path)["step"] == 5
    again = train(Line(), Adam(0.1), shuffled, rng=rng(), evaluate=evaluate, checkpoint=path,
                  resume=True, **settings)
    assert to_host(again.theta).tobytes() == to_host(whole.theta).tobytes()


def test_ctrl_c_without_a_checkpoint_says_so():
    def press(theta):
        os.kill(os.getpid(), signal.SIGINT)
        return 0.0

    with pytest.raises(KeyboardInterrupt, match="after step 2; nothing was saved"):
        train(bowl, SGD(0.1), steps=5, theta=xp.ones(2), rng=rng(), evaluate=press,
              evaluate_every=2, **QUIET)


def test_checkpoints_by_the_clock(tmp_path, monkeypatch):
    saved = []
    monkeypatch.setattr(checkpoint, "save", lambda path, tree: saved.append(tree["step"]))
    seconds = [0.0]                                 # a clock that only the evaluations move
    monkeypatch.setattr("optim.training.loop.time", SimpleNamespace(monotonic=lambda: seconds[0]))

    def two_seconds(theta):
        seconds[0] += 2.0
        return 0.0

    train(bowl, SGD(0.1), steps=30, theta=xp.ones(2), rng=rng(), checkpoint=tmp_path / "a.npz",
          checkpoint_seconds=9.0, evaluate_every=1, evaluate=two_seconds, **QUIET)
    assert saved[0] == 0 and saved[-1] == 30
    assert all(b - a == 5 for a, b in zip(saved[1:-2], saved[2:-1])) and 6 <= len(saved) <= 8


# ---------------------------------------------------------------------- divergence

def test_a_nan_loss_names_step_rate_and_the_last_good_checkpoint(tmp_path):
    path = tmp_path / "a.npz"
    sentence = (r"the loss became inf at step 7 \(learning rate 1e\+25\)\. The last good "
                r"checkpoint is .*a\.npz, of step 6; resume it with a smaller rate")
    with np.errstate(all="ignore"), pytest.raises(Diverged, match=sentence) as info:
        train(bowl, SGD(1e25), steps=50, theta=xp.ones(2), rng=rng(), checkpoint=path,
              checkpoint_every=2, **QUIET)
    run = info.value.run                            # a GPU has gone on a few steps by then
    assert len(run.history["loss"]) == 7 and run.step == (8 if on_device else 7)
    stored = checkpoint.load(path)
    assert stored["step"] == 6 and np.isfinite(to_host(stored["theta"])).all()
    with np.errstate(all="ignore"):
        saved = train(bowl, SGD(0.25), steps=1500, theta=xp.ones(2), rng=rng(), checkpoint=path,
                      resume=True, **QUIET)
    assert saved.history["loss"][-1] < 1e-30


def test_a_nan_loss_without_checkpoint_and_with_an_optimizer_that_objects_itself():
    def loss(theta):
        return mg.sum(mg.log(theta)) + 5.0

    for optimizer in (SGD(2.0), LogInducedMetric(lr=20.0, xi=1e-3, momentum=0.0)):
        sentence = r"the loss became nan at step 1 \(learning rate 20?\)\. No checkpoint was"
        with np.errstate(all="ignore"), pytest.raises(Diverged, match=sentence):
            train(loss, optimizer, steps=9, theta=xp.ones(1), rng=rng(), **QUIET)


def test_a_parameter_that_is_no_number_is_never_saved(tmp_path):
    class Broken(SGD):
        def update(self, g, loss, theta, state):
            return theta * float("nan"), state

    with pytest.raises(Diverged, match=r"parameter became NaN or infinite at step 0 .* of step 0;"):
        train(bowl, Broken(0.1), steps=9, theta=xp.ones(1), rng=rng(),
              checkpoint=tmp_path / "a.npz", checkpoint_every=1, **QUIET)
    assert np.isfinite(to_host(checkpoint.load(tmp_path / "a.npz")["theta"])).all()


@pytest.mark.filterwarnings("error")
def test_a_run_that_diverges_does_so_without_warnings():
    with pytest.raises(Diverged):
        train(bowl, SGD(1e25), steps=50, theta=xp.ones(2), rng=rng(), clip=1e300, evaluate=bowl,
              evaluate_every=1, **QUIET)
    with pytest.raises(Diverged):
        train(bowl, SGD(1e12), steps=50, theta=xp.ones(2, "float32"), rng=rng(), **QUIET)


def test_of_many_points_some_may_diverge():
    settings = dict(steps=40, theta=xp.ones((2, 2)), rng=rng(), **QUIET)
    with np.errstate(all="ignore"):
        run = train(bowl, SGD(xp.asarray([[0.25], [1e30]])), **settings)
    assert run.history["loss"][-1][0] < 1e-20 and not np.isfinite(run.history["loss"][-1][1])
    with np.errstate(all="ignore"), pytest.raises(Diverged, match=r"rate 1e\+20 to 1e\+30"):
        train(bowl, SGD(xp.asarray([[1e20], [1e30]])), **settings)


# ---------------------------------------------------------------------- wrong calls and files

def test_wrong_arguments():
    start = dict(theta=xp.ones(2), rng=rng(), **QUIET)
    for wrong, sentence in [
            (dict(), "neither steps nor epochs"),
            (dict(steps=0), "steps must be a whole number >= 1, got 0"),
            (dict(steps=1.5), "steps must be a whole number"),
            (dict(steps=1, accumulate=0), "accumulate must be a whole number >= 1"),
            (dict(steps=1, patience=-1), "patience must be a whole number >= 1"),
            (dict(steps=1, clip=0.0), r"clip must be > 0, got 0\.0"),
            (dict(steps=1, resume=True), "resume and checkpoint_... need a file"),
            (dict(steps=1, checkpoint_every=3), "Give checkpoint=PATH")]:
        with pytest.raises(ValueError, match=sentence):
            train(bowl, SGD(0.1), **wrong, **start)
    with pytest.raises(TypeError, match="rng must be a Generator, got 3. Use numpy.random.default"):
        train(bowl, SGD(0.1), rng=3, steps=1)
    with pytest.raises(TypeError, match="got a tuple. Wrap a single batch in a list"):
        train(Calm(), SGD(0.1), (X, Y), steps=1, rng=rng(), **QUIET)
    with pytest.raises(ValueError, match="an epoch gave no batch"):
        train(Calm(), SGD(0.1), lambda rng: [], steps=1, rng=rng(), **QUIET)


def test_a_checkpoint_of_another_model_or_optimizer(tmp_path):
    class Wide(Calm):
        layout = Layout({"W": xp.zeros((4, 1))})

        def start(self, rng):
            return xp.zeros(4)

    here = dict(checkpoint=tmp_path / "a.npz", rng=rng(), **QUIET)
    train(Calm(), SGD(0.1), FIXED, steps=2, **here)
    with pytest.raises(RuntimeError, match=r"belongs to another model: it has W \(3, 1\) "
                                           r"where this one has W \(4, 1\)"):
        train(Wide(), SGD(0.1), FIXED, steps=4, resume=True, **here)
    with pytest.raises(RuntimeError, match=r"was made by SGD, not by Adam"):
        train(Calm(), Adam(0.1), FIXED, steps=4, resume=True, **here)
    (tmp_path / "a.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:-40])
    with pytest.raises(RuntimeError, match="damaged or cut short"):
        train(Calm(), SGD(0.1), FIXED, steps=4, resume=True, **here)


def test_a_place_that_cannot_be_written_is_found_out_before_the_work(tmp_path):
    (tmp_path / "file").write_text("")
    asked = []
    with pytest.raises(RuntimeError, match="cannot write"):
        train(lambda t: asked.append(1) or bowl(t), SGD(0.1), steps=3, theta=xp.ones(2), rng=rng(),
              checkpoint=tmp_path / "file" / "a.npz", **QUIET)
    assert not asked


def test_a_disk_that_fills_up_in_the_middle(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    real = np.savez

    def savez(file, **arrays):
        if arrays["theta"][0] < 0.5:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(file, **arrays)

    monkeypatch.setattr(checkpoint.np, "savez", savez)
    with pytest.raises(RuntimeError, match=r"No space left on device\)\. The older checkpoint"):
        train(bowl, SGD(0.1), steps=9, theta=xp.ones(2), rng=rng(), checkpoint=path,
              checkpoint_every=1, **QUIET)
    assert checkpoint.load(path)["step"] == 3       # 0.8, 0.64, 0.512 | 0.41
    monkeypatch.undo()
    run = train(bowl, SGD(0.1), steps=9, theta=xp.ones(2), rng=rng(), checkpoint=path, resume=True,
                **QUIET)
    np.testing.assert_allclose(to_host(run.theta), 0.8**9, rtol=1e-14)


# ---------------------------------------------------------------------- kill -9

SCRIPT = textwrap.dedent("""
    import sys, time
    import numpy as np
    from minigrad.backend import to_host, xp
    from optim import Adam, train
    sys.path.insert(0, sys.argv[3])
    from test_training import Line, shuffled, evaluate

    run = train(Line(), Adam(0.05), shuffled, epochs=int(sys.argv[2]), rng=np.random.default_rng(7),
                evaluate=evaluate, checkpoint=sys.argv[1], checkpoint_every=3, resume=True,
                progress=None)
    print(to_host(run.theta).tobytes().hex(), to_host(run.best).tobytes().hex())
""")


def killed_and_resumed(path, seed, epochs):
    """Output of the run at `path`, which is killed at random moments until it gets to its end."""
    pause = np.random.default_rng(seed)
    for kills in range(1000):
        command = [sys.executable, "-c", SCRIPT, path, str(epochs), os.path.dirname(__file__)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            return process.communicate(timeout=0.3 + 2.0 * pause.random())[0], kills
        except subprocess.TimeoutExpired:
            process.kill()                          # SIGKILL: no handler, no goodbye
            process.communicate()


@pytest.mark.slow
@pytest.mark.skipif(on_device, reason="it would be killed before the GPU is ready")
def test_killed_at_twenty_random_moments_it_ends_at_the_same_theta(tmp_path):
    epochs = 1200
    whole = train(Line(), Adam(0.05), shuffled, epochs=epochs, rng=rng(), evaluate=evaluate,
                  **QUIET)
    expected = " ".join(to_host(a).tobytes().hex() for a in (whole.theta, whole.best)) + "\n"
    total = seed = 0
    while seed < 10 or total < 20:                  # a fast machine ends a run after fewer kills
        assert seed < 60, f"{total} kills in {seed} runs: each ends before it can be killed"
        output, kills = killed_and_resumed(tmp_path / f"{seed}.npz", seed, epochs)
        assert output == expected
        total, seed = total + kills, seed + 1
