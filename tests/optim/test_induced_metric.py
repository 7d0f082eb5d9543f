"""The induced-metric family against golden vectors, scalar loops and its exact identities."""
import math

import numpy as np
import pytest

import minigrad as mg
import optim
from minigrad.backend import to_host, xp
from optim import AdamW, InducedMetric, LogInducedMetric, Objective, RMSInducedMetric, SGD

FAMILY = {"plain": InducedMetric, "log": LogInducedMetric, "rms": RMSInducedMetric}


def quad(theta):
    return 0.5 * (theta[..., 0]**2 + 10.0 * theta[..., 1]**2)


def rastrigin(theta):
    return 20.0 + mg.sum(theta**2 - 10.0 * mg.cos(2.0 * math.pi * theta), axis=-1)


def two(theta):
    """Two arrays a (2,) and b (1, 2), one after the other in theta."""
    return (0.5 * mg.sum(theta[..., :2]**2, axis=-1) + 1.5 * mg.sum(theta[..., 2:]**2, axis=-1)
            + theta[..., 0] * theta[..., 2] + 0.25)


SETS = {
    "A": (quad, (1, -0.5), dict(lr=0.1, momentum=0.9, xi=0.1, beta=0.8, decay=0.0), 0.99),
    "B": (quad, (1, -0.5), dict(lr=0.05, momentum=0.0, xi=1.0, beta=0.0, decay=0.1), 0.99),
    "C": (rastrigin, (2.2, -1.3), dict(lr=0.02, momentum=0.5, xi=0.01, beta=0.3, decay=0.01), 0.9),
    "D": (two, (0.5, -1, 0.25, 2), dict(lr=0.1, momentum=0.8, xi=0.5, beta=0.6, decay=0.02), 0.95),
}

# set, variant: three steps of (loss before, factor s, theta after). Computed by the author's
# PyTorch optimizers in float64; the JAX originals give the same to 1e-15.
GOLDEN = {
    ("A", "plain"): [(1.75, 0.27777777777778, (0.97222222222222, -0.36111111111111)),
                     (1.1246141975309, 0.34100377431304, (0.93862038832062, -0.21553640043946)),
                     (0.67278381625758, 0.42247516758372, (0.89771948561833, -0.068132101829807))],
    ("B", "plain"): [(1.75, 0.037037037037037, (0.99314814814815, -0.48824074074074)),
                     (1.6850667266804, 0.038723300022363, (0.98625950872204, -0.47634639069361)),
                     (1.6208833289065, 0.040546080760476, (0.97932876329386, -0.46430766912663))],
    ("C", "plain"): [(26.53, 0.012338937014329, (2.1837275043867, -1.2843517061192)),
                     (24.515158375619, 0.012448549413416, (2.1677037396485, -1.2683065886081)),
                     (22.511780329537, 0.012720465871184, (2.151873744518, -1.2516960392676))],
    ("D", "plain"): [(7.09375, 0.048632218844985,
                      (0.49535258358663, -0.9931367781155, 0.24342097264438, 1.966820668693)),
                     (6.8778825978361, 0.049593417456388,
                      (0.49067330309425, -0.98621007229297, 0.23680213743996, 1.9334052229532)),
                     (6.6640742981464, 0.050710371797472,
                      (0.48595415673829, -0.97920668552551, 0.23013194994478, 1.8996928953573))],
    ("A", "log"): [(1.75, 0.30905077262693, (0.96909492273731, -0.34547461368653)),
                   (1.0663360281469, 0.35451492952192, (0.93422007774762, -0.19704954705098)),
                   (0.63052619679837, 0.37165310767007, (0.89833833464608, -0.071842673415997))],
    ("B", "log"): [(1.75, 0.060215053763441, (0.99198924731183, -0.48244623655914)),
                   (1.6557931892415, 0.061323105215656, (0.98398770802598, -0.46524145471364)),
                   (1.5663639606934, 0.062487868326418, (0.97599340476916, -0.448379274059))],
    ("C", "log"): [(26.53, 0.033844243273494, (2.1561333391344, -1.2575317318922)),
                   (21.141557566151, 0.0404394221605, (2.1079254890466, -1.2052724889733)),
                   (15.335005035681, 0.051375762470843, (2.055872236888, -1.1398547046338))],
    ("D", "log"): [(7.09375, 0.1015078045304,
                    (0.49138691466022, -0.98784921954696, 0.2368115244337, 1.9350953172818)),
                   (6.6760300521825, 0.10536827495374,
                    (0.48262914203515, -0.9754078217667, 0.22344889405469, 1.8691439774174)),
                   (6.2654615266337, 0.10955643103711,
                    (0.47372267333203, -0.96265542810926, 0.20991614054638, 1.8021338840121))],
    ("A", "rms"): [(1.75, 0.62500000078125, (0.93750000054687, -0.43750000004688)),
                   (1.3964843757178, 0.64788794201564, (0.87284435985646, -0.37306003254595)),
                   (1.0767975776825, 0.67393750161607, (0.80584377255697, -0.30675384304606))],
    ("B", "rms"): [(1.75, 0.14285714326531, (0.98785714290816, -0.49035714285102)),
                   (1.6901815051224, 0.14624867882526, (0.97565000394618, -0.48066411147892)),
                   (1.6311364054192, 0.1498027519741, (0.96337377668623, -0.47091844414862))],
    ("C", "rms"): [(26.53, 0.44147520666187, (2.1907304958681, -1.2909104958682)),
                   (25.369487092202, 0.44203853697532, (2.181476431888, -1.2817922297458)),
                   (24.212464377075, 0.44356432263845, (2.1722391650958, -1.2726208951499))],
    ("D", "rms"): [(7.09375, 0.18181818247934,
                    (0.48081818199449, -0.97981818193388, 0.23131818189752, 1.9778181817824)),
                   (6.9047461767725, 0.18493091041065,
                    (0.4614106016917, -0.95938253106326, 0.21242040936113, 1.9553785570062)),
                   (6.7176119182956, 0.18854367941384,
                    (0.44176587230248, -0.93865644129599, 0.19330516061054, 1.9326383573475))],
}


def array(values, dtype="float64"):
    return xp.asarray(np.asarray(values, dtype))


def displacement(opt, g, loss=1.0, theta=None):
    """The first displacement for a given gradient, as a host array."""
    g = array(g)
    theta = xp.zeros_like(g) if theta is None else array(theta)
    delta, _ = opt.update(g, array(loss), theta, opt.init(theta))
    return to_host(delta)


@pytest.mark.parametrize("name, variant", GOLDEN)
@pytest.mark.parametrize("batched", [False, True])
def test_golden_vectors(name, variant, batched):
    f, start, hyper, beta_rms = SETS[name]
    hyper = dict(hyper, beta_rms=beta_rms) if variant == "rms" else dict(hyper)
    theta = array(start)
    if batched:                                     # three equal rows, hyper-parameters (3, 1)
        theta = xp.stack([theta] * 3)
        hyper = {key: xp.full((3, 1), value) for key, value in hyper.items()}
    opt = FAMILY[variant](**hyper)
    objective, state = Objective(f), opt.init(theta)
    for loss, s, after in GOLDEN[name, variant]:
        theta, state, L = opt.step(objective, theta, state)
        after = np.broadcast_to(after, theta.shape)
        for ours, golden in ((L, loss), (state["s"], s), (theta, after)):
            np.testing.assert_allclose(to_host(ours), golden, rtol=0, atol=1e-11)


def scalar_loop(variant, grads, losses, theta, lr, mu, xi, beta, beta_rms, eps, lam):
    """The recursion, one number after the other."""
    n, e = len(theta), 0.0
    m, r = [0.0] * n, [0.0] * n
    for t, (g, L) in enumerate(zip(grads, losses), start=1):
        D = [1.0] * n
        if variant == "rms":
            r = [beta_rms * ri + (1 - beta_rms) * gi * gi for ri, gi in zip(r, g)]
            D = [math.sqrt(ri / (1 - beta_rms**t)) + eps for ri in r]
        e = beta * e + (1 - beta) * xi * sum(gi * gi / Di for gi, Di in zip(g, D))
        e_hat = e / (1 - beta**t)
        s = L / (L * L + e_hat) if variant == "log" else 1 / (1 + e_hat)
        m = [mu * mi + (1 - mu) * gi for mi, gi in zip(m, g)]
        theta = [p - lr * s * mi / (1 - mu**t) / Di - lr * lam * p
                 for p, mi, Di in zip(theta, m, D)]
    return theta


@pytest.mark.parametrize("variant", FAMILY)
@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_a_scalar_loop(variant, seed):
    rng = np.random.default_rng(seed)
    lr, mu, xi, beta, beta_rms, lam = rng.uniform(0, 0.99, 6)
    grads, losses, start = rng.normal(size=(12, 3)), rng.uniform(0.1, 3, 12), rng.normal(size=3)
    hyper = dict(lr=lr, momentum=mu, xi=xi, beta=beta, decay=lam)
    if variant == "rms":
        hyper |= dict(beta_rms=beta_rms, eps=1e-3)
    opt = FAMILY[variant](**hyper)
    theta = array(start)
    state = opt.init(theta)
    for g, L in zip(grads, losses):
        delta, state = opt.update(array(g), array(L), theta, state)
        theta = theta + delta
    expected = scalar_loop(variant, grads, losses, list(start),
                           lr, mu, xi, beta, beta_rms, 1e-3, lam)
    np.testing.assert_allclose(to_host(theta), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("mu, beta", [(0.0, 0.0), (0.9, 0.8), (0.5, 0.99)])
def test_first_step_does_not_depend_on_the_memories(mu, beta):
    g, theta = np.array([0.3, -2.0, 1.1]), np.array([1.0, 2.0, -3.0])
    q, L, lr, xi, lam = g @ g, 0.7, 0.05, 0.4, 0.3
    common = dict(lr=lr, xi=xi, momentum=mu, beta=beta, decay=lam)
    plain = -lr * g / (1 + xi * q) - lr * lam * theta
    log = -lr * L * g / (L**2 + xi * q) - lr * lam * theta
    D = np.abs(g) + 1e-8
    rms = -lr * (g / D) / (1 + xi * np.sum(g**2 / D)) - lr * lam * theta
    rtol = 1e-12
    np.testing.assert_allclose(displacement(InducedMetric(**common), g, L, theta), plain, rtol)
    np.testing.assert_allclose(displacement(LogInducedMetric(**common), g, L, theta), log, rtol)
    for beta_rms in (0.0, 0.9):
        opt = RMSInducedMetric(**common, beta_rms=beta_rms)
        np.testing.assert_allclose(displacement(opt, g, L, theta), rms, rtol)


def run(opt, f, start, steps):
    theta, objective = array(start), Objective(f)
    state = opt.init(theta)
    for _ in range(steps):
        theta, state, _ = opt.step(objective, theta, state)
    return to_host(theta)


def test_without_the_metric_the_base_methods_remain():
    start = (2.2, -1.3)

    def equal(one, f, other, h):
        np.testing.assert_allclose(run(one, f, start, 20), run(other, h, start, 20), rtol=1e-12)

    rms = RMSInducedMetric(0.02, xi=0.0, momentum=0.8, beta_rms=0.95, decay=0.1)
    adamw = AdamW(0.02, beta1=0.8, beta2=0.95, decay=0.1)
    equal(rms, rastrigin, adamw, rastrigin)
    equal(InducedMetric(0.02, xi=0.0, momentum=0.0), quad, SGD(0.02), quad)
    equal(LogInducedMetric(0.02, xi=0.0, momentum=0.0), quad, SGD(0.02), lambda x: mg.log(quad(x)))


def test_without_the_metric_the_direction_is_the_corrected_mean():
    grads = np.array([[1.0, -2.0], [0.5, 0.5], [3.0, 1.0]])
    opt, theta, mu = InducedMetric(1.0, xi=0.0, momentum=0.7), xp.zeros(2), 0.7
    state = opt.init(theta)
    for t, g in enumerate(grads, start=1):
        delta, state = opt.update(array(g), array(1.0), theta, state)
        weights = mu ** np.arange(t - 1, -1, -1)
        np.testing.assert_allclose(to_host(delta), -weights @ grads[:t] / weights.sum(), rtol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_the_step_solves_the_metric(seed):
    """Sherman and Morrison: the displacement is -(D + ξ g gᵀ)⁻¹ g, by a dense solve."""
    rng = np.random.default_rng(seed)
    g, L, xi = rng.normal(size=4), rng.uniform(0.5, 2), rng.uniform(0, 3)
    D, gg, hyper = np.diag(np.abs(g) + 1e-8), np.outer(g, g), dict(xi=xi, momentum=0.0, beta=0.0)
    for make, G, right in ((InducedMetric, np.eye(4) + xi * gg, g),
                           (LogInducedMetric, np.eye(4) + xi * gg / L**2, g / L),
                           (RMSInducedMetric, D + xi * gg, g)):
        delta = displacement(make(1.0, **hyper), g, L)
        np.testing.assert_allclose(delta, -np.linalg.solve(G, right), rtol=1e-11)


def test_step_length_is_bounded_and_falls_again():
    lr, xi, L = 0.3, 0.5, 1.3
    off = dict(lr=lr, xi=xi, momentum=0.0, beta=0.0)
    peak, unit = lr / (2 * math.sqrt(xi)), np.array([0.6, -0.8])
    sizes = np.geomspace(0.01, 100, 41)
    for opt in (InducedMetric(**off), LogInducedMetric(**off)):
        lengths = [np.linalg.norm(displacement(opt, x * unit, L)) for x in sizes]
        assert max(lengths) <= peak * (1 + 1e-12)
        top = int(np.argmax(lengths))
        assert 0 < top < 40 and lengths[-1] < 0.05 * peak
    top = displacement(InducedMetric(**off), unit / math.sqrt(xi))
    assert np.linalg.norm(top) == pytest.approx(peak, rel=1e-12)
    top = displacement(LogInducedMetric(**off), unit * L / math.sqrt(xi), L)
    assert np.linalg.norm(top) == pytest.approx(peak, rel=1e-12)
    for seed in range(20):
        g = np.random.default_rng(seed).normal(size=5) * 10.0 ** (seed % 5 - 2)
        delta = displacement(RMSInducedMetric(**off), g)
        assert math.sqrt(np.sum((np.abs(g) + 1e-8) * delta**2)) <= peak * (1 + 1e-12)


@pytest.mark.parametrize("variant", FAMILY)
def test_direction_is_that_of_the_base_metric(variant):
    g = np.array([0.3, -2.0, 1.1])
    delta = displacement(FAMILY[variant](momentum=0.0), g)
    base = g / (np.abs(g) + 1e-8) if variant == "rms" else g
    ratio = delta / -base
    assert ratio.min() > 0
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-12)


def test_scaling_laws():
    c, start = 7.0, (0.9, -0.4)

    def larger(theta):
        return c * quad(theta)

    common = dict(momentum=0.6, beta=0.5)
    for make, lr, xi, own in ((LogInducedMetric, 0.1, 0.3, {}),
                              (InducedMetric, 0.1 / c, 0.3 / c**2, {}),
                              (RMSInducedMetric, 0.1, 0.3 / c, {"eps": 1e-300})):
        path = run(make(0.1, xi=0.3, **common, **own), quad, start, 10)
        other = run(make(lr, xi=xi, **common, **own), larger, start, 10)
        np.testing.assert_allclose(other, path, rtol=1e-12)


@pytest.mark.parametrize("variant", FAMILY)
def test_symmetries(variant):
    rng = np.random.default_rng(0)
    H = np.diag([1.0, 4.0, 0.5])
    start = rng.normal(size=3)
    Q, _ = np.linalg.qr(rng.normal(size=(3, 3)))

    def bowl(Q):
        Q = array(Q)
        return lambda theta: 0.5 * mg.sum((theta @ Q) @ array(H) * (theta @ Q), axis=-1) + 0.1

    def end(Q):
        return run(FAMILY[variant](0.1, xi=0.2), bowl(Q), Q @ start, 15)

    straight = end(np.eye(3))
    order = np.eye(3)[[2, 0, 1]]
    np.testing.assert_allclose(end(order), order @ straight, rtol=1e-11)
    if variant != "rms":                            # RMSprop's metric knows the coordinates
        np.testing.assert_allclose(end(Q), Q @ straight, rtol=1e-10)


def test_closed_form_on_the_round_bowl():
    h, x, lr, xi = 3.0, np.array([0.6, -1.2, 0.4]), 0.07, 0.9
    rho2 = x @ x
    off = dict(lr=lr, xi=xi, momentum=0.0, beta=0.0)

    def bowl(theta):
        return 0.5 * h * mg.sum(theta**2, axis=-1)

    plain, log = run(InducedMetric(**off), bowl, x, 1), run(LogInducedMetric(**off), bowl, x, 1)
    np.testing.assert_allclose(plain, x * (1 - lr * h / (1 + xi * h**2 * rho2)), rtol=1e-13)
    np.testing.assert_allclose(log, x * (1 - 2 * lr / (rho2 + 4 * xi)), rtol=1e-13)
    # at the end the error falls by 1 - η/(2ξ) a step, so η = 2 ξ lands at once
    late = [np.linalg.norm(run(LogInducedMetric(**off), bowl, 1e-3 * x, n)) for n in (5, 6)]
    assert late[1] / late[0] == pytest.approx(1 - lr / (2 * xi), rel=1e-6)
    once = run(LogInducedMetric(2 * xi, xi=xi, momentum=0.0, beta=0.0), bowl, 1e-3 * x, 1)
    assert np.linalg.norm(once) < 1e-8


def test_closed_form_on_the_cone():
    x, lr, xi = np.array([0.3, -0.4]), 0.05, 0.2

    def cone(theta):
        return 2.5 * mg.sqrt(mg.sum(theta**2, axis=-1))

    off = dict(xi=xi, momentum=0.0, beta=0.0)
    log = run(LogInducedMetric(lr, **off), cone, x, 1)
    np.testing.assert_allclose(log, x * (1 - lr / (0.25 + xi)), rtol=1e-13)
    far, near = (run(LogInducedMetric(xi, **off), cone, scale * x, 1) for scale in (1e-2, 1e-3))
    ratio = np.linalg.norm(far) / np.linalg.norm(near)
    assert ratio == pytest.approx(1e3, rel=1e-3)                               # cubic at η = ξ


def test_large_xi_is_the_polyak_step():
    g, L, lr, xi = np.array([0.3, -2.0]), 0.8, 5.0, 1e4
    polyak = -(lr / xi) * L * g / (g @ g)
    delta = displacement(LogInducedMetric(lr, xi=xi, momentum=0.0, beta=0.0), g, L)
    error = np.linalg.norm(delta - polyak) / np.linalg.norm(polyak)
    assert error == pytest.approx(L**2 / (xi * (g @ g)), rel=1e-3)


@pytest.mark.parametrize("variant", FAMILY)
@pytest.mark.parametrize("loss", [1.0, 0.0])
def test_zero_gradient_leaves_only_the_decay(variant, loss):
    theta = np.array([1.0, -2.0])
    delta = displacement(FAMILY[variant](0.1, decay=0.5), np.zeros(2), loss, theta)
    np.testing.assert_allclose(delta, -0.05 * theta, rtol=1e-15)


@pytest.mark.parametrize("variant", FAMILY)
def test_factor_is_readable(variant):
    opt, point, batch = FAMILY[variant](), xp.ones(3), xp.ones((4, 3))
    for theta, shape in ((point, ()), (batch, (4, 1))):
        state = opt.init(theta)
        assert state["s"].shape == shape
        _, state, _ = opt.step(Objective(lambda x: mg.sum(x * x, axis=-1)), theta, state)
        assert state["s"].shape == shape
        assert 0 < float(state["s"].min()) < 1


def test_log_refuses_losses_without_logarithm():
    opt, theta = LogInducedMetric(), xp.ones(2)
    with pytest.raises(ValueError, match=r"LogInducedMetric: needs a loss > 0.*got -0.5"):
        opt.update(theta, array(-0.5), theta, opt.init(theta))
    with pytest.raises(ValueError, match=r"needs a loss > 0.*got 0.0"):
        opt.update(theta, array(0.0), theta, opt.init(theta))
    batch = xp.ones((3, 2))
    with pytest.raises(ValueError, match=r"got -2.0"):
        opt.update(batch, array([1.0, -2.0, 3.0]), batch, opt.init(batch))
    opt.update(batch, array([1.0, np.nan, 3.0]), batch, opt.init(batch))       # lost, but no error


def test_log_uphill_on_request():
    opt = LogInducedMetric(1.0, xi=0.5, momentum=0.0, beta=0.0, on_nonpositive="ascend")
    g, theta = array([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]]), xp.zeros((3, 2))
    delta, _ = opt.update(g, array([-0.5, 0.0, 0.5]), theta, opt.init(theta))
    up, stay, down = to_host(delta)
    np.testing.assert_allclose(up, 0.5 / (0.25 + 2.5) * np.array([1.0, 2.0]), rtol=1e-14)
    np.testing.assert_allclose(stay, 0.0)
    np.testing.assert_allclose(down, -up)
    with pytest.raises(ValueError, match="on_nonpositive must be 'raise' or 'ascend', got 'clip'"):
        LogInducedMetric(on_nonpositive="clip")


def test_defaults():
    for opt in (InducedMetric(), LogInducedMetric(), RMSInducedMetric()):
        assert (opt.lr, opt.xi, opt.momentum, opt.beta, opt.decay) == (0.1, 0.1, 0.9, 0.8, 0.0)
    assert (RMSInducedMetric().beta_rms, RMSInducedMetric().eps) == (0.99, 1e-8)
    assert optim.InducedMetric is InducedMetric
