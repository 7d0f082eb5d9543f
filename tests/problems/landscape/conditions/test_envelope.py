"""The envelope: golden run, the sign, convexity, closure, refusals; and the recorder's replay."""
import numpy as np
import pytest

from minigrad.backend import to_host, xp
from optim import NGN, SGD, Adam, StochasticPolyak
from problems import Network
from problems.finite_sums import HalfSpace, parabolas
from problems.landscape.conditions import (Envelope, aiming, cosine, pl, record, record_stored,
                                           shuffled)
from problems.networks.mlp import MLP


def cyclic():
    return [np.array([k % 2]) for k in range(40)]


def small_net(dtype="float64"):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(96, 8)), rng.integers(0, 4, 96)
    net = Network(MLP((8, 16, 16, 4), activation="relu", init="uniform"), (x, y), dtype)
    return net, net.start(np.random.default_rng(1))


def test_golden_run():
    """(x ∓ 1)²/2 in turn, γ = .1, x_0 = 3, K = 40: computed apart from this project, 10 digits."""
    run = record(parabolas(), SGD(0.1), np.array([3.0]), cyclic)
    e = run.envelope()
    assert float(run.last[0]) == pytest.approx(-0.0075109889, abs=1e-10)
    np.testing.assert_allclose(e.beta_min([0.5, 1.0, 2.0, 10.0]), [
        0.4976245560, -0.0001127093, 0.4999189291, 7.8402058250], atol=1e-10)
    assert e.bounds(0.1).max() == pytest.approx(0.4228070371, abs=1e-10)
    assert e.alpha_min(0.1) == pytest.approx(0.5228070371, abs=1e-10)
    assert e.bounds(1.0).max() == pytest.approx(-0.0001103538, abs=1e-10)
    assert e.alpha_min(1.0) == 1.0
    # the sign of β: right, and as the captions print it
    assert e.min_T(2.0, 0.5) == pytest.approx(0.0001638617, abs=1e-10)
    assert e.min_T(2.0, -0.5) == pytest.approx(-6.3964238050, abs=1e-10)
    assert e.min_T(1.0, 0.05) == pytest.approx(0.0242037907, abs=1e-10)
    assert e.min_T(1.0, -0.05) == pytest.approx(-0.0247905845, abs=1e-10)
    assert e.holds(2.0, 0.5) and not e.holds(2.0, 0.4)


def drawn(seed, k=60):
    rng = np.random.default_rng(seed)
    return Envelope(rng.normal(size=k), rng.uniform(0.1, 3, k), rng.uniform(0.1, 1, k), 0.05)


@pytest.mark.parametrize("seed", range(8))
def test_envelope_against_a_grid(seed):
    """The corner is allowed, a hair below it is not; β_min is convex with slopes at most 1."""
    e = drawn(seed)
    for gap in (0.05, 0.1, 1.0):
        alpha, beta = e.pair(gap)
        assert e.min_T(alpha, beta) >= -1e-12
        if beta > 0:
            assert e.min_T(alpha - 1e-6, beta - 1e-6) < 0
        for d in (0.3, 2.0, 50.0):                               # closed along the diagonal
            assert e.min_T(alpha + d, beta + d) >= -1e-10
    a = np.linspace(0, 5, 101)
    b = e.beta_min(a)
    assert (np.diff(b, 2) >= -1e-12).all() and (np.diff(b) <= 0.05 + 1e-12).all()
    assert (np.abs(e.min_T(a, b)) < 1e-10).all()                 # the edge touches
    mesh = e.min_T(a[:, None], np.linspace(0, 5, 7)[None])
    k = np.arange(101)[::17]
    slow = [[min(e.G - x * e.D + y * e.H) for y in np.linspace(0, 5, 7)] for x in a[k]]
    np.testing.assert_allclose(mesh[k], slow, rtol=1e-13)


def test_robust_variants_ask_less():
    e = drawn(3, 2000)
    assert e.alpha_min(0.1, quantile=0.01) < e.alpha_min(0.1)
    assert e.alpha_min(0.1, quantile=0.0004) == e.alpha_min(0.1)
    k = e.active(0.1)
    cut = e.until((k - 1) / 2000)
    assert cut.G.size == k - 1 and cut.alpha_min(0.1) < e.alpha_min(0.1)
    both = Envelope.joined([e, drawn(4)])
    assert both.alpha_min() == max(e.alpha_min(), drawn(4).alpha_min())
    assert both.uphill() == pytest.approx(np.mean(both.G < 0))
    assert e.floor(0.1) == pytest.approx((e.alpha_min(0.1) - 0.1) * np.mean(e.E - 0.05))


def test_an_interpolated_measurement_asks_for_aiming():
    assert Envelope([0.3], [1.0], [0.0]).alpha_min(0.2) == 0.2
    assert Envelope([0.1], [1.0], [0.0]).alpha_min(0.2) == np.inf


def test_refusals():
    with pytest.raises(ValueError, match="Envelope: there are no measurements. Record at least"):
        Envelope([], [], [])
    with pytest.raises(ValueError, match=r"f_i\* = 0.5 lies above the height 0.2 of measurement 1"):
        Envelope([0, 0], [1.0, 0.2], [1.0, 1.0], lowest=0.5)
    with pytest.raises(ValueError, match="must be equally long, got 2, 1 and 1"):
        Envelope([0, 0], [1.0], [1.0])
    with pytest.raises(ValueError, match="not finite. Did the run diverge"):
        Envelope([np.nan], [1.0], [1.0])
    e = drawn(0)
    with pytest.raises(ValueError, match="needs alpha > beta, got alpha=1.0 and beta=1.0"):
        e.holds(1.0, 1.0)
    with pytest.raises(ValueError, match="gap alpha - beta must be > 0, got -0.1"):
        e.alpha_min(-0.1)


@pytest.mark.parametrize("method", [SGD(0.1), SGD(0.05, momentum=0.9), Adam(1e-2), NGN(1.0),
                                    StochasticPolyak(1.0)], ids=lambda m: type(m).__name__)
def test_replay_is_bit_identical(method):
    """m = 16, 20 epochs: the second pass ends at the first's x_K, and T >= 0 on the envelope."""
    net, theta = small_net()
    run = record(net, method, theta, shuffled(96, 32, 20, 7), every=20)
    assert len(run.G) == 60 and list(run.full["step"]) == [0, 20, 40]
    e = run.envelope()
    alpha, beta = e.pair(0.1)
    assert e.min_T(alpha, beta) >= -1e-12
    for gap in (0.01, 1.0, 10.0):
        assert e.min_T(*e.pair(gap)) >= -1e-12 * max(1.0, e.pair(gap)[0])
    # E is the batch's own loss at x_K, F the one the step saw
    x, y = net.data
    for k, index in enumerate(shuffled(96, 32, 20, 7)()):
        index = xp.asarray(index)
        assert run.E[k] == pytest.approx(float(net.loss(run.last, (x[index], y[index]))), rel=1e-12)
    full = run.full
    assert np.all(np.abs(cosine(full["inner"], full["slope"], full["distance"])) <= 1 + 1e-12)
    assert full["height"][0] == pytest.approx(float(net.loss(theta)), rel=1e-12)
    assert run.final == pytest.approx(float(net.loss(run.last)), rel=1e-12)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_stored_iterates_say_the_same(dtype):
    net, theta = small_net(dtype)
    twice = record(net, SGD(0.1), theta, shuffled(96, 32, 8, 7))
    once = record_stored(net, SGD(0.1), theta, shuffled(96, 32, 8, 7), every=3)
    np.testing.assert_array_equal(to_host(once.last), to_host(twice.last))
    assert twice.last.dtype == dtype and twice.G.dtype == "float64"
    for ours, theirs in zip(once[1:4], twice[1:4]):
        np.testing.assert_array_equal(ours, theirs[::3])


def test_a_replay_that_differs_is_an_error():
    net, theta = small_net()
    rng = np.random.default_rng(0)                              # outside: the second pass goes on
    with pytest.raises(RuntimeError, match=r"the second pass ended .* away from the first, after 5 "
                                           r"steps instead of 5\. Let indices\(\) make"):
        record(net, SGD(0.1), theta, lambda: [rng.permutation(96)[:32] for _ in range(5)])
    with pytest.raises(ValueError, match="there are no batches"):
        record(net, SGD(0.1), theta, lambda: [])
    with pytest.raises(ValueError, match="there are no batches"):
        record_stored(net, SGD(0.1), theta, lambda: [])
    with pytest.raises(ValueError, match="batches of 97 cannot be cut from 96"):
        shuffled(96, 97, 1, 0)


def test_what_cannot_be_recorded():
    with pytest.raises(TypeError, match="needs a FiniteSum, or a Network with its data, got Network"):
        record(Network(MLP((2, 3))), SGD(0.1), np.zeros(9), shuffled(4, 2, 1, 0))
    x = np.ones((4, 2))
    net = Network(MLP((2, 1), loss="mse"), (x, x[:, :1]))
    theta = net.start(np.random.default_rng(0))
    with pytest.raises(TypeError, match="loss of single examples of MLP is not known. Give examples"):
        record(net, SGD(0.1), theta, shuffled(4, 2, 1, 0))

    def squares(t):
        return ((net.model.apply(net.params(t), net.data[0]) - net.data[1]) ** 2)[:, 0]

    run = record(net, SGD(0.1), theta, shuffled(4, 2, 1, 0), examples=squares)
    assert run.E[-1] == pytest.approx(run.final)


def test_finite_sums_can_be_recorded():
    f = HalfSpace(2)
    run = record(f, SGD(0.25), f.start(np.random.default_rng(102)),
                 lambda: iter(np.random.default_rng(0).integers(0, 40, (300, 1))))
    np.testing.assert_allclose(run.E, f.values(to_host(run.last))[
        np.random.default_rng(0).integers(0, 40, (300, 1))[:, 0]], rtol=1e-14)
    assert run.envelope().alpha_min() > 0


def test_rivals_along_a_run_by_hand():
    """f = x²: |∇f|² = 4 f, <∇f, x> = 2 f, cosine 1."""
    x = np.array([2.0, -1.0, 0.5, 0.0])
    np.testing.assert_allclose(pl(2 * abs(x), x * x, 0.0), [4, 4, 4, np.nan])
    np.testing.assert_allclose(pl(2 * abs(x[:3]), x[:3]**2, 0.0, power=1.0), 4 / x[:3]**2)
    np.testing.assert_allclose(aiming(2 * x * x, x * x), [2, 2, 2, np.nan])
    np.testing.assert_allclose(cosine(2 * x * x, 2 * abs(x), abs(x)), [1, 1, 1, np.nan])
    with pytest.raises(ValueError, match=r"power must lie in \[1, 2\], got 3"):
        pl(x, x, 0.0, power=3)


def test_the_heat_map_is_white_where_a_pair_is_not_allowed():
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    from problems.landscape.conditions.pictures import region

    e = drawn(1)
    figure, axis = plt.subplots()
    T = np.ma.filled(region(axis, e, 0.1, mesh=50).get_array(), np.nan).reshape(50, 50)
    plt.close(figure)
    (a0, a1), (b0, b1) = axis.get_xlim(), axis.get_ylim()
    a, b = np.linspace(a0, a1, 50), np.linspace(b0, b1, 50)
    shown = np.isfinite(T)
    assert 0 < shown.sum() < T.size and T[shown].min() >= 0
    for i, j in np.argwhere(~shown)[::97]:
        assert e.min_T(a[j], b[i]) < 0 or a[j] < b[i] + 0.1
    for i, j in np.argwhere(shown)[::97]:
        assert T[i, j] == pytest.approx(e.min_T(a[j], b[i]), rel=1e-12)
