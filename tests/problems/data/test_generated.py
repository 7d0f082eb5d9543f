"""Least squares, spirals, clusters and the polynomial: what each promises about itself."""

import hashlib
import math

import numpy as np
import pytest

from minigrad.backend import to_host
from problems import data
from problems.data import polynomial


@pytest.fixture(scope="module")
def regression():
    made = data.load("power-law", seed=0)
    return to_host(made.train.inputs), to_host(made.train.targets), made.facts


def test_power_law_solution_is_exact(regression):
    x, y, facts = regression
    gradient = 2 * x.T @ (x @ facts["solution"] - y) / len(y)
    assert np.abs(gradient).max() < 1e-13  # rounding of a sum of 2,000 terms of order 1
    assert facts["minimum"] == pytest.approx(np.mean((x @ facts["solution"] - y) ** 2), rel=1e-12)
    # noise s = 0.01 on 2,000 points, 100 of them fitted: s^2 (1 - 100/2000), sd 3 %
    assert facts["minimum"] == pytest.approx(1e-4 * 0.95, rel=0.12)
    # The least determined weights have sd s / sqrt(n k^-2) = 0.022.
    assert np.abs(facts["solution"] - facts["teacher"]).max() < 0.3


def test_power_law_spectrum(regression):
    x, _, facts = regression
    k = np.arange(1, 101.0)
    assert np.allclose(facts["curvature"] * k**2, 1, atol=0.45)  # d / n = 0.05: edges (1 +- 0.22)^2
    assert np.allclose(facts["curvature"], np.linalg.eigvalsh(x.T @ x / 2000)[::-1])
    assert 10_500 < facts["condition"] < 12_500


def test_gradient_descent_is_slow_on_it(regression):
    """500 steps of rate 1 / L leave about a hundredth of the loss; a Newton step leaves nothing."""
    x, y, facts = regression
    H, b = x.T @ x / 2000, x.T @ y / 2000

    def excess(v):
        return float(np.mean((x @ v - y) ** 2)) - facts["minimum"]

    v = np.zeros(100)
    for _ in range(500):
        v = v - (H @ v - b) / facts["curvature"][0]
    start = excess(np.zeros(100))
    assert 1e-3 < excess(v) / start < 5e-2
    assert abs(excess(np.linalg.solve(H, b))) < 1e-15 * start


def test_power_law_dtype_and_refusal():
    assert data.load("power-law", n=50, dim=5).train.inputs.dtype == np.float64
    assert data.load("power-law", n=50, dim=5, dtype="float32").valid.targets.dtype == np.float32
    with pytest.raises(ValueError, match="power_law_points: n=0"):
        data.load("power-law", n=0)


def test_rotation_is_orthogonal():
    Q, w = data.power_law_teacher(np.random.default_rng(0), 7)
    assert np.allclose(Q @ Q.T, np.eye(7), atol=1e-14) and w.shape == (7,)


def test_spirals_without_noise_lie_on_the_arms():
    x, labels = data.two_spirals(np.random.default_rng(0), 500, noise=0.0)
    r = np.hypot(*x.T)
    turned = np.arctan2(x[:, 1], x[:, 0]) - 2 * math.pi * 1.75 * r - math.pi * labels
    assert np.abs(np.exp(1j * turned) - 1).max() < 1e-9
    # sqrt of a uniform number: a quarter of the points within radius 1/2, sd 0.019
    assert abs(np.mean(r < 0.5) - 0.25) < 0.08
    assert set(labels) == {0, 1}


def test_spirals_noise_grows_with_the_radius():
    (x, _), (clean, _) = (data.two_spirals(np.random.default_rng(1), 5000, noise=s)
                          for s in (0.06, 0.0))
    ratio = np.linalg.norm(x - clean, axis=1) / np.hypot(*clean.T)
    assert np.sqrt(np.mean(ratio**2) / 2) == pytest.approx(0.06, rel=0.05)
    with pytest.raises(ValueError, match="two_spirals: n=5, noise=-1"):
        data.two_spirals(np.random.default_rng(0), 5, noise=-1)


def test_a_straight_line_does_not_separate_spirals():
    """Least-squares classifier: far from both chance and certainty, about two thirds right."""
    made = data.load("spirals", dtype="float64")
    x, y = (to_host(a) for a in made.train)
    A = np.column_stack([x, np.ones(len(x))])
    w = np.linalg.lstsq(A, 2.0 * y - 1, rcond=None)[0]
    test = to_host(made.test.inputs)
    guess = np.column_stack([test, np.ones(len(test))]) @ w > 0
    right = guess == (to_host(made.test.targets) == 1)
    assert 0.58 < right.mean() < 0.74


def test_clusters_8_is_drawn_in_the_stated_order():
    rng = np.random.default_rng(0)
    centres, k = rng.standard_normal((12, 10)), rng.integers(0, 12, 3000)
    x = centres[k] + 0.9 * rng.standard_normal((3000, 10))
    eight = data.load("clusters-8")
    assert (eight.train.n, eight.valid.n, eight.test.n) == (400, 400, 2200)
    assert np.array_equal(to_host(eight.valid.inputs), x[400:800])
    assert np.array_equal(to_host(eight.test.targets), k[800:] % 4)
    wrong = (to_host(eight.train.targets) != k[:400] % 4).mean()
    assert 0.04 < wrong < 0.12                     # 10 % drawn anew, a quarter of them as before
    clean = data.load("clusters-8", label_noise=0.0)
    assert np.array_equal(to_host(clean.train.targets), k[:400] % 4)


def test_clusters():
    rng = np.random.default_rng(0)
    centres = data.gaussian_centres(rng)
    x, labels = data.gaussian_clusters(rng, centres, 4000)
    assert centres.shape == (15, 10) and x.shape == (4000, 10) and labels.dtype == np.int64
    nearest = np.linalg.norm(x[:, None] - centres, axis=-1).argmin(1)
    assert np.mean(nearest % 5 == labels) > 0.99
    residual = x - centres[nearest]
    assert residual.std() == pytest.approx(0.6, rel=0.03)
    assert data.gaussian_centres(rng, 2000).std() == pytest.approx(1.3, rel=0.02)


def test_label_noise_redraws_its_share():
    """A redrawn label is still right one time in five: 0.4 of noise changes 0.32."""
    kept = data.load("clusters", n_train=4000, label_noise=0.4)
    clean = data.load("clusters", n_train=4000)
    changed = np.mean(to_host(kept.train.targets) != to_host(clean.train.targets))
    assert abs(changed - 0.32) < 0.04
    assert np.array_equal(to_host(kept.test.targets), to_host(clean.test.targets))
    assert np.array_equal(to_host(kept.train.inputs), to_host(clean.train.inputs))
    with pytest.raises(ValueError, match="label_noise=1.5"):
        data.load("clusters", label_noise=1.5)


def test_parts_differ_and_seeds_reproduce():
    for name in ("spirals", "clusters", "power-law"):
        a, b, c = (data.load(name, seed=seed) for seed in (7, 7, 8))
        n = min(a.train.n, a.test.n, 100)
        same, other = to_host(a.train.inputs)[:n], to_host(a.test.inputs)[:n]
        assert np.array_equal(same, to_host(b.train.inputs)[:n])
        assert not np.array_equal(same, to_host(c.train.inputs)[:n])
        assert not np.array_equal(same, other)


def test_polynomial_file_is_the_one_measured_with():
    assert hashlib.sha256(polynomial.FILE.read_bytes()).hexdigest() == (
        "6c8838bd020c33b905ea4a9b3c6f48424e4f04d1d01efd7b9b91805d2776fefe")


def test_polynomial_splits_and_values():
    paper, ours = data.load("polynomial", split="paper"), data.load("polynomial")
    assert (paper.train.n, paper.valid, paper.test.n) == (8192, None, 5120)
    assert (ours.train.n, ours.valid.n, ours.test.n) == (7168, 1024, 5120)
    x, y = (to_host(a) for a in paper.train)
    assert x.shape == (8192, 4) and y.shape == (8192,) and x.dtype == y.dtype == np.float32
    assert np.array_equal(x[0], np.float32([-0.78839487, -0.42477983, 0.31990007, -0.9167466]))
    assert np.array_equal(y[:5], np.float32(
        [0.08658564, 0.12636448, -0.6091407, 0.44969767, 0.11668241]))
    assert np.array_equal(to_host(ours.valid.inputs), x[-1024:])
    test = to_host(paper.test.targets).astype(np.float64)
    assert np.var(y.astype(np.float64)) == pytest.approx(1.302, abs=5e-4)
    assert np.var(test) == pytest.approx(0.516, abs=5e-4)
    energy = np.sort(test**2)[::-1]
    assert energy[:5].sum() / energy.sum() == pytest.approx(0.35, abs=0.01)


def test_polynomial_of_four_columns_explains_it():
    """Degree 6 in four variables: 210 monomials fit the target to the rounding of float32."""
    paper = data.load("polynomial", split="paper", dtype="float64")
    x, y = (to_host(a) for a in paper.train)

    def monomials(x):
        terms = [np.ones(len(x))]
        for i in range(7):
            for j in range(7 - i):
                for k in range(7 - i - j):
                    for m in range(7 - i - j - k):
                        if i + j + k + m:
                            terms.append(x[:, 0]**i * x[:, 1]**j * x[:, 2]**k * x[:, 3]**m)
        return np.stack(terms, -1)

    A = monomials(x)
    c = np.linalg.lstsq(A, y, rcond=None)[0]
    x_test, y_test = (to_host(a) for a in paper.test)
    assert A.shape[1] == 210
    assert np.abs(monomials(x_test) @ c - y_test).max() < 1e-4 * np.abs(y_test).max()
