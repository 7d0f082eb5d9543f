"""How often do 95 % intervals hold the truth? 500 repeats each, few samples included.

A count of 500 at 95 % has a standard deviation of 1 %: between 92 and 98 % is three of them.
"""
import numpy as np
import pytest

from minigrad.backend import xp
from problems.landscape.curvature import MatrixOp, lanczos, spectral_density, top_curvature, trace
from problems.landscape.student import incomplete_beta

REPEATS, N = 500, 60


def matrix(kind):
    """Full matrices (a diagonal one is exact with Rademacher probes) of different spectra."""
    rng = np.random.default_rng(7)
    spectrum = {"normal": rng.standard_normal(N), "positive": rng.uniform(0.5, 1.5, N),
                "decaying": np.arange(1.0, N + 1) ** -0.5,
                "outliers": np.concatenate([[-4.0], rng.uniform(-0.5, 0.5, N - 3), [5.0, 7.0]])}[kind]
    Q = np.linalg.qr(rng.standard_normal((N, N)))[0]
    return (Q * spectrum) @ Q.T, spectrum


def share(cover):
    return sum(bool(cover(np.random.default_rng(seed))) for seed in range(REPEATS)) / REPEATS


def count_interval(covered, level=0.95):
    """Exact interval of the chance behind a share of REPEATS (Clopper & Pearson)."""
    hits, tail = round(covered * REPEATS), 0.5 * (1.0 - level)

    def chance(hits, target):
        low, high = 0.0, 1.0
        for _ in range(50):
            p = 0.5 * (low + high)
            at_least = incomplete_beta(p, hits, REPEATS - hits + 1)
            low, high = (p, high) if at_least < target else (low, p)
        return low
    return (chance(hits, tail) if hits else 0.0,
            chance(hits + 1, 1.0 - tail) if hits < REPEATS else 1.0)


def shown(covered):
    low, high = count_interval(covered)
    return f"{100 * covered:.1f} %, between {100 * low:.1f} and {100 * high:.1f}"


def holds(interval, truth):
    return interval[0] <= truth <= interval[1]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["normal", "positive", "decaying", "outliers"])
def test_traces(kind, capsys):
    A, spectrum = matrix(kind)
    op, truth, rows = MatrixOp(xp.asarray(A)), spectrum.sum(), []
    for method, products in (("hutchinson", (2, 3, 5, 10, 30)), ("hutch++", (4, 6, 9, 15, 30))):
        for m in products:
            found = []
            rows.append((method, m, share(lambda rng: holds(
                (found.append(trace(op, m, method, rng=rng)) or found[-1]).interval(), truth)),
                found[-1].degrees + 1))
    with capsys.disabled():
        print(f"\ntrace, {kind:9s}", *(f"{name} m={m} ({r} samples) {100 * s:.1f} %"
                                       for name, m, s, r in rows), sep="\n    ")
    for name, m, covered, _ in rows:
        assert 0.92 <= covered <= 0.98, (name, m, covered)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["normal", "positive", "decaying", "outliers"])
def test_moments_by_lanczos_quadrature(kind, capsys):
    """By the distribution of the weights, skewed where a few eigenvalues carry a moment: Student's t
    of the same samples holds 88 to 91 % there. One probe and two give more than was asked for.
    """
    A, spectrum = matrix(kind)
    op, rows = MatrixOp(xp.asarray(A)), []
    for nv in (1, 2, 3, 10):
        for k in (1, 2, 3):
            rows.append((nv, k, share(lambda rng: holds(
                spectral_density(op, 5, nv, rng=rng).interval(lambda t: t**k), np.mean(spectrum**k)))))
    with capsys.disabled():
        print(f"\nmoments, {kind}", *(f"{nv} probes, moment {k}: {shown(s)}" for nv, k, s in rows),
              sep="\n    ")
    for nv, k, covered in rows:
        low, high = count_interval(covered)                 # of the chance behind that count
        assert high >= 0.92 and (nv < 3 or low <= 0.98), (nv, k, covered)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["one", "two signs", "half", "geometric"])
def test_moments_of_hard_spectra(name, capsys):
    """Where `moments` says it does worst: one eigenvalue, 87 to 93 %; two values, nearly 100."""
    spectrum = {"one": np.append(10.0, np.zeros(N - 1)), "half": np.repeat([1.0, 0.0], N // 2),
                "two signs": np.concatenate([[5.0, -5.0], np.linspace(-0.1, 0.1, N - 2)]),
                "geometric": 0.7 ** np.arange(N)}[name]
    Q, rows = np.linalg.qr(np.random.default_rng(3).standard_normal((N, N)))[0], []
    op, steps = MatrixOp(xp.asarray((Q * spectrum) @ Q.T)), 2 if name in ("one", "half") else 5
    for nv in (1, 2, 10):
        for k in (1, 2, 3):
            rows.append((nv, k, share(lambda rng: holds(
                spectral_density(op, steps, nv, rng=rng).interval(lambda t: t**k),
                np.mean(spectrum**k)))))
    with capsys.disabled():
        print(f"\nmoments, {name}", *(f"{nv} probes, moment {k}: {shown(s)}" for nv, k, s in rows),
              sep="\n    ")
    least = 0.89 if name == "one" else 0.92
    assert all(least <= count_interval(covered)[1] for _, _, covered in rows)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["normal", "decaying", "outliers"])
def test_ends_of_the_spectrum(kind, capsys):
    """The interval of an end is a guarantee: 95 % or more. It is 95 % where the end is seen apart
    from the rest and has not converged to rounding; before that, and after, it is more.
    """
    A, spectrum = matrix(kind)
    op, rows = MatrixOp(xp.asarray(A)), []
    for m in (3, 5, 8, 12, 20):
        width = []
        rows.append((m, share(lambda rng: holds(
            (width.append(lanczos(op, m, rng=rng).interval()) or width[-1]), spectrum.max())),
            np.median([high - low for low, high in width])))
    with capsys.disabled():
        print(f"\nlambda_max, {kind}", *(f"{m} steps: {100 * s:.1f} %, median width {w:.1e}"
                                         for m, s, w in rows), sep="\n    ")
    assert all(covered >= 0.92 for _, covered, _ in rows)
    tight = {"normal": (20,), "decaying": (8, 12), "outliers": (5, 8)}[kind]
    assert all(covered <= 0.98 for m, covered, _ in rows if m in tight)


@pytest.mark.slow
def test_sharpness_of_a_landscape(capsys):
    """`top_curvature` of a quadratic, eight products."""
    import minigrad as mg

    A, spectrum = matrix("outliers")
    A = xp.asarray(A)

    def f(w):
        return 0.5 * mg.sum(w * (w @ A), axis=-1)

    covered = share(lambda rng: holds(top_curvature(f, xp.zeros(N), rng, 8).interval(), spectrum.max()))
    with capsys.disabled():
        print(f"\nsharpness, 8 products: {100 * covered:.1f} %")
    assert 0.92 <= covered <= 0.98
