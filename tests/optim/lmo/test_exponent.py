"""The criterion: golden values, its identity with the loss, its optimum, what breaks the bound."""
import math

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from optim.lmo import bound, criterion, nuclear_rank, psi, stable_rank
from optim.lmo.exponent import best, bound_of, curve, gain, spectrum

A = np.array([[1, 2, 0, -1, 3], [0, 1, 1, 2, -1], [2, 0, 1, 1, 1], [1, -1, 0, 1, 2.0]])
Y = np.array([[1, 0, -1, 2], [0, 1, 1, 0], [2, -1, 0, 1.0]]) @ A
G = -Y @ A.T / 5                               # of |W A - Y|²/10 at W = 0


def array(values):
    return xp.asarray(np.asarray(values, "float64"))


def numbers(G, M, A, Gamma=None):
    return spectrum(array(G), array(M), array(A).T, None if Gamma is None else array(Gamma))


def test_golden_values():
    s, c, b = numbers(G, G, A)
    np.testing.assert_allclose(s, [10.1161583783, 2.6745837519, 0.6855227340], atol=1e-9)
    np.testing.assert_allclose(c, s, atol=1e-12)
    np.testing.assert_allclose(b, [3.8570406917, 1.9968957921, 0.9165950417], atol=1e-9)
    t = np.array([1, 0.75, 0.5, 0.25, 0.0])
    N, D = curve(s, c, b, t)
    np.testing.assert_allclose(gain(N, D), [29.5316477461, 30.2293648350, 30.6233403302,
                                            29.9385650642, 26.8235535134], atol=1e-9)
    np.testing.assert_allclose((N / D)[[0, 2, 4]], [0.2685671858, 0.8250488143, 1.9904293796],
                               atol=1e-9)
    found = criterion(array(G), array(G), array(A))
    # p* = 2.03612 and J* are given to their last digit; their t is cut to .491130
    assert 1 / found.t == pytest.approx(2.03612, abs=5e-6) and found.t == pytest.approx(
        0.491130, abs=2e-6)
    assert found.J == pytest.approx(30.62399732, abs=1e-8)
    assert nuclear_rank(array(G)) == pytest.approx(1.6515979874, abs=1e-9)
    assert stable_rank(array(A)) == pytest.approx(1.8302284784, abs=1e-9)


def test_golden_bound():
    s, c, _ = numbers(G, G, A)
    t = np.array([1, 0.5, 0.25, 0.1, 0.0])
    H = gain(curve(s, c, s, t)[0], bound_of(s, np.linalg.svd(A, compute_uv=False), t))
    np.testing.assert_allclose(H, [5.59033121, 6.01577522, 5.77951703, 5.39736667, 5.04471430],
                               atol=1e-8)


@pytest.mark.parametrize("t, after", [(1.0, 1.2341761269), (0.5, 0.6883298349),
                                      (0.0, 2.5882232433)])
def test_half_of_j_is_what_the_loss_falls(t, after):
    """From 16, with the best length of step, for the golden regression; and for a carrier M."""
    rng = np.random.default_rng(0)

    def loss(W):
        return ((W @ A - Y) ** 2).sum() / 10
    for M, W in ((G, np.zeros((3, 4))), (rng.normal(size=(3, 4)), rng.normal(size=(3, 4)))):
        gradient = (W @ A - Y) @ A.T / 5
        s, c, b = numbers(gradient, M, A)
        (N,), (D,) = curve(s, c, b, np.array([t]))
        fallen = loss(W) - loss(W - N / D * to_host(psi(array(M), t, "svd")))
        assert N * N / D / 2 == pytest.approx(fallen, rel=1e-9)
        if M is G:
            assert loss(W) == pytest.approx(16.0) and 16 - fallen == pytest.approx(after, abs=1e-9)


@pytest.mark.parametrize("a", [0.0, 0.25, 0.5, 0.8, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_the_optimum_where_curvature_is_a_power(a, seed):
    """M = G and C = V diag(2 s^a) Vᵀ: t* = 1 - a. White inputs give SGD, b = s gives Muon."""
    rng = np.random.default_rng(seed)
    G = rng.normal(size=(4, 6))
    _, s, Vt = np.linalg.svd(G)
    values = np.concatenate([2 * s**a, np.ones(2)])
    inputs = Vt.T * np.sqrt(6 * values)                     # A Aᵀ/6 = V diag(values) Vᵀ
    assert criterion(array(G), array(G), array(inputs)).t == pytest.approx(1 - a, abs=1e-6)
    clipped = criterion(array(G), array(G), array(inputs), low=0.3, high=0.7).t
    assert clipped == pytest.approx(min(max(1 - a, 0.3), 0.7), abs=1e-6)


def test_invariants():
    """M -> kM changes nothing, G -> kG multiplies J by k², (W, A) -> (QWRᵀ, RA) changes nothing;
    equal singular values: J is flat."""
    rng = np.random.default_rng(0)
    M = rng.normal(size=G.shape)
    M = M * np.sign((M * G).sum())
    found = criterion(array(G), array(M), array(A))
    assert criterion(array(G), array(7 * M), array(A)).J == pytest.approx(found.J, rel=1e-12)
    assert criterion(array(3 * G), array(M), array(A)).J == pytest.approx(9 * found.J, rel=1e-12)
    Q, R = (np.linalg.qr(rng.normal(size=(k, k)))[0] for k in (3, 4))
    turned = criterion(array(Q @ G @ R.T), array(Q @ M @ R.T), array(R @ A))
    assert turned.J == pytest.approx(found.J, rel=1e-12)
    assert turned.t == pytest.approx(found.t, abs=1e-6)
    flat = np.linalg.qr(rng.normal(size=(4, 3)))[0].T
    s, c, b = numbers(flat, flat, A)
    J = gain(*curve(s, c, b, np.linspace(0, 1, 11)))
    np.testing.assert_allclose(J, J[0], rtol=1e-12)


def test_the_bound_is_below_and_its_rule_has_one_direction():
    """B H <= J everywhere; and "Muon is truly better" implies nr(G) >= st(A), not the converse."""
    rng = np.random.default_rng(0)
    t, converse = np.linspace(0, 1, 21), 0
    for _ in range(400):
        m, n = rng.integers(2, 8, 2)
        A = rng.normal(size=(n, 12)) * (np.arange(1, n + 1) ** -rng.uniform(0, 2))[:, None]
        G = rng.normal(size=(m, n)) @ A @ A.T
        s, c, b = numbers(G, G, A)
        J = gain(*curve(s, c, b, t))
        H = gain(curve(s, c, s, t)[0], bound_of(s, np.linalg.svd(A, compute_uv=False), t))
        assert (12 * H <= J * (1 + 1e-9)).all()
        rule = nuclear_rank(array(G)) >= stable_rank(array(A))
        if m >= n and np.linalg.cond(G) < 1e6:              # full column rank
            assert rule or J[0] <= J[-1]
        converse += rule and J[0] < J[-1]
    assert converse > 20


def test_a_carrier_that_goes_up_is_worth_nothing():
    found = criterion(array(G), array(-G), array(A))
    assert found.J == 0.0 and found.N < 0


def test_stacks():
    rng = np.random.default_rng(0)
    G, M, A = (array(rng.normal(size=(3, 2, *shape))) for shape in ((4, 5), (4, 5), (5, 9)))
    together = criterion(G, M, A)
    for i in np.ndindex(3, 2):
        alone = criterion(G[i], M[i], A[i])
        assert together.t[i] == pytest.approx(alone.t, abs=1e-8)
        assert together.J[i] == pytest.approx(alone.J, rel=1e-12)


@pytest.mark.parametrize("kind", ["kfac", "hvp"])
def test_other_curvatures_are_exact_where_they_should_be(kind):
    """|S (W A - Y)|²/2B has output curvature SᵀS and a Hessian X -> SᵀS X C."""
    rng = np.random.default_rng(0)
    S = rng.normal(size=(3, 3)) * [1.0, 3.0, 0.1]
    Gamma, C = S.T @ S, A @ A.T / 5
    gradient = Gamma @ G
    curvature = array(Gamma) if kind == "kfac" else lambda X: array(Gamma) @ X @ array(C)
    found = criterion(array(gradient), array(gradient), array(A), curvature)

    def loss(W):
        return ((S @ (W @ A - Y)) ** 2).sum() / 10

    def fallen(t):
        X = to_host(psi(array(gradient), float(t)))
        length = (gradient * X).sum() / (X * (Gamma @ X @ C)).sum()
        return loss(np.zeros((3, 4))) - loss(-length * X)
    grid = np.linspace(0, 1, 5 if kind == "hvp" else 201)
    gains = [fallen(t) for t in grid]
    assert found.J / 2 == pytest.approx(fallen(found.t), rel=1e-9)
    assert found.J / 2 >= max(gains) * (1 - 1e-12)
    identity = criterion(array(gradient), array(gradient), array(A))
    assert abs(identity.t - found.t) > 0.05                 # the difference is what it is for


def test_curvature_that_is_not_positive_counts_as_best():
    def saddle(X):
        return X - 2.0 * psi(X, 0.0) if float(abs(X).max()) > 3 else -X
    found = criterion(array(G), array(G), array(A), saddle)
    assert found.J == math.inf and found.D <= 0 and found.N > 0


def test_agrees_with_hessian_vector_products_of_the_engine():
    def loss(W):
        return mg.sum((mg.matmul(W, array(A)) - array(Y))**2) * 0.1
    W = xp.zeros((3, 4))
    product = mg.hvp(loss, W)
    by_products = criterion(array(G), array(G), array(A), product)
    s, c, b = numbers(G, G, A)
    N, D = curve(s, c, b, np.array([by_products.t]))
    assert by_products.t == 0.5
    assert by_products.D == pytest.approx(D[0], rel=1e-12)


def test_nothing_to_choose_from():
    zero = np.zeros_like(G)
    for g, m, a in ((zero, G, A), (G, zero, A), (G, G, 0 * A)):
        found = criterion(array(g), array(m), array(a))
        assert math.isfinite(found.t) and not math.isnan(found.J)
    assert criterion(array(zero), array(G), array(A)).J == 0.0
    low_rank = np.outer(G[0], G[1])[:3]
    found = criterion(array(low_rank), array(low_rank), array(A))
    assert 0.0 <= found.t <= 1.0 and found.J > 0


def test_messages():
    with pytest.raises(ValueError, match=r"criterion: G \(3, 4\), M \(3, 4\) and A \(5, 4\) do"):
        criterion(array(G), array(G), array(A.T))
    with pytest.raises(ValueError, match=r"criterion: t must lie in \[0, 1\], got the range"):
        criterion(array(G), array(G), array(A), low=-0.1)
    with pytest.raises(ValueError, match="criterion: curvature 'kfac' needs its numbers"):
        criterion(array(G), array(G), array(A), "kfac")
    with pytest.raises(ValueError, match="criterion: M has 1 entries that are NaN"):
        criterion(array(G), array(np.where(G == G.max(), np.nan, G)), array(A))
    with pytest.raises(ValueError, match="M must be a matrix"):
        criterion(array(G[0]), array(G[0]), array(A))


def test_bound_returns_the_best_of_its_own():
    found = bound(array(G), array(G), array(A))
    s, c, _ = numbers(G, G, A)
    t = np.linspace(0, 1, 101)
    H = gain(curve(s, c, s, t)[0], bound_of(s, np.linalg.svd(A, compute_uv=False), t))
    assert found.t == t[H.argmax()] and found.J == pytest.approx(H.max(), rel=1e-12)
    assert best(s, c, numbers(G, G, A)[2]).t == criterion(array(G), array(G), array(A)).t
