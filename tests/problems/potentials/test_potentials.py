"""Every stated fact: Newton finds the stated point, the slope vanishes there, index and height."""
import math

import numpy as np
import pytest

import minigrad as mg
from minigrad import check_gradient, check_hvp
from minigrad.backend import to_host, xp
from problems.landscape.paths.heights import height
from problems.landscape.paths.path import Polygon, Straight
from problems.potentials import (CurvedWell, DoubleWell, EggBox, Embedded, MuellerBrown, NeuronSwap,
                                 OneNeuron, Ring, ThreeHole, TiltedRing, TiltedWell, Toy,
                                 WolfeQuapp)

BEST_SINGLE, SINGLE_LOSS = (0.610796701793, 3.408466977899), 0.001668324523    # by Newton's method
ALL = [MuellerBrown(), ThreeHole(), Toy(), WolfeQuapp(), DoubleWell(), TiltedWell(), CurvedWell(),
       CurvedWell(3.0, (1.0, -0.5, 2.0)), Ring(), Ring(5.0, 2.0), TiltedRing(), EggBox(),
       EggBox(4, 2), OneNeuron(), NeuronSwap(),
       Embedded(MuellerBrown(), 7, np.random.default_rng(0)), Embedded(Ring(), 4)]


def name_of(potential):
    return f"{type(potential).__name__}-{potential.dimension}"


EACH = pytest.mark.parametrize("potential", ALL, ids=name_of)


def derivatives(potential, x):
    """Height, gradient (d,) and Hessian (d, d) at x, on the host."""
    x = xp.asarray(x, dtype="float64")
    height, g = mg.value_and_grad(potential.loss)(x)
    product = mg.hvp(potential.loss, x)
    H = np.stack([to_host(product(xp.asarray(e))) for e in np.eye(len(x))])
    return float(height), to_host(g), 0.5 * (H + H.T)


@EACH
def test_gradient_and_hessian(potential):
    theta = potential.start(np.random.default_rng(1))
    check_gradient(potential.loss, theta, np.random.default_rng(2))
    check_hvp(potential.loss, theta, np.random.default_rng(3))
    batch = xp.stack([theta, 0.5 * theta, 0.3 * theta])
    heights = to_host(potential.loss(batch))
    assert np.allclose(heights, [float(potential.loss(row)) for row in batch], rtol=1e-12)


@EACH
def test_dtype_stays(potential):
    theta = potential.start(np.random.default_rng(1)).astype("float32")
    height, g = mg.value_and_grad(potential.loss)(theta)
    assert height.dtype == xp.float32 and g.dtype == xp.float32


@EACH
@pytest.mark.parametrize("kind, word, index", [("minima", "minima", 0), ("saddles", "saddle", 1),
                                               ("maxima", "maxima", 2)])
def test_critical_points(potential, kind, word, index):
    """Points to 1e-10 and heights to 1e-9: the last digits stated."""
    points = np.asarray(getattr(potential, kind))
    heights = getattr(potential, f"{word}_heights")
    assert len(points) == len(heights) and list(heights) == sorted(heights)
    flat = isinstance(potential, (OneNeuron, NeuronSwap))         # minima of loss 0, no more
    for point, stated in zip(points, heights):
        V, g, H = derivatives(potential, point)
        scale = np.linalg.norm(H, 2)
        assert np.linalg.norm(g) < 1e-11 * scale
        assert abs(V - stated) < 1e-9 * max(1.0, abs(stated))
        assert (np.linalg.eigvalsh(H) < -1e-9 * scale).sum() == index
        if not flat:
            assert np.linalg.norm(np.linalg.solve(H, g)) < 1e-10


@EACH
def test_routes(potential):
    """Ends, the straight line, and that no way is better: the straight one is not."""
    assert potential.routes or type(potential) is Embedded
    for name, route in potential.routes.items():
        start, end = potential.ends(name)
        straight = height(potential, Straight(start, end))
        assert straight.highest >= route.height - 1e-9
        if route.straight is not None:
            assert abs(straight.highest - route.straight) < 1e-8
        assert abs(potential.barrier(name) - (route.height - max(straight.ends))) < 1e-9


@pytest.mark.parametrize("potential, name, through", [
    (MuellerBrown(), "A-C", "saddles"), (ThreeHole(), "by the upper minimum", "saddles"),
    (WolfeQuapp(), "by the third minimum", "saddles")])
def test_the_lowest_way_is_reached_from_its_pass(potential, name, through):
    """Steepest descent from both sides of each saddle on the way ends in the minima it joins."""
    route = potential.routes[name]
    passes = [s for s, h in zip(potential.saddles, potential.saddle_heights)
              if h <= route.height + 1e-9]
    joined = []
    for saddle in passes:
        H = derivatives(potential, saddle)[2]
        downhill = np.linalg.eigh(H)[1][:, 0]
        sides = []
        for sign in (1.0, -1.0):
            x = np.asarray(saddle) + sign * 1e-3 * downhill
            for _ in range(600):
                x = x - 1e-2 * derivative(potential, x)
            sides.append(int(np.argmin(np.linalg.norm(np.asarray(potential.minima) - x, axis=1))))
        joined.append(set(sides))
    reached = {0}
    for _ in joined:
        reached |= set().union(*[pair for pair in joined if pair & reached])
    assert 1 in reached or route.end not in potential.minima[:2]


def derivative(potential, x):
    g = to_host(mg.grad(potential.loss)(xp.asarray(x)))
    return g / max(1.0, np.linalg.norm(g))


# ---------------------------------------------------------------------- closed forms

@pytest.mark.parametrize("k, h", [(10.0, 1.0), (3.0, 4.0)])
def test_the_ring(k, h):
    ring = Ring(k, h)
    y = math.sqrt(1 - h / (2 * k))
    assert abs(ring.routes["half round"].height - float(ring.loss(xp.asarray([0.0, y])))) < 1e-14
    assert ring.routes["half round"].straight == k
    if (k, h) == (10.0, 1.0):
        assert ring.routes["half round"].height == 0.975


def test_curved_wells_stay_at_one_in_every_dimension():
    """Along y = a x² the height is (x² - 1)², at most 1."""
    x = xp.linspace(-1, 1, 101)
    for a in ((1.0,), (2.0, -1.0, 0.5)):
        valley = xp.stack([x, *(c * x * x for c in a)], axis=-1)
        V = to_host(CurvedWell(10.0, a).loss(valley))
        assert V.max() == 1.0 and np.allclose(V, to_host((x * x - 1) ** 2), atol=1e-15)
    assert CurvedWell(10.0, 1.0).routes["round the bend"].straight == 11.0


@pytest.mark.parametrize("d, m", [(1, 1), (2, 1), (2, 2), (5, 3)])
def test_the_egg_box_one_coordinate_at_a_time(d, m):
    box = EggBox(d, m)
    (name, route), = box.routes.items()
    corners = np.zeros((m + 1, d))
    for i in range(m):
        corners[i + 1:, i] = route.end[i]
    found = height(box, Polygon(xp.asarray(corners)))
    assert abs(found.highest - route.height) < 1e-9
    assert abs(route.height - (20.25127299 + (m - 1) * 0.99495906)) < 1e-7


def test_one_neuron_is_down_to_zero_and_up_again():
    net = OneNeuron(0.7, 1.2)
    (v, w), (u, z) = net.minima
    by_zero = Polygon(xp.asarray([[v, w], [0.0, w], [0.0, z], [u, z]]))
    y = net.data[1]
    assert abs(height(net, by_zero).highest - 0.5 * np.mean(y * y)) < 1e-12
    assert net.routes["sign"].height == 0.5 * np.mean(y * y)


def test_the_best_single_neuron_by_exhaustive_search():
    """v is linear: for each w its best value is <y, t>/<t, t>; w on a fine grid over [-30, 30]."""
    x = np.linspace(-3, 3, 61)
    y = np.tanh(2 * x) - 0.5 * np.tanh(0.6 * x)
    w = np.linspace(1e-3, 30, 300000)
    best = math.inf
    for part in np.array_split(w, 60):
        t = np.tanh(part[:, None] * x)
        v = (t @ y) / (t * t).sum(axis=1)
        L = 0.5 * ((v[:, None] * t - y) ** 2).mean(axis=1)
        if L.min() < best:
            best, at = L.min(), (v[L.argmin()], part[L.argmin()])
    assert 0 <= best - SINGLE_LOSS < 1e-10 and np.allclose(at, BEST_SINGLE, atol=1e-4)
    net = NeuronSwap()
    assert np.allclose(net.single, BEST_SINGLE, atol=1e-6)
    assert abs(net.routes["swap"].height - SINGLE_LOSS) < 1e-12
    v, w = BEST_SINGLE
    two = xp.asarray([0.5 * v, 0.5 * v, w, w])                    # where the lowest way crosses
    assert abs(float(NeuronSwap().loss(two)) - SINGLE_LOSS) < 1e-12


def test_a_swap_changes_no_output_and_renaming_removes_the_barrier():
    net = NeuronSwap()
    start, end = net.ends("swap")
    assert max(float(net.loss(start)), float(net.loss(end))) < 1e-30         # rounding, squared
    v1, v2, w1, w2 = (float(x) for x in end)
    renamed = xp.asarray([v2, v1, w2, w1])
    assert np.array_equal(to_host(renamed), to_host(start))
    assert height(net, Straight(start, renamed)).above_higher < 1e-30    # rounding


def test_embedding_keeps_heights_and_turns_points():
    flat = MuellerBrown()
    deep = Embedded(flat, 50, np.random.default_rng(3))
    Q = to_host(deep.rotation)
    assert np.allclose(Q.T @ Q, np.eye(50), atol=1e-13)
    u = np.random.default_rng(0).uniform(-1, 1, (5, 2))
    lifted = to_host(deep.loss(xp.asarray(deep.lift(u))))
    assert np.allclose(lifted, to_host(flat.loss(xp.asarray(u))))
    z = np.random.default_rng(1).standard_normal(48)
    away = np.concatenate([u[0], z]) @ Q.T
    assert np.isclose(float(deep.loss(xp.asarray(away))),
                      float(flat.loss(xp.asarray(u[0]))) + 100.0 * z @ z)
    assert deep.routes["A-C"].height == flat.routes["A-C"].height


def test_the_toy_landscape_as_published():
    """Golden values of the specification, to the digits given there."""
    toy = Toy()
    ends = to_host(toy.loss(xp.asarray(toy.routes["figure 3"][:2])))
    assert np.allclose(ends, [0.10906052, -8.94e-6], atol=5e-9)
    line = Straight(*toy.ends("figure 3"))
    found = height(toy, line, tolerance=1e-10)
    assert abs(found.highest - 1.10234600) < 1e-8 and abs(found.t - 0.378671) < 5e-7
    assert abs(found.length - 1.22576507) < 5e-9
    t = xp.linspace(0, 1, 101)
    V, points = to_host(toy.loss(line(t))), to_host(line(t))
    assert abs(V.max() - 1.10230739) < 5e-9
    assert abs(V.sum() - 46.723581) < 5e-7 and abs((V * V).sum() - 35.531625) < 5e-7
    assert abs((np.diff(points, axis=0) ** 2).sum() - 0.015025) < 5e-7
    assert abs(toy.saddle_heights[0] - 0.62439335) < 5e-9


def test_errors():
    with pytest.raises(ValueError, match="DoubleWell: k must be positive, got -1"):
        DoubleWell(-1.0)
    with pytest.raises(ValueError, match="Ring: h must be below 2 k = 2.0, got 3"):
        Ring(1.0, 3.0)
    with pytest.raises(ValueError, match="EggBox: between 1 and d = 2 coordinates can move, got 3"):
        EggBox(2, 3)
    with pytest.raises(ValueError, match="MuellerBrown has 2 coordinates and does not fit into 1"):
        Embedded(MuellerBrown(), 1)
