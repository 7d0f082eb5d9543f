"""Test functions: facts, critical points, derivatives to third order, dtypes, errors."""

import math

import numpy as np
import pytest

import minigrad as mg
from minigrad import to_host, xp
from problems import functions
from problems.functions import FUNCTIONS
from minigrad import backend
from minigrad.ops import circular
from problems.functions.ripples import half_turns

PLANE = list(FUNCTIONS.values())
PLAIN = {       # each formula once more, from its docstring, with NumPy and Python sums
    "sphere": lambda x: sum(t**2 for t in x),
    "booth": lambda x: (x[0] + 2 * x[1] - 7)**2 + (2 * x[0] + x[1] - 5)**2,
    "three_hump_camel": lambda x: (2 * x[0]**2 - 1.05 * x[0]**4 + x[0]**6 / 6 + x[0] * x[1]
                                   + x[1]**2),
    "styblinski_tang": lambda x: sum(t**4 - 16 * t**2 + 5 * t for t in x) / 2,
    "beale": lambda x: sum((c - x[0] + x[0] * x[1]**k)**2
                           for k, c in ((1, 1.5), (2, 2.25), (3, 2.625))),
    "himmelblau": lambda x: (x[0]**2 + x[1] - 11)**2 + (x[0] + x[1]**2 - 7)**2,
    "rosenbrock": lambda x: sum(100 * (b - a * a)**2 + (1 - a)**2 for a, b in zip(x, x[1:])),
    "ackley": lambda x: (-20 * math.exp(-0.2 * math.sqrt(sum(t * t for t in x) / len(x)))
                         - math.exp(sum(math.cos(2 * math.pi * t) for t in x) / len(x))
                         + 20 + math.e),
    "rastrigin": lambda x: 10 * len(x) + sum(t * t - 10 * math.cos(2 * math.pi * t) for t in x),
    "griewank": lambda x: (1 + sum(t * t for t in x) / 4000
                           - math.prod(math.cos(t / math.sqrt(i)) for i, t in enumerate(x, 1))),
    "levy": lambda x: levy([1 + (t - 1) / 4 for t in x]),
}


def levy(w):
    return (math.sin(math.pi * w[0])**2 + (w[-1] - 1)**2 * (1 + math.sin(2 * math.pi * w[-1])**2)
            + sum((v - 1)**2 * (1 + 10 * math.sin(math.pi * v + 1)**2) for v in w[:-1]))


def point(*coordinates, dtype="float64"):
    return xp.asarray(coordinates, dtype=dtype)


def names(f):
    return f.name


# ---------------------------------------------------------------------- facts

@pytest.mark.parametrize("f, d", [(f, d) for f in PLANE for d in (1, 2, 3, 7)
                                  if d == 2 or f.any_dimension])
def test_value_is_the_formula_of_the_docstring(f, d):
    low, high = f.bounds
    points = np.random.default_rng(d).uniform(low, high, (20, d))
    heights = to_host(f(xp.asarray(points)))
    assert heights.shape == (20,)
    expected = np.array([PLAIN[f.name](list(map(float, p))) for p in points])
    np.testing.assert_allclose(heights, expected, rtol=1e-11, atol=1e-10)
    one = f(xp.asarray(points[3]))
    assert one.shape == () and float(one) == pytest.approx(heights[3], rel=1e-13)


@pytest.mark.parametrize("d", [2, 5])
@pytest.mark.parametrize("f", PLANE, ids=names)
def test_minimum_is_where_the_record_says(f, d):
    f = f.in_dimensions(d) if f.any_dimension else f
    assert f.minimisers.shape[1] == f.dimension and len(f.minimisers) >= 1
    low, high = f.bounds
    assert (f.minimisers > low).all() and (f.minimisers < high).all()
    for x in f.minimisers:
        value, slope = mg.value_and_grad(f)(xp.asarray(x))
        assert float(value) == pytest.approx(f.minimum, abs=1e-12 * max(1.0, abs(f.minimum)))
        assert np.abs(to_host(slope)).max() < 1e-10
    samples = np.random.default_rng(0).uniform(low, high, (2000, f.dimension))
    assert to_host(f(xp.asarray(samples))).min() >= f.minimum


@pytest.mark.parametrize("f", [f for f in PLANE if f.minimum == 0.0], ids=names)
def test_height_at_the_minimum_is_exactly_zero_where_the_minimiser_is_a_machine_number(f):
    x = f.minimisers[0]
    assert float(f(xp.asarray(x))) == 0.0


def test_start_is_uniform_in_the_bounds_and_follows_the_generator():
    f = functions.ackley.in_dimensions(3)
    starts = np.array([to_host(f.start(rng)) for rng in [np.random.default_rng(0)]
                       for _ in range(500)])
    assert starts.shape == (500, 3) and np.abs(starts).max() < 32.768
    assert abs(starts.mean()) < 4 * 32.768 / math.sqrt(3 * 1500)        # four standard errors
    again = to_host(f.start(np.random.default_rng(0)))
    assert (again == starts[0]).all()


def test_every_function_carries_formula_and_source():
    for f in PLANE:
        assert f.formula and f.source and f.name in repr(f)


# ------------------------------------------------- critical points (value, Hessian eigenvalues)

def hessian(f, x):
    product = mg.hvp(f, x)
    return np.stack([to_host(product(xp.asarray(e))) for e in np.eye(x.size)])


CRITICAL = [
    ("rosenbrock", (1, 1), 0, (0.3993607675, 1001.600639)),
    ("rosenbrock", (1, 1, 1, 1), 0, (.4929590929, 436.0850294, 1001.800359, 1567.621652)),
    ("rosenbrock", (-.7756592266, .6130933655, .3820628463, .1459720186), 3.701428610,
     (.3795335917, 190.8127653, 440.4328067, 866.1268772)),
    ("rosenbrock", (-.6561246357, .4431200410, .2043122482, .0417434948), 3.708241997,
     (-.5686996266, 168.8647891, 310.3529890, 653.9986917)),
    ("himmelblau", (3, 2), 0, (25.71572875, 82.28427125)),
    ("himmelblau", (-2.805118087, 3.131312518), 0, (64.84037277, 80.55007178)),
    ("himmelblau", (3.584428340, -1.848126527), 0, (28.69067716, 105.4189083)),
    ("himmelblau", (-3.779310253, -3.283185991), 0, (70.71435474, 133.7856152)),
    ("himmelblau", (3.385154184, .07385187984), 13.31192627, (-14.13517849, 97.54787810)),
    ("himmelblau", (.08667750456, 2.884254701), 67.71915009, (-31.70662236, 75.50760924)),
    ("himmelblau", (-3.073025751, -.08135304429), 104.0151629, (-39.65149626, 72.43524807)),
    ("himmelblau", (-.1279613467, -1.953714980), 178.3372392, (-50.61023932, 20.28404998)),
    ("himmelblau", (-.2708445907, -.9230385565), 181.6165215, (-45.60522929, -16.06601967)),
    ("rastrigin", (0,), 0, (396.7841760,)),
    ("rastrigin", (.5025460366,), 20.25127299, (-392.7336623,)),
    ("rastrigin", (.9949586377,), .9949590571, (396.5861378,)),
    ("rastrigin", (1.507640732,), 22.26145888, (-392.3293179,)),
    ("rastrigin", (1.989912234,), 3.979831191, (395.9914300,)),
    ("rastrigin", (0, .5025460366, .9949586377), 20.25127299 + .9949590571,
     (-392.7336623, 396.5861378, 396.7841760)),
    ("styblinski_tang", (-2.903534028,), -39.16616570, (34.58305910,)),
    ("styblinski_tang", (.1567312568,), .1956123591, (-15.85261188,)),
    ("styblinski_tang", (2.746802771,), -25.02944666, (29.26955278,)),
    ("styblinski_tang", (.1567312568, 2.746802771), .1956123591 - 25.02944666,
     (-15.85261188, 29.26955278)),
]


@pytest.mark.parametrize("name, x, height, eigenvalues", CRITICAL)
def test_critical_points(name, x, height, eigenvalues):
    f, x = FUNCTIONS[name], point(*x)
    value, slope = mg.value_and_grad(f)(x)
    assert float(value) == pytest.approx(height, rel=1e-8, abs=1e-14)     # ten digits are given
    H = hessian(f, x)
    assert np.abs(to_host(slope)).max() < 1e-9 * np.abs(H).max()          # x is given to ten digits
    np.testing.assert_allclose(H, H.T, rtol=0, atol=1e-10 * np.abs(H).max())
    np.testing.assert_allclose(np.linalg.eigvalsh(H), eigenvalues, rtol=3e-8)


def test_rosenbrock_curvature_has_trace_1002_and_determinant_400():
    H = hessian(functions.rosenbrock, point(1, 1))
    assert np.trace(H) == pytest.approx(1002, rel=1e-12)
    assert np.linalg.det(H) == pytest.approx(400, rel=1e-10)


def test_quadratic_has_the_given_spectrum():
    rng = np.random.default_rng(1)
    basis, _ = np.linalg.qr(rng.standard_normal((4, 4)))
    spectrum = [3.0, 1.0, 0.5, 0.01]
    for f in (functions.quadratic(spectrum), functions.quadratic(spectrum, basis)):
        assert f.dimension == 4 and to_host(f.start(rng)).shape == (4,)
        H = hessian(f, xp.asarray(rng.standard_normal(4)))
        np.testing.assert_allclose(np.linalg.eigvalsh(H), sorted(spectrum), rtol=1e-12)
        assert float(f(xp.zeros(4))) == f.minimum == 0.0
    np.testing.assert_allclose(H @ basis, basis * spectrum, atol=1e-12)
    saddle = functions.quadratic([1.0, -2.0])
    assert saddle.minimum == -math.inf and saddle.minimisers.shape == (0, 2)


# ---------------------------------------------------------------------- derivatives

def away_from_kinks(f, seed, shape):
    return xp.asarray(np.random.default_rng(seed).uniform(0.15, 2.3, shape))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("f", PLANE, ids=names)
def test_gradient_and_curvature(f, seed):
    x = away_from_kinks(f, seed, 2 if not f.any_dimension else seed + 2)
    mg.check_gradient(f, x, np.random.default_rng(seed))
    mg.check_hvp(f, x, np.random.default_rng(seed))


@pytest.mark.parametrize("f", PLANE, ids=names)
def test_third_derivative(f):
    """d/dt of v·H(x + tu)v against its central difference."""
    rng = np.random.default_rng(5)
    x = away_from_kinks(f, 5, 2)
    u, v = (xp.asarray(rng.standard_normal(2)) for _ in range(2))

    def bend(z):
        return mg.sum(mg.hvp(f, z)(v) * v)

    exact = float(to_host(mg.grad(bend)(x)) @ to_host(u))
    h = 1e-5
    difference = (float(bend(x + h * u)) - float(bend(x - h * u))) / (2 * h)
    scale = np.abs(hessian(f, x)).max()
    assert exact == pytest.approx(difference, rel=1e-5, abs=1e-6 * scale)


@pytest.mark.parametrize("f", PLANE, ids=names)
def test_slope_of_the_first_sweep_is_the_slope_of_the_recorded_one(f):
    """In one sweep a primitive may use its rule for arrays; inside hvp it uses the other one."""
    x = away_from_kinks(f, 7, (6, 2))
    once = to_host(mg.grad(lambda z: mg.sum(f(z)))(x))
    seen = []
    mg.grad(lambda z: mg.sum(seen.append(mg.grad(lambda w: mg.sum(f(w)))(z)) or seen[0]))(x)
    recorded = to_host(seen[0].data)
    np.testing.assert_allclose(once, recorded, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("f", PLANE, ids=names)
def test_dtype_and_batches(f, dtype):
    rng = np.random.default_rng(2)
    x = rng.uniform(0.2, 2.0, (3, 4, 2)).astype(dtype)
    heights = f(xp.asarray(x))
    assert heights.shape == (3, 4) and heights.dtype == dtype
    slope = mg.grad(lambda z: mg.sum(f(z)))(xp.asarray(x))
    assert slope.shape == x.shape and slope.dtype == dtype
    one = mg.grad(f)(xp.asarray(x[1, 2]))
    assert one.dtype == dtype
    tolerance = 1e-12 if dtype == "float64" else 3e-5       # float32: 400 ulp of a steep wall
    scale = np.abs(to_host(slope)).max()
    np.testing.assert_allclose(to_host(slope)[1, 2], to_host(one), rtol=0, atol=tolerance * scale)
    product = mg.hvp(f, xp.asarray(x[0, 0]))(xp.asarray(x[0, 1]))
    assert product.dtype == dtype


@pytest.mark.parametrize("f", PLANE, ids=names)
def test_memory_order_does_not_matter_and_slopes_keep_it(f):
    x = np.random.default_rng(3).uniform(0.2, 2.0, (5, 2))
    rows, columns = xp.asarray(x), xp.asfortranarray(xp.asarray(x))
    np.testing.assert_allclose(to_host(f(rows)), to_host(f(columns)), rtol=1e-14)
    slopes = [to_host(mg.grad(lambda z: mg.sum(f(z)))(z)) for z in (rows, columns)]
    np.testing.assert_allclose(*slopes, rtol=1e-13)


def test_tangents_give_sine_and_cosine():
    x = np.concatenate([np.random.default_rng(0).uniform(-40, 40, 100000), np.arange(-9, 10) / 4])
    a, b, s = (to_host(part) for part in half_turns(xp.asarray(x)))
    turn = 2 * np.pi * (x - np.rint(x))
    np.testing.assert_allclose(2 * s, np.sin(turn), rtol=1e-14, atol=1e-15 if a is b else 4e-16)
    np.testing.assert_allclose(2 * a * b, 2 * np.sin(turn / 2)**2, rtol=2e-14)


@pytest.mark.skipif(backend.on_device, reason="what is chosen are NumPy's functions")
@pytest.mark.parametrize("slow", [True, False])
def test_both_ways_to_sines_give_the_same_heights_and_slopes(slow, monkeypatch):
    monkeypatch.setattr(circular, "tangents_are_slow", lambda: slow)
    x = np.random.default_rng(4).uniform(-5, 5, (5000, 2))
    y, g = mg.value_and_grad(functions.rastrigin, each=True)(x)
    np.testing.assert_allclose(y, (10 + x * x - 10 * np.cos(2 * np.pi * x)).sum(axis=-1), rtol=1e-12)
    np.testing.assert_allclose(g, 2 * x + 20 * np.pi * np.sin(2 * np.pi * x), atol=1e-12)
    y, g = mg.value_and_grad(functions.ackley, each=True)(x)
    z, h = zip(*(mg.value_and_grad(functions.ackley)(row) for row in x[:50]))       # few: tangents
    np.testing.assert_allclose(y[:50], z, rtol=1e-13)
    np.testing.assert_allclose(g[:50], h, rtol=1e-11, atol=1e-13)


def test_ackley_is_accurate_at_the_tip_and_flat_on_it():
    d, r = 2, 1e-9
    height = float(functions.ackley(point(r, 0.0)))
    assert height == pytest.approx(20 * 0.2 * r / math.sqrt(d), rel=1e-8)     # the cone 4 |x|/√d
    for f in (functions.ackley, functions.ackley.in_dimensions(1)):
        slope = mg.grad(f)(xp.zeros(f.dimension))
        assert (to_host(slope) == 0.0).all()
        twice = mg.vjp(lambda z: mg.grad(f)(z), xp.zeros(f.dimension))[0]
        assert (to_host(twice) == 0.0).all()


# ---------------------------------------------------------------------- bad calls

def test_wrong_dimensions_are_named():
    with pytest.raises(ValueError, match=r"beale: points have 2 coordinates .* got shape \(3,\)"):
        functions.beale(xp.zeros(3))
    with pytest.raises(ValueError, match="booth: is a function of 2 coordinates, not of 5"):
        functions.booth.in_dimensions(5)
    with pytest.raises(ValueError, match="sphere: needs at least 1 coordinate, got 0"):
        functions.sphere.in_dimensions(0)
    with pytest.raises(ValueError, match=r"spectrum must be a vector, got shape \(2, 2\)"):
        functions.quadratic(np.eye(2))
    with pytest.raises(ValueError, match=r"quadratic: basis must be an orthogonal \(2, 2\) matrix"):
        functions.quadratic([1.0, 2.0], [[1.0, 1.0], [0.0, 1.0]])
