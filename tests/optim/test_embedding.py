"""The family of embeddings: identities to rounding, dense solves of the metric, wrapped methods."""
import numpy as np
import pytest

import minigrad as mg
from minigrad import Layout
from minigrad.backend import to_host, xp
from optim import (NGN, SGD, Adam, AdamW, Induced, InducedMetric, LogInducedMetric, Muon, Objective,
                   OffDiagonal, StochasticPolyak)
from optim.rates.embedding import factor

EXACT = dict(rtol=1e-15, atol=0)                        # four roundings at most: 4.4e-16


def hills(theta):
    return mg.sum(theta**2 + 0.5 * mg.sin(3.0 * theta), axis=-1) + 5.0


def first(method, g, loss=1.0, theta=None):
    theta = xp.zeros_like(g) if theta is None else theta
    return to_host(method.update(g, xp.asarray(loss), theta, method.init(theta))[0])


def walk(method, steps=40, theta=(0.3, -1.0, 2.0), f=hills):
    """Points of a run, and what the landscape says there."""
    theta, seen = xp.asarray(np.array(theta)), []
    state = method.init(theta)
    for _ in range(steps):
        loss, g = Objective(f).value_and_grad(theta)
        seen.append((theta, loss, g))
        theta, state, _ = method.step(Objective(f), theta, state)
    return seen


@pytest.mark.parametrize("eta", [1e-3, 0.1, 1.0, 30.0])
def test_ngn_is_the_induced_metric_of_the_square_root(eta):
    """NGN(η) = Induced(SGD(η), q = 1/2, ξ = η/2), at every step of a run."""
    for theta, loss, g in walk(NGN(eta)):
        ngn = first(NGN(eta), g, loss, theta)
        induced = first(Induced(SGD(eta), q=0.5, xi=0.5 * eta), g, loss, theta)
        np.testing.assert_allclose(induced, ngn, **EXACT)


@pytest.mark.parametrize("seed", range(5))
def test_the_members_are_the_named_methods(seed):
    rng = np.random.default_rng(seed)
    g, loss, xi, lr = xp.asarray(rng.normal(size=4)), rng.uniform(0.1, 3), rng.uniform(0, 3), 0.3
    off = dict(xi=xi, momentum=0.0, beta=0.0)
    np.testing.assert_allclose(first(Induced(SGD(lr), xi=xi), g, loss),
                               first(InducedMetric(lr, **off), g, loss), **EXACT)
    np.testing.assert_allclose(first(Induced(SGD(lr), xi=xi, q=0.0, descend="embedding"), g, loss),
                               first(LogInducedMetric(lr, **off), g, loss), **EXACT)


@pytest.mark.parametrize("q", [1.0, 0.75, 0.5, 0.0, -1.0])
@pytest.mark.parametrize("descend", ["loss", "embedding"])
def test_the_step_solves_the_metric_of_the_embedding(q, descend):
    """G = I + ξ f'² g gᵀ by a dense solve, f' the derivative of (L^q - 1)/q by differences."""
    rng = np.random.default_rng(3)
    g, L, xi = rng.normal(size=4), 1.7, 0.6
    f = (lambda x: np.log(x)) if q == 0.0 else (lambda x: (x**q - 1.0) / q)
    slope = (f(L + 1e-6) - f(L - 1e-6)) / 2e-6
    G = np.eye(4) + xi * slope**2 * np.outer(g, g)
    right = g * (slope if descend == "embedding" else 1.0)
    delta = first(Induced(SGD(1.0), q=q, xi=xi, descend=descend), xp.asarray(g), L)
    np.testing.assert_allclose(delta, -np.linalg.solve(G, right), rtol=1e-8)


def test_polyaks_step_is_the_limit():
    """Log embedding, ξ → ∞ at η = ξ: SPS with c = 1, f* = 0; the error is L²/(ξ|g|²)."""
    g, L = xp.asarray([0.3, -2.0]), 0.8
    polyak = first(StochasticPolyak(1e300, c=1.0), g, L)
    for xi in (1e2, 1e4, 1e6):
        step = first(Induced(SGD(xi), q=0.0, xi=xi, descend="embedding"), g, L)
        error = np.linalg.norm(step - polyak) / np.linalg.norm(polyak)
        assert error == pytest.approx(L**2 / (xi * 4.09), rel=1e-1)
    step = first(Induced(SGD(1e18), q=0.0, xi=1e18, descend="embedding"), g, L)
    np.testing.assert_allclose(step, polyak, **EXACT)


def test_without_weight_every_base_is_itself():
    layout = Layout({"a": xp.zeros((2, 3)), "b": xp.zeros(3)})
    rng = np.random.default_rng(0)
    start, grads = xp.asarray(rng.normal(size=9)), xp.asarray(rng.normal(size=(6, 9)))
    for make in (lambda: SGD(0.1, momentum=0.9, decay=0.2), lambda: AdamW(0.1, decay=0.2),
                 lambda: Muon(layout, 0.1, decay=0.2)):
        plain, damped = make(), Induced(make(), xi=0.0)
        ends = []
        for method in (plain, damped):
            theta, state = start, method.init(start)
            for g in grads:
                delta, state = method.update(g, xp.asarray(1.0), theta, state)
                theta = theta + delta
            ends.append(to_host(theta))
        # Muon decays its matrices alone, the wrapper all: compare those
        np.testing.assert_allclose(ends[1][:6], ends[0][:6], rtol=1e-13)


def test_the_base_is_damped_by_its_own_metric():
    """Adam's first step is u = sign g, so gᵀu = |g|_1; SGD's and Muon's likewise by hand."""
    g, xi = np.array([[0.3, -2.0, 1.0], [0.5, 0.2, -0.7]]), 0.4
    flat = xp.asarray(g.ravel())
    adam = first(Induced(Adam(0.1, eps=1e-30), xi=xi), flat)
    np.testing.assert_allclose(adam, -0.1 * np.sign(g.ravel()) / (1 + xi * abs(g).sum()),
                               rtol=1e-12)
    layout = Layout({"a": xp.zeros((2, 3))})
    bare = first(Muon(layout, 1.0), flat)
    muon = first(Induced(Muon(layout, 0.1), xi=xi), flat)
    np.testing.assert_allclose(muon, 0.1 * bare / (1 + xi * abs(bare @ g.ravel())), rtol=1e-12)


def test_decay_stays_outside_and_the_base_is_not_touched():
    base, theta = SGD(0.5, decay=0.2), xp.asarray([1.0, -2.0])
    delta = first(Induced(base, xi=3.0), xp.zeros(2), 1.0, theta)
    np.testing.assert_allclose(delta, -0.1 * to_host(theta), rtol=1e-15)
    assert (base.lr, base.decay) == (0.5, 0.2)


def test_smoothing_is_a_corrected_mean():
    method, theta = Induced(SGD(1.0), xi=0.3, beta=0.7), xp.zeros(2)
    grads = [[1, 2], [3, -1], [0, 1]]
    state, squares = method.init(theta), []
    for g in grads:
        delta, state = method.update(xp.asarray(np.array(g, float)), xp.asarray(1.0), theta, state)
        squares.append(g[0]**2 + g[1]**2)
        weights = 0.7 ** np.arange(len(squares) - 1, -1, -1)
        mean = np.dot(weights, squares) / weights.sum()
        np.testing.assert_allclose(float(state["s"]), 1 / (1 + 0.3 * mean), rtol=1e-14)


def off_diagonal(g, theta, a, b, xi, mu=0.5):
    """The step by a dense solve of G = I + ξ(g gᵀ + a gᵀ + g bᵀ)."""
    named = {"none": 0 * g, "gradient": g, "momentum": (1 - mu) * g, "theta": theta}
    a, b = named[a], named[b]
    G = np.eye(len(g)) + xi * (np.outer(g, g) + np.outer(a, g) + np.outer(g, b))
    return -np.linalg.solve(G, g)


@pytest.mark.parametrize("a", ["none", "gradient", "momentum", "theta"])
@pytest.mark.parametrize("b", ["none", "gradient", "momentum", "theta"])
def test_rank_two_solves_its_metric(a, b):
    rng = np.random.default_rng(1)
    g, theta, xi = rng.normal(size=4), rng.normal(size=4), 0.2
    method = OffDiagonal(1.0, xi=xi, a=a, b=b, momentum=0.5)
    np.testing.assert_allclose(first(method, xp.asarray(g), 1.0, xp.asarray(theta)),
                               off_diagonal(g, theta, a, b, xi), rtol=1e-11)


def test_rank_two_knows_its_special_cases():
    rng = np.random.default_rng(2)
    g, theta, xi = rng.normal(size=4), rng.normal(size=4), 0.2
    point, slope = xp.asarray(theta), xp.asarray(g)

    def step(a, b):
        return first(OffDiagonal(1.0, xi=xi, a=a, b=b), slope, 1.0, point)

    gg = g @ g
    np.testing.assert_allclose(step("none", "none"), -g / (1 + xi * gg), **EXACT)
    np.testing.assert_allclose(step("gradient", "gradient"), -g / (1 + 3 * xi * gg), rtol=2e-15)
    np.testing.assert_allclose(step("none", "theta"), -g / (1 + xi * (gg + theta @ g)), **EXACT)


def test_rank_two_may_go_uphill():
    """a ≠ b: with a = θ against the gradient the metric is no longer positive."""
    g, theta = np.array([1.0, 0.0]), np.array([-9.0, 0.0])
    delta = first(OffDiagonal(1.0, xi=0.5, a="theta"), xp.asarray(g), 1.0, xp.asarray(theta))
    assert delta @ g > 0


def test_refusals():
    theta = xp.ones(2)
    for q in (0.5, 0.0):
        method = Induced(SGD(0.1), q=q)
        with pytest.raises(ValueError, match=r"Induced: needs a loss > 0, got -0.5\. Add"):
            method.update(theta, xp.asarray(-0.5), theta, method.init(theta))
    with pytest.raises(TypeError, match="Induced: needs an optimizer to damp, got 0.1. Try SGD"):
        Induced(0.1)
    with pytest.raises(ValueError, match="descend must be loss or embedding, got 'log'"):
        Induced(SGD(0.1), descend="log")
    with pytest.raises(ValueError, match="OffDiagonal: b must be one of none, .*, got 'g'"):
        OffDiagonal(b="g")


def test_factor_takes_a_column_of_embeddings():
    L, e = xp.asarray([[2.0], [2.0], [2.0]]), xp.asarray([[0.5], [0.5], [0.5]])
    found = to_host(factor(e, L, xp.asarray([[1.0], [0.5], [0.0]])))
    np.testing.assert_allclose(found.ravel(), [1 / 1.5, 2 / 2.5, 4 / 4.5], rtol=1e-15)
