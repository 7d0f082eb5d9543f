"""SchattenMuon: its corners are plain optimizers, its choice is the exact one, its bad input."""
import numpy as np
import pytest

import minigrad as mg
from minigrad import Layout, graph
from minigrad.backend import to_host, xp
from optim import (SGD, Adam, MuAdam, Muon, Objective, SchattenMuon, descent, train)
from optim.lmo import criterion, polar, psi
from optim.sweep import trace
from problems import Network
from problems.networks.cnn import CNN
from problems.networks.lstm import LSTM
from problems.networks.mlp import MLP
from problems.networks.transformer import Transformer
from tests.optim.test_muon import GRADIENTS, W0, array, tree, walk


def corner(point, layout, ours, plain, steps=6, rtol=0.0, atol=1e-12):
    """Both follow the same gradients to the same points."""
    rng = np.random.default_rng(1)
    gradients = [layout.ravel(tree(rng)) for _ in range(steps)]
    for a, b in zip(walk(ours, layout.ravel(point), gradients),
                    walk(plain, layout.ravel(point), gradients)):
        np.testing.assert_allclose(to_host(a), to_host(b), rtol=rtol, atol=atol)


def start():
    point = tree(np.random.default_rng(0))
    return point, Layout(point)


def test_without_a_choice_it_is_muon():
    point, layout = start()
    corner(point, layout, SchattenMuon(layout, every=None, scale="jordan", bias_correction=False,
                                       decay=0.1), Muon(layout, decay=0.1))
    corner(point, layout, SchattenMuon(layout, t=0.0, scale="moonlight", nesterov=False),
           Muon(layout, scale="moonlight", nesterov=False), atol=1e-8)  # ε meets m̂, not m


@pytest.mark.parametrize("nesterov", [False, True])
def test_at_one_it_is_descent_with_momentum(nesterov):
    """(1-β) of the velocity is our mean, so the rate is (1-β) η."""
    point, layout = start()
    plain = SGD(0.1 * 0.02, momentum=0.9, nesterov=nesterov)
    corner(point, layout, SchattenMuon(layout, 0.02, t=1.0, momentum=0.9, scale="plain",
                                       nesterov=nesterov, bias_correction=False,
                                       fallback=plain), plain)


@pytest.mark.parametrize("moment", ["adam", "padam"])
def test_at_one_with_moments_it_is_adam(moment):
    """ε stands inside the power here and outside of the root there: at 1e-30 neither is seen."""
    point, layout = start()
    adam = Adam(0.01, eps=1e-30)
    corner(point, layout, SchattenMuon(layout, 0.01, t=1.0, moment=moment, momentum=0.9,
                                       nesterov=False, scale="plain", eps=1e-30, fallback=adam),
           adam)


def test_parametric_moments_at_zero_are_muon():
    point, layout = start()
    corner(point, layout, SchattenMuon(layout, t=0.0, moment="padam", scale="jordan",
                                       bias_correction=False), Muon(layout))


def test_fixed_moments_at_zero_are_muadam():
    point, layout = start()
    corner(point, layout, SchattenMuon(layout, 0.01, t=0.0, moment="adam", momentum=0.9,
                                       scale="plain"), MuAdam(layout, 0.01))


@pytest.mark.parametrize("make, first, third", [
    (lambda layout: MuAdam(layout, 0.01, orthogonal=lambda M: psi(M, 0.0)),
     [[0.1134493625, -0.2193657765], [0.2930473073, -0.0068721206], [-0.1116111561, 0.1968107177]],
     [[0.0956928167, -0.2251019838], [0.2620654154, -0.0143545579], [-0.1108391127, 0.1739796580]]),
    (lambda layout: SchattenMuon(layout, 0.01, t=0.5, momentum=0.9, moment="padam", scale="plain"),
     [[0.0986869768, -0.2071219893], [0.2941827413, -0.0067274728], [-0.1079137728, 0.1930887078]],
     [[0.0866410458, -0.2117641441], [0.2789817790, -0.0148843511], [-0.1095019336, 0.1782974530]]),
    (lambda layout: SchattenMuon(layout, 0.02, t=0.0, scale="jordan", bias_correction=False,
                                 orthogonal=lambda M: psi(M, 0.0)),
     [[0.1134967679, -0.2178279908], [0.2966648111, -0.0137432352], [-0.1201671458, 0.1903415203]],
     [[0.0922890273, -0.2349696486], [0.2650292799, -0.0251709595], [-0.1253720947, 0.1614050827]]),
], ids=["MuAdam", "parametric, t = 1/2", "Muon, exact polar factor"])
def test_golden_trajectories(make, first, third):
    layout = Layout({"W": array(W0.T)})
    points = walk(make(layout), array(W0.T.ravel()), [array(G.T.ravel()) for G in GRADIENTS])
    for point, expected in ((points[0], first), (points[2], third)):
        np.testing.assert_allclose(to_host(point).reshape(2, 3).T, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("moment", [None, "adam"])
@pytest.mark.parametrize("t", [0.0, 0.3, 1.0])
def test_pinned_steps_have_the_size_of_muon_or_of_adam(t, moment):
    point, layout = start()
    theta = layout.ravel(point)
    opt = SchattenMuon(layout, 0.02, t=t, moment=moment, orthogonal=polar)
    delta, _ = opt.update(theta, array(1.0), theta, opt.init(theta))
    for part in opt.matrices:
        m, n = part.d_out, part.d_in
        rho = ((1 - 0.9) / (1 + 0.9)) ** 0.5
        kappa = 1.0 if moment is None else 3e-4 / 0.02 * rho * max(m, n) ** 0.5
        size = np.linalg.norm(to_host(delta)[part.where]) / 0.02
        assert size == pytest.approx(min(m, n) ** 0.5 * kappa**t, rel=1e-9)


# ---------------------------------------------------------------------- the choice

def regression(seed=0, m=4, n=6, B=200):
    """|x W - Y|²/2B on inputs whose curvature is far from flat; one matrix."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(B, n)) * np.arange(1, n + 1) ** -1.0 @ rng.normal(size=(n, n))
    y = x @ rng.normal(size=(n, m)) + rng.normal(size=(B, m))

    class Squares(Network):
        def tree_loss(self, params, batch=None):
            return super().tree_loss(params, batch) * (m / 2)   # mean over B, half the square
    problem = Squares(MLP((n, m), loss="mse"), (x, y))
    return problem, problem.start(rng), x, y


def test_the_choice_is_the_criterion_of_the_carrier_that_is_applied():
    """At step 10 the exponent is that of `criterion` on the momentum of that very step."""
    problem, theta, x, y = regression()
    opt = SchattenMuon(problem.layout, 0.01, average=0.0, low=0.0, high=1.0)
    state, m, seen = opt.init(theta), 0.0, []
    for j in range(11):
        W = to_host(problem.params(theta)["layers"][0]["W"])
        b = to_host(problem.params(theta)["layers"][0]["b"])
        G = x.T @ (x @ W + b - y) / len(x)
        m = 0.95 * m + 0.05 * G
        M = 0.95 * m / (1 - 0.95 ** (j + 1)) + 0.05 * G
        theta, state, _ = opt.step(Objective(problem), theta, state)
        seen.append(float(state["exponents"][0]))
    assert seen[:10] == [0.0] * 10
    expected = criterion(array(G.T), array(M.T), array(x.T))
    assert seen[10] == pytest.approx(expected.t, abs=8e-3) and 0.05 < expected.t < 0.95


def test_choosing_leaves_the_momentum_alone():
    """With a choice at step 10 or without, m and the parts outside of the matrices are the same."""
    problem, theta, *_ = regression()
    runs = []
    for every in (None, 10):
        opt, point = SchattenMuon(problem.layout, 0.0, every=every), theta
        state = opt.init(point)
        for _ in range(12):
            point, state, _ = opt.step(Objective(problem), point, state)
        runs.append(state)
    np.testing.assert_array_equal(to_host(runs[0]["m"]), to_host(runs[1]["m"]))
    assert float(runs[1]["exponents"][0]) > 0 == float(runs[0]["exponents"][0])


def test_statistics_are_averaged_and_t_is_not():
    problem, theta, *_ = regression()
    histories = {}
    for average in (0.0, 0.9):
        opt, point = SchattenMuon(problem.layout, 0.02, every=1, average=average), theta
        state, c = opt.init(point), []
        for _ in range(6):
            point, state, _ = opt.step(Objective(problem), point, state)
            c.append(np.array(state.get("c.0", np.zeros(4))))
        histories[average] = c
    raw, mean = histories[0.0], histories[0.9]
    np.testing.assert_allclose(mean[1], raw[1], rtol=1e-12)         # the first is the start
    np.testing.assert_allclose(mean[2], 0.9 * mean[1] + 0.1 * raw[2], rtol=0.05)
    assert np.abs(mean[5] - raw[5]).max() > 1e-3


def test_the_surrogates_own_length_is_the_exact_line_search():
    """One layer, carrier = gradient, lr = 1: the step after a choice is the best along Ψ_t."""
    problem, theta, x, y = regression()
    opt = SchattenMuon(problem.layout, 1.0, every=1, average=0.0, momentum=0.0, low=0.0, high=1.0,
                       surrogate="direct", matrices=lambda e: e.kind == "weight",
                       fallback=SGD(0.0))
    state, objective = opt.init(theta), Objective(problem)
    state["t"] += 1                                         # a choice is due
    after, state, loss = opt.step(objective, theta, state)
    step = after - theta
    along = [float(objective.value(theta + a * step)) for a in (0.98, 1.0, 1.02)]
    assert along[1] < min(along[0], along[2]) and along[1] < float(loss)


def test_due_steps():
    problem, theta, *_ = regression()
    opt = SchattenMuon(problem.layout, every=25)
    assert [j for j in range(80) if opt.due({"t": j})] == [10, 25, 50, 75]
    assert not any(SchattenMuon(problem.layout, every=None).due({"t": j}) for j in range(200))


@pytest.mark.parametrize("settings", [
    {}, {"rule": "bound"}, {"curvature": "kfac"}, {"curvature": "hvp"}, {"moment": "adam"},
    {"moment": "padam", "curvature": "kfac"}, {"moment": "adam", "curvature": "hvp"},
    {"surrogate": "ratio"}, {"surrogate": "direct"}], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_variant_descends(settings, dtype):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(64, 5)), rng.integers(0, 3, 64)
    problem = Network(MLP((5, 8, 3), "tanh"), (x, y), dtype=dtype)
    theta = problem.start(rng)
    lr = 0.5 if settings.get("surrogate") == "direct" else 0.02         # a share of the best length
    opt, losses = SchattenMuon(problem.layout, lr, every=4, **settings), []
    for t, theta, loss, state in descent(opt, problem, theta, steps=20):
        losses.append(float(loss))
    assert theta.dtype == dtype
    assert losses[-1] < (0.99 if "moment" in settings else 0.9) * losses[0]  # those steps are small
    assert ((state["exponents"] >= 0) & (state["exponents"] <= 1)).all()
    assert state["exponents"].max() > 0 and "seen" not in state


def test_a_followed_run_is_the_run():
    """descent asks first, and the step must not ask again: same points, one gradient a step."""
    problem, theta, *_ = regression()
    opt, point = SchattenMuon(problem.layout, every=3), theta
    state, objective = opt.init(point), Objective(problem)
    for _ in range(12):
        point, state, _ = opt.step(objective, point, state)
    counted = Objective(problem)
    for _, followed, _, other in descent(opt, counted, theta, steps=12):
        pass
    np.testing.assert_array_equal(to_host(followed), to_host(point))
    np.testing.assert_array_equal(other["exponents"], state["exponents"])
    assert objective.gradients == 12 and counted.gradients == 13


def test_nothing_is_watched_between_the_choices(monkeypatch):
    problem, theta, *_ = regression()
    asked, walk_graph = [], graph.layers
    monkeypatch.setattr(graph, "layers", lambda *a: asked.append(1) or walk_graph(*a))
    for opt, times in ((Muon(problem.layout), 0), (SchattenMuon(problem.layout, every=None), 0),
                       (SchattenMuon(problem.layout, every=12), 2)):
        point, state, asked[:] = theta, opt.init(theta), []
        for _ in range(20):
            point, state, _ = opt.step(Objective(problem), point, state)
        assert len(asked) == times


@pytest.mark.parametrize("curvature", ["identity", "kfac", "hvp"])
@pytest.mark.parametrize("model", [
    CNN(image=(1, 6, 6), classes=3, filters=(2, 3), kernel=3), LSTM(6, width=4, hidden=4),
    Transformer(6, layers=1, width=8, heads=2, context=5, tied=True),
    Transformer(6, layers=1, width=8, heads=2, context=5)],
    ids=["cnn", "lstm", "tied transformer", "transformer"])
def test_all_networks(model, curvature):
    rng = np.random.default_rng(0)
    if isinstance(model, CNN):
        data = rng.normal(size=(8, 1, 6, 6)), rng.integers(0, 3, 8)
    else:
        data = rng.integers(0, 6, (4, 5)), rng.integers(0, 6, (4, 5))
    problem = Network(model, data)
    opt = SchattenMuon(problem.layout, 0.02, every=2, curvature=curvature, rng=rng)
    for t, theta, loss, state in descent(opt, problem, problem.start(rng), steps=4):
        first = loss if t == 0 else first
    assert float(loss) < float(first) and len(state["exponents"]) == len(opt.matrices)


def test_weights_used_twice_see_both_inputs():
    """x W Wᵀ: D(t) is the sum over both uses, each on its own side of the matrix."""
    rng = np.random.default_rng(0)
    W, x = rng.normal(size=(5, 3)), rng.normal(size=(40, 5)) * [3, 1, 1, 1, 0.2]

    class Tied:
        layout = Layout({"W": array(W)})
        batched = False

        def tree_loss(self, params, batch=None):
            h = mg.matmul(array(x), params["W"])
            return mg.mean_squared_error(mg.matmul(h, mg.transpose(params["W"])), array(x)) * 2.5
    opt = SchattenMuon(Tied.layout, every=1, low=0.0, high=1.0, nesterov=False, momentum=0.0)
    theta, state = array(W.ravel()), opt.init(array(W.ravel()))
    for _ in range(2):
        before = to_host(theta).reshape(5, 3)
        theta, state, _ = opt.step(Objective(Tied()), theta, state)
    h = x @ before
    G = (x.T @ (h @ before.T - x) @ before + (h @ before.T - x).T @ h) / 40

    def J(t):
        X = to_host(psi(array(G), t))
        curvature = ((x @ X) ** 2).sum() / 40 + ((h @ X.T) ** 2).sum() / 40
        return (G * X).sum() ** 2 / curvature
    grid = np.linspace(0, 1, 401)
    assert state["exponents"][0] == pytest.approx(grid[np.argmax([J(t) for t in grid])], abs=8e-3)


def test_prescribed_exponents():
    point, layout = start()
    opt = SchattenMuon(layout, t=lambda step: [0.0, 0.25 * step])
    theta, state = layout.ravel(point), opt.init(layout.ravel(point))
    f = Objective(lambda x: (x * x).sum(-1) / 2)
    for step in range(3):
        theta, state, _ = opt.step(f, theta, state)
        np.testing.assert_array_equal(state["exponents"], [0.0, 0.25 * step])


def test_a_trace_keeps_the_exponents_of_all_layers():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(64, 5)), rng.integers(0, 3, 64)
    problem = Network(MLP((5, 8, 3), "tanh"), (x, y))
    run = trace(Objective(problem), SchattenMuon(problem.layout, every=3), problem.start(rng),
                steps=8, tolerance=0.0)
    t = run.traces["exponents"]
    assert t.shape == (8, 2) and (t[:3] == 0).all() and t[5:].max() > 0     # t is chosen in step 4


def test_training_keeps_the_exponents():
    problem, theta, x, y = regression()
    run = train(problem, SchattenMuon(problem.layout, every=5), rng=np.random.default_rng(0),
                steps=12, theta=theta)
    t = np.asarray(run.history["exponents"])
    assert t.shape == (12, 1) and (t[:5] == 0).all() and (t[5:] > 0).all()


def test_a_zero_gradient_moves_nothing_and_chooses_nothing():
    problem, theta, x, y = regression()
    fitted = problem.model.apply(problem.params(theta), array(x))
    still = type(problem)(problem.model, (array(x), fitted))
    opt = SchattenMuon(problem.layout, every=1)
    state, point = opt.init(theta), theta
    for _ in range(3):
        point, state, _ = opt.step(Objective(still), point, state)
    np.testing.assert_array_equal(to_host(point), to_host(theta))
    assert state["exponents"][0] == 0.0


def test_statistics_that_are_not_finite_are_left_out():
    opt = SchattenMuon(regression()[0].layout, every=1)
    state = {"c.0": np.ones(3)}
    assert opt.tightness.averaged(state, "c.0", np.array([1.0, np.nan, 2.0])) is None
    np.testing.assert_array_equal(state["c.0"], np.ones(3))


def test_messages():
    point, layout = start()
    with pytest.raises(ValueError, match=r"SchattenMuon\.init: theta must be one point .* \(3, "):
        SchattenMuon(layout).init(xp.ones((3, layout.size)))
    with pytest.raises(ValueError, match="SchattenMuon: this layout has no matrix, only b, gain"):
        SchattenMuon(Layout({"b": xp.ones(3), "gain": xp.ones(3)}))
    for t in (1.5, -0.1, np.nan):
        with pytest.raises(ValueError, match=r"SchattenMuon: t must lie in \[0, 1\], got"):
            SchattenMuon(layout, t=t)
    with pytest.raises(ValueError, match=r"low and high must be a range within \[0, 1\], got 0.5"):
        SchattenMuon(layout, low=0.5, high=0.2)
    with pytest.raises(ValueError, match="unknown curvature 'full'. Use one of identity, kfac, h"):
        SchattenMuon(layout, curvature="full")
    with pytest.raises(ValueError, match="every must be a whole number of steps >= 1, or None"):
        SchattenMuon(layout, every=0)
    with pytest.raises(ValueError, match="both rates must be numbers, or one schedule"):
        SchattenMuon(layout, lambda step: 0.1, moment="adam", fallback=Adam(0.1))
    theta = layout.ravel(point)
    opt, f = SchattenMuon(layout, every=1), Objective(lambda x: (x * x).sum(-1) / 2)
    theta, state, _ = opt.step(f, theta, opt.init(theta))

    class Bare:
        def value_and_grad(self, theta):
            return xp.asarray(1.0), theta
    with pytest.raises(TypeError, match="to choose t it looks at the layers of an Objective, got B"):
        opt.step(Bare(), theta, state)
    with pytest.raises(ValueError, match="SchattenMuon.step: no input of K, W was seen. Give"):
        opt.step(f, theta, state)
