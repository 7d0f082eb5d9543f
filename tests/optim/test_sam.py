"""SAM and ASAM: the inner step against golden digits, the outer step against what it promises."""
import math

import numpy as np
import pytest

import minigrad as mg
from minigrad import Layout
from minigrad.backend import to_host, xp
from optim import ASAM, SAM, SGD, Adam, Objective
from optim.nearby.sam import worst_step


def valley(theta):
    """(1 - ab)^2, flat along ab = 1."""
    return (1.0 - theta[..., 0] * theta[..., 1]) ** 2


def gradient(theta):
    a, b = theta
    return np.array([-2 * b * (1 - a * b), -2 * a * (1 - a * b)])


START = (1.5, 0.5)


def one_step(optimizer, theta=START):
    w = xp.asarray(theta, dtype=float)
    new, _, loss = optimizer.step(Objective(valley), w, optimizer.init(w))
    return to_host(new), float(loss)


# Golden digits: 50-digit arithmetic, one step from (1.5, .5), lr .1.
@pytest.mark.parametrize("optimizer, e, new", [
    (SAM(SGD(0.1), rho=0.05), (-.01581138830, -.04743416490), (1.529716101, .5974538847)),
    (ASAM(SGD(0.1), rho=0.5, eta=0.01), (-.5303418688, -.1814945661), (1.544027555, .6340375144)),
    (ASAM(SGD(0.1), rho=0.5, eta=0.0), (-.5303300859, -.1767766953), (1.544383737, .6331512106)),
], ids=["SAM", "ASAM", "ASAM eta 0"])
def test_one_step_on_the_valley(optimizer, e, new):
    w = xp.asarray(START)
    got = to_host(optimizer.perturbation(xp.asarray(gradient(START)), w))
    np.testing.assert_allclose(got, e, rtol=3e-10)
    theta, loss = one_step(optimizer)
    np.testing.assert_allclose(theta, new, rtol=3e-10)
    assert loss == pytest.approx(0.0625, rel=1e-14)            # the loss at w, not at w + e


def test_height_of_the_perturbed_point():
    e = to_host(SAM(SGD(0.1), rho=0.05).perturbation(xp.asarray(gradient(START)), xp.asarray(START)))
    assert float(valley(np.asarray(START) + e)) == pytest.approx(.1077854478, rel=1e-9)


@pytest.mark.parametrize("lam, radius", [(4.0, .0125), (15.0, .15)])
def test_two_cycle_on_a_quadratic(lam, radius):
    """On lam x^2 / 2 SAM ends in a cycle |x| = eta lam rho / (2 - eta lam), never at 0 (eta .1, rho .05)."""
    optimizer, objective = SAM(SGD(0.1), rho=0.05), Objective(lambda w: 0.5 * lam * mg.sum(w * w, axis=-1))
    w = xp.asarray([0.3])
    state = optimizer.init(w)
    path = []
    for _ in range(400):
        w, state, _ = optimizer.step(objective, w, state)
        path.append(float(to_host(w)[0]))
    assert abs(path[-1]) == pytest.approx(radius, rel=1e-9)
    assert path[-1] == pytest.approx(-path[-2], rel=1e-9)


@pytest.mark.parametrize("base", [lambda: SGD(0.05, momentum=0.9), lambda: Adam(0.01)], ids=["SGD", "Adam"])
@pytest.mark.parametrize("wrap", [SAM, ASAM])
def test_rho_zero_is_the_base_optimizer_bit_for_bit(base, wrap):
    objective = Objective(valley)
    runs = []
    for optimizer in (base(), wrap(base(), rho=0.0)):
        w = xp.asarray([1.5, 0.3])
        state = optimizer.init(w)
        for _ in range(20):
            w, state, _ = optimizer.step(objective, w, state)
        runs.append(to_host(w))
    assert np.array_equal(*runs)


def test_a_batch_of_radii_holds_the_base_optimizer_in_its_zero_row():
    optimizer = SAM(SGD(0.05), rho=xp.asarray([[0.0], [0.1]]))
    w = xp.asarray([START, START])
    new = to_host(optimizer.step(Objective(valley), w, optimizer.init(w))[0])
    assert np.array_equal(new[0], one_step(SGD(0.05))[0])
    np.testing.assert_allclose(new[1], one_step(SAM(SGD(0.05), rho=0.1))[0], rtol=1e-14)


@pytest.mark.parametrize("p", [1.5, 2.0, 3.0, math.inf])
@pytest.mark.parametrize("scaled", [False, True])
def test_the_step_fills_its_ball_and_attains_the_dual_norm(p, scaled):
    """Hoelder: max of <g, e> over |e/T|_p <= rho is rho |T g|_q, and the step reaches it."""
    rng = np.random.default_rng(3)
    g, T = rng.standard_normal((4, 30)), rng.uniform(0.1, 3.0, (4, 30)) if scaled else np.ones((4, 30))
    e = to_host(worst_step(xp.asarray(g), 0.3, p, xp.asarray(T) if scaled else None))
    q = 1.0 if math.isinf(p) else p / (p - 1.0)
    for k in range(4):
        assert np.linalg.norm(e[k] / T[k], ord=p) == pytest.approx(0.3, rel=1e-12)
        assert g[k] @ e[k] == pytest.approx(0.3 * np.linalg.norm(T[k] * g[k], ord=q), rel=1e-12)


def test_general_p_meets_the_euclidean_formula():
    """p = 2 has a line of its own; a p next to 2 goes the general way and must agree."""
    g = xp.asarray(np.random.default_rng(0).standard_normal(50))
    np.testing.assert_allclose(to_host(worst_step(g, 0.1, 2.0 + 1e-12)), to_host(worst_step(g, 0.1)), rtol=1e-10)


@pytest.mark.parametrize("p", [1.5, 2.0, math.inf])
def test_zero_gradient_gives_no_step(p):
    e = to_host(worst_step(xp.zeros(5), 0.1, p))
    assert np.array_equal(e, np.zeros(5))
    tiny = to_host(worst_step(xp.full(5, 1e-200), 0.1, 3.0))
    assert np.all(np.isfinite(tiny))


def test_at_a_stationary_point_sam_stays_where_it_is():
    theta, _ = one_step(SAM(SGD(0.1), rho=0.05), (1.0, 1.0))
    assert np.array_equal(theta, [1.0, 1.0])


def test_expansion_in_rho_has_slope_two():
    """g(w + e) = g + rho H g/|g| + O(rho^2): halving rho quarters the error."""
    rng = np.random.default_rng(1)
    A = xp.asarray(rng.standard_normal((6, 6)))

    def f(w):
        return mg.sum(mg.tanh(A @ w) ** 2) + mg.sum(w**2 * mg.sin(w))

    w = xp.asarray(rng.standard_normal(6))
    objective = Objective(f)
    _, g = objective.value_and_grad(w)
    unit = g / xp.linalg.norm(g)
    Hu = objective.hvp(w)(unit)
    rhos = [0.02 / 2**k for k in range(5)]
    errors = [float(xp.linalg.norm(objective.value_and_grad(w + worst_step(g, rho))[1] - g - rho * Hu))
              for rho in rhos]
    slopes = np.diff(np.log(errors)) / np.diff(np.log(rhos))
    np.testing.assert_allclose(slopes, 2.0, atol=0.05)
    assert abs(slopes[-1] - 2.0) < 0.01


def test_asam_height_is_invariant_to_rescaling_and_sams_is_not():
    """w2 relu(w1 x): (c w1, w2 / c) is the same function, T_w = |w| follows it, T = 1 does not."""
    def f(w):
        return (w[..., 1] * mg.relu(w[..., 0] * 1.3) - 0.7) ** 2

    objective, heights = Objective(f), {}
    for wrap in (SAM(SGD(0.1), rho=0.2), ASAM(SGD(0.1), rho=0.2, eta=0.0)):
        for c in (1.0, 5.0):
            w = xp.asarray([0.8 * c, 1.1 / c])
            _, g = objective.value_and_grad(w)
            heights[type(wrap), c] = float(objective.value(w + wrap.perturbation(g, w)))
    assert heights[ASAM, 5.0] == pytest.approx(heights[ASAM, 1.0], rel=1e-13)
    assert abs(heights[SAM, 5.0] / heights[SAM, 1.0] - 1.0) > 0.1


LAYOUT = Layout({"layer": {"W": np.ones((2, 3)), "b": np.ones(3)}})


def names_of(mask):
    """Which parts of the layout a full-length vector touches."""
    return {entry.name for entry in LAYOUT.entries if np.any(mask[entry.start:entry.stop])}


def test_only_the_chosen_kinds_are_perturbed():
    g = xp.asarray(np.arange(1.0, 10.0))
    e = to_host(SAM(SGD(0.1), rho=0.1, layout=LAYOUT, perturb=("weight",)).perturbation(g, g))
    assert names_of(e) == {"layer.W"}
    assert np.linalg.norm(e) == pytest.approx(0.1, rel=1e-12)      # the ball of the chosen ones


def test_asam_scales_weights_and_leaves_biases_unscaled():
    w = xp.asarray(np.linspace(-2.0, 2.0, 9))
    T = to_host(ASAM(SGD(0.1), eta=0.01, layout=LAYOUT).scale(w))
    for entry in LAYOUT.entries:
        here = slice(entry.start, entry.stop)
        expected = np.abs(to_host(w)[here]) + 0.01 if entry.kind == "weight" else np.ones(3)
        np.testing.assert_allclose(T[here], expected, rtol=1e-15)


def test_points_are_values_and_dtype_is_kept():
    for dtype in ("float32", "float64"):
        w = xp.asarray(START, dtype=dtype)
        before = to_host(w).copy()
        for optimizer in (SAM(SGD(0.1)), ASAM(SGD(0.1)), SAM(SGD(0.1), p=3.0), SAM(SGD(0.1), p=math.inf)):
            new, _, _ = optimizer.step(Objective(valley), w, optimizer.init(w))
            assert new.dtype == w.dtype
            assert np.array_equal(to_host(w), before)


def test_two_gradients_a_step_are_counted():
    objective, optimizer, w = Objective(valley), SAM(SGD(0.1)), xp.asarray(START)
    optimizer.step(objective, w, optimizer.init(w))
    assert objective.gradients == 2


def test_the_learning_rate_is_the_bases():
    optimizer = SAM(SGD(0.1))
    other = optimizer.scheduled(0.02)
    assert other.base.lr == 0.02 and other.lr == 0.02 and optimizer.lr == 0.1
    assert SAM(SGD(lambda t: 0.5 ** t)).learning_rate({"t": 2}) == 0.25


@pytest.mark.parametrize("make, error, match", [
    (lambda: SAM(SGD(0.1), rho=-1.0), ValueError, r"SAM: rho must lie in \[0, inf\), got -1"),
    (lambda: SAM(SGD(0.1), p=1.0), ValueError, r"p must be larger than 1, got 1"),
    (lambda: ASAM(SGD(0.1), eta=-0.1), ValueError, r"ASAM: eta must lie in \[0, inf\)"),
    (lambda: SAM(SGD(0.1), perturb=("weight",)), ValueError, r"needs layout="),
    (lambda: SAM(SGD(0.1), layout=LAYOUT, perturb=("wieght",)), ValueError, r"kinds must be a tuple out of"),
    (lambda: SAM(SGD(0.1), layout=LAYOUT, perturb=("norm",)), ValueError, r"no parameter of kind \('norm',\)"),
    (lambda: SAM(SAM(SGD(0.1))), TypeError, r"SAM: base must be a first-order optimizer .* got SAM"),
    (lambda: ASAM(0.1), TypeError, r"ASAM: base must be a first-order optimizer .* got float"),
])
def test_bad_arguments(make, error, match):
    with pytest.raises(error, match=match):
        make()
