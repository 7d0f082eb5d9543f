"""Muon: Newton-Schulz golden values, trajectories, the Gram form, the fallback."""
import math

import numpy as np
import pytest

import minigrad as mg
from minigrad import Layout
from minigrad.backend import to_host, xp
from optim import SGD, AdamW, Muon, NAdam, Objective, descent, newton_schulz
from optim.lmo.products import JORDAN as QUINTIC

A = [[1, 2], [3, 4], [5, 6]]
B = [[2, -1, 0, 3], [0, 1, 4, -2], [1, 1, -1, 0], [3, 0, 2, 1]]
C = [[1, 0, 2, 1], [4, 1, 4, 1], [1, 1, -2, -2]]                       # rank 2

# matrix, its image after five passes, the image's singular values (float64, ten digits)
GOLDEN = [
    (A, [[-0.4675185654, 0.5734733071], [0.0724322875, 0.4094526223], [0.6123831404, 0.2454319375]],
     [0.81757280, 0.69797406]),
    (B, [[0.2062960209, 0.0662651348, 0.1409751612, 1.0066549366],
         [-0.1486053499, 0.4761952109, 0.9548243875, -0.2032460610],
         [0.2234063622, 0.7100596960, -0.2685180613, 0.1316109887],
         [0.9372068099, -0.3246949914, 0.3477178656, -0.0972050965]],
     [1.11396445, 1.10527875, 1.02672730, 0.72315488]),
    (C, [[0.0021457770, -0.0671804830, 0.2730134859, 0.2036872259],
         [0.5796172133, 0.2036872259, 0.3444855229, -0.0314444645],
         [0.5731798822, 0.4052286748, -0.4745549348, -0.6425061422]],
     [1.13279692, 0.68204064, 0.0]),
]

W0 = np.array([[0.1, -0.2], [0.3, 0.0], [-0.1, 0.2]])
GRADIENTS = np.array([[[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]], [[0.5, -0.2], [0.1, 0.3], [-0.4, 0.2]],
                      [[-0.1, 0.6], [0.2, -0.3], [0.3, 0.1]]])

# settings, W (3 outputs, 2 inputs) after steps 1 and 3: semantics of Jordan's code, float64
TRAJECTORIES = [
    (dict(),
     [[0.1114517916, -0.2140471562], [0.2982257629, -0.0100295065], [-0.1150002658, 0.1939881432]],
     [[0.0911307971, -0.2274631022], [0.2650711724, -0.0203498174], [-0.1175980736, 0.1683366186]]),
    (dict(decay=0.1),
     [[0.1112517916, -0.2136471562], [0.2976257629, -0.0100295065], [-0.1148002658, 0.1935881432]],
     [[0.0905336534, -0.2262156258], [0.2633043204, -0.0202726959], [-0.1169525220, 0.1671982049]]),
    (dict(nesterov=False),
     [[0.1114517650, -0.2140471431], [0.2982257479, -0.0100295128], [-0.1150002692, 0.1939881175]],
     [[0.0846954536, -0.2172520410], [0.2735356247, -0.0198034428], [-0.1104145492, 0.1619208777]]),
    (dict(lr=1e-3, decay=0.1, scale="moonlight"),
     [[0.1001519532, -0.2001786570], [0.2999449087, -0.0001418386], [-0.1002021357, 0.1998949799]],
     [[0.0998445743, -0.2003283585], [0.2994160612, -0.0002877353], [-0.1002188444, 0.1994922600]]),
]


def array(values):
    return xp.asarray(np.asarray(values, "float64"))


@pytest.mark.parametrize("M, image, values", GOLDEN)
def test_newton_schulz_golden(M, image, values):
    O = to_host(newton_schulz(array(M)))
    np.testing.assert_allclose(O, image, rtol=0, atol=1e-10)
    np.testing.assert_allclose(np.linalg.svd(O, compute_uv=False), values, rtol=0, atol=1e-8)
    np.testing.assert_allclose(to_host(newton_schulz(array(M).T)), O.T, rtol=0, atol=1e-14)


@pytest.mark.parametrize("m, n", [(6, 6), (6, 11), (6, 12), (6, 40), (40, 6), (1, 9)])
def test_newton_schulz_maps_singular_values(m, n):
    """Direct and Gram form: U p(s) Vᵀ with the scalar map iterated on each singular value."""
    M = np.random.default_rng(0).normal(size=(m, n))
    U, s, Vt = np.linalg.svd(M, full_matrices=False)
    s = s / (np.linalg.norm(M) + 1e-7)
    a, b, c = QUINTIC
    for _ in range(5):
        s = a * s + b * s**3 + c * s**5
    np.testing.assert_allclose(to_host(newton_schulz(array(M))), (U * s) @ Vt, rtol=0, atol=1e-12)


def test_range_after_five_passes():
    s = np.geomspace(0.01, 1.0, 20001)
    a, b, c = QUINTIC
    for _ in range(5):
        s = a * s + b * s**3 + c * s**5
    assert 0.68 < s.min() < 0.69 and 1.13 < s.max() < 1.14


def test_batches_of_matrices():
    M = np.random.default_rng(0).normal(size=(4, 3, 7))
    together = to_host(newton_schulz(array(M)))
    for i in range(4):
        np.testing.assert_allclose(together[i], to_host(newton_schulz(array(M[i]))), rtol=1e-12)


@pytest.mark.parametrize("log_condition", [1, 4, 6])
def test_gram_form_in_float32(log_condition):
    """Squaring the condition costs digits: about 1e-4 of entries of .1, whatever the condition."""
    rng = np.random.default_rng(0)
    U, _ = np.linalg.qr(rng.normal(size=(64, 64)))
    V, _ = np.linalg.qr(rng.normal(size=(256, 64)))
    M = (U * np.logspace(0, -log_condition, 64)) @ V.T
    exact = to_host(newton_schulz(array(M)))
    rough = newton_schulz(xp.asarray(M.astype("float32")))
    assert rough.dtype == "float32"
    assert np.abs(to_host(rough) - exact).max() < 2e-4


def walk(opt, theta, gradients):
    state, points = opt.init(theta), []
    for g in gradients:
        delta, state = opt.update(g, array(1.0), theta, state)
        theta = theta + delta
        points.append(theta)
    return points


@pytest.mark.parametrize("hyper, first, third", TRAJECTORIES)
@pytest.mark.parametrize("name", ["K", "W"])
def test_reference_trajectories(hyper, first, third, name):
    """As a kernel W is stored (out, in, 1, 1), as a dense weight (in, out)."""
    def stored(M):
        return M.reshape(3, 2, 1, 1) if name == "K" else M.T

    layout = Layout({name: array(stored(W0))})
    theta = layout.ravel({name: array(stored(W0))})
    gradients = [layout.ravel({name: array(stored(G))}) for G in GRADIENTS]
    points = walk(Muon(layout, **hyper), theta, gradients)
    for point, expected in ((points[0], first), (points[2], third)):
        M = to_host(layout.unravel(point)[name])
        M = M.reshape(3, 2) if name == "K" else M.T
        np.testing.assert_allclose(M, expected, rtol=0, atol=1e-10)


def tree(rng):
    """One leaf of each kind, out of order."""
    shapes = {"b": (4,), "W": (3, 4), "gain": (4,), "E": (6, 3), "K": (4, 2, 3, 3)}
    return {name: array(rng.normal(size=shape)) for name, shape in shapes.items()}


def test_each_part_gets_its_method():
    rng = np.random.default_rng(0)
    point, gradients = tree(rng), [tree(rng) for _ in range(3)]
    layout = Layout(point)
    flat = [layout.ravel(g) for g in gradients]
    points = walk(Muon(layout, 0.02, decay=0.1), layout.ravel(point), flat)
    after = {name: to_host(leaf) for name, leaf in layout.unravel(points[-1]).items()}
    rest = AdamW(3e-4, beta1=0.9, beta2=0.95, eps=1e-10, decay=0.0)
    for name in ("b", "gain", "E"):
        alone = walk(rest, point[name].ravel(), [g[name].ravel() for g in gradients])[-1]
        np.testing.assert_allclose(after[name].ravel(), to_host(alone), rtol=1e-12)
    for name, out_by_in in (("W", lambda M: M.T), ("K", lambda M: M.reshape(4, 18))):
        W, m = out_by_in(to_host(point[name])), 0.0
        for g in gradients:
            G = out_by_in(to_host(g[name]))
            m = 0.95 * m + 0.05 * G
            O = to_host(newton_schulz(array(0.95 * m + 0.05 * G)))
            W = W - 0.02 * 0.1 * W - 0.02 * math.sqrt(max(1.0, W.shape[0] / W.shape[1])) * O
        np.testing.assert_allclose(out_by_in(after[name]), W, rtol=0, atol=1e-12)


def test_a_choice_of_matrices():
    point = tree(np.random.default_rng(0))
    layout = Layout(point)
    opt = Muon(layout, matrices=lambda entry: entry.name == "W")
    assert [part.where for part in opt.matrices] == [slice(4, 16)] and len(opt.rest) == 4


def test_moonlight_takes_over_the_rate_of_adamw():
    """The rest gets AdamW with the same rate and decay; an orthogonal step has the root mean
    square .2 η: five passes leave singular values within .68 and 1.14."""
    point = tree(np.random.default_rng(0))
    layout = Layout(point)
    opt = Muon.moonlight(layout, 1e-3, decay=0.0)
    assert opt.fallback.lr == 1e-3 and opt.ratio == 1.0 and opt.fallback.decay == 0.0
    theta = layout.ravel(point)
    delta, _ = opt.update(theta, array(1.0), theta, opt.init(theta))
    for name in ("W", "K"):
        step = to_host(layout.unravel(delta)[name])
        assert 0.68 * 2e-4 < np.sqrt((step**2).mean()) < 1.14 * 2e-4


def test_optax_form():
    """Bias-corrected carrier on all arrays of two axes, NAdam with the same rate for the others."""
    rng = np.random.default_rng(0)
    point, gradients = tree(rng), [tree(rng) for _ in range(3)]
    layout, lr, beta = Layout(point), 0.01, 0.9
    opt = Muon.optax(layout, lr, momentum=beta, beta1=0.8, beta2=0.95, decay=0.1)
    points = walk(opt, layout.ravel(point), [layout.ravel(g) for g in gradients])
    after = {name: to_host(leaf) for name, leaf in layout.unravel(points[-1]).items()}
    for name in ("b", "gain", "K"):
        rest = NAdam(lr, beta1=0.8, beta2=0.95)
        alone = walk(rest, point[name].ravel(), [g[name].ravel() for g in gradients])[-1]
        np.testing.assert_allclose(after[name].ravel(), to_host(alone), rtol=1e-11)
    for name in ("W", "E"):
        W, m = to_host(point[name]), 0.0
        for t, g in enumerate(gradients, start=1):
            G = to_host(g[name])
            m = beta * m + (1 - beta) * G
            u = beta * m / (1 - beta ** (t + 1)) + (1 - beta) * G / (1 - beta**t)
            O = to_host(newton_schulz(array(u), eps=1e-8))
            W = W - lr * (math.sqrt(max(1.0, W.shape[1] / W.shape[0])) * O + 0.1 * W)
        np.testing.assert_allclose(after[name], W, rtol=0, atol=1e-12)


def test_rates_keep_their_ratio():
    layout = Layout(tree(np.random.default_rng(0)))
    opt = Muon(layout, 0.02)
    assert opt.scheduled(0.01).fallback.lr == pytest.approx(1.5e-4)
    assert opt.scheduled(0.0).scheduled(0.02).fallback.lr == pytest.approx(3e-4)
    falling = opt.scheduled(lambda t: 0.02 / (t + 1)).fallback
    assert falling.learning_rate({"t": 1}) == pytest.approx(1.5e-4)
    assert (opt.lr, opt.fallback.lr) == (0.02, 3e-4)            # the first one stays


@pytest.mark.parametrize("make", [Muon, Muon.optax])
def test_a_schedule_in_the_constructor_moves_all_parts(make):
    """As `scheduled` does to a method with the numbers; at rate 0 nothing moves."""
    point = tree(np.random.default_rng(0))
    layout = Layout(point)
    theta, objective = layout.ravel(point), Objective(lambda x: mg.sum(mg.sin(x), axis=-1))

    def rate(t):
        return 0.02 if t < 2 else 0.0

    ends = []
    for opt in (make(layout, rate), make(layout, 0.02).scheduled(rate)):
        path = [w for _, w, _, _ in descent(opt, objective, theta, steps=4)]
        assert bool((path[2] != path[1]).all()) and bool((path[4] == path[2]).all())
        ends.append(to_host(path[-1]))
    np.testing.assert_allclose(*ends, rtol=1e-13)


def test_a_given_fallback_keeps_its_own_rate():
    layout = Layout(tree(np.random.default_rng(0)))
    opt = Muon(layout, lambda t: 0.0, fallback=SGD(0.5))
    assert opt.fallback.lr == 0.5


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_values_and_saved_states(dtype):
    point = tree(np.random.default_rng(0))
    layout = Layout(point)
    theta = layout.ravel(point).astype(dtype)
    kept, opt = to_host(theta).copy(), Muon(layout, decay=0.1)
    g = theta * 0.5
    delta, state = opt.update(g, xp.asarray(1.0), theta, opt.init(theta))
    assert delta.dtype == dtype
    assert {a.dtype.name for key, a in state.items() if not key.endswith("t")} == {dtype}
    np.testing.assert_array_equal(to_host(theta), kept)
    copy = {key: xp.asarray(np.array(to_host(a) if isinstance(a, xp.ndarray) else a))
            for key, a in state.items()}
    one, _ = opt.update(g, xp.asarray(1.0), theta, state)
    other, _ = Muon(layout, decay=0.1).update(g, xp.asarray(1.0), theta, copy)
    np.testing.assert_array_equal(to_host(one), to_host(other))


def test_zero_gradient_moves_nothing():
    point = tree(np.random.default_rng(0))
    layout = Layout(point)
    theta = layout.ravel(point)
    delta, _ = Muon(layout).update(0.0 * theta, xp.asarray(1.0), theta, Muon(layout).init(theta))
    assert float(abs(delta).max()) == 0.0


def test_messages():
    layout = Layout(tree(np.random.default_rng(0)))
    message = rf"Muon\.init: theta must be one point \({layout.size},\) .* got \(3, "
    with pytest.raises(ValueError, match=message):
        Muon(layout).init(xp.ones((3, layout.size)))
    with pytest.raises(ValueError, match="Muon: lr must lie in .0, inf., got -1.0"):
        Muon(layout, lr=-1.0)
    with pytest.raises(ValueError, match="Muon: unknown scale 'huge'. Use one of jordan, moonl"):
        Muon(layout, scale="huge")
    with pytest.raises(ValueError, match=r"Muon: b has shape \(4,\), which is no matrix"):
        Muon(layout, matrices=lambda entry: True)
    with pytest.raises(ValueError, match="Muon: momentum must lie in .0, 1., got 1.0"):
        Muon(layout, momentum=1.0)


@pytest.mark.peers
def test_agrees_with_torch():
    """PyTorch runs its products in bfloat16, hence the tolerance: 2 ** -8 is its rounding."""
    torch = pytest.importorskip("torch")
    if not hasattr(torch.optim, "Muon"):
        pytest.skip("this PyTorch has no Muon")
    rng = np.random.default_rng(0)
    W, gradients = rng.normal(size=(16, 8)), rng.normal(size=(4, 16, 8))
    p = torch.tensor(W, requires_grad=True, dtype=torch.float32)
    other = torch.optim.Muon([p], lr=0.02, weight_decay=0.1, momentum=0.95)
    layout = Layout({"K": array(W.reshape(16, 8, 1, 1))})
    flat = [array(g.ravel()) for g in gradients]
    ours = to_host(walk(Muon(layout, 0.02, decay=0.1), array(W.ravel()), flat)[-1]).reshape(16, 8)
    for g in gradients:
        p.grad = torch.tensor(g, dtype=torch.float32)
        other.step()
    moved = np.abs(p.detach().numpy() - W).max()
    np.testing.assert_allclose(ours, p.detach().numpy(), rtol=0, atol=0.05 * moved)


def test_its_product_is_found_by_its_old_place_too():
    from optim.muon import newton_schulz as by_its_old_place
    assert by_its_old_place is newton_schulz
